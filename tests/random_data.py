"""Random points of a space, by what little a process needs that makes them."""

import torch

from plausible.core.space import Space
from plausible.data.part import Data, Part


def make_data(space: Space, n: int = 96, seed: int = 0) -> Data:
    """n random points of a space in three parts, with labels where the space has classes."""
    generator = torch.Generator().manual_seed(seed)
    if space.levels:
        values = torch.randint(space.levels, (n, *space.shape), generator=generator).to(torch.uint8)
    else:
        values = torch.randn(n, *space.shape, generator=generator) * 3 + 1
    y = torch.arange(n) % space.classes if space.classes else None

    def part(rows: slice) -> Part:
        return Part(values[rows], None if y is None else y[rows], space)

    third = n // 3
    return Data(
        name="random",
        source="random",
        space=space,
        train=part(slice(0, n - 2 * third)),
        validation=part(slice(n - 2 * third, n - third)),
        heldout=part(slice(n - third, n)),
    )
