"""Floating-point operations of matrix products and convolutions, forwards and backwards, counted as they are called.

``torch.utils.flop_counter.FlopCounterMode`` also keeps the module that each belongs to, by hooks which a penalty taken with
``torch.func.vjp`` breaks; the formulas alone need none.
"""

from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class FlopCount(TorchDispatchMode):
    """Counts while it is entered; a multiplication and an addition are two."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def flops(call: Callable[[], Any], times: int = 1) -> float:
    """Of one call, the mean of several."""
    with FlopCount() as counter:
        for _ in range(times):
            call()
    return counter.total / times
