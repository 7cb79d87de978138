"""The state of the generators that noise is drawn from by default, as one tensor."""

import torch
from torch import Tensor


def random_state(device: torch.device) -> Tensor:
    """That of a processor, and of a GPU behind it."""
    cpu = torch.get_rng_state()
    return torch.cat([cpu, torch.cuda.get_rng_state(device)]) if device.type == "cuda" else cpu


def set_random_state(state: Tensor, device: torch.device) -> None:
    """Draw on from there."""
    state = state.cpu()
    size = len(torch.get_rng_state())
    torch.set_rng_state(state[:size])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state[size:], device)
