"""What torch knows once for a whole process, as a training wants it while it plays: threads, and products on a GPU."""

from types import TracebackType

import torch

from plausible.core.errors import UsageError
from plausible.training.settings import Settings


class Computing:
    """How many threads compute, and how products of float32 are rounded, from ``begin`` to ``end``, or inside of ``with``.

    threads  None: as many as there are.
    tf32     products on a GPU by the first 10 binary digits of the 23 that a number has.
    """

    def __init__(self, threads: int | None = None, tf32: bool = False):
        self._wanted, self._tf32 = threads, tf32
        self._before: tuple[int, str] | None = None

    @property
    def threads(self) -> int:
        """That compute."""
        return torch.get_num_threads() if self._wanted is None else self._wanted

    def begin(self) -> None:
        """From now on as it is wanted; whoever plays says so in each round, because others may have changed it."""
        if self._before is None:
            self._before = torch.get_num_threads(), torch.get_float32_matmul_precision()
        _set(self._wanted, "high" if self._tf32 else None)

    def end(self) -> None:
        """As it was before."""
        if self._before is None:
            return
        threads, products = self._before
        _set(None if self._wanted is None else threads, products if self._tf32 else None)
        self._before = None

    def __enter__(self) -> None:
        self.begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.end()


def computing(settings: Settings) -> Computing:
    """What a training has to have; UsageError where a race has yet to decide it."""
    if settings.threads == "auto":
        raise UsageError(
            "--threads auto is decided by a race before a training is made, as fit does it: give a number of threads here"
        )
    return Computing(settings.threads, settings.precision == "tf32")


def _set(threads: int | None, products: str | None) -> None:
    # torch drops what it has prepared for so many threads whenever it is told a number, be it the same
    if threads is not None and threads != torch.get_num_threads():
        torch.set_num_threads(threads)
    if products is not None:
        torch.set_float32_matmul_precision(products)
