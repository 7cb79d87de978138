"""What a person sees while a model trains and when it is done."""

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from plausible.judging import Measures
    from plausible.training import Step

_REFRESH = 0.25  # seconds between two looks at a terminal
_REPORT = 5.0  # seconds between two lines where there is no terminal


def watch(steps: "Iterable[Step]", total: int | None, console: Console) -> "Iterator[Step]":
    """Pass the steps of a training on while showing them: a live table, or lines without a terminal.

    Shows the step, images/s, the time left, and for each player its loss, what it watches and the
    norm of its gradient.  ``total``: the number of steps, None under a budget of minutes.
    """
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    interval = _REFRESH if live else _REPORT
    start = before = time.perf_counter()
    first: tuple[int, float] | None = None
    seen_images, rate, step = 0, 0.0, None
    if live:
        live.start()
    try:
        for step in steps:
            now, clock = time.perf_counter(), step.clock
            first = first or (clock.images, clock.spent)
            seen_images = seen_images or clock.images
            if now - before >= interval:
                rate = (clock.images - seen_images) / (now - before)
                share = (clock.spent - first[1]) / (now - start)
                left = (1 - clock.spent) / share if share > 0 else float("inf")
                _show(step, total, rate, left, live, console)
                before, seen_images = now, clock.images
            yield step
        if step is not None:
            overall = (step.clock.images - (first or (0, 0))[0]) / (time.perf_counter() - start)
            _show(step, total, overall, 0.0, live, console)
    finally:
        if live:
            live.stop()


def duration(seconds: float) -> str:
    """Seconds as people say them: 42 s, 3:05, 1:02:05."""
    if seconds == float("inf"):
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02}"
    return f"{minutes}:{rest:02}" if minutes else f"{rest} s"


def measures_table(measures: "Measures", title: str) -> Group | Text:
    """The end of a training as tables: classes beside real shares, distances beside real data."""
    lines: list[Table | Text] = []
    if measures.classes:
        table = Table(title=title, title_justify="left", title_style="bold")
        for name in ("class", "samples", "share", "real share", "share / real"):
            table.add_column(name, justify="left" if name == "class" else "right")
        for row in measures.classes:
            ratio = Text(f"{row.ratio:.2f}", "" if 0.5 <= row.ratio <= 2 else "bold red")
            share, real = f"{row.share:.1%}", f"{row.real:.1%}"
            table.add_row(row.name, f"{row.samples:,}", share, real, ratio)
        lines.append(table)
    if measures.accuracy is not None:
        kind = "classes by a classifier that is" if measures.classes else "this classifier is"
        lines.append(
            Text(f"{kind} {measures.accuracy:.1%} right on {measures.m:,} held-out examples")
        )
    if measures.asked is not None:
        lines.append(Text(f"the asked class is drawn {measures.asked:.1%} of the time"))
    if measures.frechet is not None and measures.frechet_real is not None:
        table = Table(
            title=f"Frechet distance to the {measures.m:,} held-out examples",
            title_justify="left",
            title_style="bold",
        )
        table.add_column("")
        table.add_column("distance", justify="right")
        table.add_row(f"{measures.n:,} samples", f"{measures.frechet:.2f}")
        table.add_row(f"{measures.n:,} real training examples", f"{measures.frechet_real:.2f}")
        lines += [table, Text(f"in {measures.features}; a perfect model reaches the second number")]
    return Group(*lines) if lines else Text("nothing to measure")


def _show(
    step: "Step", total: int | None, rate: float, left: float, live: Live | None, console: Console
) -> None:
    clock, values = step.clock, step.values()
    head = (
        f"step {clock.step + 1:,}{f'/{total:,}' if total else ''}  {clock.spent:4.0%}  "
        f"{rate:,.0f} images/s  ETA {duration(left)}"
    )
    if live is None:
        sides = (
            f"{who} " + " ".join(f"{name} {value:.3g}" for name, value in seen.items())
            for who, seen in values.items()
        )
        console.print(f"{head} | {' | '.join(sides)}", highlight=False, soft_wrap=True)
        return
    table = Table(title=head, title_justify="left", title_style="bold")
    names = list(dict.fromkeys(name for seen in values.values() for name in seen))
    table.add_column("player")
    for name in names:
        table.add_column(name, justify="right")
    for who, seen in values.items():
        cells = (f"{seen[name]:.4g}" if name in seen else "" for name in names)
        table.add_row(who, *cells)
    live.update(table, refresh=True)
