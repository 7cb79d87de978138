"""A command that several processes do together."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NoReturn

from plausible.cli.answer import answered_elsewhere

if TYPE_CHECKING:
    from plausible.training.distributed import World

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


@contextmanager
def first_goes_on(world: "World") -> Iterator[Callable[[], None]]:
    """Processes share what they do inside until f() is called, which this yields: there all but the first end."""
    from plausible.core.ranks import sharing
    from plausible.training import distributed

    with ExitStack() as shares:
        shares.enter_context(sharing(world))

        def go_on() -> None:
            shares.close()
            distributed.leave()
            if not world.leads:
                sys.exit(0)

        yield go_on
