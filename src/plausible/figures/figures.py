"""Pictures of points of a space: grids of images, clouds of vectors, frames of an animation."""

import contextlib
import io
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from plausible.core.capabilities import Classifier, Latent, Variational
from plausible.core.errors import NotDefined
from plausible.core.model import Generative
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.features import pca
from plausible.evaluation.metrics.classification import Answers, reliability, risk_coverage
from plausible.evaluation.metrics.inference import inferred
from plausible.evaluation.metrics.memorisation import closest
from plausible.evaluation.metrics.sharpness import spectra
from plausible.sampling.latent import decoded, walks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PLANE = 200  # points a side at which a classifier of the plane is asked
_POINTS = 500  # of the data that are drawn over it
_LATTICE = 20  # points a side of the plane of z
_INFERRED = 5000  # inputs whose z is drawn over it
_SIDE = 56  # pixels an image is blown up to at least, so that an 8x8 digit can be seen


def images(x: Tensor) -> list[Image.Image]:
    """One picture for each x (N, C, H, W) in [0, 1], at its own size.

    One channel is grey, three are red, green and blue, four add alpha; of any other number the mean
    is shown.
    """
    codes = x.detach().cpu().clamp(0, 1).mul(255).round().to(torch.uint8)
    if codes.shape[1] not in (1, 3, 4):
        codes = codes.float().mean(1, keepdim=True).round().to(torch.uint8)
    rows = codes.permute(0, 2, 3, 1).numpy()  # (N, C, H, W) -> (N, H, W, C)
    return [Image.fromarray(row[..., 0] if row.shape[2] == 1 else row) for row in rows]


def grid(x: Tensor, columns: int | None = None) -> Image.Image:
    """All of x (N, C, H, W) in rows of ``columns`` (about square), enlarged by whole pixels."""
    tiles = images(x)
    columns = columns or math.ceil(math.sqrt(len(tiles)))
    factor = max(1, _SIDE // max(tiles[0].size))
    gap = max(1, factor // 2)
    width, height = (side * factor + gap for side in tiles[0].size)
    lines = math.ceil(len(tiles) / columns)
    mode = tiles[0].mode
    paper: int | tuple[int, ...] = 128 if mode == "L" else (128,) * 3 + (255,) * (mode == "RGBA")
    sheet = Image.new(mode, (columns * width + gap, lines * height + gap), paper)
    for i, tile in enumerate(tiles):
        large = tile.resize((width - gap, height - gap), Image.Resampling.NEAREST)
        sheet.paste(large, (gap + i % columns * width, gap + i // columns * height))
    return sheet


def pairs(x: Tensor, y: Tensor, columns: int) -> Image.Image:
    """Lines of at most ``columns`` of x, below each line the y of its images: (N, C, H, W) both."""
    columns = min(columns, len(x))
    whole = -len(x) % columns  # grey tiles that fill the last line
    blank = torch.full((whole, *x.shape[1:]), 0.5)
    lines = [torch.cat([one, blank]).unflatten(0, (-1, columns)) for one in (x, y)]
    return grid(torch.stack(lines, 1).flatten(0, 2), columns)  # (lines, 2, columns, C, H, W)


def cloud(samples: Tensor, data: Tensor | None = None) -> Image.Image:
    """Vectors as points, samples over data: (N, D), (M, D).

    One dimension is a pair of histograms, two are a plane, and more are the plane of the two leading
    principal components (of the data where given).
    """
    from matplotlib.figure import Figure

    shown = {} if data is None else {"data": data.detach().cpu().flatten(1).double()}
    shown["samples"] = samples.detach().cpu().flatten(1).double()
    reference = next(iter(shown.values()))
    names = ("x1", "x2")
    if reference.shape[1] > 2:
        axis = pca(reference, 2)
        shown = {name: axis(rows).flip(1) for name, rows in shown.items()}  # (N, D) -> (N, 2)
        names = ("first component", "second component")
    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    axes = figure.subplots()
    bins = np.histogram_bin_edges(reference[:, 0].numpy(), 60)
    for (name, rows), colour in zip(shown.items(), ("0.7", "C0")[-len(shown) :], strict=True):
        columns = rows.T.numpy()  # (N, D) -> (D, N)
        if len(columns) == 1:
            axes.hist(columns[0], bins.tolist(), density=True, label=name, color=colour, alpha=0.6)
        else:
            axes.scatter(columns[0], columns[1], s=6, color=colour, label=name, linewidths=0)
    if reference.shape[1] == 1:
        names = ("x", "density")
    axes.set(xlabel=names[0], ylabel=names[1])
    if reference.shape[1] == 2:
        axes.set_aspect("equal")
    axes.legend(loc="upper right")
    return _drawn(figure)


def picture(space: Space, x: Tensor, data: Tensor | None = None) -> Image.Image:
    """What x looks like: a grid of images, or a cloud of vectors over the data."""
    return grid(x) if space.is_image else cloud(x, data)


def evaluation(evalset: EvaluationSet) -> dict[str, Image.Image]:
    """{file name: picture} of an evaluation: whatever these data and this model allow.

    neighbours.png  the 16 samples most like copies, above each the nearest training example, below
                    each the nearest held-out example.
    spectrum.png    the power of samples and of held-out images at each radius.
    walks.png       great circles between draws of z.
    plane.png       of a z with two coordinates, all of it.
    """
    pictures = {}
    if evalset.space.is_image:
        rows, train, held = closest(evalset, 16)
        parts = (
            (evalset.train.part, train),
            (evalset.samples.part, rows),
            (evalset.heldout.part, held),
        )
        pictures["neighbours.png"] = grid(torch.cat([p.batch(r).x for p, r in parts]), len(rows))
        with contextlib.suppress(NotDefined):  # constant or tiny images have no spectrum
            pictures["spectrum.png"] = _spectrum(evalset)
    if isinstance(evalset.model, Latent):
        if evalset.model.latent(1).shape[1] == 2:
            pictures["plane.png"] = plane(evalset.model, evalset.heldout.part)
        x = walks(evalset.model, 8, 12, generator=evalset.generator())
        data = None if evalset.space.is_image else evalset.heldout.part.as_batch().x
        pictures["walks.png"] = grid(x, 12) if evalset.space.is_image else cloud(x, data)
    return pictures


def classification(said: Answers) -> dict[str, Image.Image]:
    """{file name: picture} of a classifier's answers.

    reliability.png  how often answers of about the same confidence are right.
    risk.png         the share of wrong answers when only the surest are given.
    """
    from matplotlib.figure import Figure

    bins = reliability(said)
    figure = Figure(figsize=(5, 5), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", label="calibrated")
    axes.plot(bins.confidence.tolist(), bins.accuracy.tolist(), "o-", color="C0", label="answers")
    axes.set(xlabel="confidence", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    axes.set_title(f"calibration error {bins.error:.3f}, {len(bins.count)} bins of equal numbers")
    axes.legend()
    pictures = {"reliability.png": _drawn(figure)}
    coverage, risk = risk_coverage(said)
    figure = Figure(figsize=(5, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.plot(coverage.tolist(), risk.tolist(), color="C0")
    axes.set(xlabel="share of inputs that get an answer", ylabel="share of answers that are wrong")
    axes.set(xlim=(0, 1), ylim=(0, None))
    return pictures | {"risk.png": _drawn(figure)}


def boundary(classifier: Classifier, part: Part) -> Image.Image:
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
    said = torch.cat([classifier.log_posterior(some).cpu() for some in plane.split(4096)])
    best, label = said.exp().max(1)  # (_PLANE^2, classes) -> (_PLANE^2,)
    tint = colormaps["tab10" if said.shape[1] <= 10 else "tab20"]
    colour = torch.tensor(tint(label.numpy() % tint.N))[:, :3]  # (_PLANE^2, 3)
    sure = ((best - 1 / said.shape[1]) / (1 - 1 / said.shape[1])).clamp(0, 1)[:, None]
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
    return _drawn(figure)


def heat(x: Tensor, nats: Tensor) -> Image.Image:
    """Images above, -log p of each of their pixels below, in one colour scale: (N, C, H, W) each.

    The nats of a pixel are the sum over its channels.
    """
    from matplotlib.figure import Figure

    maps = nats.sum(1)  # (N, C, H, W) -> (N, H, W)
    top = float(maps.max())
    figure = Figure(figsize=(1.2 * len(x) + 1.2, 2.6), dpi=100, layout="constrained")
    axes = figure.subplots(2, len(x), squeeze=False)
    shown = None
    for column, (tile, map) in enumerate(zip(images(x), maps, strict=True)):
        axes[0, column].imshow(tile, cmap="gray", vmin=0, vmax=255)
        shown = axes[1, column].imshow(map.numpy(), cmap="magma", vmin=0, vmax=top)
        for row in (0, 1):
            axes[row, column].set_axis_off()
    if shown is not None:
        figure.colorbar(shown, ax=axes.ravel().tolist(), label="-log p, nats")
    return _drawn(figure)


def plane(model: Latent, part: Part) -> Image.Image:
    """All of a z with two coordinates: E[x | z] on a grid of it, and where the posterior puts a part's x.

    The grid is even in probability: its lines are quantiles of N(0, 1).  The second picture, in colours
    of the labels, is of models that infer z; a conditional model draws the grid of its first class.
    """
    from matplotlib.figure import Figure

    assert isinstance(model, Generative)
    line = torch.special.ndtri((torch.arange(_LATTICE) + 0.5) / _LATTICE)  # (_LATTICE,)
    up, right = torch.meshgrid(line.flip(0), line, indexing="ij")
    z = torch.stack([right, up], 2).flatten(0, 1)  # (_LATTICE^2, 2)
    label = torch.zeros(len(z), dtype=torch.long) if model.conditional else None
    x = decoded(model, z, label)
    if not model.space.is_image:
        return cloud(x, part.as_batch().x)
    lattice = grid(x, _LATTICE)
    if not isinstance(model, Variational):
        return lattice
    some = part.every_kth(_INFERRED)
    mean = inferred(model, some, torch.Generator().manual_seed(0)).mean  # (n, 2)
    figure = Figure(figsize=(14, 7), dpi=100, layout="constrained")
    left, axes = figure.subplots(1, 2)
    left.imshow(np.asarray(lattice), cmap="gray", vmin=0, vmax=255)
    left.set(title="E[x | z]" + (", class 0" if model.conditional else ""))
    left.set_axis_off()
    y = None if some.y is None else some.y.cpu().numpy()
    points = axes.scatter(
        mean[:, 0].numpy(), mean[:, 1].numpy(), s=6, c=y, cmap="tab10", linewidths=0
    )
    axes.set(xlabel="z1", ylabel="z2", title="the posterior's mean of held-out images")
    axes.set_aspect("equal")
    if y is not None:
        figure.colorbar(points, ax=axes, label="label")
    return _drawn(figure)


def _spectrum(evalset: EvaluationSet) -> Image.Image:
    """Power over radius, samples over held-out images, both axes logarithmic."""
    from matplotlib.figure import Figure

    radii, real, made = spectra(evalset)
    figure = Figure(figsize=(6, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.loglog(radii.tolist(), real.tolist(), color="0.5", label="held-out images", linewidth=3)
    axes.loglog(radii.tolist(), made.tolist(), color="C0", label="samples")
    axes.set(xlabel="cycles per image side", ylabel="power")
    axes.legend()
    return _drawn(figure)


def curves(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    across: str,
    upwards: str,
    *,
    log: str = "",
) -> Image.Image:
    """Lines {label: (x, y)} with their axes; ``log`` names those that are logarithmic: "", x, y or xy."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    for name, (x, y) in lines.items():
        axes.plot(x, y, label=name)
    for axis in log:
        axes.set(**{f"{axis}scale": "log"})
    axes.set(xlabel=across, ylabel=upwards)
    axes.legend()
    return _drawn(figure)


def _drawn(figure: "Figure") -> Image.Image:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer)


def png(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def gif(frames: Sequence[Image.Image], seconds: float = 0.08, *, back: bool = True) -> bytes:
    """An endless animation that runs through the frames, and back unless told otherwise, as a GIF file."""
    shown = [*frames, *frames[-2:0:-1]] if back else [*frames]
    buffer = io.BytesIO()
    shown[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=shown[1:],
        duration=int(seconds * 1000),
        loop=0,
    )
    return buffer.getvalue()
