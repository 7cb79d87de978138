"""Data of another kind, brought to the space of a model that is to tell them from its own."""

from pathlib import Path

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Model
from plausible.data.inputs import Inputs, read_inputs
from plausible.data.load import load
from plausible.data.options import Options, size_of
from plausible.data.part import Data
from plausible.data.readers import Progress
from plausible.data.source import TOYS, has_no_path


def outliers_of(
    source: str | Path, model: Model, data: Data, progress: Progress | None = None
) -> Inputs:
    """The points of a data set by name, or of files, in the space of the model's data, with notes.

    Columns of a table are matched by name.
    Raises UsageError for a model that says neither p(y | x) nor p(x), or outliers of another shape.
    """
    if not isinstance(model, Explicit | Classifier):
        raise UsageError(
            f"--outliers asks a model that says p(y | x) or p(x), and a {model.name} does not"
        )
    source, space = str(source), data.space
    if not has_no_path(source):
        return read_inputs([source], space, data.options, data.columns, data.label_column, progress)
    shape = Options()
    if space.is_image and source not in TOYS:
        channels, height, width = space.shape
        shape = Options(size_of(width, height), channels, levels=space.levels)  # type: ignore[arg-type]
    other = load(source, shape, progress)
    if (other.space.shape, other.space.levels) != (space.shape, space.levels):
        raise UsageError(
            f"{source} has the shape {' x '.join(map(str, other.space.shape))} and "
            f"{data.name} {' x '.join(map(str, space.shape))}: choose outliers of the same shape"
        )
    names = tuple(f"{source}[{row}]" for row in range(len(other.heldout)))
    return Inputs(other.heldout, names, other.notes)
