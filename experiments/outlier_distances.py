"""Baselines that know no p(x): how far an input is from the training part, in pixels and in the features of a classifier.

Sources: Sun et al. 2022, https://arxiv.org/abs/2204.06507 (nearest neighbours); Lee et al. 2018,
https://arxiv.org/abs/1807.03888 (Mahalanobis).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from plausible.data.part import Data, Part
from plausible.tasks.eyes import eyes_of

NEIGHBOUR = 5
_TRAIN = 10_000  # examples that are looked among, at most
Distance = Callable[[Part], Tensor]


def distances(data: Data, quick: bool) -> dict[str, Distance]:
    """{name: a function of n inputs that says how far each is, (n,)}."""
    train = data.train.frozen(0)
    train = train.rows(slice(0, None, -(-len(train) // _TRAIN)))
    eyes = eyes_of(
        data, min(500, len(data.heldout)), "random" if quick else "auto", 0, lambda stage, share: None
    ).embedding  # fmt: skip

    def pixels(part: Part) -> Tensor:
        return part.as_batch().x.flatten(1)  # (N, C, H, W) -> (N, d)

    def features(part: Part) -> Tensor:
        return eyes.embed(part).features.float()

    assert train.y is not None
    beside, known = pixels(train), features(train)
    far = mahalanobis(known, train.y)
    return {
        f"neighbour {NEIGHBOUR}, pixels": lambda part: neighbour(beside, pixels(part)),
        f"neighbour {NEIGHBOUR}, features": lambda part: neighbour(known, features(part)),
        "Mahalanobis, features": lambda part: far(features(part)),
    }


def neighbour(train: Tensor, x: Tensor) -> Tensor:
    """The distance of each x (n, d) to its k-th nearest training example (N, d): (n,)."""
    near = [torch.cdist(rows, train).topk(NEIGHBOUR, 1, largest=False) for rows in x.split(500)]
    return torch.cat([found.values[:, -1] for found in near])


def mahalanobis(train: Tensor, y: Tensor) -> Callable[[Tensor], Tensor]:
    """The root of min over c of (x - m_c)^T S^-1 (x - m_c), m_c the mean of a class and S the covariance about these means.

    Learned from N examples (N, d) of the classes y (N,); a function of x (n, d) -> (n,).
    """
    means = torch.stack([train[y == c].mean(0) for c in y.unique()])  # (K, d)
    about = torch.cov((train - means[y.unique(return_inverse=True)[1]]).T)  # (d, d)
    ridge = 1e-3 * about.diagonal().mean() * torch.eye(len(about))
    factor = torch.linalg.cholesky(about + ridge)

    def white(x: Tensor) -> Tensor:
        return torch.linalg.solve_triangular(factor, x.T, upper=False).T  # (n, d)

    centres = white(means)
    return lambda x: torch.cdist(white(x), centres).amin(1)
