"""What a model says of data that it did not learn from: all that a recogniser needs of them, and a file of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Explicit, Model
from plausible.data.part import Data, Part
from plausible.recognition.outputs import ModelOutputs, model_outputs

ENOUGH = 2000  # examples to calibrate on, and to compare with ...
ENOUGH_ESTIMATED = 500  # ... where each log p takes many draws


@dataclass(frozen=True)
class CalibrationSet:
    """What a model says of examples of the validation part, and of the held-out part.

    validation   about 2,000 examples at most, or 500 where log p(x) is estimated.
    y            their labels, (n,), or None.
    heldout      log p(x) of as many held-out examples in nats, (m,); None for a discriminative model.
    class_names  the names of the classes, in the order of the labels.
    """

    validation: ModelOutputs
    y: Tensor | None = None
    heldout: Tensor | None = None
    class_names: tuple[str, ...] = ()

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
            "y": None if self.y is None else self.y.cpu(),
            "heldout": self.heldout,
        }
        words = {**about, "class_names": json.dumps(self.class_names)}
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
        )
        names = tuple(json.loads(words["class_names"]))
        return CalibrationSet(said, tensors.get("y"), tensors.get("heldout"), names)


def calibrate(
    model: Model,
    data: Data,
    *,
    background: Explicit | None = None,
    draws: int | None = None,
    noise: bool = False,
    seed: int = 0,
) -> CalibrationSet:
    """Ask a model about the validation and the held-out part of its data; see ``model_outputs``."""
    # each with a seed of its own, or the two would share the noise of dynamic binarisation
    validation = subset(model, data.validation).frozen(seed)
    said = model_outputs(
        model, validation, background=background, draws=draws, noise=noise, seed=seed
    )
    heldout = None
    if said.log_prob is not None:
        others = subset(model, data.heldout).frozen(seed + 1)
        log_prob = model_outputs(model, others, draws=draws, seed=seed).log_prob
        assert log_prob is not None
        heldout = log_prob.nats.double()
    return CalibrationSet(said, validation.y, heldout, data.class_names)


def subset(model: Model, part: Part) -> Part:
    """Enough of a part to calibrate a model on."""
    return part.every_kth(enough(model))


def enough(model: Model) -> int:
    """How many examples a model is calibrated on at most: fewer where each log p takes many draws."""
    exact = model.kinds.get("log_prob", Kind.EXACT) is Kind.EXACT
    return ENOUGH if exact else ENOUGH_ESTIMATED
