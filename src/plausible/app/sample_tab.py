"""Draw samples: of a class, typical or varied, by more or fewer steps, as far as the model knows of such."""

from typing import Any

import gradio as gr

from plausible.app import controls, markup
from plausible.app.controls import OfRun
from plausible.app.draws import Draw, draw
from plausible.app.refusals import in_words
from plausible.app.workplace import Workplace
from plausible.tasks import Abilities, Trained, weights_used

_WEIGHTS = [("the best, by what was probed", "best"), ("the last", "last")]
_AS_IT_IS = ("as configured", "")


def sample_tab(work: Workplace, run: gr.Dropdown) -> OfRun:
    """The controls of the tab."""
    said = gr.HTML()
    with gr.Row(visible=False) as whole:
        with gr.Column(scale=2, min_width=300):
            given = _given(work)
            button = gr.Button("Draw samples", variant="primary", elem_id="draw")
        with gr.Column(scale=3, min_width=300):
            picture = controls.picture("Samples", "samples of the model", "drawn")
            notes = gr.HTML(elem_id="drawn-notes")
            file = gr.File(label="The same as a file", interactive=False, visible=False)

    def drawn(name: str | None, *values: Any) -> list[Any]:
        found = draw(work, name, Draw(**dict(zip(given, values, strict=True))))
        return [
            controls.show(found.picture),
            markup.sentences(found.notes),
            gr.File(found.file, visible=True),
        ]

    def suit(trained: Trained | None, can: Abilities) -> list[Any]:
        without = "p(y | x), which has no samples to draw."
        return [
            controls.instead(trained, can.sample, without),
            gr.Row(visible=can.sample),
            *_suited(trained, can),
            controls.hidden(),
            "",
            gr.File(None, visible=False),
        ]

    button.click(
        in_words(drawn), [run, *given.values()], [picture, notes, file], concurrency_id="model"
    )
    given["truncated"].change(
        lambda on: gr.Slider(visible=on),
        given["truncated"],
        given["truncation"],
        show_progress="hidden",
    )
    return OfRun([whole], [said, whole, *_changing(given), picture, notes, file], suit)


def _given(work: Workplace) -> dict[str, Any]:
    """{field of ``Draw``: control}."""
    most = work.limits.max_samples
    return {
        "n": gr.Slider(1, most, min(64, most), step=1, label="How many", buttons=[]),
        "seed": controls.whole("Seed", info="The same seed draws the same."),
        "label": controls.of_class(name="class"),
        "truncated": gr.Checkbox(label="More typical, less varied: truncate z", elem_id="truncated"),
        "truncation": gr.Slider(
            0.1, 3, 1, step=0.1, label="Truncation, standard deviations", buttons=[], elem_id="truncation"
        ),
        "mean": gr.Checkbox(label="Without the noise of single pixels: E[x | z]", elem_id="mean"),
        "steps": gr.Number(None, label="Steps", info="Empty: as configured.", precision=0, minimum=1),
        "solver": gr.Dropdown([_AS_IT_IS], value="", label="Solver"),
        "guidance": gr.Number(
            None, label="Guidance", info="Empty: as configured; more is more typical of the class."
        ),
        "weights": gr.Radio(_WEIGHTS, value="best", label="Weights"),
    }  # fmt: skip


def _changing(given: dict[str, Any]) -> list[Any]:
    """Those that not every model has, in the order of ``_suited``."""
    return [control for name, control in given.items() if name not in ("n", "seed")]


def _suited(trained: Trained | None, can: Abilities) -> list[Any]:
    """What the model can be asked for, as it is before anybody asks."""
    choose = trained is not None and bool(weights_used(trained))
    return [
        controls.classes(can.labels),
        gr.Checkbox(False, visible=can.truncation),
        gr.Slider(value=1, visible=False),
        gr.Checkbox(False, visible=can.mean),
        gr.Number(None, visible=can.steps),
        gr.Dropdown([_AS_IT_IS, *can.solvers], value="", visible=can.steps),
        gr.Number(None, visible=can.guidance),
        gr.Radio(value="best", visible=choose),
    ]
