"""What tasks return, written to files: samples, and the pictures and numbers of an evaluation."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from plausible import figures
from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.core.space import Batch, Space
from plausible.data.images import MODES
from plausible.data.mark import Mark
from plausible.data.part import Data
from plausible.data.readers.column_roles import CLASS_COLUMNS
from plausible.evaluation.paired import Comparison
from plausible.evaluation.report import Report
from plausible.figures.pixels import check_sheets
from plausible.runs.checksums import CHECKSUMS, write_noted
from plausible.runs.files import write
from plausible.tasks.advise import Advice
from plausible.tasks.evaluate_twin import Twins
from plausible.tasks.mark import mark_of
from plausible.tasks.trained import Trained
from plausible.tasks.training_pictures import draw_samples, samples_picture

_DRAWN = ("neighbours.png", "walks.png")
"""The pictures of an evaluation that show what a model drew, pixel by pixel."""

Named = Data | Trained
"""What knows the names of classes and columns."""


def save_samples(
    drawn: Batch,
    space: Space,
    out: str | Path,
    named: Named | None = None,
    mark: Mark | bool = True,
) -> None:
    """Samples as a grid (.png), arrays (.npz), a table (.csv), or a folder of images (any other name).

    named  the data or the trained model whose names the classes and columns get; by default they are numbered.
    mark   what images say of the model that drew them: by default that ``named`` did, if it is one; False says nothing.
    All but the grid can be read back as data and mean the same: arrays are x (N, C, H, W) uint8 codes with
    levels, or (N, D) float32, and y where there are labels, each with the number or name of its class; a table
    has the header of the data, with its column of classes; images with labels lie in sub-folders, one a class.
    Raises UsageError for what ``check_form`` refuses, or a place that cannot be written to.
    """
    check_form(out, space)
    path, form = Path(out), _form(out)
    y = None if drawn.y is None else _labels(drawn.y, named)
    if form == ".png":
        names = [] if named is None else named.class_names
        columns = [] if named is None else named.columns
        picture = figures.picture(space, drawn.x, y=drawn.y, names=names, columns=columns)
        save_bytes(path, figures.png(picture, _mark(mark, named)))
    elif form == ".npz":
        x = space.codes(drawn.x) if space.levels else drawn.x
        levels = {"levels": np.asarray(space.levels)} if space.levels else {}
        save_arrays(path, x=x, **levels, **({} if y is None else {"y": y}))
    elif form == ".csv":
        save_bytes(path, _table(drawn.x, y, named, space.whole))
    else:
        _save_folder(path, drawn.x, y, _mark(mark, named))


def check_form(out: str | Path, space: Space, n: int = 0) -> None:
    """Refuse a name that asks for a table of images, for images of what are none, or a picture of too many (UsageError)."""
    form = _form(out)
    if form == ".png":
        check_sheets(space, n)
    if form == ".csv" and space.is_image:
        raise UsageError(
            f"{out} would be a table, and these are images: choose a name ending in .npz, .png or /"
        )
    if form == "/" and not space.is_image:
        raise UsageError(
            "only images can be written one by one: choose a name ending in .csv, .npz or .png"
        )
    if form == "/" and space.shape[0] not in MODES:
        raise UsageError(
            f"images with {space.shape[0]} channels cannot be written one by one: choose a name ending in .npz"
        )


def save_arrays(out: str | Path, **arrays: Tensor | np.ndarray) -> None:
    """A compressed .npz file of arrays."""
    buffer = io.BytesIO()
    plain: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez_compressed(buffer, **plain)
    save_bytes(Path(out), buffer.getvalue())


def save_report(
    report: Report,
    folder: str | Path,
    data: Data | None = None,
    advice: Advice | None = None,
) -> None:
    """measures.json and the pictures of an evaluation.

    data    of points in the plane, for the boundary too.
    advice  what follows from the report, by ``advise``.
    """
    folder = Path(folder)
    content = report.to_dict() | ({} if advice is None else {"advice": advice.to_dict()})
    save_bytes(folder / "measures.json", (json.dumps(content, indent=2) + "\n").encode())
    model = report.evalset.model if report.evalset else None
    for name, image in pictures(report, data).items():
        mark = None if model is None or name not in _DRAWN else mark_of(model)
        save_bytes(folder / name, figures.png(image, mark))


def save_comparison(comparison: Comparison | Twins, folder: str | Path) -> Path:
    """against-NAME.json in a folder, or twin-NAME.json, and where it is."""
    what = "twin" if isinstance(comparison, Twins) else "against"
    place = Path(folder) / f"{what}-{Path(comparison.names[1]).stem}.json"
    save_bytes(place, (json.dumps(comparison.to_dict(), indent=2) + "\n").encode())
    return place


def pictures(report: Report, data: Data | None = None) -> Mapping[str, figures.Picture]:
    """{file name: picture} of an evaluation."""
    found: dict[str, figures.Picture] = {}
    if report.evalset:
        found |= figures.evaluation(report.evalset)
    if report.predictions is not None:
        found |= figures.classification(report.predictions)
    if report.classifier is not None and data is not None and data.space.shape == (2,):
        found["boundary.png"] = figures.decision_boundary(
            report.classifier, data.heldout, data.class_names
        )
    return found


def save_picture(trained: Trained, n: int | None = None) -> Path | None:
    """samples.png of a run, by its best weights; None where nothing is drawn.

    n  draws of seed 0, by default those of ``draw_samples``.
    """
    model = trained.model
    if trained.run is None or not isinstance(model, Generative):
        return None
    drawn, steps = draw_samples(model, n), trained.run.steps("best")
    title = f"{len(drawn):,} samples"
    title += "" if not steps else f" after {steps:,} round{'s' * (steps != 1)}"
    picture = samples_picture(model, drawn, trained.data, title, patient=True)
    return trained.run.write("samples.png", figures.png(picture, mark_of(trained, 0)))


def save_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, with the folders it needs; UsageError where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        of_a_run = (path.parent / CHECKSUMS).exists()
        (write_noted if of_a_run else write)(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _form(out: str | Path) -> str:
    """.png, .npz or .csv by the ending, and / for a folder."""
    ending = Path(out).suffix.lower()
    return ending if ending in (".png", ".npz", ".csv") and not str(out).endswith("/") else "/"


def _labels(y: Tensor, named: Named | None) -> np.ndarray:
    """(N,) labels as the data have them: whole numbers, or words."""
    names = [] if named is None else list(named.class_names)
    if not names:
        return y.cpu().numpy()
    labels = np.array(names)[y.cpu().numpy()]
    numbers = all(re.fullmatch(r"0|-?[1-9][0-9]{0,17}", name) for name in names)  # but not "07"
    return labels.astype(np.int64) if numbers else labels


def _table(
    x: Tensor, y: np.ndarray | None, named: Named | None, whole: Sequence[int] = ()
) -> bytes:
    """x (N, D) in the fewest digits that read back as the same numbers, y as the last column.

    whole  the coordinates that are whole numbers, written without a point.
    """
    header = [] if named is None else list(named.columns)
    cells = x.cpu().numpy().astype(str).astype(object)
    for j in whole:
        cells[:, j] = [f"{value:.0f}" for value in x[:, j].tolist()]
    rows = cells.tolist()
    if y is not None:
        header = header or [f"x{k}" for k in range(1, x.shape[1] + 1)]
        kept = None if named is None else named.label_column
        header.append(
            kept or next((name for name in CLASS_COLUMNS if name not in header), "the class")
        )
        rows = [[*row, str(label)] for row, label in zip(rows, y, strict=True)]
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([header] * bool(header) + rows)
    return buffer.getvalue().encode()


def _save_folder(folder: Path, x: Tensor, y: np.ndarray | None, mark: Mark | None) -> None:
    """One PNG each, those with a label in the sub-folder of its class."""
    below = {word: _below(folder, word) for word in ([] if y is None else y.astype(str).tolist())}
    try:
        for place in below.values() or (folder,):
            place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be created: {error.strerror}") from error
    width = len(str(len(x) - 1))
    for i, image in enumerate(figures.images(x)):
        place = folder if y is None else below[str(y[i])]
        (place / f"{i:0{width}}.png").write_bytes(figures.png(image, mark))


def _mark(mark: Mark | bool, named: Named | None) -> Mark | None:
    if isinstance(mark, Mark):
        return mark
    return mark_of(named) if mark and isinstance(named, Trained) else None


def _below(folder: Path, word: str) -> Path:
    """The sub-folder of a class; UsageError where its name can be none, or would be hidden."""
    if not word or word.startswith(".") or "/" in word or "\0" in word:
        raise UsageError(f"the class {word!r} cannot name a folder: choose a name ending in .npz")
    return folder / word
