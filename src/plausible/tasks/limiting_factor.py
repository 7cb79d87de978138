"""What limits a training, time, data or capacity, read from its own learning curve.

The score is the one that picks the weights to keep: the loss on the validation part, or for a game the Frechet
distance of samples in principal components.  In the last third of the training

time      it still falls; or it is far from as many rounds as such a model takes;
data      examples that were learned are treated otherwise than new ones: the validation loss rises, or lies
          above that of training; or the discriminator knows its examples by heart.  The Frechet distance is one
          to the training part, so that its fall alone says nothing of new examples;
capacity  it is flat, and new examples are treated like those that were learned;
unknown   the log is too short, or too noisy, or has no score.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import scipy
from torch import Tensor

from plausible.core.reading import LOSS, Reading
from plausible.diagnosis.discriminator import (
    AUC_TRAIN,
    AUC_VALIDATION,
    D_SAMPLES,
    D_TRAIN,
    D_VALIDATION,
)
from plausible.diagnosis.missing_modes import FRECHET_RATIO
from plausible.diagnosis.overfitting import VALIDATION_ERROR, VALIDATION_LOSS
from plausible.diagnosis.probe import POINTS
from plausible.tasks.course import Course

_END = 2 / 3  # of the rounds, after which the end begins
_ENOUGH = 5  # probes in the last third
_FALL = {VALIDATION_LOSS: 0.005, FRECHET_RATIO: 0.1}  # in it, below which a score is flat
_GAP = 0.05  # of the loss, that training examples may lie below new ones
_BY_HEART = 0.3  # of what D tells apart on its examples, lost on new ones
_AUGMENTED = 0.3  # probability to which that gap has driven the augmentation
_AUGMENT = Reading("augment")  # what the discriminator of a GAN says of its augmentation


class Limit(StrEnum):
    """What there is too little of."""

    TIME = "time"
    DATA = "data"
    CAPACITY = "capacity"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Limiting:
    """What most likely limits a training.

    because   the reason, as sentences with their numbers.
    falling   whether the score still fell at the end, whatever else was found.
    evidence  {what: number} it rests on.
    """

    limit: Limit
    because: str
    falling: bool = False
    evidence: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trend:
    """By what share a score fell in the last third, with a 95% interval; negative where it rose."""

    fall: float
    low: float
    high: float
    tolerance: float

    @property
    def falls(self) -> bool:
        """Beyond noise and beyond what matters."""
        return self.low > 0 and self.fall >= self.tolerance

    @property
    def rises(self) -> bool:
        """The same upwards."""
        return self.high < 0 and -self.fall >= self.tolerance

    @property
    def flat(self) -> bool:
        """Neither, and without room for a fall that matters."""
        return not self.falls and not self.rises and self.high < 2 * self.tolerance

    def __str__(self) -> str:
        return f"{_percent(self.fall)} ({_percent(self.low)} to {_percent(self.high)})"


def find_limit(course: Course) -> Limiting:
    """What most likely limits a training, by its log alone."""
    history, items = course.history, course.items
    if not course.model.iterates:
        return Limiting(
            Limit.UNKNOWN,
            f"it was fitted to its end at once, so that more time would change nothing; whether "
            f"{course.train:,} {items} or the model are too little, its log does not say",
        )
    if course.too_short:
        rounds = f"{course.steps:,} rounds, and such a model takes about {course.needed:,}"
        return Limiting(Limit.TIME, f"it was trained for {rounds}", True)
    if course.unfinished:
        rounds = f"{history.steps:,} of {course.settings.steps:,} rounds"
        return Limiting(Limit.TIME, f"it was stopped after {rounds}", True)
    score = next((name for name in _FALL if len(history.series(name)[0])), None)
    if score is None:
        return Limiting(Limit.UNKNOWN, "its log has no score of new examples or of samples")
    steps, values = _end(course, score)
    if len(steps) < _ENOUGH:
        return Limiting(
            Limit.UNKNOWN,
            f"its learning curve is too short: {len(steps)} probes in the last third, and a trend needs {_ENOUGH}",
        )
    if score == VALIDATION_LOSS:
        return _of_likelihood(course, steps, values)
    return _of_game(course, steps, values)


def _of_likelihood(course: Course, steps: Tensor, values: Tensor) -> Limiting:
    """By the loss of the validation part beside that of training."""
    history, items = course.history, course.items
    # nats of a density have no zero: they are compared with the number of coordinates
    level = values.median().item()
    scale = abs(level) if course.model.space.levels else float(course.model.space.dims)
    trend = _trend(steps, values, _FALL[VALIDATION_LOSS], scale)
    every_step, every = history.series(VALIDATION_LOSS)
    best = int(every.argmin())
    rise = (values[-1] - every[best]).item() / scale
    at, losses = _end(course, LOSS, history.players[0]) if history.players else (steps, values)
    learned = losses.median().item() if len(at) else math.nan
    gap = (level - learned) / scale
    _, errors = history.series(VALIDATION_ERROR)
    noise = 2 * errors[-1].item() / scale if len(errors) else 0.0
    evidence = {
        "fall in the last third": trend.fall,
        "validation loss": level,
        "training loss": learned,
        "difference, relative": gap,
        "rise over the best": rise,
    }
    few = f"it learned from {course.train:,} {items}"
    if trend.falls:
        return Limiting(
            Limit.TIME,
            f"the loss on new {items} still fell by {trend} in the last third of the training",
            True,
            evidence,
        )
    if rise > 2 * _FALL[VALIDATION_LOSS] and learned < every[best] and every_step[best] < steps[0]:
        return Limiting(
            Limit.DATA,
            f"the loss on new {items} was lowest after {every_step[best] + 1:,.0f} of {history.steps:,} rounds and has "
            f"risen by {rise:.1%} since, while it went on learning those it knows; {few}",
            False,
            evidence,
        )
    if gap > max(_GAP, noise):
        return Limiting(
            Limit.DATA,
            f"the loss on new {items} no longer falls, and that on the {items} it learned from is {gap:.0%} lower; {few}",
            False,
            evidence,
        )
    return _without_gap(trend, f"the loss on new {items}", f"that on training {items}", evidence)


def _of_game(course: Course, steps: Tensor, values: Tensor) -> Limiting:
    """By the Frechet distance of samples, and by what D says of examples that it did not learn from."""
    items = course.items
    trend = _trend(steps, values.clamp(min=1e-12).log(), _FALL[FRECHET_RATIO])
    what = "the Frechet distance of samples in principal components"
    evidence = {"fall in the last third": trend.fall, "Frechet ratio": values[-1].item()}
    heart = _by_heart(course)
    if heart is not None:
        because, numbers = heart
        if trend.falls:
            because += (
                f"; the Frechet distance to the {items} it learned from still fell by {trend} in the last third, "
                f"which says nothing of new ones"
            )
        return Limiting(Limit.DATA, because, trend.falls, {**evidence, **numbers})
    if trend.falls:
        fell = f"{what} still fell by {trend} in the last third of the training"
        return Limiting(Limit.TIME, fell, True, evidence)
    if trend.rises:
        rose = f"{what} rose by {trend} in the last third: the game did not settle"
        return Limiting(Limit.UNKNOWN, rose, False, evidence)
    return _without_gap(trend, what, f"D on {items} that it learned from", evidence)


def _without_gap(trend: Trend, what: str, other: str, evidence: Mapping[str, float]) -> Limiting:
    """Where learned and new examples are treated alike and the score does not fall."""
    if trend.rises:
        rose = f"{what} rose by {trend} in the last third"
        return Limiting(Limit.UNKNOWN, rose, False, evidence)
    if not trend.flat:
        noisy = (
            f"{what} is too noisy to say: in the last third it changed by {-trend.fall:+.1%} "
            f"({-trend.high:+.1%} to {-trend.low:+.1%})"
        )
        return Limiting(Limit.UNKNOWN, noisy, False, evidence)
    return Limiting(
        Limit.CAPACITY,
        f"{what} is flat ({-trend.fall:+.1%} in the last third) and agrees with {other}: neither more time "
        f"nor more data is what it lacks",
        False,
        evidence,
    )


def _by_heart(course: Course) -> tuple[str, dict[str, float]] | None:
    """That the discriminator knows its examples by heart, and the numbers; None where it does not.

    Its AUC on examples it learned from is above that on new ones by more than twice the standard error, and
    of what it tells apart on the former 30% is lost on the latter (equation 1 of Karras et al. 2020,
    https://arxiv.org/abs/2006.06676); or that has driven the probability of augmentation over 30%.
    """
    readings = (AUC_TRAIN, AUC_VALIDATION, D_TRAIN, D_VALIDATION, D_SAMPLES)
    series = [_end(course, name)[1] for name in readings]
    if any(len(values) < _ENOUGH for values in series):
        return None
    learned, new, d_train, d_validation, d_samples = (values.median().item() for values in series)
    error = math.sqrt(
        _auc_variance(learned) / min(POINTS, course.train)
        + _auc_variance(new) / min(POINTS, course.validation)
    )
    apart = d_train - d_samples
    lost = (d_train - d_validation) / apart if apart > 0 else 0.0
    p = _augmentation(course)
    numbers = {
        "AUC on training examples": learned,
        "AUC on validation examples": new,
        "lost on the validation part": lost,
        "probability of augmentation": p,
    }
    if (lost < _BY_HEART or learned - new < 2 * error) and p < _AUGMENTED:
        return None
    items = course.items
    augmented = f" although it sees {p:.0%} of them changed" if p >= 0.1 else ""
    return (
        f"it learned from {course.train:,} {items}, and its discriminator knows part of them by heart{augmented} (it ranks "
        f"them above a sample in {learned:.0%} of all pairs, new ones in {new:.0%})",
        numbers,
    )


def _auc_variance(auc: float) -> float:
    """Of P(a sample lies below x) over examples x; the samples are the same on both sides.

    Source: Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747, Q2 - A^2.
    """
    return 2 * auc**2 / (1 + auc) - auc**2


def _augmentation(course: Course) -> float:
    """The probability to which a game has driven its augmentation; 0 where it is fixed or there is none."""
    if getattr(course.model.config, "augment_strength", None) is not None:
        return 0.0
    values = course.history.series_of("discriminator", _AUGMENT)[1]
    return values[-1].item() if len(values) else 0.0


def _percent(share: float) -> str:
    return f"{abs(share):.0%}" if abs(share) >= 0.1 else f"{abs(share):.1%}"


def _end(course: Course, reading: Reading, player: str | None = None) -> tuple[Tensor, Tensor]:
    """(steps, values) of the last third of all rounds."""
    history = course.history
    steps, values = (
        history.series(reading) if player is None else history.series_of(player, reading)
    )
    late = steps >= _END * history.steps
    return steps[late], values[late]


def _trend(steps: Tensor, values: Tensor, tolerance: float, scale: float | None = None) -> Trend:
    """The Theil-Sen line of values (n,) over steps (n,), as a share of ``scale``, or of logarithms without it."""
    line = scipy.stats.theilslopes(values.numpy(), steps.numpy(), alpha=0.95)
    span = (steps[-1] - steps[0]).item()
    change, low, high = (span * float(slope) for slope in (line[0], line[3], line[2]))
    if scale is not None:
        return Trend(-change / scale, -low / scale, -high / scale, tolerance)
    return Trend(-math.expm1(change), -math.expm1(low), -math.expm1(high), tolerance)
