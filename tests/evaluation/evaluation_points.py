"""An evaluation set of given points, without an embedding."""

import torch

from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet


def evalset(train, heldout, samples, *, modes=None, names=("all",), labelled=False, space=None):
    """T, H and G (n, d) as vectors (features and raw are the points), or (n, C, H, W) on a grid."""
    points = (train, heldout, samples)
    space = space or Space(tuple(train.shape[1:]))
    modes = modes or tuple(torch.zeros(len(x), dtype=torch.int64) for x in points)
    views = []
    for x, mode in zip(points, modes, strict=True):
        part = Part(space.codes(x) if space.levels else x, None, space)
        flat = x.flatten(1)
        views.append(Embedded(part, flat, flat, mode))
    return EvaluationSet(space, *views, tuple(names), labelled, lambda x: x.flatten(1))
