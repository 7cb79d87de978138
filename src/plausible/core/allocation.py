"""What something would take of the memory, asked before it is taken: one sentence instead of a machine that stands still.

Linux grants memory that it does not have and ends the process when it is used, without a word, so nobody can wait
for an error.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from plausible.core.errors import UsageError
from plausible.core.memory import GIB, available_memory

LEARNING = 5
"""Copies of the weights in a training: themselves, gradients, two moments of the optimizer, the average."""
MANY = 4096
"""Samples, of which fewer are drawn without a question."""
_BYTES, _COPIES = 4, 3  # of a number; of a sample: in parts, whole, and on its levels
_WORTH_A_LOOK = 2**24  # bytes, below which nobody asks how much there is
_MAKE = {torch.empty, torch.zeros, torch.ones, torch.full, torch.randn, torch.rand}
_OF_A_SHAPE = {torch.full}  # whose first argument is all of the shape


def memory_of(device: torch.device | str) -> float:
    """Bytes that are free on a device."""
    device = torch.device(device)
    if device.type == "cuda":
        return float(torch.cuda.mem_get_info(device)[0])
    return available_memory()


def need_memory(
    needed: float,
    what: str,
    advice: str,
    device: torch.device | str = "cpu",
    *,
    least: bool = False,
) -> None:
    """UsageError where so many bytes are not free on a device.

    what    needs them, with its verb: "a million samples take".
    advice  what to lower.
    least   ``needed`` is not all that is needed.
    """
    if needed < _WORTH_A_LOOK:
        return
    free = memory_of(device)
    if needed > free:
        more = "at least " * least
        raise UsageError(
            f"{what} {more}{gib(needed)} of memory, and {gib(free)} are free: {advice}"
        )


def need_memory_of_samples(n: int, noise: int, dims: int, name: str) -> None:
    """UsageError: n samples of so many numbers, each made of so many random ones, take more than there is.

    name  of the model.
    """
    needed = n * _BYTES * (noise + _COPIES * dims)
    need_memory(needed, f"{n:,} samples of this {name} take", "draw fewer at once (-n)")


def gib(needed: float) -> str:
    """Bytes as GiB, in few digits.

    >>> gib(2**31), gib(2**80)
    ('2.0 GiB', '1e+15 GiB')
    """
    number = needed / GIB
    return f"{number:,.1f} GiB" if number < 1e6 else f"{number:.0e} GiB"


class _Watched(TorchFunctionMode):
    """Every tensor that is made by its shape is asked about before it is made."""

    def __init__(self, copies: int, what: str, advice: str):
        super().__init__()
        self._copies, self._made, self._said = copies, 0.0, (what, advice)

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in _MAKE:
            shape = kwargs.get("size", args[:1] if func in _OF_A_SHAPE else args)
            self._ask(shape, kwargs.get("dtype") or torch.get_default_dtype())
        return func(*args, **kwargs)

    def _ask(self, shape: Any, kind: torch.dtype) -> None:
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        bytes = math.prod(int(size) for size in sizes) * kind.itemsize
        if bytes >= _WORTH_A_LOOK:
            self._made += bytes
            need_memory(self._copies * self._made, *self._said, least=True)


@contextmanager
def watched_memory(copies: int, what: str, advice: str) -> Iterator[None]:
    """While it lasts, UsageError before tensors are made that with so many copies would take more than there is.

    what, advice  for the sentence, see ``need_memory``.
    """
    with _Watched(copies, what, advice):
        yield


def size_of_weights(module: nn.Module) -> int:
    """Bytes of the parameters and buffers of a network."""
    return sum(
        each.numel() * each.element_size() for each in (*module.parameters(), *module.buffers())
    )
