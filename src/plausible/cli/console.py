"""Where commands print, and how they show how far they are."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

LINES_EVERY = 30.0
"""Seconds between two lines where there is no terminal."""

console = Console(markup=False)
"""Square brackets are what they are: names of files, classes and columns may have them."""


def say(sentence: str) -> None:
    """A sentence as it is, on one line however long."""
    console.print(sentence, highlight=False, soft_wrap=True)


def say_notes(notes: tuple[str, ...]) -> None:
    """What was decided, one line each."""
    for note in notes:
        say(f"* {note}")


@contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[..., None]]:
    """A bar that goes away; where there is no terminal a line every half minute; ``quiet`` shows nothing.

    Yields f(what is being done, share of it that is done), the share left out where nobody knows it.
    """
    if quiet:
        yield lambda stage, share=None: None
        return
    if not console.is_terminal:
        with _progress_lines(what) as report_line:
            yield report_line
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def report(stage: str, share: float | None = None) -> None:
            known = share is not None
            bar.update(
                task, description=stage, completed=share or 0.0, total=1.0 if known else None
            )

        yield report


@contextmanager
def _progress_lines(what: str) -> Iterator[Callable[..., None]]:
    """Says every half minute what is being done, by a thread of its own: a stage may be silent for long."""
    latest: list[tuple[str, float | None]] = [(what, None)]
    ended, start = threading.Event(), time.perf_counter()

    def speak() -> None:
        while not ended.wait(LINES_EVERY):
            stage, share = latest[0]
            done = f", {share:.0%} done" if share is not None and 0 < share < 1 else ""
            say(f"{stage}{done} ({time.perf_counter() - start:,.0f} s so far)")

    def report(stage: str, share: float | None = None) -> None:
        latest[0] = stage, share

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    try:
        yield report
    finally:
        ended.set()
        thread.join()


class _TimeLeft:
    """How long what is counted goes on, in words, by how long it took so far; what is counted again begins anew."""

    def __init__(self) -> None:
        self._start, self._last = time.perf_counter(), 0

    def __call__(self, done: int, total: int) -> str:
        """The words, empty at first."""
        if done < self._last:
            self._start = time.perf_counter()
        self._last = done
        took = time.perf_counter() - self._start
        return f", about {took * (total - done) / done:,.0f} s to go" if done and took > 1 else ""


@contextmanager
def counting_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """The same for things that are counted: yields f(done, total); ``quiet`` shows nothing."""
    if not quiet and not console.is_terminal:
        with _progress_lines(what) as report_line:
            left = _TimeLeft()
            yield lambda done, total: report_line(
                f"{what}, {done:,} of {total:,}{left(done, total)}", done / total
            )
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=quiet) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
