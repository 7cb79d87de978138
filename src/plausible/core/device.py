"""Where to compute: a device by name."""

import os

import torch

from plausible.core.choices import Device
from plausible.core.errors import UsageError


def resolve_device(name: Device | torch.device = "auto") -> torch.device:
    """The torch device of a name; "auto" is a GPU where there is one.  UsageError when this machine has none such.

    Of several processes on one machine each gets the GPU of its LOCAL_RANK.
    """
    if isinstance(name, torch.device):
        return name
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        name = "cuda" if there["cuda"] else "cpu"
    if not there.get(name):
        names = ", ".join(device for device, here in there.items() if here)
        raise UsageError(f"this machine has no device {name}: choose from {names}")
    if name == "cuda":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device(name)


def device_generator(
    device: torch.device, generator: torch.Generator | None = None
) -> torch.Generator:
    """A generator on ``device`` that is seeded by one draw of ``generator``, by default of torch's own.

    So whoever holds a generator on the CPU decides what a GPU draws.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)
