"""What a model says of data that it did not learn from: all that a recogniser needs of them, and a file of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Explicit, Model
from plausible.data.part import Data, Part
from plausible.recognition.calibration import Calibration, calibration_of
from plausible.recognition.familiarity import Familiarity, familiarity
from plausible.recognition.outputs import ModelOutputs, model_outputs

ENOUGH = 2000  # examples to calibrate on, and to compare with ...
ENOUGH_ESTIMATED = 500  # ... where each log p takes many draws
_FAMILIAR = "familiarity."


@dataclass(frozen=True)
class CalibrationSet:
    """What a model says of examples of the validation part, and of the held-out part.

    validation   about 2,000 examples at most, or 500 where log p(x) is estimated.
    y            their labels, (n,), or None.
    heldout      log p(x) of as many held-out examples in nats, (m,); None for a discriminative model.
    class_names  the names of the classes, in the order of the labels.
    labels       what the labels say of the posterior: its temperature and prior, how wrong it is before and after.
    familiarity  what tells how far an image is from the training part; None for other data, and in older files.
    """

    validation: ModelOutputs
    y: Tensor | None = None
    heldout: Tensor | None = None
    class_names: tuple[str, ...] = ()
    labels: Calibration | None = None
    familiarity: Familiarity | None = None

    def pack(self, about: Mapping[str, str]) -> bytes:
        """Whole, as the content of a safetensors file, with what it is ``about``."""
        said, log_prob = self.validation, self.validation.log_prob
        tensors: dict[str, Tensor | None] = {
            "log_posterior": said.log_posterior,
            "log_prob": None if log_prob is None else log_prob.nats,
            "log_prob_stderr": None if log_prob is None else log_prob.stderr,
            "code_length": said.code_length,
            "background": said.background,
            "noise": said.noise,
            "distances": said.distances,
            "y": None if self.y is None else self.y.cpu(),
            "heldout": self.heldout,
        }
        if self.familiarity is not None:
            tensors |= {_FAMILIAR + k: v for k, v in self.familiarity.tensors().items()}
        words = {**about, "class_names": json.dumps(self.class_names)}
        if self.labels is not None:
            words["calibration"] = json.dumps(asdict(self.labels))
        if log_prob is not None:
            words |= {"kind": str(log_prob.kind), "reference": str(log_prob.reference)}
            words["shared"] = repr(log_prob.shared)
        there = {name: part.contiguous() for name, part in tensors.items() if part is not None}
        return safetensors.torch.save(there, words)

    @staticmethod
    def unpack(path: Path, about: Mapping[str, str]) -> "CalibrationSet | None":
        """What ``pack`` wrote; None where there is no such file, or it is about something else."""
        try:
            with safetensors.safe_open(path, "pt") as file:
                words = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, safetensors.SafetensorError):
            return None
        if any(words.get(name) != word for name, word in about.items()):
            return None
        log_prob = None
        if "log_prob" in tensors:
            kind, reference = Kind(words["kind"]), Reference(words["reference"])
            stderr, shared = tensors.get("log_prob_stderr"), float(words["shared"])
            log_prob = LogProb(tensors["log_prob"], kind, reference, stderr, shared)
        said = ModelOutputs(
            tensors.get("log_posterior"),
            log_prob,
            tensors.get("code_length"),
            tensors.get("background"),
            tensors.get("noise"),
            distances=tensors.get("distances"),
        )
        names = tuple(json.loads(words["class_names"]))
        labels = _calibration(words.get("calibration"))  # which older files do not have
        of_train = {
            k.removeprefix(_FAMILIAR): v for k, v in tensors.items() if k.startswith(_FAMILIAR)
        }
        return CalibrationSet(
            said, tensors.get("y"), tensors.get("heldout"), names, labels, Familiarity.of(of_train)
        )


def calibrate(
    model: Model,
    data: Data,
    *,
    background: Explicit | None = None,
    draws: int | None = None,
    noise: bool = False,
    optimise_posterior: int = 0,
    seed: int = 0,
) -> CalibrationSet:
    """Ask a model about the validation and the held-out part of its data; see ``model_outputs``."""
    how: dict[str, Any] = {"draws": draws, "optimise_posterior": optimise_posterior, "seed": seed}
    # each with a seed of its own, or the two would share the noise of dynamic binarisation
    validation = subset(model, data.validation).frozen(seed)
    near = familiarity(data.train, seed) if isinstance(model, Explicit) else None
    said = model_outputs(
        model, validation, background=background, noise=noise, familiarity=near, **how
    )
    heldout = None
    if said.log_prob is not None:
        others = subset(model, data.heldout).frozen(seed + 1)
        log_prob = model_outputs(model, others, **how).log_prob
        assert log_prob is not None
        heldout = log_prob.nats.double()
    labels = None
    if said.log_posterior is not None and validation.y is not None:
        labels = label_calibration(model, said.log_posterior, validation.y)
    return CalibrationSet(said, validation.y, heldout, data.class_names, labels, near)


def label_calibration(model: Model, log_posterior: Tensor, y: Tensor) -> Calibration:
    """What labels say of the posterior of a model, which knows the p(y) of its training part where it says p(x | y)."""
    generative = isinstance(model, Explicit) and model.conditional
    return calibration_of(log_posterior, y, model.log_prior if generative else None)


def _calibration(words: str | None) -> Calibration | None:
    if words is None:
        return None
    kept: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(words).items()
    }
    return Calibration(**kept)


def subset(model: Model, part: Part) -> Part:
    """Enough of a part to calibrate a model on."""
    return part.every_kth(enough(model))


def enough(model: Model) -> int:
    """How many examples a model is calibrated on at most: fewer where each log p takes many draws."""
    estimates = isinstance(model, Explicit) and not model.exact_log_prob
    return ENOUGH_ESTIMATED if estimates else ENOUGH
