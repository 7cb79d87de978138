"""What the space of z is made of: the directions along which x changes most, and what truncation does."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.allocation import need_memory
from plausible.core.capabilities import Latent
from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.core.model import Generative, truncated
from plausible.sampling.directions import Directions, principal_directions, walks_along
from plausible.sampling.latent import decode_on_levels
from plausible.tasks.trained import TrainedLike, open_trained

BOUNDS = (None, 2.0, 1.0, 0.5, 0.25)
"""Of the coordinates of z that are shown, in standard deviations; None bounds nothing."""


@dataclass(frozen=True, eq=False)
class Explored:
    """Walks along the principal directions of z, and draws whose z is truncated, on the CPU.

    directions  the directions themselves, and how strong they are.
    x           (rows, columns, *shape): row k walks from -3 to 3 standard deviations along the k-th direction.
    truncation  (5, columns, *shape): the same draws of z within the bounds of ``BOUNDS``.
    """

    directions: Directions
    x: Tensor
    truncation: Tensor


def directions(
    source: TrainedLike,
    rows: int = 8,
    columns: int = 9,
    label: str | int | None = None,
    *,
    draws: int = 64,
    seed: int = 0,
    device: Device = "auto",
    progress: Callable[[float], None] = lambda share: None,
) -> Explored:
    """The principal directions of z of a trained model, see ``principal_directions``.

    rows     directions, the strongest first.
    columns  points on each walk, both ends counted.
    label    a class by name or number; by default that of each draw of z is drawn.
    draws    of z over which the Jacobian is averaged.
    Raises UsageError for a model without z.
    """
    trained = open_trained(source, device=device)
    model = trained.model
    if not isinstance(model, Latent) or not isinstance(model, Generative):
        raise UsageError(f"{trained.described}, which has no latent z to look into")
    if columns < 2 or draws < 1:
        raise UsageError("--columns must be at least 2 and --draws at least 1")
    generator, y = torch.Generator().manual_seed(seed), trained.label(label)
    size = model.latent(1, generator).shape[1]
    if not 1 <= rows <= size:
        raise UsageError(
            f"--rows must lie between 1 and {size}, as many as z has coordinates, not {rows}"
        )
    points = (rows + 2 * len(BOUNDS)) * columns + draws
    needed = 4 * points * (2 * size + 3 * model.space.dims)
    need_memory(needed, f"walks of {columns:,} points take", "lower --columns or --draws")
    found = principal_directions(
        model, rows, y, draws=draws, generator=generator, progress=progress
    )
    x = walks_along(model, found.vectors, columns, y, generator=generator)
    z = model.latent(columns, generator)  # (columns, d)
    labels = model.labels(columns, y, generator)
    bounded = [z if t is None else truncated(z, t) for t in BOUNDS]
    cut = torch.stack([decode_on_levels(model, some, labels) for some in bounded])
    return Explored(found, x, cut)
