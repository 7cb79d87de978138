"""Images of which a part is known: the rest drawn, and how surprising each pixel is."""

from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.capabilities import Autoregressive
from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Generative
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.interpolate import likely_labels
from plausible.tasks.trained import Trained, TrainedLike, described, open_trained


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
    rows: int,
    n: int = 8,
    label: str | int | None = None,
    *,
    seed: int = 0,
    device: Device = "auto",
) -> Completion:
    """n draws of the rest of each image, x ~ p(x | its first ``rows`` rows).

    inputs  files, folders or x (N, C, H, W).
    label  of a conditional model; by default drawn from p(y | the known rows).
    Raises UsageError for a model that does not draw pixel by pixel, or rows that are not there.
    """
    trained = open_trained(source, device=device)
    model = autoregressive(trained, "plausible complete")
    assert isinstance(model, Generative)
    points = as_inputs(inputs, trained)
    height = model.space.shape[1]
    if n < 1:
        raise UsageError(f"-n must be at least 1, not {n}")
    if not 0 <= rows < height:
        raise UsageError(f"--rows must lie between 0 and {height - 1}, not {rows}")
    y = trained.label(label)
    x = points.part.as_batch().x  # (N, C, H, W)
    known = torch.zeros(model.space.shape[1:], dtype=torch.bool)
    known[:rows] = True
    generator = torch.Generator().manual_seed(seed)
    copies = x.repeat_interleave(n, 0)  # (N, ...) -> (N n, ...)
    drawn = model.complete(copies, known, y, generator=generator).to("cpu")
    y_drawn = None if drawn.y is None else drawn.y.unflatten(0, (len(x), n))
    return Completion(x, known, drawn.x.unflatten(0, (len(x), n)), y_drawn)


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
