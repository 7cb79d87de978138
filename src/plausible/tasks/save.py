"""What tasks return, written to files: samples, and the pictures and numbers of an evaluation."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from plausible import figures
from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.core.space import Batch, Space
from plausible.data.part import Data
from plausible.evaluation.report import Report
from plausible.runs.files import write
from plausible.tasks.trained import Trained


def save_samples(drawn: Batch, space: Space, out: str | Path) -> None:
    """Samples as a grid (.png), as arrays (.npz), or as a folder of images (any other name).

    Arrays are x (N, C, H, W) uint8 codes or (N, D) float32, with y and levels where there are any; they can
    be read back as data.
    Raises UsageError for a folder of what are no images, or a place that cannot be written to.
    """
    path = Path(out)
    if str(out).endswith("/"):
        _save_folder(path, drawn, space)
    elif path.suffix.lower() == ".png":
        save_bytes(path, figures.png(figures.picture(space, drawn.x)))
    elif path.suffix.lower() == ".npz":
        save_bytes(path, _arrays(drawn, space))
    else:
        _save_folder(path, drawn, space)


def save_arrays(out: str | Path, **arrays: Tensor | np.ndarray) -> None:
    """A compressed .npz file of arrays."""
    buffer = io.BytesIO()
    plain: dict[str, Any] = {name: np.asarray(array) for name, array in arrays.items()}
    np.savez_compressed(buffer, **plain)
    save_bytes(Path(out), buffer.getvalue())


def save_report(report: Report, folder: str | Path, data: Data | None = None) -> None:
    """measures.json and the pictures of an evaluation; of points in the plane the boundary too, from data."""
    folder = Path(folder)
    content = json.dumps(report.to_dict(), indent=2) + "\n"
    save_bytes(folder / "measures.json", content.encode())
    for name, image in pictures(report, data).items():
        save_bytes(folder / name, figures.png(image))


def pictures(report: Report, data: Data | None = None) -> Mapping[str, Image.Image]:
    """{file name: picture} of an evaluation."""
    found = figures.evaluation(report.evalset) if report.evalset else {}
    if report.predictions is not None:
        found |= figures.classification(report.predictions)
    if report.classifier is not None and data is not None and data.space.shape == (2,):
        found["boundary.png"] = figures.decision_boundary(report.classifier, data.heldout)
    return found


def save_picture(trained: Trained, n: int = 64) -> Path | None:
    """samples.png of a run: n draws of seed 0, of vectors over the held-out data; None where nothing is drawn."""
    model = trained.model
    if trained.run is None or not isinstance(model, Generative):
        return None
    x = model.sample(n, generator=torch.Generator().manual_seed(0)).x
    behind = None if model.space.is_image else trained.data.heldout.as_batch().x
    return trained.run.write("samples.png", figures.png(figures.picture(model.space, x, behind)))


def save_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, with the folders it needs; UsageError where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _arrays(drawn: Batch, space: Space) -> bytes:
    arrays: dict[str, Any] = {"x": (space.codes(drawn.x) if space.levels else drawn.x).numpy()}
    if space.levels:
        arrays["levels"] = np.asarray(space.levels)
    if drawn.y is not None:
        arrays["y"] = drawn.y.numpy()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _save_folder(folder: Path, drawn: Batch, space: Space) -> None:
    if not space.is_image:
        raise UsageError(
            "only images can be written one by one: choose a name ending in .npz or .png"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be created: {error.strerror}") from error
    width = len(str(len(drawn) - 1))
    for i, image in enumerate(figures.images(drawn.x)):
        image.save(folder / f"{i:0{width}}.png")
