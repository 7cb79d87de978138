"""A command that several processes do together."""

import sys
from collections.abc import Sequence
from typing import NoReturn

from plausible.cli.answer import answered_elsewhere

_PROCESS = 2**28  # bytes that a process takes before it has done anything


def become_ranks(processes: int, arguments: Sequence[str], left: str | None = None) -> NoReturn:
    """Start the same command as so many processes, and end with their exit code.

    left  what is there when one of them has gone without a word; by default a run with its last save.
    UsageError: more processes than there is memory for.
    """
    from plausible.core.allocation import need_memory
    from plausible.training import distributed

    need_memory(
        processes * _PROCESS, f"{processes:,} processes take", "lower --processes", least=True
    )
    answered_elsewhere()
    said = distributed.SAVED if left is None else left
    sys.exit(distributed.launch(processes, arguments, said))
