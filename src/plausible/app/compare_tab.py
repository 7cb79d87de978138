"""Compare runs: what each is and how far it came, and which of two is better, in what."""

from typing import Any

import gradio as gr

from plausible.app import markup
from plausible.app.refusals import in_words
from plausible.app.workplace import Workplace
from plausible.core.errors import UsageError
from plausible.evaluation.paired import Comparison
from plausible.tasks import evaluate_against

_LEAST, _USUAL, _MOST = 100, 500, 5000  # samples of each
_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60))


def listed(work: Workplace) -> str:
    """The runs as a table."""
    rows = [
        (
            work.name_of(row.folder),
            row.model,
            row.data,
            "being trained" if work.trainings.alive(work.name_of(row.folder)) else row.state,
            "too short" if row.too_short else row.verdict or "not judged",
            _age(row.age),
        )
        for row in work.rows()
    ]
    if not rows:
        return markup.paragraph(f"No runs in {work.folder} so far: train one.")
    return markup.table(("run", "model", "data", "state", "verdict", "saved"), rows, "The runs")


def beside(comparison: Comparison) -> str:
    """Which is better, in what, defect by defect."""
    rows: list[tuple[str, ...]] = []
    for row in comparison.results:
        if row.effects is None or row.difference is None:
            rows.append((row.name, "", "", "", f"not defined: {row.reason}"))
            continue
        low, high = row.interval or (row.difference, row.difference)
        needed = "" if row.needed is None else f": {row.needed:,} samples would decide"
        rows.append(
            (
                row.name,
                *(f"{effect:.1%}" for effect in row.effects),
                f"{row.difference:+.1%} ({100 * low:+.1f} to {100 * high:+.1f})",
                f"{row.answer}{needed}",
            )
        )
    a, b = comparison.names
    columns = ("defect", "A", "B", "A less B, 95% interval", "answer")
    title = f"A is {a}, B is {b}: larger is worse"
    said = f"{comparison.sentence}."
    return (
        markup.paragraph(said)
        + markup.table(columns, rows, title)
        + markup.sentences((*_likelihood(comparison), *comparison.notes))
    )


def compare(work: Workplace, a: str | None, b: str | None, n: int, progress: Any = None) -> str:
    """Two runs beside one another, by samples of each; UsageError for a run beside itself."""
    if a == b:
        raise UsageError("choose two different runs")
    if not _LEAST <= n <= _MOST:
        raise UsageError(f"a comparison takes {_LEAST} to {_MOST:,} samples of each, not {n}")
    return beside(evaluate_against(work.run(a), work.run(b), n=n, progress=progress))


def compare_tab(work: Workplace, page: gr.Blocks, tab: gr.Tab) -> None:
    """The controls of the tab."""
    table = gr.HTML(elem_id="runs")
    gr.HTML("<h2>Which of two is better?</h2>")
    with gr.Row():
        first = gr.Dropdown([], label="A", elem_id="a")
        second = gr.Dropdown([], label="B", elem_id="b")
        n = gr.Slider(_LEAST, _MOST, _USUAL, step=100, label="Samples of each, at most", buttons=[])
    button = gr.Button("Compare them", variant="primary", elem_id="compare")
    said = gr.HTML(elem_id="compared")

    def listed_now(a: str | None, b: str | None) -> list[Any]:
        names = work.names()
        first, second = (*names, None, None)[:2]
        a, b = (a if a in names else first), (b if b in names else second)
        return [listed(work), gr.Dropdown(names, value=a), gr.Dropdown(names, value=b)]

    def compared(a: str | None, b: str | None, n: float, progress: Any = gr.Progress()) -> str:  # noqa: B008
        return compare(work, a, b, int(n), lambda stage, share: progress(share or 0.0, desc=stage))

    gr.on(
        [page.load, tab.select],
        listed_now,
        [first, second],
        [table, first, second],
        show_progress="hidden",
    )
    button.click(in_words(compared), [first, second, n], said, concurrency_id="model")


def _likelihood(comparison: Comparison) -> tuple[str, ...]:
    if comparison.log_prob is None:
        return ()
    mean, error = comparison.log_prob
    ends = f"{mean - 1.96 * error:+,.2f} to {mean + 1.96 * error:+,.2f}"
    return (
        f"log p of A less that of B on held-out data: {mean:+,.2f} nats ({ends}), "
        f"{comparison.log_prob_note}",
    )


def _age(seconds: float) -> str:
    """About how long ago, in the largest whole unit."""
    for unit, length in _UNITS:
        if seconds >= length:
            n = int(seconds // length)
            return f"{n} {unit}{'s' * (n > 1)} ago"
    return "just now"
