"""Which class, how sure, or none of these."""

from dataclasses import dataclass
from pathlib import Path

from plausible.core.choices import Device, Novelty
from plausible.data.part import Data
from plausible.recognition.recogniser import LEVEL, Answer
from plausible.tasks.calibrate import calibrated
from plausible.tasks.inputs import InputLike, PerInput, as_inputs
from plausible.tasks.trained import TrainedLike, open_trained


@dataclass(frozen=True)
class Classification(PerInput[Answer]):
    """An answer for each input, in their order.

    class_names  those of the entries of each answer's posterior.
    """

    class_names: tuple[str, ...]


def classify(
    source: TrainedLike,
    inputs: InputLike,
    data: Data | str | Path | None = None,
    *,
    reject_cost: float = 0.2,
    level: float = LEVEL,
    background: TrainedLike | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    seed: int = 0,
    device: Device = "auto",
) -> Classification:
    """The class of each input with its calibrated posterior, or why none: ambiguous, or implausible.

    inputs       files, folders or x (N, *shape).
    reject_cost  names no class that is less sure than 1 minus this (a wrong answer costs 1); 1 always answers.
    level        rejects as implausible what is as novel as this share of good data; 0 rejects nothing.
    The rest is that of ``calibrated``.
    """
    trained = open_trained(source, data, device=device, request="score")
    points = as_inputs(inputs, trained)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws, seed=seed, device=device
    )
    answers = recogniser.classify(points.part, points.names, reject_cost, level)
    few = recogniser.too_few(level)
    notes = (*points.notes, few) if few else points.notes
    return Classification(tuple(answers), notes, recogniser.class_names)
