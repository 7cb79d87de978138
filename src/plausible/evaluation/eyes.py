"""Which features see most: those by which defects planted into real data are told from real data most often."""

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from plausible.core.errors import NotDefined
from plausible.data.part import Part
from plausible.evaluation.features import Features
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.power import halves

Eyes = tuple[Features, str]
"""x (N, *shape) -> (N, d), and what they are called."""

_POINTS = 400  # real points, in halves
_TIMES = 3  # the margin: features are chosen by what is plain
_LEVEL = 0.05


def choose_features(
    candidates: Sequence[Eyes], real: Part, train: Part, generator: Generator
) -> tuple[Eyes, list[float]]:
    """(the features that see most, the share of trials in which each candidate sees the planted defect).

    Each defect is planted into one half of the real points, three times its margin; features see it where the mean
    of one of them or of its square moves farther than between halves of real data with a chance of 5%.
    real  points that no candidate learned from.  Where two see alike the first is taken.
    """
    real = real.rows(slice(0, _POINTS - _POINTS % 2))
    real = real.rows(slice(0, len(real) - len(real) % 2))
    scores: list[list[float]] = [[] for _ in candidates]
    plain = [_features(extract, real) for extract, _ in candidates]
    for defect in defects.values():
        try:
            if defect.plant is None:
                continue
            effect = min(_TIMES * defect.margin, 0.9)
            planted = defect.plant(real, train, effect, generator)
        except NotDefined:
            continue
        trials = halves(planted, generator)
        labels = trials.labels
        for (extract, _), known, score in zip(candidates, plain, scores, strict=True):
            changed = known if planted.points is real else _features(extract, planted.points)
            rows = torch.cat([changed, known])  # (2P, d)
            rows = torch.cat([rows, rows.square()], 1)
            rows = (rows - rows.mean(0)) / rows.std(0).clamp(min=1e-9)
            apart = labels.g @ rows / labels.g.sum(1, keepdim=True)
            apart -= labels.h @ rows / labels.h.sum(1, keepdim=True)  # (B, 2P), (2P, 2d)
            seen, null = trials.split(apart.abs().amax(1))  # (B, 2d) -> (B,)
            score.append(float((seen > null.quantile(1 - _LEVEL)).float().mean()))
    shares = [sum(score) / max(len(score), 1) for score in scores]
    best = max(range(len(candidates)), key=lambda i: shares[i])
    return candidates[best], shares


@torch.no_grad()
def _features(extract: Features, part: Part) -> Tensor:
    rows = torch.arange(len(part)).split(512)
    found = torch.cat([extract(part.batch(few).x).float().flatten(1) for few in rows])  # (N, d)
    return torch.nan_to_num(found)
