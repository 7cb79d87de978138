"""Where to compute: a device by name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from plausible.core.choices import Device
from plausible.core.errors import UsageError

_BF16 = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


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


def has_fast_bf16(device: torch.device) -> bool:
    """Whether products in bfloat16 are faster there than in float32: of processors those that have instructions for them."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    # names that torch may change, and then none is known to be faster
    known = (getattr(torch.cpu, name, None) for name in _BF16)
    return any(ask is not None and ask() for ask in known)


def has_tf32(device: torch.device) -> bool:
    """Whether products of float32 can be made there by their first 10 binary digits, which is faster."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def usable_cores() -> int:
    """Cores of the processor that this process may use: all that it is not kept from."""
    allowed = getattr(os, "sched_getaffinity", None)  # not every system keeps a process from some
    return (os.cpu_count() or 1) if allowed is None else len(allowed(0))


def device_generator(
    device: torch.device, generator: torch.Generator | None = None
) -> torch.Generator:
    """A generator on ``device`` that is seeded by one draw of ``generator``, by default of torch's own.

    So whoever holds a generator on the CPU decides what a GPU draws.
    """
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)


@contextmanager
def seeded(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """What is drawn inside, there and on the CPU, begins at the seed; what is drawn after goes on as before."""
    cuda = device is not None and device.type == "cuda"
    with torch.random.fork_rng([device] if cuda else []):
        # not torch.manual_seed, which keeps a stack of calls for every device that there might be
        torch.default_generator.manual_seed(seed)
        if cuda:
            torch.cuda.manual_seed(seed)
        yield
