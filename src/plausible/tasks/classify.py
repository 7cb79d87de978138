"""Which class, how sure, or none of these."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from plausible.core.choices import Device, Novelty
from plausible.data.part import Data
from plausible.recognition.recogniser import LEVEL, Answer
from plausible.tasks.calibrate import calibrated
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.trained import TrainedLike, open_trained


@dataclass(frozen=True)
class Classification(Sequence[Answer]):
    """An answer for each input, in their order.

    class_names  those of the entries of each answer's posterior.
    notes        sentences for people: what was done to the inputs, and what so few calibration data cannot say.
    """

    answers: tuple[Answer, ...]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.answers)

    @overload
    def __getitem__(self, index: int) -> Answer: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Answer, ...]: ...
    def __getitem__(self, index: int | slice) -> Answer | tuple[Answer, ...]:
        return self.answers[index]


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
    trained = open_trained(source, data, device=device)
    points = as_inputs(inputs, trained)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws, seed=seed, device=device
    )
    answers = recogniser.classify(points.part, points.names, reject_cost, level)
    few = recogniser.too_few(level)
    notes = (*points.notes, few) if few else points.notes
    return Classification(tuple(answers), recogniser.class_names, notes)
