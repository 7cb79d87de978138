"""What to expect of a training before it ends: how long it takes, how long judging takes, and whether it is enough.

From the first rounds, which were timed while they were played, and from sizes; all of it is "about".
"""

from typing import Any, NamedTuple

from plausible.core.capabilities import Classifier
from plausible.core.model import Generative, Model
from plausible.data.part import Data
from plausible.tasks.course import FEW, rounds_needed
from plausible.training import Training

JUDGED = 5000  # samples
_BASE = 18.0  # seconds, whatever the data ...
_PAIR = 1.6e-7  # ... for each pair of a training example and one that is compared with it
_PIXEL = 1 / 75  # ... and for each coordinate of an example, of which critics learn
_TOGETHER = 0.6  # of what samples take in small batches, they take in large ones
_SLOW = 1.0  # seconds a round, from which on smaller images are worth a thought
_SMALLEST = 16  # pixels a side, below which nobody is told to go


class Expected(NamedTuple):
    """What a training will take.

    rate     rounds a second.
    rounds   that are to be played in all, those of before included.
    seconds  that all of them take, those of before included.
    judging  seconds that judging takes after it.
    few      whether those rounds are too few to be judged, and ``needed`` how many are not.
    smaller  a smaller --size where a round takes long, the --size now, and the share of the time it would take.
    """

    rate: float
    rounds: int
    seconds: float
    judging: float
    few: bool
    needed: int
    smaller: tuple[int, int, float] | None


def expect(training: Training[Any], seconds_a_round: float, sampling_seconds: float) -> Expected:
    """What is to be expected after the first rounds of a training.

    sampling_seconds  that one sample takes; 0 where nobody knows yet.
    """
    settings, played, model = training.settings, training.clock.step, training.raw
    if settings.steps is not None:
        rounds = settings.steps
        seconds = (rounds - played) * seconds_a_round
    else:
        seconds = max(0.0, 60 * (settings.minutes or 0) - training.seconds)
        rounds = played + round(seconds / seconds_a_round)
    needed = rounds_needed(model)
    few = bool(training.weights) and rounds < FEW * needed
    judging = judging_seconds(model, training.data, sampling_seconds)
    smaller = _smaller(model) if seconds_a_round > _SLOW else None
    return Expected(
        1 / seconds_a_round, rounds, training.seconds + seconds, judging, few, needed, smaller
    )


def judging_seconds(
    model: Model | None, data: Data, sampling_seconds: float = 0.0, n: int = JUDGED
) -> float:
    """About how long an evaluation takes on a few cores: mostly pairs of examples that are compared, and drawing.

    model  None of one that is not there yet, and draws.
    """
    if model is not None and not isinstance(model, Generative) and isinstance(model, Classifier):
        return 1.0
    pairs = len(data.train) * (n + min(len(data.heldout), 2 * n))
    critics = data.space.dims * _PIXEL if data.space.is_image else 0.0
    return _BASE + pairs * _PAIR + critics + _TOGETHER * n * sampling_seconds


def _smaller(model: Model) -> tuple[int, int, float] | None:
    """Half the side of images, that side now, and the share of pixels; None where there is nothing to halve."""
    shape = model.space.shape
    side = max(shape[1:]) if model.space.is_image else 0
    return None if side < 2 * _SMALLEST else (side // 2, side, 0.25)
