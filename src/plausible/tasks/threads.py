"""On how many threads of a processor a training computes that leaves it open: those that win a race of a few rounds."""

import copy
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch

from plausible.core.device import usable_cores
from plausible.core.errors import UsageError
from plausible.core.model import Model
from plausible.data.part import Data
from plausible.tasks.capacity import learning_speed
from plausible.training import Settings
from plausible.training.distributed import World


def with_threads(
    model: Model,
    data: Data,
    settings: Settings,
    world: World,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Settings, Data]:
    """Settings of --threads auto with the count that won, and these data with a note on it; all others as they are.

    One thread, half and all of those that the process may have learn a few rounds each, by copies of the model: it and all
    random numbers are left as they were.  UsageError where there is nothing to race.
    """
    if settings.threads != "auto":
        return settings, data
    _check(model)
    counts = thread_counts()
    speeds: dict[int, float] = {}
    for i, count in enumerate(counts if len(counts) > 1 else ()):
        progress(i / len(counts))
        raced = replace(settings, threads=count)
        speeds[count] = world.agree(learning_speed(copy.deepcopy(model), data, raced, world))
    winner = max(speeds, key=lambda count: speeds[count], default=counts[0])
    return replace(settings, threads=winner), replace(data, notes=(*data.notes, said(winner, speeds)))  # fmt: skip


def thread_counts() -> tuple[int, ...]:
    """One, half and all of the cores that this process may use, or of the threads that OMP_NUM_THREADS lets it have."""
    most = torch.get_num_threads() if "OMP_NUM_THREADS" in os.environ else usable_cores()
    return tuple(sorted({1, max(1, most // 2), most}))


def said(winner: int, speeds: Mapping[int, float]) -> str:
    """One sentence on the count that was taken."""
    others = [
        f"{_threads(count)} {'was' if count == 1 else 'were'} {speed / speeds[winner]:.2f} times as fast"
        for count, speed in speeds.items()
        if count != winner
    ]
    because = f"in a race of a few rounds {' and '.join(others)}" if others else "the only one that this process may have"  # fmt: skip
    return f"computes with {_threads(winner)}: {because} (--threads chooses)"


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"


def _check(model: Model) -> None:
    device: Any = model.offset.device
    if device.type != "cpu":
        raise UsageError(
            f"--threads auto times a processor, and this training is on {device}: give a number of threads, or leave it out"
        )
    if not model.iterates:
        raise UsageError(
            f"--threads auto times a few rounds, and a {model.name} is fitted to all examples at once: give a number of threads, "
            f"or leave it out"
        )
