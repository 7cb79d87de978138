"""Ask about an image or a point: which class or none, how plausible, what comes back, what completes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from plausible.app import asking, controls, markup
from plausible.app.asking import DRAWING, ITEM, UPLOAD, Asked, Given
from plausible.app.controls import OfRun
from plausible.app.pad import drawing_pad
from plausible.app.refusals import in_words
from plausible.app.workplace import Workplace
from plausible.core.errors import UsageError
from plausible.tasks import Abilities, Trained

_FILES = (
    "An image, or a .zip, .tar, .npy, .npz, .csv, .tsv or .parquet file of the shape of the data"
)
_PICTURES = {
    "came": "Inputs, and below each what comes back of it",
    "heat": "Inputs, and below each how surprising its pixels are",
    "rest": "Inputs, what of them is known, and what completes them",
}


def ask_tab(work: Workplace, run: gr.Dropdown) -> OfRun:
    """The controls of the tab."""
    said = gr.HTML()
    with gr.Row(visible=False) as whole:
        with gr.Column(scale=2, min_width=300):
            given = _Input()
            questions = _Questions(work, run, given)
        with gr.Column(scale=3, min_width=300):
            questions.answers()

    def suit(trained: Trained | None, can: Abilities) -> list[Any]:
        without = "which only draws: it says nothing about an input."
        return [
            controls.instead(trained, can.asked, without),
            gr.Row(visible=can.asked),
            *given.suited(trained),
            *questions.suited(trained, can),
        ]

    return OfRun([whole], [said, whole, *given.controls, *questions.controls], suit)


class _Input:
    """By what something is handed over: a file, a drawing, or the number of an item of data that are still there."""

    def __init__(self) -> None:
        self.way = gr.Radio(
            [UPLOAD, DRAWING, ITEM], value=ITEM, label="What to ask about", elem_id="way"
        )
        self.file = gr.File(label=_FILES, visible=False, elem_id="file")
        with gr.Column(visible=False) as self.pad:
            self.drawing = drawing_pad()
        self.item = controls.whole("Number of the item, from 0", name="item")
        self.way.input(
            self._chosen, self.way, [self.file, self.pad, self.item], show_progress="hidden"
        )

    @property
    def fields(self) -> list[Any]:
        """In the order of the fields of ``Given``."""
        return [self.way, self.file, self.drawing, self.item]

    @property
    def controls(self) -> list[Any]:
        """In the order of ``suited``."""
        return [self.way, self.file, self.pad, self.item]

    def suited(self, trained: Trained | None) -> list[Any]:
        """The ways that a model has, the last of them chosen; what was uploaded for another is gone."""
        images = trained is not None and trained.model.space.is_image
        ways = [UPLOAD] + [DRAWING] * images + [ITEM] * (_items(trained) > 0)
        items, last = _items(trained), ways[-1]
        return [
            gr.Radio(ways, value=last),
            gr.File(None, visible=last == UPLOAD),
            gr.Column(visible=last == DRAWING),
            gr.Number(0, label=f"Number of the item, 0 to {items - 1:,}", visible=last == ITEM),
        ]

    def _chosen(self, way: str) -> list[Any]:
        return [
            gr.File(visible=way == UPLOAD),
            gr.Column(visible=way == DRAWING),
            gr.Number(visible=way == ITEM),
        ]


@dataclass(frozen=True)
class _Question:
    """What is asked by a button: f(input, further choices) -> {name of an answer: what it is}.

    can  whether a model can answer.
    """

    button: gr.Button
    can: Callable[[Abilities], bool]
    ask: Callable[..., dict[str, Any]]
    choices: tuple[Any, ...] = ()


class _Questions:
    """A button for each question that a model can answer, and the places where answers are shown.

    An answer hides those of the question before, which may have been about something else.
    """

    def __init__(self, work: Workplace, run: gr.Dropdown, given: _Input):
        self._work, self._run, self._given = work, run, given
        self._known = _button("Which class? How plausible?", "ask", "primary")
        back = _button("What comes back?", "back")
        surprise = _button("Where does it surprise?", "surprise")
        self._rows = gr.Slider(
            0, 1, 0, step=1, label="Rows from the top that are known", buttons=[]
        )
        self._seed = controls.whole("Seed")
        complete = _button("What completes it?", "complete")
        self._asked = [
            _Question(self._known, lambda can: can.classify or can.score, _answers),
            _Question(back, lambda can: can.reconstruct, _back),
            _Question(surprise, lambda can: can.surprisal, _surprise),
            _Question(complete, lambda can: can.complete, _rest, (self._rows, self._seed)),
        ]
        self._places: dict[str, Any] = {}

    def answers(self) -> None:
        """The places for answers; and what the buttons do."""
        self._places = {
            "seen": controls.picture(
                "As the model sees it", "the inputs as the model sees them", "seen"
            ),
            "said": gr.HTML(elem_id="answers"),
            **{name: controls.picture(label, label, name) for name, label in _PICTURES.items()},
        }
        for question in self._asked:
            question.button.click(
                in_words(self._answer(question)),
                [self._run, *self._given.fields, *question.choices],
                list(self._places.values()),
                concurrency_id="model",
            )

    @property
    def controls(self) -> list[Any]:
        """In the order of ``suited``."""
        buttons = [question.button for question in self._asked]
        return [*buttons, self._rows, self._seed, *self._places.values()]

    def suited(self, trained: Trained | None, can: Abilities) -> list[Any]:
        """The questions that a model can answer, and no answers yet."""
        words = ["Which class, or none?"] * can.classify + ["How plausible?"] * can.score
        buttons = [gr.Button(visible=question.can(can)) for question in self._asked]
        height = trained.model.space.shape[1] if trained is not None and can.complete else 2
        return [
            gr.Button(" ".join(words), visible=bool(words)),
            *buttons[1:],
            gr.Slider(value=height // 2, maximum=height - 1, visible=can.complete),
            gr.Number(visible=can.complete),
            *("" if name == "said" else controls.hidden() for name in self._places),
        ]

    def _answer(self, question: _Question) -> Callable[..., list[Any]]:
        fields = len(self._given.fields)

        def answer(name: str | None, *values: Any, progress: Any = gr.Progress()) -> list[Any]:  # noqa: B008
            given = asking.asked(self._work, name, Given(*values[:fields]))
            progress(0.0, desc="asking the model")
            found = {"seen": asking.seen(given), **question.ask(given, *values[fields:])}
            said = found.pop("said", "")
            return [
                said if place == "said" else controls.show(found.get(place))
                for place in self._places
            ]

        return answer


def _button(words: str, name: str, variant: Any = "secondary") -> gr.Button:
    return gr.Button(words, variant=variant, visible=False, elem_id=name)


def _answers(given: Asked) -> dict[str, Any]:
    return {"said": asking.answers(given)}


def _back(given: Asked) -> dict[str, Any]:
    picture, words = asking.back(given)
    return {"came": picture, "said": markup.paragraph(words)}


def _surprise(given: Asked) -> dict[str, Any]:
    return {"heat": asking.surprise(given)}


def _rest(given: Asked, rows: float, seed: float | None) -> dict[str, Any]:
    return {"rest": asking.completed(given, rows, seed)}


def _items(trained: Trained | None) -> int:
    """How many held-out items there are to ask about; 0 where the data are gone."""
    try:
        return 0 if trained is None else len(trained.data_for("inputs").heldout)
    except UsageError:
        return 0
