"""What an exported file says of itself: what goes in and comes out, in which units, and where it comes from."""

import json
from importlib.metadata import version
from typing import Any

from plausible.core.model import Model
from plausible.core.space import Space
from plausible.data.mark import SOURCE_TYPE
from plausible.data.onnx_generator import CLASSES, PRIOR
from plausible.models.per_class import PerClass
from plausible.tasks.export_parts import Exportable
from plausible.tasks.mark import weights_hash
from plausible.tasks.trained import Trained

_CHANNELS = {1: "grey", 3: "red, green, blue", 4: "red, green, blue, alpha"}


def facts_of(trained: Trained, part: Exportable, label: int | None) -> dict[str, str]:
    """{key: text} of an exported part, lists and numbers as JSON."""
    model = trained.model
    said: dict[str, Any] = {
        "program": "plausible",
        "version": version("plausible"),
        "model": trained.run.learned if trained.run is not None else model.name,
        "part": part.part,
        "inputs": {each.name: each.says for each in part.inputs},
        "outputs": {part.output: part.says},
        "preprocessing": "none: units are changed inside of the graph",
        **_space(model.space),
        CLASSES: list(trained.class_names) if model.space.classes else None,
        PRIOR: _rounded(model.log_prior.exp()) if model.conditional else None,
        "class": None if label is None else trained.class_names[label],
        "columns": list(trained.columns) or None,
        **({} if isinstance(model, PerClass) else _units(model)),
        "weights_sha256": weights_hash(model),
        "digitalSourceType": SOURCE_TYPE if part.draws else None,
    }
    return {key: _text(value) for key, value in said.items() if value is not None}


def _space(space: Space) -> dict[str, Any]:
    """Shape, levels and channels of x, which is one of the inputs or outputs."""
    said: dict[str, Any] = {"x_shape": ["N", *space.shape], "levels": space.levels}
    if space.is_image:
        channels = space.shape[0]
        said["x_axes"] = "N, channels, height, width; rows from the top"
        said["channels"] = _CHANNELS.get(channels, f"{channels} channels")
    if space.levels:
        said["values"] = (
            f"0 (black) to 1 (white): level k of {space.levels} is k / {space.levels - 1}"
        )
    elif space.whole:
        said["whole_numbers"] = list(space.whole)
    return said


def _units(model: Model) -> dict[str, Any]:
    """By what columns are standardised inside."""
    if model.space.levels:
        return {}
    return {"mean": _rounded(model.offset), "std": _rounded(model.scale)}


def _rounded(values: Any) -> list[float]:
    return [float(f"{value:.9g}") for value in values.flatten().tolist()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
