"""What a person sees while a model trains: how far it is, and how its players do."""

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from plausible.runs import Run
    from plausible.tasks.expect import Expected
    from plausible.tasks.training_pictures import TrainingPictures
    from plausible.training import Step, Training

_REFRESH = 0.25  # seconds between two looks at a terminal
_FIRST, _REPORT = 5.0, 30.0  # seconds until the first line without a terminal, and between two
_SURE = 1.0  # seconds of rounds after which their speed is said, ...
_ROUNDS = 11  # ... if there were so many, with the first picture among them,
_PATIENCE = 10.0  # ... or so many seconds
_FALLBACK = 3  # numbers shown of a player that has none of the usual
# what a player says of itself -> the heading of the column, and how a cell is written
_COLUMNS = {
    "loss": ("loss", "{:.4g}"),
    "D(x)": ("data real", "{:.0%}"),
    "D(G(z))": ("samples real", "{:.0%}"),
    "gradient norm": ("gradient", "{:.3g}"),
    "log likelihood": ("log likelihood", "= {:.4g}"),  # of what is fitted, which is exact
}
_GAME = (
    "The discriminator says how likely data and samples are to be real: where it says "
    "the same of both, it cannot tell what the generator draws from data."
)


def beginning(training: "Training[Any]", run: "Run", pictures: "TrainingPictures") -> str:
    """What is about to learn from what, where it is kept, and where one sees it learn."""
    weights = sum(param.numel() for param in training.raw.parameters())
    return (
        f"{training.raw.name}: {weights:,} weights, {len(training.data.train):,} training examples, "
        f"batch {training.batch}, on {training.device}; run {run.folder}; see it learn: {pictures.path}"
    )


def show_progress(
    steps: "Iterable[Step]",
    training: "Training[Any]",
    console: Console | None,
    pictures: "TrainingPictures | None" = None,
    *,
    judged: bool = True,
) -> "Iterator[Step]":
    """Pass the steps of a training on while showing them: a live table, or lines without a terminal.

    After the first rounds it says what to expect, with how long judging takes if it is ``judged`` afterwards.
    Without a console nothing is shown.
    """
    if console is None:
        yield from steps
        return
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    wait = _REFRESH if live else _FIRST
    start = before = time.perf_counter()
    trial, expected = _Trial(), False
    first = rate = 0.0
    begun, seen, step = 0, 0, None
    if live:
        live.start()
    try:
        for step in steps:
            now, clock = time.perf_counter(), step.clock
            if not trial.rounds:
                first, begun, seen = clock.progress, clock.images, clock.images
            trial.count(now)
            if not expected and trial.done:
                expected = True
                console.print(_expected(training, trial, pictures, judged), soft_wrap=True)
            if now - before >= wait:
                rate = (clock.images - seen) / (now - before)
                share = (clock.progress - first) / (now - start)
                left = (1 - clock.progress) / share if share > 0 else float("inf")
                head = f"{clock.progress:.0%}, {_speed(rate, training)}, {duration(left)} left"
                _show(step, training, head, live, console)
                before, seen, wait = now, clock.images, _REFRESH if live else _REPORT
            yield step
        if step is not None:
            overall = (step.clock.images - begun) / max(time.perf_counter() - start, 1e-9)
            how = "done" if training.finished else "stopped"
            _show(step, training, f"{how}, {_speed(overall, training)}", live, console)
    finally:
        if live:
            live.stop()


def duration(seconds: float) -> str:
    """Seconds as people say them: 42 s, 3:05 min, 1:02:05 h."""
    if seconds == float("inf"):
        return "unknown"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02}:{rest:02} h"
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"


def about(seconds: float) -> str:
    """The same roughly: 40 s, 4 min, 2.5 h."""
    if seconds < 55:
        return f"{max(1, round(seconds, -1) if seconds > 20 else round(seconds)):.0f} s"
    if seconds < 5400:
        return f"{round(seconds / 60):.0f} min"
    return f"{seconds / 3600:.2g} h" if seconds < 36000 else f"{seconds / 3600:,.0f} h"


class _Trial:
    """The time that rounds take, without the first, which prepares much and is saved, and the first probe."""

    def __init__(self) -> None:
        self.rounds, self._took, self._latest = 0, list[float](), 0.0

    def count(self, now: float) -> None:
        """One more round has ended."""
        self.rounds += 1
        if self.rounds > 2 and not self.done:
            self._took.append(now - self._latest)
        self._latest = now

    @property
    def done(self) -> bool:
        """Whether the speed is known."""
        took = sum(self._took)
        return took >= _PATIENCE or (len(self._took) >= _ROUNDS and took >= _SURE)

    @property
    def seconds_a_round(self) -> float:
        """How long one takes; the slowest two of many were not rounds alone."""
        usual = sorted(self._took)[: -2 if len(self._took) >= _ROUNDS else None]
        return sum(usual) / len(usual)


def _expected(
    training: "Training[Any]", trial: _Trial, pictures: "TrainingPictures | None", judged: bool
) -> Text:
    from plausible.tasks.expect import expect

    sampling = 0.0 if pictures is None else pictures.sampling_seconds
    said = expectation(expect(training, trial.seconds_a_round, sampling), judged)
    return Text(said, style="dim")


def expectation(expected: "Expected", judged: bool) -> str:
    """What a training will take, in a sentence: "about 21 rounds/s: 4 min for 5,000 rounds, then about 1 min to judge"."""
    rate, seconds = expected.rate, expected.seconds
    speed = f"about {rate:,.0f} rounds/s"
    if rate < 10:
        speed = f"about {rate:.1f} rounds/s" if rate >= 1 else f"about {1 / rate:.1f} s a round"
    text = f"{speed}: {about(seconds)} for {expected.rounds:,} rounds"
    if judged:
        text += f", then about {about(expected.judging)} to judge"
    if expected.few:
        text += f"; it needs about {expected.needed:,} rounds, so this will be too short to judge"
    if expected.smaller is not None:
        size, now, share = expected.smaller
        text += f"; --size {size} (now {now}) would take about {share:.0%} of the time"
    return text


def _speed(rate: float, training: "Training[Any]") -> str:
    return f"{rate:,.0f} {'images' if training.raw.space.is_image else 'rows'}/s"


def _show(
    step: "Step", training: "Training[Any]", head: str, live: Live | None, console: Console
) -> None:
    total = training.settings.steps
    ended = head.startswith("done")  # a fit that has converged may have had more rounds
    of = f" of {total:,}" if total and not (ended and step.clock.step + 1 < total) else ""
    head = f"round {step.clock.step + 1:,}{of}, {head}"
    values = readable(step.values())
    if live is None:
        sides = (
            f"{who}: " + ", ".join(f"{name} {cell}" for name, cell in cells.items())
            for who, cells in values.items()
        )
        console.print(f"{head}; {'; '.join(sides)}", highlight=False, soft_wrap=True)
        return
    game = any("samples real" in cells for cells in values.values())
    said = [Text(_GAME, "dim")] if game else []
    live.update(Group(Text(head, "bold"), players_table(values), *said), refresh=True)


def readable(values: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, str]]:
    """{player: {heading: cell}} of the numbers that people can read; all others are in the log."""
    shown = {
        who: {
            heading: form.format(seen[name])
            for name, (heading, form) in _COLUMNS.items()
            if name in seen
        }
        for who, seen in values.items()
    }
    for who, seen in values.items():
        if not shown[who]:
            shown[who] = {name: f"{value:.4g}" for name, value in list(seen.items())[:_FALLBACK]}
    return shown


def players_table(values: Mapping[str, Mapping[str, str]]) -> Table:
    """The players below each other with what ``readable`` has of each, at most 80 letters wide."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    names = list(dict.fromkeys(name for cells in values.values() for name in cells))
    table.add_column("", style="bold")
    for name in names:
        table.add_column(name, justify="right", min_width=9)
    for who, cells in values.items():
        table.add_row(who, *(cells.get(name, "") for name in names))
    return table
