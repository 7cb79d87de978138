"""How plausible is an input: log p(x), its place among held-out data, a p-value."""

from pathlib import Path

from plausible.core.choices import Device, Novelty
from plausible.data.part import Data
from plausible.recognition.recogniser import Plausibility
from plausible.tasks.calibrate import calibrated
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.trained import TrainedLike, open_trained


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
) -> list[Plausibility]:
    """log p(x) of each input with its sign, its place among held-out data, and a p-value.

    inputs  files, folders or x (N, *shape).
    The rest is that of ``calibrated``.
    """
    trained = open_trained(source, data, device=device)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws, seed=seed, device=device
    )
    points = as_inputs(inputs, trained.model.space, trained.options)
    return recogniser.score(points.part, points.names)
