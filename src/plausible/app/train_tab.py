"""Begin a training: choose data and see what is in them, a family that suits them, a budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from plausible.app import controls, markup
from plausible.app.refusals import in_words
from plausible.app.train_form import (
    AS_THEY_ARE,
    ENOUGH,
    GREY_VALUES,
    MINUTES,
    ROUNDS,
    Looked,
    Wish,
    begin,
    choice,
    look,
)
from plausible.app.workplace import Workplace
from plausible.data.source import NAMES
from plausible.tasks import Family


@dataclass
class _Data:
    """The controls that say which data."""

    source: gr.Dropdown
    form: list[Any]
    see: gr.Button
    picture: gr.Image
    said: gr.HTML


@dataclass
class _Model:
    """The controls that say what learns, and how long."""

    whole: gr.Column
    family: gr.Radio
    others: gr.HTML
    by_class: gr.Checkbox
    budget: gr.Radio
    amount: gr.Number
    judge: gr.Checkbox
    seed: gr.Number
    name: gr.Textbox
    start: gr.Button

    @property
    def wish(self) -> list[Any]:
        """In the order of the fields of ``Wish``."""
        return [
            self.family, self.budget, self.amount, self.by_class, self.seed, self.judge, self.name,
        ]  # fmt: skip


def train_tab(work: Workplace, run: gr.Dropdown, tabs: gr.Tabs) -> None:
    """The controls of the tab; a training that begins becomes the run that is shown, in the tab ``watch``."""
    looked = gr.State(None)
    data, model = _data_controls(), _model_controls()
    changed = [model.by_class, model.budget, model.amount]

    def see(*form: Any, progress: Any = gr.Progress()) -> list[Any]:  # noqa: B008  # gradio fills it
        chosen = choice(work, *form)
        found = look(chosen, lambda done, of: progress((done, of), desc="reading the data"))
        return [found, *_shown(found)]

    def start(looked: Looked | None, *values: Any) -> list[Any]:
        form, wish = values[: 1 + len(data.form)], values[1 + len(data.form) :]
        begun = begin(work, looked, choice(work, *form), Wish(*wish))
        return [gr.Dropdown(work.names(), value=begun), gr.Tabs(selected="watch")]

    form = [data.source, *data.form]
    shown = [looked, data.picture, data.said, model.whole, model.family, model.others]
    data.see.click(in_words(see), form, shown, concurrency_id="data").then(
        _fitting, [model.family, looked, model.budget], changed, show_progress="hidden"
    )
    gr.on(
        [model.family.input, model.budget.input],
        _fitting,
        [model.family, looked, model.budget],
        changed,
        show_progress="hidden",
    )
    model.start.click(in_words(start), [looked, *form, *model.wish], [run, tabs])


def _data_controls() -> _Data:
    with gr.Row():
        with gr.Column(scale=2, min_width=300):
            gr.HTML("<h2>1. Data</h2>")
            source = gr.Dropdown(
                list(NAMES),
                value="digits",
                allow_custom_value=True,
                label="Data set",
                info="A name, or the path of a folder of images, a .zip, .csv, .npy, .npz or IDX file.",
                elem_id="source",
            )
            with gr.Accordion("How they are shaped", open=False):
                form = _preparation()
            see = gr.Button("Look at the data", elem_id="look", variant="primary")
        with gr.Column(scale=3, min_width=300):
            picture = controls.picture("What they look like", "some items of the data", "items")
            said = gr.HTML(elem_id="data-facts")
    return _Data(source, form, see, picture, said)


def _preparation() -> list[Any]:
    return [
        gr.Textbox(
            label="Size of images",
            info="Pixels a side, as 32, or width x height, as 64x48; empty: decided from the images.",
        ),
        gr.Dropdown(
            list(GREY_VALUES),
            value=AS_THEY_ARE,
            label="Grey values",
            info="Made black and white by a threshold, or by chance: once (static), or anew each time (dynamic).",
        ),
        gr.Textbox(label="Column of the class", info="Of a table; none if it has no class."),
        gr.Textbox(label="Columns to leave out", info="Of a table, by name, with commas between."),
    ]


def _model_controls() -> _Model:
    with gr.Column(visible=False) as whole, gr.Row():
        with gr.Column(scale=3, min_width=300):
            gr.HTML("<h2>2. Family</h2>")
            family = gr.Radio([], label="Families that suit these data", elem_id="family")
            others = gr.HTML()
        with gr.Column(scale=2, min_width=300):
            gr.HTML("<h2>3. Training</h2>")
            return _Model(
                whole,
                family,
                others,
                by_class=gr.Checkbox(label="Learn each class, p(x | y)", visible=False),
                budget=gr.Radio(
                    [ENOUGH, ROUNDS, MINUTES], value=ENOUGH, label="How long", elem_id="budget"
                ),
                amount=gr.Number(1000, label="Rounds", minimum=0, visible=False, elem_id="amount"),
                judge=gr.Checkbox(True, label="Judge it afterwards, beside data it never saw"),
                seed=controls.whole("Seed"),
                name=gr.Textbox(
                    label="Name of the run",
                    placeholder="empty: model, data and time",
                    elem_id="name",
                ),
                start=gr.Button("Start training", variant="primary", elem_id="start"),
            )


def _shown(found: Looked) -> list[Any]:
    """What was found, and the families to choose from: as README says, a gan of images, a mixture of vectors first."""
    fitting = [(f"{one.name}: {one.words}", one.name) for one in found.families if one.fits]
    return [
        controls.show(found.picture),
        markup.facts(found.facts) + markup.sentences(found.notes),
        gr.Column(visible=True),
        gr.Radio(fitting, value="gan" if found.images else "mixture"),
        _others(found.families),
    ]


def _fitting(family: str | None, looked: Looked | None, budget: str) -> list[Any]:
    """Only what the chosen family can be asked for."""
    found = None if looked is None else looked.family(family)
    rounds = None if found is None else found.rounds
    return [
        gr.Checkbox(visible=bool(found and found.by_class)),
        gr.Radio(
            visible=rounds is not None, info=f"{rounds:,} rounds suit it." if rounds else None
        ),
        gr.Number(
            visible=rounds is not None and budget != ENOUGH,
            label="Minutes" if budget == MINUTES else "Rounds",
        ),
    ]


def _others(families: Sequence[Family]) -> str:
    """The families that cannot learn from the data, each with the reason."""
    reasons = {one.name: one.reason for one in families if not one.fits}
    if not reasons:
        return ""
    return f"<details><summary>Why not the others</summary>{markup.facts(reasons)}</details>"
