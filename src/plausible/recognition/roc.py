"""How well a score tells what is of the right kind from what is not."""

import math

import torch
from torch import Tensor


def auroc(inside: Tensor, outside: Tensor) -> float:
    """P(score of an outlier > score of an inlier) + P(equal) / 2: (n,), (m,) -> 0 to 1.

    The area under the receiver operating curve; 0.5 for a score that says nothing.
    Source: Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747.
    """
    order = inside.double().cpu().sort().values
    outside = outside.double().cpu().contiguous()
    below = torch.searchsorted(order, outside)  # how many inliers are smaller, (m,)
    upto = torch.searchsorted(order, outside, right=True)
    return float((below + upto).double().mean() / (2 * len(order)))


def fpr_at_tpr(inside: Tensor, outside: Tensor, tpr: float = 0.95) -> float:
    """The share of outliers that pass at the threshold which the share ``tpr`` of the inliers pass.

    The false positive rate at 95% true positives (FPR95), where to be an inlier is positive.
    """
    order = inside.double().cpu().sort().values
    threshold = order[math.ceil(tpr * len(order)) - 1]
    return float((outside.double().cpu() <= threshold).double().mean())
