"""An evaluation set of given points, without an embedding, and one result of its verdict."""

import math
from dataclasses import replace
from unittest.mock import patch

import torch

from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.shrink import raw_pixels
from plausible.evaluation.verdict.defect import ExactTest, defects
from plausible.evaluation.verdict.verdict import run_tests


def evalset(train, heldout, samples, *, modes=None, names=("all",), labelled=False, space=None):
    """T, H and G (n, d) as vectors (features and raw are the points, of images shrunk), or (n, C, H, W) on a grid."""
    points = (train, heldout, samples)
    space = space or Space(tuple(train.shape[1:]))
    modes = modes or tuple(torch.zeros(len(x), dtype=torch.int64) for x in points)
    views = []
    for x, mode in zip(points, modes, strict=True):
        part = Part(space.codes(x) if space.levels else x, None, space)
        raw = raw_pixels(x) if space.is_image else x.flatten(1)
        views.append(Embedded(part, x.flatten(1), raw, mode))
    return EvaluationSet(space, *views, tuple(names), labelled, lambda x: x.flatten(1))


def result(name, evalset):
    """What the verdict says of one defect, corrected for all, of which the others are not looked for.

    The others find nothing, p = 1, so that Holm's correction is the strictest that it can be.
    """
    nothing = ExactTest(0.0, (0.0, 0.0), 1.0, lambda null: math.inf)
    others = {
        other: replace(defect, function=lambda evalset: nothing)
        for other, defect in defects.items()
        if other != name
    }
    with patch.dict(defects, others):
        return next(found for found in run_tests(evalset).results if found.name == name)
