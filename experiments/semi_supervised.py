"""One Gaussian for each class, with one covariance, in few coordinates: learned from labelled examples, and from others too.

p(v | y) = N(m_y, S), v coordinates of x: principal components, or the mean of q(z | x) of a VAE that saw no labels.  By
expectation-maximisation over examples without labels, whose classes are what is not known; labels that are known stay.
Source: Nigam et al. 2000, doi:10.1023/A:1007692713085 (where it is naive Bayes of words).
"""

from collections.abc import Callable

import torch
from torch import Tensor

_STEPS = 50
_PRIOR = 20.0  # examples that the covariance of all coordinates counts for in S


class SharedGaussians:
    """p(y | x) by Bayes' rule from N(m_y, S), of labelled x (N, *shape), y (N,) and of ``others`` (M, *shape) without labels.

    coordinates  x (N, *shape) -> (N, d).
    """

    def __init__(
        self, coordinates: Callable[[Tensor], Tensor], x: Tensor, y: Tensor, others: Tensor, classes: int
    ):  # fmt: skip
        self.coordinates = coordinates
        labelled, free = coordinates(x).double(), coordinates(others).double()
        known = torch.nn.functional.one_hot(y, classes).double()  # (N, classes)
        v = torch.cat([labelled, free])
        self.total = torch.cov(v.T).reshape(v.shape[1], v.shape[1]) + 1e-6 * torch.eye(v.shape[1])
        self._fit(labelled, known)
        for _ in range(_STEPS if len(free) else 0):
            self._fit(v, torch.cat([known, self._log_joint(free).softmax(1)]))

    def _fit(self, v: Tensor, share: Tensor) -> None:
        """Maximisation: v (N, d), and how much each is of each class, (N, classes)."""
        count = share.sum(0)
        self.log_prior = ((count + 1) / (count + 1).sum()).log()
        self.mean = share.T @ v / count.clamp(min=1e-9)[:, None]  # (classes, d)
        within = self.total * _PRIOR
        for k, mean in enumerate(self.mean):
            apart = v - mean
            within = within + (share[:, k, None] * apart).T @ apart
        self.factor = torch.linalg.cholesky(within / (len(v) + _PRIOR))

    def _log_joint(self, v: Tensor) -> Tensor:
        apart = (v[:, None] - self.mean).permute(1, 2, 0)  # (classes, d, N)
        white = torch.linalg.solve_triangular(self.factor, apart, upper=False)
        return self.log_prior - white.square().sum(1).T / 2

    def log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x): (N, *shape) -> (N, classes)."""
        return self._log_joint(self.coordinates(x).double()).log_softmax(1)
