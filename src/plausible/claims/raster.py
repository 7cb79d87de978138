"""What drawing pixel by pixel costs."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import torch

from plausible.claims.claim import Claimed, Figure, Measured, claims
from plausible.core.space import Space
from plausible.models import GAN, PixelCNN

_SIDES, _IMAGES, _TURNS = (8, 12, 16), 16, 3


def _seconds(draw: Callable[[], object]) -> list[float]:
    """Of each of three turns, after one to warm up."""
    took = []
    for _ in range(_TURNS + 1):
        began = time.perf_counter()
        draw()
        took.append(time.perf_counter() - began)
    return took[1:]


@claims
def pixel_by_pixel(seed: int) -> Claimed:
    """Autoregressive sampling is slow, pixel by pixel, and remembering what was computed cures a part of it.

    16 black and white images of 8, 12 and 16 pixels a side by a small PixelCNN with weights as they were drawn: once
    with the whole network for every pixel, once computing for each pixel only what is new; and by a GAN, in one pass.
    Seconds of this machine; the claim is about the medians of their ratios, whose interval is from the least of them to
    the largest.
    Source: van den Oord et al. 2016, https://arxiv.org/abs/1601.06759, section 3.
    """
    took: dict[str, list[list[float]]] = {"whole network": [], "only what is new": [], "GAN": []}
    for side in _SIDES:
        space = Space((1, side, side), 2)
        torch.manual_seed(seed)
        pixelcnn, gan = (
            PixelCNN(space, PixelCNN.Config(width=16, blocks=3)).eval(),
            GAN(space).eval(),
        )
        generator = torch.Generator().manual_seed(seed)
        u = torch.rand(_IMAGES, *space.shape, generator=generator)
        took["whole network"].append(_seconds(partial(pixelcnn.naive, u)))
        took["only what is new"].append(_seconds(partial(pixelcnn.cached, u)))
        took["GAN"].append(_seconds(partial(gan.sample, _IMAGES, generator=generator)))
    last = {who: turns[-1] for who, turns in took.items()}

    def ratio(what: str, over: str, under: str, least: float) -> Measured:
        each = [a / b for a in last[over] for b in last[under]]
        return Measured(what, median(each), min(each), max(each), least)

    curves = {
        who: ([float(side**2) for side in _SIDES], [median(turn) for turn in turns])
        for who, turns in took.items()
    }
    return Claimed(
        [
            ratio("pixel by pixel over one pass of a GAN, 16 x 16, seconds", "only what is new", "GAN", 5.0),
            ratio("whole network over only what is new, 16 x 16, seconds", "whole network", "only what is new", 1.5),
        ],
        Figure("pixels", "seconds for 16 images", curves, log="xy"),
    )  # fmt: skip
