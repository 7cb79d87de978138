"""plausible watch."""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.arguments import RunFolder
from plausible.cli.checks import check_run
from plausible.cli.command import Command, commands
from plausible.cli.console import console

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

    from plausible.figures.curves import Curves
    from plausible.tasks.watch import Raised, Watched

_REFRESH = 1.0  # seconds between two looks at the folder, at least, ...
_SHARE = 20  # ... and as many times what a look takes, so that it costs at most 5% of a core
_SILENT = 30.0  # seconds without a word after which that is said
_WIDE = 64  # letters, from which on curves stand side by side
_LOWEST, _HIGHEST, _PRINTED = 3, 12, 7  # letters that curves are high: at least, at most, in a file
_FEW = 3  # findings that are shown while there is little room
_ECHO = 3  # letters at the end of a line for the ^C of the terminal


@commands
@dataclass(frozen=True)
class Watch(Command):
    """A running or finished training: its curves, what was found wrong, and the time left.

    Example: plausible watch runs/gan-digits-20260101-120000
    """

    answers: ClassVar[type[Any]] = documents.Seen
    run_folder: RunFolder
    once: bool = False
    """Show the state once and end, as where the output is no terminal."""

    def run(self) -> None:
        """Show the state of the run, again and again until it is finished; Ctrl-C leaves the training alone."""
        check_run(self.run_folder)
        from plausible.tasks import watch

        if console.is_terminal and not self.once and not self.json:
            with contextlib.suppress(KeyboardInterrupt):
                _follow(self.run_folder)
        height = console.height if console.is_terminal else None
        seen = watch(self.run_folder)
        answer(_document(seen))
        console.print(state(seen, console.width, height), highlight=False)


def _document(seen: "Watched") -> documents.Seen:
    raised = tuple(
        documents.RaisedFinding(each.step, each.finding.to_dict()) for each in seen.raised
    )
    return documents.Seen(
        seen.folder, seen.model, seen.data, str(seen.state), seen.rounds, seen.total, seen.progress,
        seen.seconds, seen.rate, seen.left, seen.age, seen.values, raised, seen.verdict,
    )  # fmt: skip


def _follow(folder: Path) -> None:
    """Redraw the state until the training is finished, or was stopped."""
    from rich.constrain import Constrain
    from rich.live import Live

    from plausible.tasks import watch
    from plausible.tasks.watch import State

    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            start = time.perf_counter()
            seen = watch(folder)
            if seen.state in (State.FINISHED, State.STOPPED):
                return
            width = console.width - _ECHO
            now = state(seen, width, console.height, short=True)
            live.update(Constrain(now, width), refresh=True)
            time.sleep(max(_REFRESH, _SHARE * (time.perf_counter() - start)))


def state(
    seen: "Watched", width: int, height: int | None = None, *, short: bool = False
) -> "Group":
    """What is known of a training, ``width`` letters wide, with curves for a terminal of ``height`` rows.

    short  leaves out of what was found wrong all that does not fit.
    """
    from rich.console import Console, Group
    from rich.text import Text

    from plausible.cli.live import players_table, readable

    name = Text(f"{seen.model} of {seen.data}", "bold", no_wrap=True, overflow="ellipsis")
    name.append(f"  {seen.folder}", "not bold dim")
    head: list[RenderableType] = [name, Text(_sentence(seen)), _bar(seen, width)]
    if seen.values:
        head.append(players_table(readable(seen.values)))
    rows = len(Console(width=width).render_lines(Group(*head)))
    below = 2 + min(len(seen.raised), _FEW + 1)  # with the line of the cursor
    left = None if height is None else height - rows - below
    ends = Text(f"all curves from round 1 to {seen.rounds:,}" * bool(seen.curves), "dim")
    shown = _curves(seen, width, left, short=short)
    return Group(*head, shown, ends, _findings(seen.raised, short=short))


def _sentence(seen: "Watched") -> str:
    """How far it is, how fast, and how long it will take, or how it ended."""
    from plausible.cli.live import about, duration
    from plausible.tasks.watch import State

    of = f" of {seen.total:,}" if seen.total and seen.state is not State.FINISHED else ""
    parts = [f"round {seen.rounds:,}{of}"] if seen.rounds else []
    if seen.state is State.NOT_BEGUN:
        return "not begun: nothing is logged yet"
    if seen.state is State.FINISHED:
        judged = f"judged {seen.verdict}" if seen.verdict else "not judged"
        return ", ".join([*parts, f"finished in {duration(seen.seconds)}", judged])
    parts.append(f"{seen.progress:.0%}")
    if seen.state is State.STOPPED:
        ago = f"nothing new for {about(seen.age)}"
        return f"{', '.join(parts)}, stopped: {ago}; plausible resume {seen.folder} goes on"
    if seen.rate is not None:
        parts.append(
            f"{seen.rate:,.0f} rounds/s" if seen.rate >= 10 else f"{seen.rate:.2g} rounds/s"
        )
    if seen.left is not None:
        parts.append(f"about {about(seen.left)} left")
    if seen.age > _SILENT:
        parts.append(f"nothing new for {about(seen.age)}")
    return ", ".join(parts)


def _bar(seen: "Watched", width: int) -> "RenderableType":
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    line = Table.grid()  # a bar by itself does not end its line
    line.add_row(ProgressBar(total=1.0, completed=seen.progress, width=min(width, 80)))
    return line


def _curves(seen: "Watched", width: int, height: int | None, *, short: bool) -> "Table":
    """The curves side by side where there is room, as high as there is room for them; ``short`` leaves some out."""
    from rich.table import Table

    across = 2 if width >= _WIDE and len(seen.curves) > 1 else 1
    shown = list(seen.curves)
    down = -(-len(shown) // across)
    words = 1 + max((len(each.lines) for each in shown), default=0)  # the title, and a legend
    high = _PRINTED
    if height is not None and down:
        while short and down > 1 and height // down - words < _LOWEST:
            down -= 1
        high = min(_HIGHEST, max(_LOWEST, height // down - words))
    grid = Table.grid(padding=(0, 2, 0, 0), expand=False)
    each_width = width // across - 2  # two letters between them
    for row in range(down):
        few = shown[row * across : (row + 1) * across]
        grid.add_row(*(_panel(each, seen.rounds, each_width, high) for each in few))
    return grid


def _panel(shown: "Curves", rounds: int, width: int, height: int) -> "Group":
    """Curves below their title, and above a legend with their last values."""
    from rich.console import Group
    from rich.text import Text

    from plausible.figures.braille import line_style, plot, sample_of

    lines = {name: (steps.numpy(), values.numpy()) for name, (steps, values) in shown.lines.items()}
    title = shown.title if len(shown.title) <= width else shown.title.partition(":")[0]

    def number(value: float) -> str:
        return f"{value:.0%}" if shown.percent else f"{value:.3g}"

    drawn = plot(lines, width, height, rounds, number, logarithmic=shown.logarithmic)
    legend = []
    for k, (name, (_, values)) in enumerate(lines.items()):
        entry = Text(sample_of(k), line_style(k), no_wrap=True, overflow="ellipsis")
        legend.append(entry.append(f" {name}: {number(float(values[-1]))}", "not dim default"))
    heading = Text(title, "bold", no_wrap=True, overflow="ellipsis")
    return Group(heading, *drawn, *legend)


def _findings(raised: "Sequence[Raised]", *, short: bool) -> "Group":
    """What was found wrong; ``short`` shows the last few of it, a line each."""
    from rich.console import Group
    from rich.text import Text

    from plausible.cli import display

    rows: list[Text] = []
    shown = raised[-_FEW:] if short else raised
    if len(shown) < len(raised):
        rows.append(Text(f"{len(raised) - len(shown)} earlier, which --once shows", "dim"))
    for each in shown:
        where = "" if each.step is None else f"round {each.step:,}, "
        text = Text(f"{where}{each.finding.phenomenon}: ")
        if short:
            text.no_wrap, text.overflow = True, "ellipsis"
        if each.finding.severity.rank:
            text.append_text(display.alarm(each.finding))
        else:
            text.append("not found any more", "green")
        rows.append(text)
    return Group(*rows)
