"""What a person sees while a model trains and when it is done."""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from plausible.claims import Claimed
    from plausible.diagnosis import Finding
    from plausible.evaluation.measure import Measure
    from plausible.evaluation.report import Report
    from plausible.evaluation.verdict.verdict import TestResult, Verdict
    from plausible.runs import Run
    from plausible.tasks.advise import Advice
    from plausible.training import Step, Training

_REFRESH = 0.25  # seconds between two looks at a terminal
_REPORT = 5.0  # seconds between two lines where there is no terminal


def beginning(training: "Training[Any]", run: "Run") -> str:
    """What is about to learn from what, and where it is kept."""
    weights = sum(param.numel() for param in training.raw.parameters())
    return (
        f"{training.raw.name}: {weights:,} weights, {len(training.data.train):,} training examples, "
        f"batch {training.batch}, on {training.device}; run {run.folder}"
    )


def show_progress(
    steps: "Iterable[Step]", total: int | None, console: Console | None
) -> "Iterator[Step]":
    """Pass the steps of a training on while showing them: a live table, or lines without a terminal.

    Shows the step, images/s, the time left, and for each player its loss, what it watches and the
    norm of its gradient.  ``total``: the number of steps, None under a budget of minutes.  Without a
    console nothing is shown.
    """
    if console is None:
        yield from steps
        return
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
            first = first or (clock.images, clock.progress)
            seen_images = seen_images or clock.images
            if now - before >= interval:
                rate = (clock.images - seen_images) / (now - before)
                share = (clock.progress - first[1]) / (now - start)
                left = (1 - clock.progress) / share if share > 0 else float("inf")
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


def report(evaluation: "Report") -> Group:
    """An evaluation as tables: shares of classes, measures beside real data, and the verdict."""
    parts: list[Table | Text | Group] = []
    if evaluation.classes:
        parts.append(_classes(evaluation))
    if evaluation.classes and evaluation.reference_accuracy is not None:
        right = f"classes by a classifier that is {evaluation.reference_accuracy:.1%} right on held-out data"
        parts.append(Text(right + "\n"))
    parts += [_measures(evaluation), _undefined(evaluation)]
    if evaluation.verdict is not None:
        parts += [Text(""), _verdict(evaluation.verdict)]
    return Group(*parts)


def advice(given: "Advice") -> Group:
    """What the verdict means and what to do, to be printed without cropping: commands are never broken."""
    heads = {
        "FAIL": "In plain words: not there yet",
        "PASS": "In plain words: it learned the distribution, as far as this can see",
        "INCONCLUSIVE": "In plain words: nothing wrong was found, and not all could be decided",
    }
    rows = [
        ("good", given.right),
        ("not yet", given.wrong),
        ("open", given.undecided),
        ("why", _limit(given)),
    ]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        if text:
            table.add_row(f"  {label}", Text(text))
    parts: list[Table | Text] = [Text(""), Text(heads[given.state], "bold"), table]
    if given.next:
        parts.append(Text("What to try next", "bold"))
    for each in given.next:
        parts.append(Text(f"  {each.what}{':' * bool(each.command)}"))
        if each.command:
            parts.append(Text(f"    {each.command}", "cyan", no_wrap=True, overflow="ignore"))
    return Group(*parts, Text(""))


def _limit(given: "Advice") -> str:
    """What there is too little of, and why that is thought; without a training the reason alone."""
    if not given.because:
        return ""
    lead = {
        "time": "too little time, most likely: ",
        "data": "too few data, most likely: ",
        "capacity": "too small a model, most likely: ",
        "unknown": "what limits it is not known: ",
    }.get(str(given.limit), "")
    text = f"{lead}{given.because}."
    return text[:1].upper() + text[1:]


def findings(rows: "Sequence[Finding]") -> Table:
    """A diagnosis as a table: how bad, what is claimed, the numbers, what to change."""
    styles = {"failure": "bold red", "warning": "yellow", "note": "", "fine": "green"}
    table = _table("What is wrong, and what to do")
    for name in ("phenomenon", "severity", "finding", "evidence", "what to do"):
        table.add_column(name, no_wrap=name == "severity", overflow="fold")
    for row in rows:
        evidence = "\n".join(_evidence(row))
        severity = str(row.severity)
        table.add_row(
            row.phenomenon, Text(severity, styles[severity]), row.claim, evidence, row.remedy
        )
    return table


def alarm(finding: "Finding") -> Text:
    """A finding in a line: what is wrong, the numbers, and what to do."""
    style = "bold red" if str(finding.severity) == "failure" else "yellow"
    text = Text(f"{finding.severity}: {finding.claim}", style)
    text.append(f" ({', '.join(_evidence(finding))})", "dim")
    return text.append(f"; {finding.remedy}" if finding.remedy else "", "")


def _evidence(finding: "Finding") -> list[str]:
    """Each number of a finding with what it is."""
    return [
        f"{what}: {value}" if isinstance(value, str) else
        f"{what}: {value:,.0f}" if abs(value) < 1e9 and value == round(value) else f"{what}: {value:.4g}"
        for what, value in finding.evidence.items()
    ]  # fmt: skip


def claim(sentence: str, claimed: "Claimed") -> Table:
    """A claim, what was measured, and whether it holds."""
    table = _table(escape(f"{'holds' if claimed.holds else 'DOES NOT HOLD'}: {sentence}"))
    table.title_style = "green" if claimed.holds else "bold red"
    for name in ("measured", "value", "95% interval", "must be", "holds"):
        table.add_column(name, justify="right" if name == "value" else "left")
    for row in cells(claimed):
        table.add_row(*map(escape, row))
    return table


def cells(claimed: "Claimed") -> list[tuple[str, str, str, str, str]]:
    """What was measured, its value, interval, where it must lie, and whether it does, of each number."""
    rows = []
    for number in claimed.measured:
        interval = "" if number.low == number.high else f"{number.low:.4g} to {number.high:.4g}"
        least = None if number.least is None else f"at least {number.least:g}"
        most = None if number.most is None else f"at most {number.most:g}"
        must = " and ".join(bound for bound in (least, most) if bound)
        rows.append(
            (number.what, f"{number.value:.4g}", interval, must, "yes" if number.holds else "NO")
        )
    return rows


def _classes(evaluation: "Report") -> Table:
    table = _table(f"{evaluation.samples:,} samples by class")
    for name in ("class", "samples", "share", "real share", "share / real"):
        table.add_column(name, justify="left" if name == "class" else "right")
    for row in evaluation.classes:
        ratio = Text(f"{row.ratio:.2f}", "" if 0.5 <= row.ratio <= 2 else "bold red")
        table.add_row(row.name, f"{row.samples:,}", f"{row.share:.1%}", f"{row.real:.1%}", ratio)
    return table


def _measures(evaluation: "Report") -> Table:
    real = any(real_value is not None for _, real_value in evaluation.measures)
    what = f"{evaluation.compared:,} samples and as many held-out examples"
    table = _table(f"measures of {what if real else f'{evaluation.compared:,} held-out examples'}")
    table.caption, table.caption_justify = (
        evaluation.features and f"features: {evaluation.features}",
        "left",
    )
    table.add_column("measure")
    table.add_column("samples" if real else "value", justify="right")
    if real:
        table.add_column("real data", justify="right")
    table.add_column("better")
    for measure, real_value in evaluation.measures:
        if measure.value is not None:
            name = f"{measure.name}, {measure.unit}" if measure.unit else measure.name
            cells = [_number(measure)] + (
                [_number(real_value) if real_value else ""] if real else []
            )
            table.add_row(name, *cells, measure.direction)
    return table


def _undefined(evaluation: "Report") -> Text:
    """One line for each measure that has no number, with the reason."""
    missing = [measure for measure, _ in evaluation.measures if measure.value is None]
    return Text("\n".join(f"* {measure.name}: {measure.note}" for measure in missing), "dim")


def _verdict(verdict: "Verdict") -> Group:
    """Each defect that is defined with its answer, effect and 95% interval, and what that means; then the others."""
    styles = {"FAIL": "red", "PASS": "green", "INCONCLUSIVE": "yellow"}
    state = str(verdict.state)
    title = Text.assemble(
        ("Did it learn the distribution?  ", "bold"),
        (state, f"bold {styles[state]}"),
        f", by {verdict.n:,} examples a side",
    )
    width = max(len(row.name) for row in verdict.results) + 2
    parts: list[Text | Padding] = [title, Text("")]
    undefined = []
    for row in verdict.results:
        style = styles.get(str(row.state))
        if style is None:
            undefined.append(f"* {row.name}, not defined: {row.sentence}")
            continue
        answer = str(row.state).ljust(14)
        parts.append(Text.assemble(f"  {row.name:{width}}", (answer, style), _effect(row)))
        parts.append(Padding(Text(row.sentence, "dim"), (0, 0, 0, 4)))
    return Group(*parts, Text("\n".join(["", *undefined]), "dim"))


def _effect(row: "TestResult") -> str:
    """An effect and its interval in as few characters as they need: 6.0% (4.0 to 7.9)."""
    if row.effect is None:
        return ""
    if row.interval is None:
        return f"{row.effect:.1%}"
    low, high = row.interval
    return f"{row.effect:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)


def _number(measure: "Measure") -> str:
    """Value ± error with its sign, to the digits that the error leaves, and p where it is a test."""
    assert measure.value is not None
    large = abs(measure.value) >= 1000
    text = f"{measure.value:,.0f}" if large else f"{measure.value:.4g}"
    if measure.stderr:
        digits = 0 if large else max(0, min(6, 1 - math.floor(math.log10(measure.stderr))))
        text = f"{measure.value:,.{digits}f} ± {measure.stderr:,.{digits}f}"
    sign = "" if measure.kind.sign == "≈" else f"{measure.kind.sign} "
    return f"{sign}{text}" + (f"  p {measure.p:.2g}" if measure.p is not None else "")


def _show(
    step: "Step", total: int | None, rate: float, left: float, live: Live | None, console: Console
) -> None:
    clock, values = step.clock, step.values()
    head = (
        f"step {clock.step + 1:,}{f'/{total:,}' if total else ''}  {clock.progress:4.0%}  "
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
