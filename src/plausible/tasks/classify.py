"""Which class, how sure, or none of these."""

from pathlib import Path

from plausible.core.choices import Device, Novelty
from plausible.data.part import Data
from plausible.recognition.recogniser import Answer
from plausible.tasks.calibrate import calibrated
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.trained import TrainedLike, open_trained


def classify(
    source: TrainedLike,
    inputs: InputLike,
    data: Data | str | Path | None = None,
    *,
    reject_cost: float = 0.2,
    level: float = 0.05,
    background: TrainedLike | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    seed: int = 0,
    device: Device = "auto",
) -> list[Answer]:
    """The class of each input with its calibrated posterior, or why none: ambiguous, or implausible.

    inputs        files, folders or x (N, *shape).
    data         of a model in memory, for calibration; a run knows its own.
    reject_cost  names no class that is less sure than 1 minus this (a wrong answer costs 1); 1 always answers.
    level        rejects as implausible what is as novel as this share of good data; 0 rejects nothing.
    The rest is that of ``calibrated``.
    """
    trained = open_trained(source, data, device=device)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws, seed=seed, device=device
    )
    points = as_inputs(inputs, trained.model.space, trained.options)
    return recogniser.classify(points.part, points.names, reject_cost, level)
