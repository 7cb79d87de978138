"""How good a trained model is by the validation part, in one number: what choices are made by, and never held-out data."""

import math

import torch

from plausible.core.capabilities import Classifier
from plausible.core.errors import NotDefined, UsageError
from plausible.core.model import Explicit
from plausible.diagnosis.history import History
from plausible.diagnosis.missing_modes import FRECHET_RATIO
from plausible.evaluation.metrics.classification import log_loss, predict_labelled
from plausible.runs.log import read_history
from plausible.tasks.trained import Trained

_POINTS = 500  # validation examples that log p is asked of
NATS = "-log p(x) of validation examples in nats"
LOG_LOSS = "-log p(y | x) of validation examples in nats"
FRECHET = "Frechet distance of samples, times that of validation examples"


def measured_by(model: object) -> str:
    """What ``validation_score`` measures of a model, in words."""
    if isinstance(model, Explicit):
        return NATS
    return LOG_LOSS if isinstance(model, Classifier) else FRECHET


def validation_score(trained: Trained) -> float:
    """Lower is better: the mean of -log p(x), or for a classifier of -log p(y | x), or what was probed of samples.

    A bound or an estimate of log p(x) draws from a generator of seed 0.  Raises NotDefined where it is not finite, or a
    game was never probed.
    """
    value = _value(trained)
    if value is None or not math.isfinite(value):
        raise NotDefined(f"{measured_by(trained.model)} is not finite")
    return value


def _value(trained: Trained) -> float | None:
    model, part = trained.model, trained.data.validation
    if isinstance(model, Explicit):
        x = part.every_kth(_POINTS).as_batch().x.to(model.offset.device)  # (n, *shape)
        generator = torch.Generator().manual_seed(0)
        return -model.log_prob(x, generator=generator).nats.double().mean().item()
    if isinstance(model, Classifier):
        return log_loss(predict_labelled(model, part)).mean().item()
    if trained.run is None:
        raise UsageError("the score of a game is in the log of its run")
    return probed(read_history(trained.run.folder / "log.jsonl"), trained.run.steps("best"))


def probed(history: History, steps: int | None) -> float | None:
    """The Frechet distance that was probed of the weights after so many steps, or last; None where none was."""
    at, values = history.series(FRECHET_RATIO)
    if not len(values):
        return None
    of_best = values[at + 1 == (steps or 0)]
    return float(of_best[-1] if len(of_best) else values[-1])
