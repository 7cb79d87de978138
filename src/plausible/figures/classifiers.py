"""Pictures of classifiers: is it right, does it know when, and where does it decide what?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.space import Batch
from plausible.data.part import Part
from plausible.evaluation.metrics.classification import (
    Predictions,
    reliability_diagram,
    risk_coverage_curve,
    risk_interval,
)
from plausible.figures.colours import COLOURS, DATA, SAMPLES, mark_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PLANE = 200  # points a side at which a classifier of the plane is asked
_POINTS = 500  # of the data that are drawn over it
_SURE = 0.1  # share of the answers from which on their number says something
_NAMED = 10  # classes that get a line of the legend


def classification(predictions: Predictions) -> "dict[str, Figure]":
    """{file name: picture} of a classifier's predictions.

    reliability.png  the reliability diagram: how often those of about the same confidence are right.
    risk.png         the risk-coverage curve: the share of wrong ones when only the surest are made.
    """
    return {"reliability.png": _reliability(predictions), "risk.png": _risk(predictions)}


def _reliability(predictions: Predictions) -> "Figure":
    from matplotlib.figure import Figure

    bins = reliability_diagram(predictions)
    figure = Figure(figsize=(5, 5), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=DATA, label="calibrated")
    axes.plot(
        bins.confidence.tolist(), bins.accuracy.tolist(), "o-", color=SAMPLES, label="answers"
    )
    axes.set(xlabel="confidence, max p(y | x)", ylabel="share of the answers that is right")
    axes.set(xlim=(0, 1), ylim=(0, 1))
    words = f"calibration error {bins.error:.3f}, {len(bins.count)} bins of equal numbers"
    axes.set_title(f"Is it as often right as it says?\n{words}", fontsize=11)
    axes.legend()
    return figure


def _risk(predictions: Predictions) -> "Figure":
    from matplotlib.figure import Figure

    coverage, risk = risk_coverage_curve(predictions)
    figure = Figure(figsize=(5, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    counts = (coverage * len(risk)).round()
    low, high = risk_interval(risk, counts)
    axes.fill_between(
        coverage.tolist(), low.tolist(), high.tolist(),
        color=SAMPLES, alpha=0.2, linewidth=0, label="95% interval",
    )  # fmt: skip
    axes.plot(coverage.tolist(), risk.tolist(), color=SAMPLES, label="answers")
    axes.set(xlabel="share of inputs that get an answer", ylabel="share of answers that are wrong")
    top = max(float(risk.max()), float(high[coverage >= _SURE].max()))
    axes.set(xlim=(0, 1), ylim=(0, 1.1 * top))
    axes.legend(loc="upper left")
    axes.set_title("How often it is wrong when only the surest are answered", fontsize=11)
    return figure


def decision_boundary(classifier: Classifier, part: Part, names: Sequence[str] = ()) -> "Figure":
    """Where a classifier of the plane decides for which class, and how surely; the part as points.

    Colour is the most probable class, its strength max_y p(y | x); lines are where the class changes.
    names  of the classes; by default their numbers.
    """
    from matplotlib.figure import Figure

    batch = part.as_batch()
    x = batch.x.cpu()  # (N, 2)
    margin = 0.25 * (x.amax(0) - x.amin(0))
    low, high = (x.amin(0) - margin).tolist(), (x.amax(0) + margin).tolist()
    steps = [torch.linspace(a, b, _PLANE) for a, b in zip(low, high, strict=True)]
    plane = torch.cartesian_prod(steps[0], steps[1])  # (_PLANE^2, 2)
    log_p = torch.cat([classifier.log_posterior(few).cpu() for few in plane.split(4096)])
    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    axes = figure.subplots()
    extent = (low[0], high[0], low[1], high[1])
    axes.imshow(_shades(log_p), origin="lower", extent=extent, aspect="auto")
    for lead in _leads(log_p):
        axes.contour(steps[0].numpy(), steps[1].numpy(), lead, [0], colors="0.2", linewidths=0.8)
    _points(axes, Batch(x[:_POINTS], None if batch.y is None else batch.y.cpu()[:_POINTS]), names)
    axes.set(xlabel="x1", ylabel="x2")
    axes.set_title("The class it decides for: the stronger the colour, the surer", fontsize=11)
    return figure


def _leads(log_p: Tensor) -> list[np.ndarray]:
    """By how much each class that is decided for is more probable than the next, as rows of x2: 0 at its border."""
    p = log_p.exp()  # (_PLANE^2, classes)
    first, second = p.topk(2).values.T
    leads = []
    for k in p.argmax(1).unique().tolist():
        lead = p[:, k] - torch.where(p[:, k] == first, second, first)
        leads.append(lead.view(_PLANE, _PLANE).T.numpy())
    return leads


def _shades(log_p: Tensor) -> np.ndarray:
    """log p(y | x) of the points of the plane, x1 first -> an image of it, white where nothing is known."""
    from matplotlib.colors import to_rgb

    best, label = log_p.exp().max(1)  # (_PLANE^2, classes) -> (_PLANE^2,)
    colour = torch.tensor([to_rgb(name) for name in COLOURS])[label % len(COLOURS)]
    sure = ((best - 1 / log_p.shape[1]) / (1 - 1 / log_p.shape[1])).clamp(0, 1)[:, None]
    shade = 1 - sure * 0.7 * (1 - colour)  # (_PLANE^2, 3)
    return shade.view(_PLANE, _PLANE, 3).transpose(0, 1).numpy()


def _points(axes: "Axes", batch: Batch, names: Sequence[str]) -> None:
    """Each class with its colour and mark."""
    if batch.y is None:
        axes.scatter(batch.x[:, 0], batch.x[:, 1], s=10, color="0.2", linewidths=0)
        return
    present = batch.y.unique().tolist()
    for k in present:
        rows = batch.x[batch.y == k]
        name = f"class {names[k] if k < len(names) else k}"
        look = {"edgecolors": "black", "linewidths": 0.4, **mark_style(k)}
        axes.scatter(rows[:, 0], rows[:, 1], s=14, label=name, **look)
    if len(present) <= _NAMED:
        axes.legend(loc="upper right", fontsize=8)
