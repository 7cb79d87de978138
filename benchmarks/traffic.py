"""Bytes that operations other than products and convolutions read and write, counted as they are called.

An operation reads each tensor that it is given and writes each that it makes or changes, every number once, as if nothing stayed in a cache
from one operation to the next.  Views move nothing; of what is looked up by index only the rows that are taken count.
"""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

_PRODUCTS = ("convolution", "mm", "addmm", "bmm", "baddbmm", "mv", "addmv")
_LOOKED_UP = ("index", "index_select", "gather", "embedding", "_embedding_bag_forward_only", "_embedding_bag")  # fmt: skip
_ONLY_WRITTEN = ("copy_", "fill_", "zero_", "uniform_", "normal_", "bernoulli_", "random_")
_NOTHING = ("empty", "empty_like", "empty_strided", "new_empty", "detach", "resize_", "set_", "_local_scalar_dense")  # fmt: skip


class TrafficCount(TorchDispatchMode):
    """Counts while it is entered."""

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
        name = func._overloadpacket.__name__
        product = func._overloadpacket in flop_registry or any(name.startswith(p) for p in _PRODUCTS)  # fmt: skip
        if not (product or name in _NOTHING or func.is_view):
            self.total += moved(func, name, args, kwargs or {}, out)
        return out


def moved(func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> int:
    """The bytes that one call of an operation reads and writes."""
    given, changed = [], []
    for at, argument in enumerate(func._schema.arguments):
        value = args[at] if at < len(args) else kwargs.get(argument.name)
        writes = argument.alias_info is not None and argument.alias_info.is_write
        if not (argument.is_out or (writes and name in _ONLY_WRITTEN)):
            given.append(value)
        if writes:
            changed.append(value)
    made = _bytes(changed or out)
    if name in _LOOKED_UP:
        taken = given[1].numel() * given[0].shape[-1] if "bag" in name else 0
        return made + (taken * given[0].element_size() if taken else made)
    return made + _bytes(given)


def _bytes(value: Any) -> int:
    """Of all tensors in a value; a number that is repeated by a stride of 0 counts once."""
    return sum(_distinct(each) for each in tree_leaves(value) if isinstance(each, Tensor))


def _distinct(tensor: Tensor) -> int:
    count = 1
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        count *= size if stride else min(size, 1)
    return count * tensor.element_size()


def traffic(call: Callable[[], Any]) -> int:
    """Of one call.

    >>> import torch
    >>> x = torch.ones(1000)
    >>> traffic(lambda: x + 1), traffic(lambda: x.view(10, 100)), traffic(lambda: x[:500].mul_(2))
    (8000, 0, 4000)
    """
    with TrafficCount() as counter:
        call()
    return counter.total
