"""Images of which a part is known: the rest drawn, and how surprising each pixel is."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from plausible.core.allocation import need_memory_of_samples
from plausible.core.capabilities import Autoregressive, Completer
from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Generative
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.interpolate import likely_labels
from plausible.tasks.trained import Trained, TrainedLike, described, open_trained

_COLOURS = 3  # channels of an image; a fourth says what is transparent


@dataclass(frozen=True, eq=False)
class Completion:
    """Images x (N, C, H, W), which of their pixels were known (H, W), and what was drawn.

    draws  (N, n, C, H, W), and of a conditional model their labels y (N, n).
    """

    x: Tensor
    known: Tensor
    draws: Tensor
    y: Tensor | None = None


def complete(
    source: TrainedLike,
    inputs: InputLike,
    rows: int | None = None,
    n: int = 8,
    label: str | int | None = None,
    *,
    mask: str | Path | Tensor | None = None,
    seed: int = 0,
    device: Device = "auto",
) -> Completion:
    """n draws of the rest of each image, x ~ p(x | what is known of it); of a diffusion model approximately.

    inputs  files, folders or x (N, C, H, W).
    rows   so many from the top are known,
    mask   or what a picture leaves black, or (H, W) bool, any pixels, of a diffusion model.
    label  of a conditional model; by default drawn from p(y | the known rows), or no matter which of a diffusion model.
    Raises UsageError for a model that cannot complete an image, or such pixels; or rows that are not there.
    """
    trained = open_trained(source, device=device)
    model = trained.model
    if not isinstance(model, Completer):
        raise UsageError(
            f"plausible complete needs a model that can complete images (pixelcnn, pixelrnn, diffusion; --conditional "
            f"rather than --per-class), and this is {described(model)}"
        )
    assert isinstance(model, Generative)
    if not model.space.is_image:
        raise UsageError(f"only images can be completed, and this run has {model.space.shape}")
    points = as_inputs(inputs, trained)
    if n < 1:
        raise UsageError(f"-n must be at least 1, not {n}")
    y = trained.label(label)
    x = points.part.as_batch().x  # (N, C, H, W)
    dims = model.space.dims
    need_memory_of_samples(len(x) * n, dims, dims, model.name)
    known = _known(trained, rows, mask)
    generator = torch.Generator().manual_seed(seed)
    copies = x.repeat_interleave(n, 0)  # (N, ...) -> (N n, ...)
    drawn = model.complete(copies, known, y, generator=generator).to("cpu")
    y_drawn = None if drawn.y is None else drawn.y.unflatten(0, (len(x), n))
    return Completion(x, known, drawn.x.unflatten(0, (len(x), n)), y_drawn)


def _known(trained: Trained, rows: int | None, mask: str | Path | Tensor | None) -> Tensor:
    """(H, W) bool; a picture is cropped and resized as the images are, so that it lies over them."""
    _, height, width = trained.model.space.shape
    if (rows is None) == (mask is None):
        raise UsageError("say what is known of the images: --rows or --mask")
    if isinstance(mask, Tensor):
        return mask
    if mask is not None:
        x = as_inputs(mask, trained).part.as_batch().x  # (1, C, H, W)
        known = x[0, :_COLOURS].mean(0) < 0.5  # (C, H, W) -> (H, W), whatever is transparent
        if len(x) != 1 or known.all():
            raise UsageError(
                f"{mask} must be one picture that is white where something is to be drawn"
            )
        return known
    if rows is None or not 0 <= rows < height:
        raise UsageError(f"--rows must lie between 0 and {height - 1}, not {rows}")
    return (torch.arange(height) < rows)[:, None].expand(height, width)


def surprisal(
    source: TrainedLike,
    inputs: InputLike,
    label: str | int | None = None,
    *,
    device: Device = "auto",
) -> Tensor:
    """-log p(x_i | x_<i) of each coordinate in nats, (N, C, H, W) on the CPU; their sum is -log p(x).

    label  of a conditional model; by default the most probable one of each image.
    Raises UsageError for a model that does not draw pixel by pixel.
    """
    trained = open_trained(source, device=device)
    model = autoregressive(trained, "--map")
    assert isinstance(model, Explicit)
    x = as_inputs(inputs, trained).part.as_batch().x
    return model.surprisal(x, likely_labels(model, x, trained.label(label))).cpu()


def autoregressive(trained: Trained, what: str) -> Autoregressive:
    """The model as one that draws pixel by pixel; UsageError, naming what was asked for, if it is not."""
    if isinstance(trained.model, Autoregressive):
        return trained.model
    raise UsageError(
        f"{what} needs a model that draws pixel by pixel (pixelcnn, pixelrnn; --conditional rather than "
        f"--per-class), and this is {described(trained.model)}"
    )
