"""Questions about inputs that a person hands over: uploaded, drawn, or items of the data."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from plausible import figures
from plausible.app import markup
from plausible.app.pad import drawn
from plausible.app.pictures import as_image, points, temporary
from plausible.app.workplace import Workplace
from plausible.core.errors import UsageError
from plausible.recognition.conformal import most_extreme
from plausible.recognition.recogniser import LEVEL
from plausible.tasks import (
    Trained,
    abilities_of,
    classify,
    complete,
    reconstruct,
    score,
    surprisal,
)
from plausible.tasks.classify import Classification
from plausible.tasks.inputs import as_inputs
from plausible.tasks.mark import mark_of
from plausible.tasks.score import Scores

UPLOAD, DRAWING, ITEM = "a file", "a drawing", "an item of the held-out data"
_INPUTS = 16  # that are looked at, of what is handed over
_DRAWS = 6  # of the rest of an image
_LARGEST = 3  # classes that are named
_LONG = 1e9  # nats beyond which digits say nothing


@dataclass(frozen=True)
class Given:
    """What a person hands over.

    way      which of the three.
    file     the path of an uploaded file.
    drawing  what the drawing pad has, see ``pad``.
    item     the number of an item of the held-out data.
    """

    way: str = UPLOAD
    file: str | None = None
    drawing: str | None = None
    item: float | None = 0


@dataclass(frozen=True)
class Asked:
    """Points of the space of a model, (n, *shape), their names, and what was done to them."""

    trained: Trained
    x: Tensor
    names: tuple[str, ...]
    notes: tuple[str, ...]


def asked(work: Workplace, name: str | None, given: Given) -> Asked:
    """What was handed over, as the model sees it; the first 16 where there are more."""
    trained = work.open(name)
    found = as_inputs(_place(given), trained)
    notes = list(found.notes)
    if len(found.names) > _INPUTS:
        notes.append(f"the first {_INPUTS} of {len(found.names):,} inputs are looked at")
    x = found.part.rows(slice(0, _INPUTS)).as_batch().x
    names = found.names[:_INPUTS]
    if given.way != ITEM:  # where this machine keeps them says nothing
        names = tuple(_short(one, given, k) for k, one in enumerate(names))
    return Asked(trained, x, names, tuple(notes))


def seen(given: Asked) -> Image.Image:
    """The inputs as the model sees them."""
    return points(given.trained, given.x, title="the inputs")


def answers(given: Asked) -> str:
    """Which class or none, and how plausible: as tables."""
    can, tables, notes = abilities_of(given.trained), [], list(given.notes)
    if can.classify:
        found = classify(given.trained, given.x)
        tables.append(_classes(given.names, found))
        notes += found.notes
    if can.score:
        scores = score(given.trained, given.x)
        tables.append(_plausible(given.names, scores))
        notes += scores.notes
    return "".join(tables) + markup.sentences(dict.fromkeys(notes))


def back(given: Asked, progress: Any = None) -> tuple[Image.Image, str]:
    """What comes back of each input from its code alone, and how far it is from it."""
    found = reconstruct(given.trained, given.x, progress=progress)
    space = given.trained.model.space
    errors = ", ".join(f"{error:.3g}" for error in found.errors.tolist())
    words = f"Root mean square error of each: {errors}, in the units of the data."
    return as_image(
        figures.reconstruction(space, found.x, found.reconstruction), mark_of(given.trained)
    ), words


def completed(given: Asked, rows: float, seed: float | None) -> Image.Image:
    """The inputs, what of them is known, and draws of the rest."""
    found = complete(given.trained, given.x, int(rows), _DRAWS, seed=int(seed or 0))
    mark = mark_of(given.trained, int(seed or 0))
    return as_image(figures.completion_grid(found.x, found.known, found.draws), mark)


def surprise(given: Asked) -> Image.Image:
    """Which pixels surprise the model."""
    return as_image(figures.heatmap(given.x, surprisal(given.trained, given.x)))


def _classes(names: tuple[str, ...], found: Classification) -> str:
    rows = [
        (name, one.decision, one.reason, _largest(one.posterior, found.class_names))
        for name, one in zip(names, found, strict=True)
    ]
    return markup.table(("input", "class", "why", "most probable"), rows, "Which class?")


def _plausible(names: tuple[str, ...], found: Scores) -> str:
    rows = []
    for name, one in zip(names, found, strict=True):
        nats = f"{one.log_prob:,.1f}" if abs(one.log_prob) < _LONG else f"{one.log_prob:.4g}"
        error = "" if one.stderr is None else f" ± {one.stderr:.2g}"
        extreme = most_extreme(one.p, found.compared, LEVEL)
        verdict = extreme or ("implausible" if one.p <= LEVEL else "plausible")
        below = f"{one.percentile:.1%} of held-out data"
        rows.append((name, f"{one.sign} {nats}{error}", below, f"{one.p:.2g}", verdict))
    columns = ("input", "log p(x), nats", "at most as probable", "p", "so it is")
    return markup.table(columns, rows, "How plausible?")


def _place(given: Given) -> str:
    """Where the input is, for the task that reads it."""
    if given.way == ITEM:
        return f"heldout:{int(given.item or 0)}"
    if given.way == UPLOAD:
        if not given.file:
            raise UsageError("hand over a file first")
        return given.file
    return temporary(drawn(given.drawing), "drawing.png")


def _short(name: str, given: Given, k: int) -> str:
    """What an input is called in the page: the name of its file without the folders of this machine."""
    return f"drawing {k + 1}" if given.way == DRAWING else Path(name).name


def _largest(posterior: tuple[float, ...], names: tuple[str, ...]) -> str:
    """The most probable classes."""
    order = sorted(zip(posterior, names, strict=True), reverse=True)[:_LARGEST]
    return ", ".join(f"{name} {p:.1%}" for p, name in order)
