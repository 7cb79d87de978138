"""Which examples each batch holds."""

import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.training.distributed import World


class BatchOrder:
    """Which rows the k-th batch holds: permutation after permutation of 0 .. n-1, cut into batches.

    A pure function of (seed, k), so its state is the one integer k.  Batches run over the border
    of an epoch, so each has the same size and every row comes equally often.  Rank r takes the
    rows r, r + size, ... of the batch.  ``among``: only these rows, (n,) int64.
    """

    def __init__(
        self,
        n: int,
        batch: int,
        seed: int,
        world: World,
        device: torch.device,
        among: Tensor | None = None,
    ):
        if batch % world.size:
            raise UsageError(f"--batch {batch} cannot be shared equally by {world.size} processes")
        self.n, self.batch, self.seed, self.world, self.device = n, batch, seed, world, device
        self._among = among
        self._epochs: dict[int, Tensor] = {}

    def rows(self, k: int) -> Tensor:
        """(batch / world size,) int64 row numbers of the k-th batch on this rank."""
        position, end, pieces = k * self.batch, (k + 1) * self.batch, []
        while position < end:
            epoch, start = divmod(position, self.n)
            stop = min(self.n, start + end - position)
            pieces.append(self._permutation(epoch)[start:stop])
            position += stop - start
        rows = pieces[0] if len(pieces) == 1 else torch.cat(pieces)  # (batch,)
        return rows[self.world.rank :: self.world.size]

    def _permutation(self, epoch: int) -> Tensor:
        if epoch not in self._epochs:
            generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
            rows = torch.randperm(self.n, generator=generator).to(self.device)
            self._epochs = {epoch: rows if self._among is None else self._among[rows]}
        return self._epochs[epoch]
