"""What a model keeps of inputs: from x to its code and back."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.capabilities import Autoencoder
from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.interpolate import likely_labels
from plausible.tasks.trained import TrainedLike, open_trained

_CHUNK = 16


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """Inputs and what comes back from their codes alone, x and reconstruction (N, *shape) on the CPU."""

    x: Tensor
    reconstruction: Tensor
    names: tuple[str, ...]

    @property
    def rmse(self) -> float:
        """sqrt(E (x' - x)^2) over all coordinates, in the units of the data."""
        return (self.reconstruction - self.x).square().mean().sqrt().item()

    @property
    def errors(self) -> Tensor:
        """The same of each input, (N,)."""
        return (self.reconstruction - self.x).square().flatten(1).mean(1).sqrt()


def reconstruct(
    source: TrainedLike,
    inputs: InputLike,
    label: str | int | None = None,
    *,
    device: Device = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Reconstruction:
    """Encode and decode inputs.

    inputs     files, folders or x (N, *shape).
    label     of a conditional model; by default the most probable one of each input.
    progress  called with (inputs done, inputs).
    Raises UsageError for a model that keeps no code of an input.
    """
    trained = open_trained(source, device=device)
    model = trained.model
    if not isinstance(model, Autoencoder):
        raise UsageError(
            f"{trained.described}, which keeps no code of an input: choose a run of gan, vae, vq-vae, flow or diffusion, "
            f"--conditional rather than --per-class"
        )
    y, points = trained.label(label), as_inputs(inputs, trained)
    parts = []
    for rows in torch.arange(len(points.part)).split(_CHUNK):
        x = points.part.batch(rows).x
        parts.append(model.reconstruct(x, likely_labels(model, x, y)).cpu())
        if progress:
            progress(int(rows[-1]) + 1, len(points.part))
    return Reconstruction(points.part.as_batch().x, torch.cat(parts), points.names)
