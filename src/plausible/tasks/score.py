"""How plausible is an input: log p(x), its place among held-out data, a p-value."""

from dataclasses import dataclass
from pathlib import Path

from plausible.core.choices import Device, Novelty
from plausible.data.part import Data
from plausible.recognition.recogniser import Plausibility
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
    background: TrainedLike | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    seed: int = 0,
    device: Device = "auto",
) -> Scores:
    """log p(x) of each input with its sign, its place among held-out data, and a p-value.

    inputs  files, folders or x (N, *shape).
    The rest is that of ``calibrated``.
    """
    trained = open_trained(source, data, device=device, request="score")
    points = as_inputs(inputs, trained)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws, seed=seed, device=device
    )
    rows = recogniser.score(points.part, points.names)
    few = recogniser.too_few()
    notes = (*points.notes, few) if few else points.notes
    return Scores(tuple(rows), notes, recogniser.novelty, recogniser.compared)
