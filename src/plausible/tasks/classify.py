"""Questions about inputs: which class, how plausible, or none of these."""

from pathlib import Path

from plausible.core.choices import Device, Novelty
from plausible.core.errors import UsageError
from plausible.core.model import Explicit
from plausible.data.part import Data
from plausible.recognition.recogniser import Answer, Plausibility, Recogniser
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.trained import Source, Trained, open_trained


def classify(
    source: Source,
    inputs: InputLike,
    data: Data | str | Path | None = None,
    *,
    reject_cost: float = 0.2,
    level: float = 0.05,
    background: Source | None = None,
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
    The rest is that of ``recogniser``.
    """
    trained = open_trained(source, data, device=device)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws, seed=seed, device=device
    )
    points = as_inputs(inputs, trained.model.space, trained.options)
    return recogniser.classify(points.part, points.names, reject_cost, level)


def score(
    source: Source,
    inputs: InputLike,
    data: Data | str | Path | None = None,
    *,
    background: Source | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    seed: int = 0,
    device: Device = "auto",
) -> list[Plausibility]:
    """log p(x) of each input with its sign, its place among held-out data, and a p-value.

    inputs  files, folders or x (N, *shape).
    The rest is that of ``recogniser``.
    """
    trained = open_trained(source, data, device=device)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws, seed=seed, device=device
    )
    points = as_inputs(inputs, trained.model.space, trained.options)
    return recogniser.score(points.part, points.names)


def calibrated(
    source: Source,
    data: Data | str | Path | None = None,
    *,
    background: Source | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    seed: int = 0,
    device: Device = "auto",
) -> Recogniser:
    """A trained model ready to answer, calibrated on the validation part of its data.

    background  an explicit model of the same data, trained with ``Options(mutate=0.2)``; the score is then ratio.
    novelty     how the implausible is told; by default either for images, likelihood for vectors.
    draws       of z for each log p(x), where it is an estimate; by default the model's.
    Raises UsageError for a model that says neither p(y | x) nor p(x), or a background that is none.
    """
    trained, behind = open_trained(source, data, device=device), None
    if background is not None:
        behind = _background(trained, open_trained(background, device=device))
    elif novelty == "ratio":
        raise UsageError("--novelty ratio needs --background RUN, a run trained with --mutate 0.2")
    recogniser = Recogniser(
        trained.model,
        trained.data,
        background=behind,
        novelty=novelty,
        draws=draws,
        seed=seed,
    )
    if novelty is not None and recogniser.conformal is None:
        raise UsageError(
            f"--novelty asks how plausible x is, and a {trained.model.name} says only p(y | x)"
        )
    return recogniser


def _background(trained: Trained, beside: Trained) -> Explicit:
    model = beside.model
    if isinstance(model, Explicit) and model.space == trained.model.space and beside.options.mutate:
        return model
    names = [str(t.run.folder) if t.run else f"this {t.model.name}" for t in (beside, trained)]
    raise UsageError(
        f"{names[0]} is no background of {names[1]}: it must be an explicit model of the same data, "
        f"trained with --mutate 0.2"
    )
