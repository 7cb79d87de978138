"""The critic of images: how a network of a view learns to tell samples from training data."""

import copy
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from plausible.core.device import seeded
from plausible.core.optimizers import AdamW
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.critic.lesson import SURE, Critic, Learned, Lesson, batches
from plausible.evaluation.critic.networks import move_average
from plausible.evaluation.critic.views import View
from plausible.evaluation.evaluation_set import Embedded

BUDGETS = (400, 2000)
"""Updates of 64 samples and 64 training examples: a first look, and a long one."""

_LARGE = 64  # pixels a side beyond which the long look would take minutes
_PASSES = 128  # at most, through the samples: few of them are soon known by heart
_BATCH = 64
_RATE = 2e-3
_LOOKS = 16  # at the validation part, at least, and not more often than every 5 updates
_EVERY = 20  # updates between two looks, at most
_PATIENCE = 6  # looks without anything learned
_CHUNK = 512


def learn_convnet(lesson: Lesson, view: View, budget: int) -> Iterator[Learned]:
    """Adam on the logistic loss of equal numbers of both, weights averaged, best moment by the validation part.

    budget  updates at most; beyond the first of ``BUDGETS`` the best until then is told as well.
    """
    eye = _Eye(lesson.real.part, view)
    with seeded(lesson.seed):
        net = view.network(eye.shape).to(lesson.real.part.values.device)
    averaged = copy.deepcopy(net).eval()
    kept = copy.deepcopy(averaged)  # as it was at its best moment
    total = max(1, min(budget, _PASSES * len(lesson.samples) // _BATCH))
    every = min(_EVERY, max(5, total // _LOOKS))
    optimizer = AdamW(net.parameters(), lr=_RATE, betas=(0.9, 0.99), weight_decay=0.01)
    generator = torch.Generator().manual_seed(lesson.seed)
    real, samples = (
        batches(torch.arange(len(side)), _BATCH, generator)
        for side in (lesson.real, lesson.samples)
    )
    best: Learned | None = None
    for update in range(1, total + 1):
        loss = _loss(net, lesson, eye, next(real), next(samples), lesson.seed + update)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        move_average(averaged, net, update)
        if update % every and update not in (*BUDGETS, total):
            continue
        lesson.progress(update / total)
        critic = _critic(averaged, eye)
        validated = lesson.loss(critic)
        if best is None or validated < best.loss:
            _take_over(kept, averaged)
            best = Learned(_critic(kept, eye), validated, update, total, "a convnet")
        over = update - best.updates >= _PATIENCE * every or best.loss < SURE
        if update == BUDGETS[0] < total and not over:
            yield best
            kept = copy.deepcopy(kept)  # whoever holds that one keeps it
        if over:
            break
    assert best is not None
    yield best


@torch.no_grad()
def _take_over(kept: nn.Module, net: nn.Module) -> None:
    """The weights of one network in another of the same shape."""
    torch._foreach_copy_(list(kept.parameters()), list(net.parameters()))


class _Eye:
    """(v - mean) / deviation of each channel of the training data, v what a view shows, in the layout (n, h, w, c)."""

    def __init__(self, real: Part, view: View):
        self._view = view
        self._kept: WeakKeyDictionary[Embedded, Tensor] = WeakKeyDictionary()
        v = view.see(real.batch(slice(0, 2000)).x)
        self.shape = tuple(v.shape[1:])
        self._mean = v.mean((0, 2, 3), keepdim=True)  # (1, c, 1, 1)
        self._deviation = v.std((0, 2, 3), keepdim=True, correction=0).clamp(min=1e-3)

    def __call__(self, points: Embedded, rows: Tensor) -> Tensor:
        """These rows as they are seen, (n, c, h, w); what is small is seen once for all points."""
        if not self._view.small:
            return self._see(points, rows)
        if points not in self._kept:
            chunks = torch.arange(len(points)).split(_CHUNK)
            self._kept[points] = torch.cat([self._see(points, few) for few in chunks])
        return self._kept[points][rows]

    def _see(self, points: Embedded, rows: Tensor) -> Tensor:
        v = self._view.see(points.part.batch(rows).x)  # (n, C, H, W) -> (n, c, h, w)
        v = (v - self._mean) / self._deviation
        return v.contiguous(memory_format=torch.channels_last)


def updates(space: Space, looks: int) -> int:
    """How many are allowed for so many looks; a long one only where it is worth its time."""
    return BUDGETS[0] if looks < 2 or max(space.shape[1:]) > _LARGE else BUDGETS[1]


def _loss(
    net: nn.Module, lesson: Lesson, eye: _Eye, real: Tensor, samples: Tensor, seed: int
) -> Tensor:
    """Both sides in one pass and weighed alike, with dropout from a seed of its own."""
    x = torch.cat([eye(lesson.real, real), eye(lesson.samples, samples)])
    with seeded(seed):
        logits = net(x)[:, 0]  # (n, c, h, w) -> (n,)
    loss: Tensor = softplus(logits[: len(real)]).mean() + softplus(-logits[len(real) :]).mean()
    return loss / 2


def _critic(net: nn.Module, eye: _Eye) -> Critic:
    @torch.no_grad()
    def says(points: Embedded) -> Tensor:
        parts = torch.arange(len(points)).split(_CHUNK)
        return torch.cat([net(eye(points, rows))[:, 0].cpu() for rows in parts])

    return says
