"""The states of Markov chains."""

import torch
from torch import Generator, Tensor

from plausible.core.capabilities import Chain
from plausible.core.device import device_generator
from plausible.core.model import Generative


def chain_states(
    model: Chain, chains: int, steps: int, generator: Generator, y: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """All states of chains from where they begin, (steps + 1, chains, *shape), and their labels; on the CPU.

    y  the label of all; by default each chain of a conditional model draws one and keeps it.
    """
    assert isinstance(model, Generative)
    device = model.offset.device
    on_device = device_generator(device, generator)
    labels = model.labels(chains, y, generator)
    labels = None if labels is None else labels.to(device)
    x = model.initial_state(chains, on_device)
    states = [x.cpu()]
    for _ in range(steps):
        x = model.transition(x, labels, on_device)
        states.append(x.cpu())
    return torch.stack(states), None if labels is None else labels.cpu()
