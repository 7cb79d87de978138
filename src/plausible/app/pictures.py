"""Pictures of what tasks returned, as the page takes them."""

import io
import os
import tempfile
from pathlib import Path

from PIL import Image
from torch import Tensor

from plausible import figures
from plausible.core.errors import UsageError
from plausible.data.mark import Mark
from plausible.figures import png
from plausible.tasks import Trained

TEMPORARY = "GRADIO_TEMP_DIR"
"""The variable of the environment that says where what the page shows is kept while it is shown."""


def points(
    trained: Trained,
    x: Tensor,
    y: Tensor | None = None,
    title: str = "",
    mark: Mark | None = None,
) -> Image.Image:
    """x (N, *shape) of a model: images by class, or vectors over the data where those are there.

    mark  what images say of the model, where it drew them.
    """
    space = trained.model.space
    return as_image(
        figures.picture(
            space,
            x,
            None if space.is_image else behind(trained),
            y=y,
            names=trained.class_names,
            columns=trained.columns,
            title=title,
        ),
        mark,
    )


def behind(trained: Trained) -> Tensor | None:
    """Real vectors to draw behind those of a model; None where its data are gone."""
    try:
        return trained.data.heldout.as_batch().x
    except UsageError:
        return None


def row(trained: Trained, x: Tensor, title: str = "", mark: Mark | None = None) -> Image.Image:
    """x (N, *shape) in one row, or in rows of eight, of images; vectors as points, under a title."""
    if not trained.model.space.is_image:
        return points(trained, x, title=title)
    return as_image(figures.grid(x, min(len(x), 8)), mark)


def as_image(picture: object, mark: Mark | None = None) -> Image.Image:
    """A picture of ``figures``, whatever it is made of, as pixels that keep the mark."""
    return opened(png(picture, mark))  # type: ignore[arg-type]


def opened(content: bytes) -> Image.Image:
    """A picture file as pixels that are read already."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def temporary(content: bytes, name: str) -> str:
    """A file of the page of this name, which goes away with it: its path."""
    folder = os.environ.get(TEMPORARY) or tempfile.gettempdir()
    path = Path(tempfile.mkdtemp(dir=folder)) / name
    path.write_bytes(content)
    return str(path)
