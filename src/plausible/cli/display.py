"""What a person sees of a model that was trained: the summary, tables of measures and defects, findings."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from plausible.claims import Claimed
    from plausible.diagnosis import Finding
    from plausible.evaluation.paired import Comparison
    from plausible.evaluation.report import Report
    from plausible.evaluation.verdict.verdict import TestResult, Verdict
    from plausible.tasks.advise import Advice
    from plausible.tasks.before_after import BeforeAfter
    from plausible.tasks.compared import Compared


def report(evaluation: "Report") -> Group:
    """The tables of an evaluation: shares of classes, and measures beside real data."""
    parts: list[Table | Text | Group] = []
    if evaluation.classes:
        parts.append(_classes(evaluation))
    if evaluation.classes and evaluation.reference_accuracy is not None:
        right = f"classes by a classifier that is {evaluation.reference_accuracy:.1%} right on held-out data"
        parts.append(Text(right + "\n"))
    parts += [_measures(evaluation), _undefined(evaluation)]
    return Group(*parts)


def advice(given: "Advice", pictures: str = "") -> Group:
    """What the verdict means and what to do, to be printed without cropping: commands are never broken.

    pictures  where to look.
    """
    rows = [
        ("good", given.right),
        ("not yet", given.wrong),
        ("open", given.undecided),
        ("why", given.why),
    ]
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        if text:
            table.add_row(f"  {label}", Text(text))
    parts: list[Table | Text] = [Text(""), Text(f"In plain words: {given.head}", "bold"), table]
    if pictures:
        parts.append(
            Text.assemble(("  look at  ", "dim"), pictures, no_wrap=True, overflow="ignore")
        )
    if given.next:
        parts.append(Text("What to try next", "bold"))
    for each in given.next:
        parts.append(Text(f"  {each.what}{':' * bool(each.command)}"))
        if each.command:
            parts.append(Text(f"    {each.command}", "cyan", no_wrap=True, overflow="ignore"))
    return Group(*parts, Text(""))


def findings(rows: "Sequence[Finding]") -> Group:
    """A diagnosis: how bad, what is claimed, the numbers, what to change; what is fine is one line at the end."""
    styles = {"failure": "bold red", "warning": "yellow", "note": "bold"}
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    wrong = {
        row.phenomenon for row in rows if str(row.severity) != "fine"
    }  # an alarm of the training, say
    fine = [row.phenomenon for row in rows if row.phenomenon not in wrong]
    for row in rows:
        severity = str(row.severity)
        if severity != "fine":
            parts = [Text(f"{row.phenomenon}: {row.claim}")]
            parts += [Text("; ".join(_evidence(row)), "dim")] * bool(row.evidence)
            parts += [Text(f"what to do: {row.remedy}")] * bool(row.remedy)
            table.add_row(Text(severity, styles[severity]), Group(*parts, Text("")))
    checks = f"{len(fine)} check{'s' * (len(fine) > 1)} found nothing: {', '.join(fine)}"
    return Group(table, *([Text(checks, "green")] if fine else []))


def alarm(finding: "Finding") -> Text:
    """A finding in a line: what is wrong, the numbers, and what to do."""
    style = "bold red" if str(finding.severity) == "failure" else "yellow"
    text = Text(f"{finding.severity}: {finding.claim}", style)
    if finding.evidence:
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
    table = _table(f"{'holds' if claimed.holds else 'DOES NOT HOLD'}: {sentence}")
    table.title_style = "green" if claimed.holds else "bold red"
    for name in ("measured", "value", "95% interval", "must be", "holds"):
        table.add_column(name, justify="right" if name == "value" else "left")
    for row in cells(claimed):
        table.add_row(*row)
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
            cells = [measure.number] + ([real_value.number if real_value else ""] if real else [])
            table.add_row(name, *cells, measure.direction)
    return table


def _undefined(evaluation: "Report") -> Text:
    """One line for each measure that has no number, with the reason."""
    missing = [measure for measure, _ in evaluation.measures if measure.value is None]
    return Text("\n".join(f"* {measure.name}: {measure.note}" for measure in missing), "dim")


def verdict(verdict: "Verdict") -> Group:
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
            undefined.append((row.name, row.sentence))
            continue
        answer = str(row.state).ljust(14)
        parts.append(Text.assemble(f"  {row.name:{width}}", (answer, style), _effect(row)))
        parts.append(Padding(Text(row.sentence, "dim"), (0, 0, 0, 4)))
    return Group(*parts, Text("\n".join(["", *_not_defined(undefined)]), "dim"))


def _not_defined(reasons: Sequence[tuple[str, str]]) -> list[str]:
    """Why tests are not defined; of vectors all that is a matter of images in one line."""
    of_images = [name for name, reason in reasons if "image" in reason and "vectors" in reason]
    lines = [
        f"* {name}, not defined: {reason}" for name, reason in reasons if name not in of_images
    ]
    if of_images:
        lines.append(f"* not defined for vectors: {', '.join(of_images)}")
    return lines


def comparison(compared: "Comparison") -> Group:
    """Two generators, each defect of both, the difference with its 95% interval, and who is better; then what that says."""
    answers = {
        "A is better": ("A better", "green"),
        "B is better": ("B better", "red"),
        "no difference found": ("alike", ""),
        "too few to say": ("open", "yellow"),
        "not defined": ("hardly shows here", "dim"),
    }
    parts: list[Text] = [
        Text.assemble(
            ("Which is better?  ", "bold"),
            f"by {compared.n:,} samples of each against {compared.heldout:,} held-out examples",
        ),
        *(Text(f"  {letter}  {name}") for letter, name in zip("AB", compared.names, strict=True)),
        Text(f"\n  {'':22}{'A':>7}{'B':>8}   A - B (95%)", "dim"),
    ]
    undefined = []
    for row in compared.results:
        if row.effects is None or row.difference is None:
            undefined.append((row.name, row.reason))
            continue
        effects = "".join(f"{effect:8.1%}" for effect in row.effects)
        line = f"  {row.name:22}{effects}   {_beside(row.difference, row.interval):26}"
        word, style = answers[str(row.answer)]
        more = "" if row.needed is None else f": {row.needed:,}"
        parts.append(Text.assemble(line, (word + more, style)))
    if compared.log_prob is not None:
        mean, error = compared.log_prob
        nats = f"{mean:+,.2f} nats ({mean - 1.96 * error:+,.2f} to {mean + 1.96 * error:+,.2f})"
        said = f"\nlog p of A less that of B on held-out data: {nats}, {compared.log_prob_note}"
        parts.append(Text(said))
    parts.append(Text(f"\n{compared.sentence}", "bold"))
    return Group(*parts, Text("\n".join(["", *_not_defined(undefined)]), "dim"))


def compared(found: "Compared") -> Group:
    """Families side by side: a column for each, a row for each number and defect; then the advice in its three sentences."""
    budget = f"{found.plan.budget} of training each"
    parts: list[Table | Text] = [
        Text.assemble(
            (f"Which family for {found.data}?  ", "bold"),
            f"{budget}, by {found.heldout:,} held-out examples",
        )
    ]
    alive = [family for family in found.families if not family.failed]
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("", no_wrap=True)
    for family in alive:
        table.add_column(family.name, justify="right", overflow="fold")
    for column in found.columns:
        table.add_row(column.title, *(family.cell(column.name) for family in alive))
    table.add_section()
    table.add_row("verdict", *(_states({family.verdict: 1}) for family in alive))
    for defect in found.defects:
        table.add_row(defect, *(_states(family.states(defect)) for family in alive))
    if alive:
        parts += [table, Text("?: INCONCLUSIVE, too few examples or too little seen", "dim")]
    parts += [
        Text(f"{family.name}, not compared: {family.failed}", "yellow")
        for family in found.families
        if family.failed
    ]
    return Group(*parts, Text(""), *(Text(sentence, "bold") for sentence in found.advice))


def before_after(found: "BeforeAfter") -> Group:
    """A start and the refined in columns, and in a sentence what was won and what it cost."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("", no_wrap=True)
    for who in found.reports:
        table.add_column(who, justify="right", overflow="fold")
    table.add_row("verdict", *(_states({state: 1}) for state in found.verdicts))
    for row in found.rows:
        table.add_row(row.title, *row.cells)
    return Group(table, Text(found.sentence, "bold"))


def _states(states: Mapping[str, int]) -> Text:
    """The state of a defect in one run, or how many of several say what."""
    styles = {"FAIL": "red", "PASS": "green", "INCONCLUSIVE": "yellow"}
    words = {"INCONCLUSIVE": "?", "": "draws nothing"}
    several = sum(states.values()) > 1
    cells = [
        Text(words.get(state, state) + f" {count}" * several, styles.get(state, "dim"))
        for state, count in states.items()
    ]
    return Text(", ").join(cells)


def _effect(row: "TestResult") -> str:
    """An effect and its interval in as few characters as they need: 6.0% (4.0 to 7.9)."""
    return "" if row.effect is None else _beside(row.effect, row.interval)


def _beside(value: float, interval: tuple[float, float] | None) -> str:
    if interval is None:
        return f"{value:.1%}"
    low, high = interval
    return f"{value:.1%} ({100 * low:.1f} to {100 * high:.1f})"


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
