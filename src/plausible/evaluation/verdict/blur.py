"""Are samples as sharp as real images?"""

import math
from dataclasses import replace

import torch

from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.sharpness import log_contrast
from plausible.evaluation.verdict.defect import NullSummary, PreparedTest, defect, detectable_shift


@defect(
    "blur or noise",
    0.15,
    "the contrast between neighbouring pixels is off by {effect}",
    "the contrast between neighbouring pixels is not off by {margin}",
    effect=lambda gap: torch.expm1(gap).abs(),
)
def blur(evalset: EvaluationSet) -> PreparedTest:
    """(mean_G s - mean_H s) / 2, s the log variance of an image's Laplacian; two-sided.

    Its effect is the change of the contrast, |exp(.) - 1|.
    """
    scores = log_contrast(evalset).float()  # (N,)

    def detectable(null: NullSummary) -> float:
        return math.expm1(detectable_shift(replace(null, alpha=null.alpha / 2)))

    return PreparedTest(lambda labels: labels.difference(scores) / 2, detectable)
