"""A batch in parts: as many examples at once as memory holds, and the mean gradient of all of them."""

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import torch

from plausible.core.allocation import LEARNING, need_memory, size_of_weights
from plausible.core.game import Player
from plausible.core.memory import NotEnoughMemory, available_memory, out_of_memory
from plausible.core.model import Model
from plausible.training.peak_memory import bytes_of_example, is_large

if TYPE_CHECKING:
    from plausible.data.part import Part

T = TypeVar("T")
_SLACK = 2  # of what is free the part that a batch may take, because nobody is alone on a machine
_BYTES = 4  # of a number
_COPIES = 3  # of a batch: itself, in standard units, and its rows or its gradient


class MicroBatches:
    """How many examples of a batch are looked at at once: half as many whenever memory is not enough.

    size  that many; None: all of them.
    """

    def __init__(self, size: int | None, device: torch.device):
        self.size, self._device, self._asked = size, device, False

    def fitting(self, player: Player, batch: int, attempt: Callable[[int], T]) -> T:
        """``attempt(size)``, and again with half the size for as long as it raises that memory is at an end.

        Raises ``NotEnoughMemory`` where one example is too much, or the batch of a player cannot be split.
        """
        while True:
            size = min(self.size or batch, batch)
            try:
                return attempt(size)
            except (MemoryError, RuntimeError) as error:
                if out_of_memory(error) is None:
                    raise
                _refuse_if_whole(player, size)
                self.size = -(-size // 2)
            gc.collect()  # what the failed attempt held
            if self._device.type == "cuda":
                torch.cuda.empty_cache()

    def prepare(self, model: Model, train: "Part", batch: int) -> None:
        """Once, on a CPU, where nobody hears of it in time: split a large batch that would take more memory than there is.

        UsageError where it cannot be split.
        """
        large = is_large(self.size or batch, model.space.dims)
        if self._asked or not large or self._device.type != "cpu":
            return
        self._asked = True
        whole = {player.name: player.whole_batch for player in model.players()}
        free = available_memory() / _SLACK
        for name, bytes in bytes_of_example(model, train, batch).items():
            if whole[name] and bytes * batch > free * _SLACK:
                what = f"a batch of {batch:,}, which the {name} cannot split, takes"
                need_memory(bytes * batch, what, "lower --batch")
            while not whole[name] and bytes * (self.size or batch) > free and self.size != 1:
                self.size = -(-(self.size or batch) // 2)


def check_memory(model: Model, batch: int) -> None:
    """UsageError: what a training keeps beside the weights, or a batch alone, takes more memory than there is."""
    device = model.offset.device
    kept = (LEARNING - 1) * size_of_weights(model)
    what = f"gradients, moments and the average of the weights of this {model.name} take"
    need_memory(kept, what, "choose a smaller model", device)
    needed = batch * _BYTES * _COPIES * model.space.dims
    need_memory(needed, f"{batch:,} examples take", "lower --batch", device, least=True)


def _refuse_if_whole(player: Player, size: int) -> None:
    if player.whole_batch:
        raise NotEnoughMemory(
            f"the memory is not enough for {size:,} examples at once, and they cannot be split, because what one "
            f"costs the {player.name} depends on all of them: lower --batch, or choose a smaller model"
        )
    if size == 1:
        raise NotEnoughMemory(
            f"the memory is not enough for the {player.name} to look at one example: choose a smaller model, smaller "
            f"images, or another --device"
        )
