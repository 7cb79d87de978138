"""How plausible is an input: log p(x), its place among held-out data, a p-value."""

from dataclasses import dataclass
from pathlib import Path

from plausible.core.choices import Device, Novelty
from plausible.data.part import Data
from plausible.recognition.recogniser import LEVEL, Plausibility, Threshold
from plausible.tasks.calibrate import calibrated
from plausible.tasks.inputs import InputLike, PerInput, as_inputs
from plausible.tasks.trained import TrainedLike, open_trained


@dataclass(frozen=True)
class Scores(PerInput[Plausibility]):
    """How plausible each input is, in their order.

    novelty  the score that the p-values are of.
    compared with how many validation examples an input is compared: no p-value is below 1 / (compared + 1).
    """

    novelty: str
    compared: int


def score(
    source: TrainedLike,
    inputs: InputLike,
    data: Data | str | Path | None = None,
    *,
    false_discovery_rate: float | None = None,
    class_conditional: bool = False,
    background: TrainedLike | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    optimise_posterior: int = 0,
    seed: int = 0,
    device: Device = "auto",
) -> Scores:
    """log p(x) of each input with its sign, its place among held-out data, and a p-value.

    inputs  files, folders or x (N, *shape).
    false_discovery_rate  of all that are called implausible at most this share is good data, on average; without it each
            is called so by itself, at a level of 5%.
    class_conditional  holds each class to validation examples of its own.
    The rest is that of ``calibrated``.
    """
    trained = open_trained(source, data, device=device, request="score")
    points = as_inputs(inputs, trained)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws,
        optimise_posterior=optimise_posterior, seed=seed, device=device,
    )  # fmt: skip
    threshold = Threshold(LEVEL, false_discovery_rate, class_conditional)
    notes = (*points.notes, *recogniser.scope(threshold, len(points.names)))
    rows = recogniser.score(points.part, points.names, threshold)
    return Scores(tuple(rows), notes, recogniser.novelty, recogniser.compared)
