"""A p-value of a score: how often data of the right kind score as high, whatever the score is."""

import torch
from torch import Tensor

from plausible.core.errors import UsageError


class Conformal:
    """p(s) = (1 + #{calibration scores >= s}) / (n + 1): the chance that data of the right kind score so.

    Exact for n exchangeable scores of data that nothing was fitted on: P(p <= a) <= a for every a.
    Source: Vovk, Gammerman and Shafer 2005, doi:10.1007/b106715.
    """

    def __init__(self, scores: Tensor):
        if not len(scores):
            raise UsageError("a conformal p-value needs at least one example to compare with")
        self.scores = scores.double().cpu().sort().values

    def __call__(self, scores: Tensor) -> Tensor:
        """(n,) scores -> (n,) p-values in (0, 1]; NaN counts as the most novel."""
        scores = scores.double().cpu().nan_to_num(torch.inf)
        below = torch.searchsorted(self.scores, scores)  # how many are smaller
        return (1 + len(self.scores) - below).double() / (len(self.scores) + 1)
