"""Where commands print, and how they show how far they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console()


def say(sentence: str) -> None:
    """A sentence as it is, on one line however long."""
    console.print(sentence, highlight=False, soft_wrap=True, markup=False)


def say_notes(notes: tuple[str, ...]) -> None:
    """What was decided, one line each."""
    for note in notes:
        say(f"* {note}")


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[..., None]]:
    """A bar that goes away; nothing at all where there is no terminal.

    Yields f(what is being done, share of it that is done), the share left out where nobody knows it.
    """
    from rich.progress import Progress

    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=None)

        def report(stage: str, share: float | None = None) -> None:
            known = share is not None
            bar.update(
                task, description=stage, completed=share or 0.0, total=1.0 if known else None
            )

        yield report


@contextmanager
def counting_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """The same for things that are counted: yields f(done, total); ``quiet`` shows nothing."""
    from rich.progress import Progress

    hidden = quiet or not console.is_terminal
    with Progress(console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
