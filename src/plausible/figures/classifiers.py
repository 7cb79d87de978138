"""Pictures of classifiers: is it right, does it know when, and where does it decide what?"""

import torch
from PIL import Image

from plausible.core.capabilities import Classifier
from plausible.data.part import Part
from plausible.evaluation.metrics.classification import (
    Predictions,
    reliability_diagram,
    risk_coverage_curve,
)
from plausible.figures.plots import rendered

_PLANE = 200  # points a side at which a classifier of the plane is asked
_POINTS = 500  # of the data that are drawn over it


def classification(predictions: Predictions) -> dict[str, Image.Image]:
    """{file name: picture} of a classifier's predictions.

    reliability.png  the reliability diagram: how often those of about the same confidence are right.
    risk.png         the risk-coverage curve: the share of wrong ones when only the surest are made.
    """
    from matplotlib.figure import Figure

    bins = reliability_diagram(predictions)
    figure = Figure(figsize=(5, 5), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", label="calibrated")
    axes.plot(bins.confidence.tolist(), bins.accuracy.tolist(), "o-", color="C0", label="answers")
    axes.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(f"calibration error {bins.error:.3f}, {len(bins.count)} bins of equal numbers")
    axes.legend()
    pictures = {"reliability.png": rendered(figure)}
    coverage, risk = risk_coverage_curve(predictions)
    figure = Figure(figsize=(5, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.plot(coverage.tolist(), risk.tolist(), color="C0")
    axes.set(xlabel="share of inputs that get an answer", ylabel="share of answers that are wrong")
    axes.set(xlim=(0, 1), ylim=(0, None))
    return pictures | {"risk.png": rendered(figure)}


def decision_boundary(classifier: Classifier, part: Part) -> Image.Image:
    """Where a classifier of the plane decides for which class, and how surely; the part as points.

    Colour is the most probable class, its strength max_y p(y | x).
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    batch = part.as_batch()
    x = batch.x.cpu()  # (N, 2)
    margin = 0.25 * (x.amax(0) - x.amin(0))
    low, high = (x.amin(0) - margin).tolist(), (x.amax(0) + margin).tolist()
    steps = [torch.linspace(a, b, _PLANE) for a, b in zip(low, high, strict=True)]
    plane = torch.cartesian_prod(steps[0], steps[1])  # (_PLANE^2, 2)
    log_p = torch.cat([classifier.log_posterior(few).cpu() for few in plane.split(4096)])
    best, label = log_p.exp().max(1)  # (_PLANE^2, classes) -> (_PLANE^2,)
    tint = colormaps["tab10" if log_p.shape[1] <= 10 else "tab20"]
    colour = torch.tensor(tint(label.numpy() % tint.N))[:, :3]  # (_PLANE^2, 3)
    sure = ((best - 1 / log_p.shape[1]) / (1 - 1 / log_p.shape[1])).clamp(0, 1)[:, None]
    shade = 1 - sure * 0.7 * (1 - colour)  # white where nothing is known
    image = shade.view(_PLANE, _PLANE, 3).transpose(0, 1).numpy()
    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.imshow(image, origin="lower", extent=(low[0], high[0], low[1], high[1]), aspect="auto")
    shown = slice(0, _POINTS)
    inks = None if batch.y is None else tint(batch.y.cpu()[shown].numpy() % tint.N)
    points = x[shown].numpy()
    axes.scatter(points[:, 0], points[:, 1], s=8, c=inks, edgecolors="black", linewidths=0.3)
    axes.set(xlabel="x1", ylabel="x2")
    return rendered(figure)
