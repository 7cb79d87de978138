"""Points of the plane over what a model says of it: its density, or what its discriminator takes for data."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from plausible.core.capabilities import Adversarial, StepSampler
from plausible.core.device import seeded
from plausible.core.model import Explicit, Model
from plausible.figures.colours import DATA, SAMPLES, mark_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE = 60  # points a side at which a model is asked
_FEWER = 30  # the same of one that takes many steps to answer, a second or two in all
_MARGIN = 0.15  # of the range of the data, around them
_DATA = 1000  # points of the data, at most
_DRAWS = 16  # of an estimate of the density: enough for a shade
# data on a shade, where grey would not be seen, and which samples are the opposite of
_LIGHT: dict[str, Any] = {"color": "w", "edgecolors": "0.25", "linewidths": 0.5}
_NAMED = 10  # classes that get a colour


def plane(
    samples: Tensor,
    data: Tensor | None = None,
    *,
    y: Tensor | None = None,
    names: Sequence[str] = (),
    columns: Sequence[str] = (),
    model: Model | None = None,
    title: str = "",
    patient: bool = False,
) -> "Figure":
    """Samples (N, 2) as points over data (M, 2); by class in colours where labels y (N,) are given.

    model  what it says of the plane is the shade below: its density, or where its discriminator takes a point for
           data (light) rather than for a sample (dark).
    patient  ask a model that takes many steps for its density, too.
    """
    from matplotlib.figure import Figure

    x = samples.detach().cpu()
    behind = None if data is None else data.detach().cpu()[:_DATA]
    around = x if behind is None else behind
    reach = _MARGIN * (around.amax(0) - around.amin(0)).clamp(min=1e-6)
    low, high = (around.amin(0) - reach).tolist(), (around.amax(0) + reach).tolist()
    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    axes = figure.subplots()
    said = "" if model is None else _shade(axes, model, low, high, patient)
    if behind is not None:
        look = _LIGHT if said else {"color": DATA, "linewidths": 0}
        axes.scatter(behind[:, 0], behind[:, 1], s=6, label="data", **look)
    for label, look, rows in _groups(x, y, names):
        axes.scatter(
            rows[:, 0], rows[:, 1], s=12, label=label, edgecolors="w", linewidths=0.3, **look
        )
    across, up = (*columns, "x1", "x2")[:2] if len(columns) == 2 else ("x1", "x2")
    axes.set(xlabel=across, ylabel=up, xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    axes.set_aspect("equal" if len(columns) != 2 else "auto")
    if len(axes.get_legend_handles_labels()[0]) > 1:
        axes.legend(loc="upper right", fontsize=8)
    title = title or (f"{len(x):,} points" if behind is None else f"{len(x):,} samples over data")
    axes.set_title("\n".join(filter(None, (title, said))), fontsize=10, wrap=True)
    return figure


def _groups(
    x: Tensor, y: Tensor | None, names: Sequence[str]
) -> list[tuple[str, dict[str, Any], Tensor]]:
    """(name, colour and mark, points) of the samples of each class, or of all samples."""
    if y is None or not 1 < len(y.unique()) <= _NAMED:
        return [("samples", {"color": SAMPLES}, x)]
    named = [str(names[k]) if k < len(names) else str(k) for k in range(int(y.max()) + 1)]
    return [
        (f"samples: {named[k]}", mark_style(k), x[y.cpu() == k])
        for k in y.unique().tolist()
    ]  # fmt: skip


def _shade(axes: "Axes", model: Model, low: list[float], high: list[float], patient: bool) -> str:
    """What the model says of the plane as a shade, and in words what it shows; nothing where it says nothing quickly."""
    many_steps = isinstance(model, StepSampler)
    side = _FEWER if many_steps else _SIDE
    lines = [torch.linspace(a, b, side) for a, b in zip(low, high, strict=True)]
    points = torch.cartesian_prod(lines[0], lines[1])  # (side^2, 2)
    look: dict[str, Any] = {
        "origin": "lower", "extent": (low[0], high[0], low[1], high[1]), "aspect": "auto",
        "interpolation": "bilinear",
    }  # fmt: skip
    with seeded(0, model.offset.device):
        if isinstance(model, Explicit) and (patient or not many_steps):
            generator = torch.Generator().manual_seed(0)
            said = model.log_prob(points, samples=_DRAWS, generator=generator)
            axes.imshow(_image(said.nats.exp()), cmap="YlOrBr", **look)
            bound = {"≥": ", bounded from below", "≈": ", estimated"}.get(said.kind.sign, "")
            return f"shade: the model's density{bound}"
        if isinstance(model, Adversarial) and not model.conditional:
            logits = _logits(model, points)
            if logits is not None:
                # only differences of logits mean something in every loss
                centred = logits - logits.median()
                top = max(float(centred.abs().quantile(0.95)), 1e-6)
                axes.imshow(_image(centred), cmap="cividis", vmin=-top, vmax=top, alpha=0.5, **look)
                return "the discriminator takes light places for data, dark ones for samples"
    return ""


def _logits(model: Adversarial, points: Tensor) -> Tensor | None:
    """D's logit of each point (N, 2) -> (N,); None where it judges several at once."""
    assert isinstance(model, Model)
    with torch.no_grad(), model.evaluating():
        logits = model.logits(points.to(model.offset.device)).cpu()
    return logits if len(logits) == len(points) else None


def _image(values: Tensor) -> Any:
    """(side^2,) in the order of the points, x first -> rows of y."""
    side = math.isqrt(len(values))
    return values.detach().cpu().double().view(side, side).T.numpy()
