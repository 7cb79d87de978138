"""In which precision a family learns that does so in either: the faster one, by a race of a few rounds."""

from collections.abc import Callable
from dataclasses import replace

import torch

from plausible.core.device import has_fast_bf16
from plausible.core.model import Model
from plausible.data.part import Data
from plausible.tasks.capacity import images_per_second
from plausible.training import Precision, Settings
from plausible.training.distributed import World

_GAIN = 1.1  # times as fast bf16 has to be


def with_precision(
    kind: type[Model],
    config: Model.Config,
    data: Data,
    settings: Settings,
    device: torch.device,
    world: World,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[Settings, Data]:
    """Settings of --minutes that leave the precision open: with the one that won, and these data with a note on it.

    Only where there is a choice: the family learns as well in bf16, and the processor has instructions for it.  Settings of --steps
    stay as they are, because what they come to must not depend on how fast anything was.
    """
    open_still = settings.precision == "auto" and settings.minutes is not None
    if not (open_still and kind.learns_in_bf16 and has_fast_bf16(device)):
        return settings, data

    def speed(precision: Precision, share: float) -> float:
        progress(share)
        raced = replace(settings, precision=precision)
        return world.agree(images_per_second(kind, config, data, raced, device))

    gain = speed("bf16", 0.0) / speed("float32", 0.5)
    winner: Precision = "bf16" if gain >= _GAIN else "float32"
    note = f"learns in {winner}: this machine is {gain:.2f} times as fast in bf16 as in float32 (--precision chooses)"
    return replace(settings, precision=winner), replace(data, notes=(*data.notes, note))
