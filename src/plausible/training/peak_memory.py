"""How much memory a round takes, measured on a few examples before it is played with all of them."""

import copy
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from plausible.core.game import Clock, Player
from plausible.core.model import Model

if TYPE_CHECKING:
    from plausible.data.part import Part

_LARGE, _MANY = 2**21, 2**15  # numbers, and examples, of a batch below which nobody asks
_FEW, _NUMBERS = 64, 2**18  # examples that are tried, and twice as many, of about so many numbers


class PeakMemory(TorchDispatchMode):
    """The most bytes that the tensors made meanwhile take at once.

    >>> with PeakMemory() as peak:
    ...     for _ in range(3):
    ...         x = torch.ones(1000)
    >>> 4000 <= peak.most <= 8000
    True
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._live: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for each in tree_leaves(made):
            if isinstance(each, Tensor):
                self._note(each.untyped_storage())
        return made

    def _note(self, storage: torch.UntypedStorage) -> None:
        name, size = storage._cdata, storage.nbytes()
        if name not in self._live:
            self._live.add(name)
            self.now += size
            self.most = max(self.most, self.now)
            weakref.finalize(storage, self._forget, name, size)

    def _forget(self, name: int, size: int) -> None:
        self._live.discard(name)
        self.now -= size


def is_large(batch: int, dims: int) -> bool:
    """Whether a batch is so large that it is asked what it takes."""
    return batch >= _MANY or batch * dims >= _LARGE


def bytes_of_example(model: Model, train: "Part", batch: int) -> dict[str, float]:
    """{player: bytes that one more example in a batch takes in a round}; nothing of one that cannot be tried.

    On a copy of the model, so that training goes on as if nobody had asked.
    """
    few = max(1, min(_FEW, batch // 8, len(train) // 2, _NUMBERS // model.space.dims))
    found: dict[str, float] = {}
    with torch.random.fork_rng([]):
        trial = copy.deepcopy(model).train()
        for player in trial.players():
            try:
                less, more = (_peak(player, train, n) for n in (few, 2 * few))
            except (RuntimeError, ValueError, IndexError, AssertionError):
                continue  # it wants other batches than these; whatever is wrong comes up in the round
            found[player.name] = max(0.0, (more - less) / few)
    return found


def _peak(player: Player, train: "Part", n: int) -> int:
    with PeakMemory() as peak:
        loss = player.loss(train.batch(slice(0, n)), Clock())
        params = [param for param in player.module.parameters() if param.requires_grad]
        loss.total.backward(inputs=params)
    for param in params:
        param.grad = None
    return peak.most
