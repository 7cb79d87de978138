"""Whether images can be told from the same images mirrored, turned or shifted: a small critic with an exact p.

A critic f learns on one half of the images which of x and its moved copy m(x) is x, and is asked about the other half.
If p(x) has the symmetry, (x, m(x)) and (m(x), x) have the same distribution, m being one of the moves at random and
with each move its inverse: whatever f is, it is right with probability 1/2 about each image it has not seen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import scipy
import torch
from torch import Generator, Tensor
from torch.nn.functional import adaptive_avg_pool2d, conv2d

from plausible.core.space import Space
from plausible.data.part import Part
from plausible.data.symmetries import Symmetry, symmetries
from plausible.evaluation.shrink import shrunk

LEVEL = 0.05
"""Of the tests of all symmetries together, by Holm's correction."""

SHARE = 0.7
"""Of planted data, how often the better rule is right about which of two is the image."""

POWER = 0.9
"""How often such data must be found before what is not told may be used."""

SMALLEST = 8
"""Pixels a side below which nothing is asked."""

_LEARN, _ASK = 1000, 1500  # images, at most
_SIDE = 24  # pixels a side at which they are looked at, at most
_FILTERS, _PATCH = 64, 6  # patches of the images themselves, by which all are filtered
_POOLED, _COARSE = 4, 12  # pixels a side of the answers of a filter, and of the image itself
_PLANTED = 50  # data sets, by which the power is measured
_CHUNK = 256


@dataclass(frozen=True)
class SymmetryTest:
    """How often a critic could tell which of an image and its moved copy is the image.

    learned  images it learned from.
    asked    images it was asked about, less those that a move does not change.
    right    how many of these it was right about.
    p        of the hypothesis that the distribution has the symmetry, exact, corrected for the other symmetries.
    power    the share of data sets found of those into which a rule was planted that is right about 70%.
    """

    name: str
    learned: int
    asked: int
    right: int
    p: float
    power: float

    @property
    def accuracy(self) -> float:
        """The share of right answers: one half where nothing can be told."""
        return self.right / self.asked if self.asked else 0.5

    @property
    def told(self) -> bool:
        """Whether moved images can be told from the others."""
        return self.p < LEVEL

    @property
    def holds(self) -> bool:
        """Whether they cannot, and would have been told if there were something to see."""
        return not self.told and self.power >= POWER


def fitting_symmetries(space: Space) -> list[str]:
    """What can be asked about images of a space; nothing about vectors and the smallest images."""
    if not space.is_image or min(space.shape[1:]) < SMALLEST:
        return []
    return [name for name, symmetry in symmetries.items() if symmetry.fits(space)]


def ask_symmetries(
    train: Part, *, seed: int = 0, progress: Callable[[float], None] = lambda share: None
) -> list[SymmetryTest]:
    """Each symmetry that fits the space, tested on a training part: at most 1,000 images teach, 1,500 are asked about.

    The critic is a kernel ridge regression of what 64 patches, drawn from the images themselves, answer to them at
    24 pixels a side, with its ridge by leave-one-out; of labelled data it knows the label, so that what is symmetric
    only over all classes is told.  The power is that of the same critic on the same images, their order in each
    pair drawn so that a rule is right about 70% of them: which of the two looks more like one image than like its moved copy.
    Sources: Coates et al. 2011, https://proceedings.mlr.press/v15/coates11a.html (the features); Holm 1979.
    """
    names = fitting_symmetries(train.space)
    if not names or len(train) < 4:
        return []
    generator = Generator().manual_seed(seed)
    order = torch.randperm(len(train), generator=generator)
    learn, ask = order[: len(order) // 2][:_LEARN], order[len(order) // 2 :][:_ASK]
    part = train.rows(torch.cat([learn, ask])).frozen(seed).to("cpu")
    eye = _Eye(part, len(learn), generator)
    as_it_is = eye.see(None, None)
    found = []
    for i, name in enumerate(names):
        moves = symmetries[name].moves
        which = torch.randint(len(moves), (len(part),), generator=generator)  # (N,)
        seen = eye.see(symmetries[name], which)
        progress((i + 1) / len(names))
        differences = _scaled(as_it_is - seen, len(learn))  # (N, features)
        found.append(_tested(name, differences, part.y, len(learn), len(names), generator))
    return _corrected(found)


class _Eye:
    """What is seen of images: how each of some patches of them answers where, and their coarse pixels."""

    def __init__(self, part: Part, learn: int, generator: Generator):
        self._part = part
        few = torch.randint(learn, (_FILTERS,), generator=generator)
        x = shrunk(part.batch(few).x, _SIDE)  # (64, C, h, w)
        size = [min(_PATCH, max(1, side // 2)) for side in x.shape[2:]]
        patches = []
        for image in x:
            top, left = (
                int(torch.randint(side - pixels + 1, (), generator=generator))
                for side, pixels in zip(x.shape[2:], size, strict=True)
            )
            patches.append(image[:, top : top + size[0], left : left + size[1]])
        w = torch.stack(patches)  # (64, C, p, q)
        w = w - w.mean((1, 2, 3), keepdim=True)
        self._filters = w / w.square().sum((1, 2, 3), keepdim=True).sqrt().clamp(min=1e-3)

    def see(self, symmetry: Symmetry | None, which: Tensor | None) -> Tensor:
        """All images, moved where a symmetry is given: (N, features)."""
        seen = []
        for rows in torch.arange(len(self._part)).split(_CHUNK):
            x = self._part.batch(rows).x
            if symmetry is not None and which is not None:
                x = symmetry.moved(x, which[rows])
            seen.append(self._features(shrunk(x, _SIDE)))
        return torch.cat(seen)

    def _features(self, x: Tensor) -> Tensor:
        """(n, C, h, w) -> (n, features)."""
        answers = conv2d(x, self._filters)  # (n, 64, h', w')
        both = torch.cat([answers.relu(), (-answers).relu()], 1)  # (n, 128, h', w')
        pooled = adaptive_avg_pool2d(both, _POOLED)  # (n, 128, 4, 4)
        return torch.cat([shrunk(x, _COARSE).flatten(1), pooled.flatten(1)], 1)


def _scaled(d: Tensor, learn: int) -> Tensor:
    """Each column of d (N, F) in units of its size among those that teach."""
    size = d[:learn].square().mean(0).sqrt()  # (N, F) -> (F,)
    return d / size.clamp(min=1e-6 * float(size.max()) + 1e-12)


def _tested(
    name: str, d: Tensor, y: Tensor | None, learn: int, tests: int, generator: Generator
) -> SymmetryTest:
    """One symmetry, by the differences d (N, F) of what is seen of images and of their moved copies."""
    kernel = d @ d[:learn].T / d.shape[1]  # (N, learn)
    if y is not None:  # what all classes share, and what is of one
        kernel = kernel * (1 + (y[:, None] == y[:learn]).float())
    rules = kernel[:, torch.randint(learn, (_PLANTED,), generator=generator)].sign()  # (N, planted)
    wrong = torch.rand(rules.shape, generator=generator) > SHARE
    planted = torch.where(wrong, -rules, rules)
    orders = torch.cat(
        [torch.ones(len(d), 1), planted], 1
    )  # (N, 1 + planted): +1 first is the image
    said = _ridge(kernel, orders[:learn])[learn:]  # (asked, 1 + planted)
    changed = d[learn:].abs().amax(1) > 0  # what a move does not change says nothing
    right = ((said * orders[learn:])[changed] > 0).sum(0).tolist()
    asked = int(changed.sum())
    ps = [float(scipy.stats.binom.sf(k - 1, asked, 0.5)) for k in right]
    power = sum(p < LEVEL / tests for p in ps[1:]) / _PLANTED
    return SymmetryTest(name, learn, asked, right[0], ps[0], power)


def _ridge(kernel: Tensor, targets: Tensor) -> Tensor:
    """Kernel ridge regression of each column of targets (n, T) by the first n rows of the kernel (N, n): (N, T).

    The ridge of each column is that with the smallest squared error of leave-one-out.
    """
    n = len(targets)
    values, vectors = torch.linalg.eigh(kernel[:n].double())  # (n,), (n, n)
    values, inside = values.clamp(min=0), vectors.T @ targets.double()  # (n, T)
    ridges = float(values.mean()) * 10.0 ** torch.arange(-2, 4.0) + 1e-12
    best = torch.full((targets.shape[1],), torch.inf, dtype=torch.float64)
    chosen = torch.zeros(n, targets.shape[1], dtype=torch.float64)
    for ridge in ridges:
        weights = vectors @ (inside / (values + ridge)[:, None])  # (n, T)
        diagonal = vectors.square() @ (1 / (values + ridge))  # (n,)
        errors = (weights / diagonal[:, None]).square().mean(0)  # of leave-one-out, (T,)
        better = errors < best
        best, chosen = torch.where(better, errors, best), torch.where(better, weights, chosen)
    return (kernel.double() @ chosen).float()


def _corrected(tests: Sequence[SymmetryTest]) -> list[SymmetryTest]:
    """The same with p-values corrected by Holm's method: (k - rank) p, never falling."""
    ordered = sorted(range(len(tests)), key=lambda i: tests[i].p)
    found, largest = list(tests), 0.0
    for rank, i in enumerate(ordered):
        largest = max(largest, min(1.0, (len(tests) - rank) * tests[i].p))
        found[i] = replace(tests[i], p=largest)
    return found
