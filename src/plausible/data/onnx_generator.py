"""Samples of a generator that another program exported as ONNX: x = G(z), z ~ N(0, I)."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.arrays import interpret
from plausible.data.options import Options
from plausible.data.raw import Raw, first_line
from plausible.data.readers.reader import Progress

ENDING = ".onnx"
DRAWS = 5000
"""The samples drawn, as many as an evaluation looks at by default."""
_AT_ONCE = 100
_SEED = 0


def draw_onnx(path: Path, options: Options, progress: Progress | None) -> Raw:
    """``DRAWS`` answers of the model in a file to z ~ N(0, I) of a fixed seed: images or vectors, see ``interpret``.

    The model has one input z (N, d) or (N, d, 1, 1) of floats, where N may be fixed; of its outputs the first is x.
    Needs the extra ``onnx``.  UsageError: without it, for a file that is none of ONNX, for other inputs.
    """
    try:
        runtime: Any = import_module("onnxruntime")
    except ModuleNotFoundError:
        raise UsageError(
            f"{path} is read with the package onnxruntime: pip install 'plausible[onnx]'"
        ) from None
    try:
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # of the runtime's own kinds
        raise UsageError(f"{path} cannot be read as ONNX: {first_line(error)}") from None
    inputs = session.get_inputs()
    of = ", ".join(f"{each.name} {each.type} {each.shape}" for each in inputs)
    if len(inputs) != 1 or inputs[0].type != "tensor(float)":
        raise UsageError(
            f"{path} has the inputs {of}: a generator of one input z of floats is read; fix the others before the export"
        )
    count, *shape = inputs[0].shape
    if not shape or not all(isinstance(side, int) and side > 0 for side in shape):
        raise UsageError(f"{path} has the input {of}: its sides but the first must be fixed")
    at_once = count if isinstance(count, int) else _AT_ONCE
    rng, drawn = np.random.default_rng(_SEED), list[np.ndarray]()
    for done in range(0, DRAWS, at_once):
        z = rng.standard_normal((at_once, *shape), np.float32)  # (at_once, d) or (at_once, d, 1, 1)
        try:
            drawn.append(session.run(None, {inputs[0].name: z})[0])
        except Exception as error:  # of the runtime's own kinds
            raise UsageError(f"{path} does not run: {first_line(error)}") from None
        if progress is not None:
            progress(min(done + at_once, DRAWS), DRAWS)
    x = np.concatenate(drawn)[:DRAWS]
    raw = interpret(x, str(path), "ONNX", value_range=options.value_range)
    size = " x ".join(map(str, shape))
    raw.notes.insert(0, f"{DRAWS:,} draws, z ~ N(0, I) of {size} numbers, seed {_SEED}")
    return raw
