"""A trained model made ready to answer questions about inputs."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any

from plausible.core.capabilities import Classifier
from plausible.core.choices import Device, Novelty
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Model
from plausible.data.part import Data
from plausible.recognition.bayes import check_optimised
from plausible.recognition.calibration_set import CalibrationSet, calibrate
from plausible.recognition.familiarity import can_be_familiar
from plausible.recognition.recogniser import Recogniser, choose_novelty
from plausible.runs.checksums import Condition, condition
from plausible.tasks.mark import weights_hash
from plausible.tasks.trained import Trained, TrainedLike, open_trained


def calibrated(
    source: TrainedLike,
    data: Data | str | Path | None = None,
    *,
    background: TrainedLike | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    optimise_posterior: int = 0,
    seed: int = 0,
    device: Device = "auto",
) -> Recogniser:
    """A trained model ready to answer, calibrated on the validation part of its data.

    data        of a model in memory; a run knows its own, or is told where they are now.  It needs them once:
                what the model says of them is kept in the run.
    background  an explicit model of the same data, trained with ``Options(mutate=0.2)``; the score is then ratio.
    novelty     how the implausible is told; by default combined for images, likelihood for vectors.
    draws       of z for each log p(x), where it is an estimate; by default the model's.
    optimise_posterior   steps of gradient ascent by which a vae finds q(z | x) for each input and class anew (analysis by
                synthesis); 0 takes the encoder's.
    Raises UsageError for a model that says neither p(y | x) nor p(x), or a background that is none.
    """
    mutated = None
    trained = open_trained(source, data, device=device, request="score")
    if background is not None:
        mutated = _background_model(trained, open_trained(background, device=device))
    elif novelty == "ratio":
        raise UsageError("--novelty ratio needs --background RUN, a run trained with --mutate 0.2")
    model, chosen = trained.model, choose_novelty(trained.model, mutated, novelty)
    check_optimised(model, optimise_posterior)
    if novelty is not None and not isinstance(model, Explicit):
        raise UsageError(
            f"--novelty asks how plausible x is, and a {model.name} says only p(y | x)"
        )
    how: dict[str, Any] = {"draws": draws, "optimise_posterior": optimise_posterior, "seed": seed}
    known = calibration_set(trained, background=mutated, noise=chosen == "noise", **how)
    return Recogniser(model, known, background=mutated, novelty=novelty, **how)


def calibration_set(
    trained: Trained,
    *,
    background: Explicit | None = None,
    draws: int | None = None,
    noise: bool = False,
    optimise_posterior: int = 0,
    seed: int = 0,
) -> CalibrationSet:
    """What a model says of its validation and held-out data: as it is kept in the run, or asked for and kept.

    Kept for these weights, data and choices alone, so that nothing stale is used.  A run whose data have moved or
    changed goes on answering by it.
    """
    how: dict[str, Any] = {
        "background": background, "draws": draws, "noise": noise, "optimise_posterior": optimise_posterior, "seed": seed,
    }  # fmt: skip
    run = trained.run
    if run is None:
        return calibrate(trained.model, trained.data, **how)
    choices = {
        "draws": str(draws),
        "seed": str(seed),
        "background": "" if background is None else weights_hash(background),
    }
    if noise:  # and otherwise the name that the file had before there was a choice
        choices["noise"] = "tested"
    if optimise_posterior:
        choices["optimise_posterior"] = str(optimise_posterior)
    hashes = {part: run.hashes[part] for part in ("validation", "heldout")}
    about = {"weights": weights_hash(trained.model), **hashes, **choices}
    name = _file_name(choices)
    path = run.folder / name
    whole = condition(path) is not Condition.DAMAGED  # otherwise it is made anew
    kept = CalibrationSet.unpack(path, about) if whole else None
    if kept is not None and not _older(kept, trained.model):
        return kept
    try:
        data = trained.data_for("score")
    except UsageError as reason:
        if kept is not None:
            return kept
        raise UsageError(
            f"to score and classify {run.folder} must be calibrated on its data once for these weights, "
            f"--draws, --seed and --background, and {reason}"
        ) from reason
    made = calibrate(trained.model, data, **how)
    with contextlib.suppress(OSError):  # a run that may only be read answers all the same
        run.write(name, made.pack(about))
    return made


def keep_calibration(trained: Trained) -> CalibrationSet | None:
    """Calibrate a run while its data are there, by the usual choices: what is kept of it.

    None for a model in memory, or one that says neither p(y | x) nor p(x).
    """
    if trained.run is None or not isinstance(trained.model, Explicit | Classifier):
        return None
    return calibration_set(trained)


def _older(kept: CalibrationSet, model: Model) -> bool:
    """Whether it was made before distances from the training part were kept."""
    explicit = isinstance(model, Explicit)
    return explicit and kept.familiarity is None and can_be_familiar(model.space)


def _file_name(choices: dict[str, str]) -> str:
    """calibration.safetensors for the usual choices, and a name of their own for others."""
    if choices == {"draws": "None", "seed": "0", "background": ""}:
        return "calibration.safetensors"
    digest = hashlib.sha256(repr(sorted(choices.items())).encode()).hexdigest()
    return f"calibration-{digest[:8]}.safetensors"


def _background_model(trained: Trained, of_mutated: Trained) -> Explicit:
    """The explicit model of the same space that learned from mutated data; UsageError where it is none."""
    model = of_mutated.model
    explicit = isinstance(model, Explicit) and model.space == trained.model.space
    if explicit and of_mutated.options.mutate:
        assert isinstance(model, Explicit)
        return model
    names = [str(t.run.folder) if t.run else f"this {t.model.name}" for t in (of_mutated, trained)]
    raise UsageError(
        f"{names[0]} is no background of {names[1]}: it must be an explicit model of the same data, "
        f"trained with --mutate 0.2"
    )
