"""The critic of images: at most four layers, chosen by the space, so that fine detail and shape are both seen."""

import copy
import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.critic.lesson import SURE, Critic, Learned, Lesson
from plausible.evaluation.evaluation_set import Embedded
from plausible.nn.networks import SpaceToDepth, activation, channels_last, initialise

BUDGETS = (400, 2000)
"""Updates of 64 samples and 64 training examples: a first look, and a long one."""

_LARGE = 64  # pixels a side beyond which the long look would take minutes
_PASSES = 128  # at most, through the samples: few of them are soon known by heart
_BATCH = 64
_WIDTH = 16
_RATE = 1e-3
_DECAY = 0.9  # of the averaged weights, an update
_LOOKS = 16  # at the validation part, at least, and not more often than every 5 updates
_EVERY = 20  # updates between two looks, at most
_PATIENCE = 6  # looks without anything learned
_CHUNK = 512
_SMALLEST = 8  # pixels a side for which convolutions are worth it


def learnable(space: Space) -> bool:
    """Whether these are images that convolutions can look at."""
    return space.is_image and min(space.shape[1:]) >= _SMALLEST


def network(space: Space) -> nn.Sequential:
    """(N, C, H, W) -> (N, 1): convolutions 3x3, 4x4 and 4x4 (the latter halve), and a linear map.

    Patches of p x p pixels first become channels, p = 2 up to 64 pixels a side, 4 up to 128 and so on:
    nothing is averaged, so that a pattern from pixel to pixel stays visible.
    """
    channels, height, width = space.shape
    side = max(height, width)
    patch = 2 ** max(1, math.ceil(math.log2(side / 32)))
    # (N, C, H, W) -> (N, p^2 C, ceil(H / p), ceil(W / p)) -> (N, 16, same)
    layers: list[nn.Module] = [SpaceToDepth(patch)]
    height, width, wide = -(-height // patch), -(-width // patch), _WIDTH
    layers += [nn.Conv2d(channels * patch**2, wide, 3, padding=1), activation()]
    for _ in range(2):
        if min(height, width) < 4:
            break
        # (N, c, h, w) -> (N, 2 c, h // 2, w // 2)
        layers += [nn.Conv2d(wide, 2 * wide, 4, stride=2, padding=1), activation()]
        height, width, wide = height // 2, width // 2, 2 * wide
    head = nn.Linear(wide * height * width, 1)
    made = initialise(nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5), head))
    with torch.no_grad():
        head.weight.mul_(0.1)  # it starts without an opinion
    assert isinstance(made, nn.Sequential)
    return channels_last(made)


def learn_convnet(lesson: Lesson) -> Iterator[Learned]:
    """Adam on the logistic loss of equal numbers of both, weights averaged, best moment by the validation part."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(lesson.seed)
        net = network(lesson.space).to(lesson.real.part.values.device)
    averaged = copy.deepcopy(net).eval()
    scale = _Scale(lesson.real.part)
    total = max(1, min(_budget(lesson.space), _PASSES * len(lesson.samples) // _BATCH))
    every = min(_EVERY, max(5, total // _LOOKS))
    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, betas=(0.9, 0.99), weight_decay=0.01)
    generator = torch.Generator().manual_seed(lesson.seed)
    real, samples = (_rows(len(side), generator) for side in (lesson.real, lesson.samples))
    best: Learned | None = None
    for update in range(1, total + 1):
        loss = _loss(net, lesson, scale, next(real), next(samples), lesson.seed + update)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            step = max(1 - _DECAY, 1 / update)
            torch._foreach_lerp_(list(averaged.parameters()), list(net.parameters()), step)
        if update % every and update not in (*BUDGETS, total):
            continue
        lesson.progress(update / total)
        critic = _critic(averaged, scale)
        validated = lesson.loss(critic)
        if best is None or validated < best.loss:
            best = Learned(
                _critic(copy.deepcopy(averaged), scale), validated, update, total, "a convnet"
            )
        over = update - best.updates >= _PATIENCE * every or best.loss < SURE
        if update == BUDGETS[0] < total and not over:
            yield best
        if over:
            break
    assert best is not None
    yield best


class _Scale:
    """x -> (x - mean) / deviation of each channel of the training data, in the layout (N, H, W, C)."""

    def __init__(self, real: Part):
        x = real.batch(slice(0, 2000)).x
        self.mean = x.mean((0, 2, 3), keepdim=True)  # (1, C, 1, 1)
        self.deviation = x.std((0, 2, 3), keepdim=True, correction=0).clamp(min=1e-3)

    def __call__(self, x: Tensor) -> Tensor:
        return ((x - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)


def _budget(space: Space) -> int:
    return BUDGETS[0] if max(space.shape[1:]) > _LARGE else BUDGETS[1]


def _rows(n: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Batches of rows, one permutation after another."""
    while True:
        for rows in torch.randperm(n, generator=generator).split(_BATCH):
            if len(rows) == min(n, _BATCH):
                yield rows


def _loss(
    net: nn.Module, lesson: Lesson, scale: _Scale, real: Tensor, samples: Tensor, seed: int
) -> Tensor:
    """Both sides in one pass and weighed alike, with dropout from a seed of its own."""
    x = [side.part.batch(rows).x for side, rows in ((lesson.real, real), (lesson.samples, samples))]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        logits = net(scale(torch.cat(x)))[:, 0]  # (n, C, H, W) -> (n,)
    loss: Tensor = softplus(logits[: len(real)]).mean() + softplus(-logits[len(real) :]).mean()
    return loss / 2


def _critic(net: nn.Module, scale: _Scale) -> Critic:
    @torch.no_grad()
    def says(points: Embedded) -> Tensor:
        parts = torch.arange(len(points)).split(_CHUNK)
        return torch.cat([net(scale(points.part.batch(rows).x))[:, 0].cpu() for rows in parts])

    return says
