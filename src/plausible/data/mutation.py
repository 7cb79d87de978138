"""Data with some coordinates replaced: what a background model learns from."""

from dataclasses import replace

import torch

from plausible.core.errors import UsageError
from plausible.data.part import Data, Part


def mutated(data: Data, rate: float, seed: int = 0) -> Data:
    """The same data, each coordinate of the training and validation parts replaced with this chance.

    A pixel by one drawn evenly from its levels, a coordinate of a vector by that of another example.
    What is typical of the kind drowns, what any input shares stays.
    Source: Ren et al. 2019, https://arxiv.org/abs/1906.02845, who advise rates from 0.1 to 0.3.
    UsageError: a rate outside 0 to 1.
    """
    if not 0 < rate < 1:
        raise UsageError(f"--mutate must lie between 0 and 1, not {rate}")
    generator = torch.Generator().manual_seed(seed)
    train, validation = (_mutated(part, rate, generator) for part in (data.train, data.validation))
    note = (
        f"{rate:.0%} of what is learned from is replaced at random: this makes a background model"
    )
    return replace(data, train=train, validation=validation, notes=(*data.notes, note))


def _mutated(part: Part, rate: float, generator: torch.Generator) -> Part:
    values = part.values.cpu()
    hit = torch.rand(values.shape, generator=generator) < rate
    levels = part.grey_levels or part.space.levels
    if levels:
        other = torch.randint(levels, values.shape, generator=generator, dtype=values.dtype)
    else:
        order = torch.rand(values.shape, generator=generator).argsort(0)  # (N, D), by column
        other = values.gather(0, order)
    return replace(part, values=other.where(hit, values).to(part.values.device))
