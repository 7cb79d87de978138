"""The way of Markov chains."""

import torch
from torch import Generator, Tensor

from plausible.core.capabilities import Chain
from plausible.core.model import Generative


def walk(
    model: Chain, chains: int, steps: int, generator: Generator, y: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """The way of chains from where they begin, (steps + 1, chains, *shape), and their labels; on the CPU.

    y  the label of all; by default each chain of a conditional model draws one and keeps it.
    """
    assert isinstance(model, Generative)
    device = model.offset.device
    seed = int(torch.randint(2**62, (), generator=generator))
    there = Generator(device).manual_seed(seed)
    labels = model.labels(chains, y, generator)
    labels = None if labels is None else labels.to(device)
    x = model.initial_state(chains, there)
    way = [x.cpu()]
    for _ in range(steps):
        x = model.transition(x, labels, there)
        way.append(x.cpu())
    return torch.stack(way), None if labels is None else labels.cpu()
