"""Pictures of an evaluation."""

import contextlib
from typing import TYPE_CHECKING

import torch
from PIL import Image

from plausible.core.capabilities import Latent
from plausible.core.errors import NotDefined
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.metrics.memorisation import likeliest_copies
from plausible.evaluation.metrics.sharpness import colours, spectra
from plausible.figures.captions import captioned
from plausible.figures.colours import DATA, SAMPLES
from plausible.figures.critics import critic_pictures
from plausible.figures.files import Picture
from plausible.figures.latent_space import latent_plane
from plausible.figures.pixels import grid
from plausible.figures.plots import walks
from plausible.sampling.latent import latent_walks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SMALL = 20  # pixels a side


def evaluation(evalset: EvaluationSet) -> dict[str, Picture]:
    """{file name: picture} of an evaluation: whatever these data and this model allow.

    neighbours.png  the 16 samples most like copies, 8 of larger images, above each the nearest training example, below
                    each the nearest held-out example.
    spectrum.png    the power of samples and of held-out images at each radius.
    critic-*.png    what critics of shape, texture, colour and of everything are surest of, and what they looked at.
    walks.png       great circles between draws of z.
    plane.png       of a z with two coordinates, all of it.
    """
    pictures: dict[str, Picture] = {}
    if evalset.space.is_image:
        count = 16 if max(evalset.space.shape[1:]) <= _SMALL else 8  # large enough to be compared
        rows, train, held = likeliest_copies(evalset, count)
        parts = (
            (evalset.train.part, train),
            (evalset.samples.part, rows),
            (evalset.heldout.part, held),
        )
        pictures["neighbours.png"] = captioned(
            grid(torch.cat([p.batch(r).x for p, r in parts]), len(rows)),
            f"The {len(rows)} samples most like copies, and what is nearest to each: a copy looks like what is above it",
            ("training examples", "samples", "new real images"),
        )
        with contextlib.suppress(NotDefined):  # constant or tiny images have no spectrum
            pictures["spectrum.png"] = _spectrum(evalset)
        pictures |= critic_pictures(evalset)
    if isinstance(evalset.model, Latent):
        if evalset.model.latent(1).shape[1] == 2:
            pictures["plane.png"] = latent_plane(evalset.model, evalset.heldout.part)
        x = latent_walks(evalset.model, 8, 12, generator=evalset.generator()).unflatten(0, (8, 12))
        data = None if evalset.space.is_image else evalset.heldout.part.as_batch().x
        drawn = walks(evalset.space, x, data)
        if isinstance(drawn, Image.Image):
            drawn = captioned(drawn, "In each row a walk through z, from one draw to another")
        pictures["walks.png"] = drawn
    return pictures


def _spectrum(evalset: EvaluationSet) -> "Figure":
    """Power over radius, samples over held-out images, both axes logarithmic; dashed that of colours less their mean in a pixel."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    radii, real, made = spectra(evalset)
    figure = Figure(figsize=(6, 4), dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.loglog(radii.tolist(), real.tolist(), color=DATA, label="held-out images", linewidth=3)
    axes.loglog(radii.tolist(), made.tolist(), color=SAMPLES, label="samples")
    with contextlib.suppress(NotDefined):  # of one channel
        _, real, made = spectra(evalset, colours)
        if real.mean() > 1e-12:  # otherwise all is grey, but for rounding
            axes.loglog(radii, real, color=DATA, linestyle="dashed", label="their colours alone")
            axes.loglog(radii, made, color=SAMPLES, linestyle="dashed")
    axes.set(xlabel="cycles per image side", ylabel="mean power, of pixels from 0 to 1")
    axes.set_title("How much detail of each size: left coarse, right fine", fontsize=10)
    axes.xaxis.set_major_formatter(LogFormatter())
    axes.xaxis.set_minor_formatter(LogFormatter())
    axes.legend()
    return figure
