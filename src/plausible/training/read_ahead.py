"""Batches of data that lie on the disk, read by a thread of its own while the one before is learned from."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from torch import Tensor

from plausible.core.space import Batch
from plausible.training.batch_order import BatchOrder

if TYPE_CHECKING:
    from plausible.data.part import Part

_AHEAD = 3  # batches that are read before they are asked for
Stored = tuple[Tensor, Tensor | None]


class ReadAhead:
    """The k-th batch of an order; where the part lies on the disk the ones behind it are read meanwhile.

    Nothing is drawn by the thread, so batches are bit for bit what they are without it, whatever k is asked next.
    """

    def __init__(self, part: "Part", order: BatchOrder):
        self._part, self._order = part, order
        self._coming: dict[int, Future[Stored]] = {}
        self._thread = ThreadPoolExecutor(1, "read-ahead") if part.on_disk else None
        on = part.batches_on
        self._pin = on is not None and on.type == "cuda"  # or the copy to the GPU makes it wait

    def batch(self, k: int) -> Batch:
        """The k-th batch."""
        if self._thread is None:
            return self._part.batch(self._order.rows(k))
        wanted = range(k, k + 1 + _AHEAD)
        self._coming = {j: read for j, read in self._coming.items() if j in wanted}
        for j in wanted:
            if j not in self._coming:
                self._coming[j] = self._thread.submit(self._read, j)
        return self._part.decoded(*self._coming.pop(k).result())

    def _read(self, k: int) -> Stored:
        values, y = self._part.stored(self._order.rows(k))
        if self._pin:
            values = values.pin_memory()
        return values, y
