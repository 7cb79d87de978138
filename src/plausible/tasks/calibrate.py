"""A trained model made ready to answer questions about inputs."""

from pathlib import Path

from plausible.core.choices import Device, Novelty
from plausible.core.errors import UsageError
from plausible.core.model import Explicit
from plausible.data.part import Data
from plausible.recognition.recogniser import Recogniser
from plausible.tasks.trained import Trained, TrainedLike, open_trained


def calibrated(
    source: TrainedLike,
    data: Data | str | Path | None = None,
    *,
    background: TrainedLike | None = None,
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
