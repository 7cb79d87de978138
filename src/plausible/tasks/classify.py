"""Which class, how sure, or none of these."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from plausible.core.choices import Device, Novelty
from plausible.data.part import Data
from plausible.recognition.answer import Answer
from plausible.recognition.calibration import Calibration
from plausible.recognition.prior_shift import PriorEstimate
from plausible.recognition.recogniser import LEVEL, Threshold
from plausible.tasks.calibrate import calibrated
from plausible.tasks.inputs import InputLike, PerInput, as_inputs
from plausible.tasks.trained import TrainedLike, open_trained


@dataclass(frozen=True)
class Classification(PerInput[Answer]):
    """An answer for each input, in their order.

    class_names  those of the entries of each answer's posterior.
    calibration  the temperature of the posterior, and what it does.
    prior        p(y) as it was estimated from the inputs, where that was asked for.
    evaluations  how often the model was asked for p(x | y), by class and draw, for each input on average.
    ms           milliseconds that each input took on average, on this machine.
    """

    class_names: tuple[str, ...]
    calibration: Calibration
    prior: PriorEstimate | None = None
    evaluations: float = 0.0
    ms: float = field(default=0.0, compare=False)

    @property
    def cost(self) -> str:
        """What the answers cost, in words."""
        times = f"{self.evaluations:,.4g} evaluation{'s' * (self.evaluations != 1)}"
        return f"{times} and {self.ms:,.3g} ms an input"


def classify(
    source: TrainedLike,
    inputs: InputLike,
    data: Data | str | Path | None = None,
    *,
    reject_cost: float = 0.2,
    level: float = LEVEL,
    false_discovery_rate: float | None = None,
    class_conditional: bool = False,
    prior: Sequence[float] | Literal["estimated"] | None = None,
    background: TrainedLike | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    optimise_posterior: int = 0,
    seed: int = 0,
    device: Device = "auto",
) -> Classification:
    """The class of each input with its calibrated posterior, or why none: ambiguous, implausible, or too close to call.

    inputs       files, folders or x (N, *shape).
    reject_cost  names no class that is less sure than 1 minus this (a wrong answer costs 1); 1 always answers.
    level        rejects as implausible what is as novel as this share of good data; 0 rejects nothing.
    false_discovery_rate  in its place: of all that are rejected as implausible at most this share is good data, on average.
    class_conditional  holds each class to validation examples of its own, so that good data of each are rejected as seldom.
    prior        p(y) of the inputs where it is not that of the training part: shares or counts in the order of the classes,
                 or "estimated" from the inputs.
    The rest is that of ``calibrated``.
    """
    trained = open_trained(source, data, device=device, request="score")
    points = as_inputs(inputs, trained)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws,
        optimise_posterior=optimise_posterior, seed=seed, device=device,
    )  # fmt: skip
    threshold = Threshold(level, false_discovery_rate, class_conditional)
    began = time.perf_counter()
    found = recogniser.answers(points.part, points.names, reject_cost, threshold, prior)
    took, n = time.perf_counter() - began, max(1, len(points.names))
    assert recogniser.labels is not None
    return Classification(
        found.rows,
        (*points.notes, *found.notes),
        recogniser.class_names,
        recogniser.labels,
        found.prior,
        found.evaluations / n,
        1000 * took / n,
    )
