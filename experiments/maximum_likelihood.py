"""W* = argmax_W sum_i log f(x_i; W), made visible: two likelihood surfaces and who climbs them.

Left: a Gaussian on 200 points of the line, over its mean and standard deviation; the maximum is where
the closed form says.  Right: a mixture of two Gaussians of known width and weight, over its two means;
two maxima, because the components may swap names, and the steps of expectation-maximisation on the way
to one of them.  Both surfaces are sums of ``GaussianMixture.log_prob`` on a grid.  The picture goes to
docs/likelihood.png.
"""

from pathlib import Path

import numpy as np
import torch
from benchmarks.record import parser, record
from torch import Tensor

import plausible
from plausible.data.part import Data, Part
from plausible.models import GaussianMixture

POINTS, SPREAD, CENTRES = 200, 0.6, (-1.0, 1.5)
OUT = Path(__file__).parent.parent / "docs" / "likelihood.png"


def data_of(x: Tensor) -> Data:
    part = Part(x[:, None].float(), None, plausible.Space((1,)))
    return Data("line", part.space, part, part, part)


def surface(model: GaussianMixture, x: Tensor, sets: list[tuple[float, float]], put) -> np.ndarray:
    """sum_i log f(x_i; W) at each W of a grid, ``put`` writing W into the model."""
    found = []
    for values in sets:
        put(model, *values)
        found.append(model.log_prob(x[:, None].float()).nats.sum().item())
    return np.array(found)


def put_gaussian(model: GaussianMixture, mean: float, deviation: float) -> None:
    model.mean.data.fill_(mean)
    model.factor.data.fill_(deviation)


def put_means(model: GaussianMixture, first: float, second: float) -> None:
    model.mean.data.copy_(torch.tensor([[first], [second]]))
    model.factor.data.fill_(SPREAD)


def climbed(x: Tensor, first: tuple[float, float], steps: int) -> list[tuple[float, float]]:
    """The means after each step of expectation-maximisation, width and weights known."""
    model = plain(2)
    path = [first]
    for _ in range(steps):
        put_means(model, *path[-1])
        joint = model._log_joint(x[:, None].double())  # (N, 2)
        share = joint.softmax(1)
        path.append(tuple((share.T @ x.double() / share.sum(0)).tolist()))
    return path


def plain(components: int) -> GaussianMixture:
    """A mixture whose standard units are the data's units, with even weights."""
    return GaussianMixture(plausible.Space((1,)), GaussianMixture.Config(components=components))


def main() -> None:
    asked = parser(__doc__).parse_args()
    generator = torch.Generator().manual_seed(asked.seed)
    side = 30 if asked.quick else 120
    normal = torch.randn(POINTS, generator=generator).double()
    one = CENTRES[1] + SPREAD * normal
    which = torch.randint(2, (POINTS,), generator=generator)
    two = torch.tensor(CENTRES).double()[which] + SPREAD * normal

    fitted = plausible.train(
        GaussianMixture(plausible.Space((1,)), GaussianMixture.Config(components=1)),
        data_of(one),
        plausible.Settings(),
    )
    list(fitted)
    best = fitted.averaged.log_prob(one[:, None].float()).nats.sum().item()
    means, widths = np.linspace(1.1, 1.9, side), np.linspace(0.4, 0.9, side)
    left = surface(plain(1), one, [(m, s) for s in widths for m in means], put_gaussian)
    top = np.unravel_index(left.argmax(), (side, side))
    centres = np.linspace(-2.5, 3, side)
    right = surface(plain(2), two, [(a, b) for b in centres for a in centres], put_means)
    path = climbed(two, (0.4, 0.0), 30)
    rows = [
        {"what": "Gaussian, closed form", "W1": one.mean().item(), "W2": one.std(correction=0).item(), "sum log f": best},
        {"what": "Gaussian, best of the grid", "W1": means[top[1]], "W2": widths[top[0]], "sum log f": left.max()},
        {"what": "mixture, EM", "W1": path[-1][0], "W2": path[-1][1], "sum log f": surface(plain(2), two, path[-1:], put_means)[0]},
        {"what": "mixture, best of the grid", "W1": float(centres[right.argmax() % side]), "W2": float(centres[right.argmax() // side]), "sum log f": right.max()},
    ]  # fmt: skip
    if not asked.quick:
        picture(
            means,
            widths,
            left.reshape(side, side),
            (rows[0]["W1"], rows[0]["W2"]),
            centres,
            right.reshape(side, side),
            path,
        )
    record(__file__, rows, seed=asked.seed, quick=asked.quick, notes=f"{POINTS} points each")


def picture(means, widths, left, best, centres, right, path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), dpi=100, layout="constrained")
    axes = figure.subplots(1, 2)
    depth = np.array([0.5, 2, 5, 10, 20, 40, 80, 160])
    axes[0].contourf(
        means, widths, left, np.sort(left.max() - np.r_[depth, 0]), cmap="viridis", extend="min"
    )
    axes[0].plot(*best, "r*", markersize=14, label="W*, closed form")
    axes[0].set(xlabel="mean", ylabel="standard deviation", title="a Gaussian: one maximum")
    axes[1].contourf(
        centres,
        centres,
        right,
        np.sort(right.max() - np.r_[4 * depth, 0]),
        cmap="viridis",
        extend="min",
    )
    axes[1].plot(*zip(*path, strict=True), "r.-", label="expectation-maximisation")
    axes[1].plot(*path[-1], "r*", markersize=14)
    axes[1].set(xlabel="first mean", ylabel="second mean", title="a mixture of two: two maxima")
    for one in axes:
        one.legend(loc="upper right")
    figure.savefig(OUT)


if __name__ == "__main__":
    main()
