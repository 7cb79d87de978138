"""Samples of a generator that was exported as ONNX: x = G(z) or G(z, y), z ~ N(0, I)."""

import json
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
PRIOR, CLASSES = "class_prior", "class_names"
"""Under which keys of the metadata p(y) and the names of the classes are, as JSON, of a generator that asks for y."""
_LABELLED = ["tensor(float)", "tensor(int64)"]
_AT_ONCE = 100
_SEED = 0


def draw_onnx(path: Path, options: Options, progress: Progress | None) -> Raw:
    """``DRAWS`` answers of the model in a file to z ~ N(0, I) of a fixed seed: images or vectors, see ``interpret``.

    The model has one input z (N, d) or (N, d, 1, 1) of floats, where N may be fixed; of its outputs the first is x.
    A second input y (N,) of int64 is drawn by p(y) where the metadata say it, as ``tasks.export`` writes them.
    Needs the extra ``onnx``.  UsageError: without it, for a file that is none of ONNX, for other inputs.
    """
    session = _opened(path)
    inputs = session.get_inputs()
    of = ", ".join(f"{each.name} {each.type} {each.shape}" for each in inputs)
    prior = _prior(session) if [each.type for each in inputs] == _LABELLED else None
    if prior is None and (len(inputs) != 1 or inputs[0].type != "tensor(float)"):
        raise UsageError(
            f"{path} has the inputs {of}: a generator of one input z of floats is read; fix the others before the export"
        )
    shape = inputs[0].shape[1:]
    if not shape or not all(isinstance(side, int) and side > 0 for side in shape):
        raise UsageError(f"{path} has the input {of}: its sides but the first must be fixed")
    x, y = _drawn(path, session, prior, progress)
    raw = interpret(x, str(path), "ONNX", value_range=options.value_range)
    size = " x ".join(map(str, shape))
    raw.notes.insert(0, f"{DRAWS:,} draws, z ~ N(0, I) of {size} numbers, seed {_SEED}")
    if prior is not None:
        raw.labels = _names(session, len(prior))[y]
        raw.notes.insert(1, f"y by the shares of the {len(prior)} classes that the file notes")
    return raw


def _opened(path: Path) -> Any:
    """The model of a file, ready to run."""
    try:
        runtime: Any = import_module("onnxruntime")
    except ModuleNotFoundError:
        raise UsageError(
            f"{path} is read with the package onnxruntime: pip install 'plausible[onnx]'"
        ) from None
    try:
        return runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # of the runtime's own kinds
        raise UsageError(f"{path} cannot be read as ONNX: {first_line(error)}") from None


def _drawn(
    path: Path, session: Any, prior: np.ndarray | None, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray]:
    """x (``DRAWS``, ...) and the y (``DRAWS``,) that were asked for, all 0 where none are."""
    names = [each.name for each in session.get_inputs()]
    count, *shape = session.get_inputs()[0].shape
    at_once = count if isinstance(count, int) else _AT_ONCE
    rng, drawn, asked = np.random.default_rng(_SEED), list[np.ndarray](), list[np.ndarray]()
    for done in range(0, DRAWS, at_once):
        z = rng.standard_normal((at_once, *shape), np.float32)  # (at_once, d) or (at_once, d, 1, 1)
        y = np.zeros(at_once, np.int64) if prior is None else rng.choice(len(prior), at_once, p=prior)  # fmt: skip
        try:
            drawn.append(session.run(None, dict(zip(names, (z, y), strict=False)))[0])
        except Exception as error:  # of the runtime's own kinds
            raise UsageError(f"{path} does not run: {first_line(error)}") from None
        asked.append(y)
        if progress is not None:
            progress(min(done + at_once, DRAWS), DRAWS)
    return np.concatenate(drawn)[:DRAWS], np.concatenate(asked)[:DRAWS]


def _noted(session: Any, key: str, kind: type) -> list[Any]:
    """A list of the metadata, as JSON; empty where there is none of that kind."""
    try:
        found = json.loads(session.get_modelmeta().custom_metadata_map.get(key, ""))
    except (ValueError, RecursionError):
        return []
    fits = isinstance(found, list) and all(isinstance(each, kind) for each in found)
    return found if fits else []


def _prior(session: Any) -> np.ndarray | None:
    """p(y), (classes,), as the file notes it; None where it does not."""
    shares = np.array(_noted(session, PRIOR, float), np.float64)
    total = shares.sum()
    return shares / total if np.isfinite(shares).all() and total > 0 and shares.min() >= 0 else None


def _names(session: Any, classes: int) -> np.ndarray:
    """The name of each class, (classes,), or its number."""
    names = _noted(session, CLASSES, str)
    return np.array(names) if len(names) == classes else np.arange(classes)
