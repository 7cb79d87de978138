"""How many updates a critic needs to be 75% right: a scale on which bad and worse differ when every critic is right.

Time to accuracy is how the speed of learners is compared; here the learner stays the same and what it learns is
judged: what is told apart after 20 updates is worse than what takes 200.
"""

import copy
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from statistics import fmean

import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, softplus

from plausible.core.device import seeded
from plausible.core.errors import NotDefined
from plausible.core.optimizers import AdamW
from plausible.core.space import Space
from plausible.evaluation.critic.effort import LEVEL, Effort, crossing, milestones
from plausible.evaluation.critic.lesson import batches
from plausible.evaluation.critic.networks import convnet, move_average
from plausible.evaluation.critic.views import VIEWS, WHOLE
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet

BUDGET = 500
"""Updates of 64 samples and 64 training examples, at most."""

SIDES = (4, 8, 16)
"""Pixels a side at which images are looked at beside all they have; benchmarks/updates_to_accuracy.py shows each monotone."""

_PASSES = 16  # at most through the samples: then they begin to be known by heart, and few would take longer than many
_CRITICS = 3
_ASKED = 500  # of each side at most: three hundredths of the updates are then chance
_FEWEST = 100  # samples of which a quarter can be asked about
_HOPELESS = 0.6  # right at the end of the budget: the next critic would not get to 75% either
_MOST = 10_000  # training examples that are learned from
_BATCH = 64
_RATE, _RATE_OF_COORDINATES = (
    1e-3,
    1e-2,
)  # of a convnet, and of a perceptron, which learns more slowly
_WIDTH = 8  # channels of the first layer
_CHUNK = 512

Look = Callable[[Tensor], Tensor]
"""rows (n,) -> what is seen of them, (n, c, h, w)."""


def with_efforts(
    evalset: EvaluationSet, progress: Callable[[float], None] = lambda share: None
) -> EvaluationSet:
    """The same set with what critics of each size needed; once, because it takes the longest of all measures."""
    try:
        return replace(evalset, efforts=make_efforts(evalset, progress))
    except NotDefined:  # whoever asks is told why
        return evalset


def sides(space: Space) -> list[int | None]:
    """The sizes at which images of this space are looked at; None is as they are."""
    return [*(side for side in SIDES if side < min(space.shape[1:])), None]


def make_efforts(
    evalset: EvaluationSet, progress: Callable[[float], None] = lambda share: None
) -> tuple[Effort, ...]:
    """At each size, how many updates three critics needed to be 75% right about H and fresh samples.

    Each learns from T and three quarters of the samples, drawn anew, and is asked about the others and as
    much of H: of both it has seen nothing, and of H the generator neither, so that a model that fits its training
    part more closely than the distribution gains nothing.  No more than 16 passes are made through what teaches, which
    bounds the updates where samples are few: what takes longer is a bound, not a larger number.
    Raises ``NotDefined`` for fewer than 100 samples, 25 examples of H or 64 of T, and for what is no image of at least
    8 pixels a side: of rows of numbers a perceptron was tried, and over a training on the toy ring, of which trees told
    the samples at once, it needed now fewer and now more updates than it was allowed.
    Source of the idea to compare by time to accuracy: Coleman et al. 2017, DAWNBench,
    https://dawn.cs.stanford.edu/benchmark/papers/nips17-dawnbench.pdf.
    """
    train, heldout, samples = evalset.train, evalset.heldout, evalset.samples
    if not VIEWS[WHOLE].fits(evalset.space):
        raise NotDefined("a critic's updates grade images of at least 8 pixels a side alone")
    for points, least, what in (
        (samples, _FEWEST, "samples"),
        (heldout, _FEWEST // 4, "held-out examples"),
        (train, _BATCH, "training examples"),
    ):
        if len(points) < least:
            raise NotDefined(f"{len(points)} {what} do not show how fast a critic learns")
    train = train[torch.randperm(len(train), generator=evalset.generator())[:_MOST]]
    parts, looks, efforts = (train, heldout, samples), sides(evalset.space), []
    for i, side in enumerate(looks):
        efforts.append(_effort(_Seen(*parts, evalset.space, side), evalset.seed))
        progress((i + 1) / len(looks))
    return tuple(efforts)


class _Seen:
    """T, H and the samples at one size: (v - mean) / deviation of each channel of T: rows -> (n, c, h, w)."""

    def __init__(
        self, train: Embedded, heldout: Embedded, samples: Embedded, space: Space, side: int | None
    ):
        self.side, self.counts = side, (len(train), len(heldout), len(samples))
        self._train, self._heldout, self._samples = (
            _look(points, space, side) for points in (train, heldout, samples)
        )
        v = self._train(torch.arange(min(len(train), 2000)))
        self.shape = tuple(v.shape[1:])
        self._mean = v.mean((0, 2, 3), keepdim=True)  # (1, c, 1, 1)
        self._deviation = v.std((0, 2, 3), keepdim=True, correction=0).clamp(min=1e-3)

    def train(self, rows: Tensor) -> Tensor:
        return self._standardised(self._train(rows))

    def heldout(self, rows: Tensor) -> Tensor:
        return self._standardised(self._heldout(rows))

    def samples(self, rows: Tensor) -> Tensor:
        return self._standardised(self._samples(rows))

    def _standardised(self, v: Tensor) -> Tensor:
        return (v - self._mean) / self._deviation


def _look(points: Embedded, space: Space, side: int | None) -> Look:
    """Images averaged down to ``side`` pixels of the shorter side, or as they are."""
    if side is None:
        return lambda rows: points.part.batch(rows).x
    shorter = min(space.shape[1:])
    height, width = (round(side * pixels / shorter) for pixels in space.shape[1:])
    chunks = torch.arange(len(points)).split(_CHUNK)
    # (n, C, H, W) -> (n, C, h, w), kept because small
    small = torch.cat(
        [adaptive_avg_pool2d(points.part.batch(few).x, (height, width)) for few in chunks]
    )
    return lambda rows: small[rows]


def _effort(seen: _Seen, seed: int) -> Effort:
    """What three critics needed; one that is hopeless speaks for those that did not learn yet."""
    train, _, samples = seen.counts
    asked = min(_ASKED, samples // 4)
    taught = samples - asked
    budget = max(1, min(BUDGET, _PASSES * min(taught, train) // _BATCH))
    needed, accuracies = [], []
    for k in range(_CRITICS):
        updates, accuracy = _critic(seen, asked, budget, seed + k)
        needed.append(updates)
        accuracies.append(accuracy)
        if accuracy < _HOPELESS:
            break
    return Effort(seen.side, tuple(needed), budget, fmean(accuracies), taught, asked)


def _critic(seen: _Seen, asked: int, budget: int, seed: int) -> tuple[float, float]:
    """What ``_learn`` finds for one critic, by draws of its own of who teaches and who is asked."""
    train, heldout, samples = seen.counts
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(samples, generator=generator)
    held = torch.randperm(heldout, generator=generator)[:_ASKED]
    real, made = (batches(rows, _BATCH, generator) for rows in (torch.arange(train), order[asked:]))
    taught = (torch.cat([seen.train(next(real)), seen.samples(next(made))]) for _ in range(budget))

    def accuracy(net: nn.Module) -> float:
        hits, false_alarms = (
            _taken(net, seen.samples, order[:asked]),
            _taken(net, seen.heldout, held),
        )
        return (hits + 1 - false_alarms) / 2

    with seeded(seed):
        return _learn(convnet(seen.shape, _WIDTH), taught, budget, accuracy)


def _learn(
    net: nn.Module,
    batches: Iterable[Tensor],
    budget: int,
    accuracy: Callable[[nn.Module], float],
) -> tuple[float, float]:
    """(updates until the accuracy is 75%, infinite beyond the budget; the accuracy at the end).

    batches  (2 n, c, h, w), the real ones first.
    The weights that are asked are averages over about the last ten updates.
    """
    averaged = copy.deepcopy(net).eval()
    optimizer = AdamW(net.parameters(), lr=_RATE, betas=(0.9, 0.99), weight_decay=0.01)
    asked_at = set(milestones(budget))
    before = 1, 0.5  # the first update is taken to know nothing
    for update, x in enumerate(batches, 1):
        logits = net(x.contiguous(memory_format=torch.channels_last))[
            :, 0
        ]  # (2 n, c, h, w) -> (2 n,)
        real, made = logits.chunk(2)
        loss = softplus(real).mean() + softplus(-made).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        move_average(averaged, net, update)
        if update in asked_at:
            now = update, accuracy(averaged)
            if now[1] >= LEVEL:
                return crossing(before, now), now[1]
            before = now
    return math.inf, before[1]


@torch.no_grad()
def _taken(net: nn.Module, look: Look, rows: Tensor) -> float:
    """The share of these rows that are taken for samples rather than for real."""
    taken = torch.cat([net(look(few))[:, 0] > 0 for few in rows.split(_CHUNK)])
    return taken.float().mean().item()
