"""Do the tests work on these very data?  Each defect, as large as its margin, planted into real data and looked for."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from plausible.core.errors import NotDefined
from plausible.data.part import Part
from plausible.data.split import merge_parts
from plausible.evaluation.critic.critic import aspects, make_critiques
from plausible.evaluation.embedding import Embedding
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.memorisation import with_train_distances
from plausible.evaluation.permutation import GroupLabels, grouped
from plausible.evaluation.verdict.defect import Defect, PreparedTest, Statistic, defects
from plausible.evaluation.verdict.planting import Planted, sampled
from plausible.evaluation.verdict.verdict import ALPHA

TRIALS = 40
_NULL = 999  # shuffles
_EFFECTS = 400  # trials by which the size of an effect is known, of some twenty variants
_SIDE = 500  # real points a side, at most: from there on errors shrink as n^-1/2
_TRAIN = 4000  # training examples
_FEWEST = 20  # real points a side


@dataclass(frozen=True)
class Trials:
    """Halves of P = 2m real points, and which of one half have the defect: what is asked of a statistic.

    labels   of 2P points, those with the defect first: rows of samples with it, then rows of both sides with half of it.
    count    rows of the first kind.
    variant  which variant of the defect they have, (count,).
    """

    labels: GroupLabels
    count: int
    variant: Tensor

    def found(self, statistic: Tensor, n: int, level: float) -> float:
        """The share of the trials above what shuffling reaches with a chance of ``level``; both as they would be at n a side.

        What is random shrinks as n^-1/2, so its deviations are scaled by sqrt(m / n), m the points a side here.  statistic (B,).
        """
        planted, null = self.split(statistic)
        size = 2 / (1 / self.labels.g.sum(1) + 1 / self.labels.h.sum(1)).mean().item()
        scale = (size / n) ** 0.5
        critical = null.mean() + scale * (null.quantile(1 - level) - null.mean())
        middle = planted.median()
        return float((middle + scale * (planted - middle) > critical).float().mean())

    def split(self, statistic: Tensor) -> tuple[Tensor, Tensor]:
        """(of samples with the defect, of shuffled ones)."""
        return statistic[: self.count], statistic[self.count :]


def halves(
    planted: Planted, generator: Generator, trials: int | None = None, null: int | None = None
) -> Trials:
    """Random halves of the real points, of which one is held out and the other has the defect.

    In the ``null`` rows after these ``trials``, by default 999 and 40, both halves have half of it, as they would if samples and held-out points
    were shuffled: real data alone would have no rare value to compare with.
    """
    trials, null = TRIALS if trials is None else trials, _NULL if null is None else null
    size, rows = len(planted.points), trials + null
    first = torch.rand(trials, size // 2, generator=generator) < 0.5
    paired = torch.cat(
        [first, ~first], 1
    )  # of i and i + m one is a sample: a held-out copy has its original
    shuffles = torch.rand(null, size, generator=generator).argsort(1) < size // 2
    ours = torch.cat([paired, shuffles])  # (B, P)
    variant = torch.randint(planted.variants(), (rows,), generator=generator)
    changed, kept = planted.changed[variant], planted.kept[variant]  # (B, P) each
    shuffled = torch.arange(rows)[:, None] >= trials
    changed = torch.where(shuffled, changed / 2, torch.where(ours, changed, 0.0))
    kept = torch.where(shuffled, (1 + kept) / 2, torch.where(ours, kept, 1.0))
    has = torch.rand(rows, size, generator=generator) < changed
    there = torch.rand(rows, size, generator=generator) < kept
    is_sample, is_heldout = (
        torch.cat([side & there & has, side & there & ~has], 1) for side in (ours, ~ours)
    )  # (B, 2P) each
    return Trials(grouped(is_sample, is_heldout), trials, variant[:trials])


def real_points(parts: Sequence[Part], n: int, generator: Generator) -> Part:
    """At most 2 min(n, 500) points of parts that nothing learned from, an even number, in random order."""
    whole = merge_parts(*parts)
    count = min(len(whole) // 2, n, _SIDE)
    if count < _FEWEST:
        raise NotDefined(f"{len(whole)} real points are too few to plant defects into")
    return whole.rows(torch.randperm(len(whole), generator=generator)[: 2 * count])


def planted_power(
    evalset: EvaluationSet,
    embedding: Embedding,
    real: Part,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, float]:
    """{defect: the share of trials in which its margin, planted into real points, is found at the level of the verdict}.

    evalset  whose numbers of samples and of held-out examples the verdict will have.
    real     (2m) points that neither the generator nor the embedding learned from, see ``real_points``.
    A defect that is not defined for these data, or that cannot be planted, is left out.
    """
    n = min(len(evalset.samples), len(evalset.heldout))
    scene, tried = _scene(evalset, embedding, real), {}
    for i, (name, defect) in enumerate(defects.items()):
        progress(i / len(defects))
        try:
            tried[name] = _power(defect, scene, embedding, n, len(evalset.samples))
        except NotDefined:
            continue
    # Holm's correction asks the most of the first rejection, and counts the tests that are defined
    return {name: power(ALPHA / len(tried)) for name, power in tried.items()}


def planted_effects(
    evalset: EvaluationSet,
    embedding: Embedding,
    real: Part,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, float]:
    """{defect: how much more of it samples show that have as much as its margin than real points do}: the mean of e(G) - e(R).

    A margin is not all seen: real points seem to have some by chance, and a defect in modes that nobody can tell apart, or
    copies where everything is near everything, show little.  ``real`` is that of ``planted_power``; defects that only
    a critic sees are left out.
    """
    scene, found = _scene(evalset, embedding, real), {}
    for i, (name, defect) in enumerate(defects.items()):
        progress(i / len(defects))
        if defect.plant is None or defect.aspect is not None:
            continue
        try:
            planted, statistic = _planted(defect, scene, embedding, scene.generator())
        except NotDefined:
            continue
        without = replace(planted, changed=0 * planted.changed, kept=torch.ones_like(planted.kept))
        means = []
        for points in (planted, without):
            trials = halves(points, scene.generator(), _EFFECTS, 0)
            effect = trials.split(defect.effect(statistic(trials.labels)))[0].clamp(min=0)
            means.append(
                torch.stack([effect[trials.variant == v].mean() for v in trials.variant.unique()])
            )
        difference = (means[0].quantile(0.1) - means[1].mean()).item()
        if math.isfinite(difference):  # of one group nothing is left out
            found[name] = difference
    return found


def _scene(evalset: EvaluationSet, embedding: Embedding, real: Part) -> EvaluationSet:
    """The real points in the place of what is held out, beside a part of T."""
    rows = torch.randperm(len(evalset.train), generator=evalset.generator())[:_TRAIN]
    held = embedding.embed(real)
    return with_train_distances(  # of T and of the real points once, for every test that asks
        replace(
            evalset, train=evalset.train[rows], heldout=held, samples=held[slice(0, 1)], spare=None,
            likeness=None, critiques=None, model=None,
        )
    )  # fmt: skip


Power = Callable[[float], float]
"""level -> the share of the trials that are found significant at it."""


def _power(
    defect: Defect, scene: EvaluationSet, embedding: Embedding, n: int, samples: int
) -> Power:
    if defect.plant is None:
        raise NotDefined(f"{defect.name} cannot be planted")
    if defect.aspect is not None:
        if defect.aspect not in aspects(scene.space):
            raise NotDefined(f"{defect.name} cannot be looked at")
        return _critic_power(defect, scene, embedding, n, samples)
    generator = scene.generator()
    planted, statistic = _planted(defect, scene, embedding, generator)
    trials = halves(planted, generator)
    effects = defect.effect(statistic(trials.labels))
    return lambda level: trials.found(effects, n, level)


def _planted(
    defect: Defect, scene: EvaluationSet, embedding: Embedding, generator: Generator
) -> tuple[Planted, Statistic]:
    """The margin of a defect in the real points, and what is asked of them and their changed copies."""
    assert defect.plant is not None
    real = scene.heldout
    planted = defect.plant(real.part, scene.train.part, defect.margin, generator)
    changed = real if planted.points is real.part else embedding.embed(planted.points)
    test = defect.function(replace(scene, samples=changed))
    assert isinstance(test, PreparedTest)
    return planted, test.statistic


def _critic_power(
    defect: Defect, scene: EvaluationSet, embedding: Embedding, n: int, samples: int
) -> Power:
    """One critic learns; its answers, drawn anew as often as it would be asked, are found significant or not.

    Half of T takes the place of real points in the samples that teach, or there would be too few.
    """
    aspect = defect.aspect
    assert defect.plant is not None
    assert aspect is not None
    generator, m = scene.generator(), len(scene.heldout) // 2
    train, real = scene.train, scene.heldout.part
    spare = train.part.rows(slice(0, min(len(train) // 2, max(samples - m, 0))))
    fresh = merge_parts(spare, real.rows(slice(0, m)))
    planted = defect.plant(fresh, train.part, defect.margin, generator)
    made = sampled(planted, fresh, generator)
    (said, *_) = make_critiques(
        replace(
            scene,
            samples=embedding.embed(made),
            train=train[slice(len(spare), None)],
            heldout=scene.heldout[slice(m, None)],
        ),
        [aspect],
        looks=1,
    )[aspect]
    asked = min(n, samples * 2 // 3)
    counts = torch.tensor([[said.hits], [said.false_alarms]]) / said.asked
    draws = torch.binomial(
        torch.full((2, TRIALS), float(asked)), counts.expand(2, TRIALS), generator=generator
    )
    again = [
        replace(said, hits=int(a), false_alarms=int(b), asked=asked) for a, b in draws.T.tolist()
    ]
    return lambda level: sum(one.p <= level for one in again) / TRIALS
