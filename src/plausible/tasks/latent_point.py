"""Single places in the space of z: draws that can be picked, the way between two of them, and steps along directions."""

from collections.abc import Sequence

import torch
from torch import Tensor

from plausible.core.capabilities import Latent
from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.core.space import Batch
from plausible.sampling.latent import decode_on_levels, slerp_path
from plausible.tasks.trained import TrainedLike, open_trained


def latent_draws(
    source: TrainedLike,
    n: int = 16,
    label: str | int | None = None,
    *,
    seed: int = 0,
    device: Device = "auto",
) -> Batch:
    """E[x | z] of n draws of z: a Batch with x (n, *shape) on the CPU, y (n,) if conditional.

    Row k is the pick k of ``walk_between_draws`` and ``latent_point`` under the same label and seed.
    Raises UsageError for a model without z.
    """
    model, z, y = _draws(source, n, label, seed, device)
    return Batch(decode_on_levels(model, z, y), y)


def walk_between_draws(
    source: TrainedLike,
    first: int,
    second: int,
    n: int = 16,
    columns: int = 12,
    label: str | int | None = None,
    *,
    seed: int = 0,
    device: Device = "auto",
) -> Tensor:
    """x along the great circle between two of the n draws of ``latent_draws``: (columns, *shape).

    A conditional model changes from the label of the first to that of the second half-way.
    Raises UsageError for a pick that is none of the draws.
    """
    _check_picks(n, first, second)
    if columns < 2:
        raise UsageError(f"a walk has at least 2 points, not {columns}")
    model, z, y = _draws(source, n, label, seed, device)
    way = slerp_path(z[[first]], z[[second]], columns)[0]  # (columns, d)
    ends = torch.tensor([first, second])
    half = (torch.arange(columns) >= columns / 2).long()
    return decode_on_levels(model, way, None if y is None else y[ends[half]])


def latent_point(
    source: TrainedLike,
    directions: Tensor,
    amounts: Sequence[float],
    pick: int = 0,
    n: int = 16,
    label: str | int | None = None,
    *,
    seed: int = 0,
    device: Device = "auto",
) -> Tensor:
    """E[x | z] at one of the n draws of ``latent_draws`` after steps along directions of z: (1, *shape).

    directions  (k, d) orthonormal, those of ``directions``.
    amounts     how far along each of the first directions, in standard deviations of z.
    """
    _check_picks(n, pick)
    if len(amounts) > len(directions):
        raise UsageError(f"{len(amounts)} steps need as many directions, not {len(directions)}")
    model, z, y = _draws(source, n, label, seed, device)
    if directions.shape[1] != z.shape[1]:
        raise UsageError(
            f"directions of {directions.shape[1]} coordinates are none of a z of {z.shape[1]}"
        )
    steps = torch.tensor(list(amounts), dtype=z.dtype) @ directions[: len(amounts)].to(z.dtype)
    rows = slice(pick, pick + 1)
    return decode_on_levels(model, z[rows] + steps, None if y is None else y[rows])


def _draws(
    source: TrainedLike, n: int, label: str | int | None, seed: int, device: Device
) -> tuple[Latent, Tensor, Tensor | None]:
    """The model, n draws of its z (n, d) and their labels (n,)."""
    trained = open_trained(source, device=device)
    model = trained.model
    if not isinstance(model, Latent) or not isinstance(model, Generative):
        raise UsageError(f"{trained.described}, which has no latent z to walk in")
    if n < 1:
        raise UsageError(f"at least 1 draw is needed, not {n}")
    generator = torch.Generator().manual_seed(seed)
    labels = model.labels(n, trained.label(label), generator)
    return model, model.latent(n, generator), labels


def _check_picks(n: int, *picks: int) -> None:
    for pick in picks:
        if not 0 <= pick < n:
            raise UsageError(f"pick {pick} is none of the draws 0 to {n - 1}")
