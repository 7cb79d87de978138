"""Maximum likelihood."""

import torch

from plausible.claims.claim import Claimed, Figure, claims, exact
from plausible.core.space import Space
from plausible.data.part import Data, Part
from plausible.models import GaussianMixture
from plausible.training import Settings, train

_POINTS, _OTHERS = 200, 500


@claims
def maximum_likelihood(seed: int) -> Claimed:
    """Maximum likelihood finds the W with the highest sum of log f(x_i; W).

    A Gaussian in the plane is fitted to 200 points.  No one of 500 other W around it, near and far, gives the
    points a higher likelihood, the derivative of the sum is nothing there, and the W is the closed form,
    mean and covariance of the points.
    Source: Fisher 1922, doi:10.1098/rsta.1922.0009.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = torch.tensor([[1.0, 0.0], [0.8, 0.4]])
    x = torch.randn(_POINTS, 2, generator=generator) @ shape.T + torch.tensor([1.0, -1.0])
    part = Part(x, None, Space((2,)))
    data = Data("points", part.space, part, part, part)
    training = train(
        GaussianMixture(part.space, GaussianMixture.Config(components=1)), data, Settings(seed=seed)
    )
    for _ in training:
        pass
    model = training.averaged
    best = model.log_prob(x).nats.double().sum().item()
    params = {"mean": model.mean, "factor": model.factor}  # the one weight is 1
    weights = {name: param.detach().clone() for name, param in params.items()}
    lower, sizes = [], torch.logspace(-3, 0.5, _OTHERS)
    for size in sizes:
        for name, param in params.items():
            step = torch.randn(param.shape, generator=generator, dtype=param.dtype)
            if name == "factor":  # of the covariance, a triangle
                step = step.tril()
            param.data.copy_(weights[name] + size.to(param.dtype) * step)
        lower.append(best - model.log_prob(x).nats.double().sum().item())
    for name, param in params.items():
        param.data.copy_(weights[name])
    centred = x.double() - x.double().mean(0)
    covariance = centred.T @ centred / _POINTS
    normal = torch.distributions.MultivariateNormal(x.double().mean(0), covariance)
    closed = normal.log_prob(x.double()).sum().item()
    finite = torch.tensor(lower, dtype=torch.float64)
    finite = finite[finite.isfinite()]
    return Claimed(
        [
            exact("least loss of likelihood among 500 other W, nats", finite.min().item(), least=-1e-6),
            exact("likelihood less that of mean and covariance, nats", best - closed, least=-0.01, most=0.01),
        ],
        Figure(
            "size of the step away from W*", "sum of log f lost, nats",
            {"another W": (sizes.tolist(), [max(loss, 1e-9) for loss in lower])}, log="xy",
        ),
    )  # fmt: skip
