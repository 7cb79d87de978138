"""How wide a network is worth its time: by the minutes there are, and by how fast this machine learns with it."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import torch

from plausible.core.model import Model
from plausible.data.part import Data
from plausible.runs import build
from plausible.training import Settings, train
from plausible.training.distributed import World

_UNTIMED, _TIMED = 2, 6  # rounds: the first ones compile and reserve memory

C = TypeVar("C", bound=Model.Config)


def with_capacity(
    kind: type[Model],
    config: C,
    data: Data,
    settings: Settings,
    device: torch.device,
    world: World,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[C, Data]:
    """A config that leaves its width to the minutes there are, and these data: with that width, and a note on it.

    The widest of ``kind.widths`` from which, in --minutes and at the speed of this machine, as many training images
    are learned as it needs to be better than the one before.  Models of one seed are the same whatever was timed.
    """
    widths = kind.widths(data.space)
    minutes, chosen = settings.minutes, getattr(config, "width", None)
    if minutes is None or chosen is not None or len(widths) < 2:
        return config, data
    timed = sorted(widths, reverse=True)
    for i, width in enumerate(timed):
        wanted: Any = {"width": width}
        sized = replace(config, **wanted)
        progress(i / len(timed))
        if i == len(timed) - 1:  # whatever it needs
            break
        speed = world.agree(images_per_second(kind, sized, data, settings, device))
        if 60 * minutes * speed >= widths[width]:
            break
    return sized, replace(data, notes=(*data.notes, said(width, widths, minutes)))


def said(width: int, widths: dict[int, int], minutes: float) -> str:
    """One sentence on the width that was taken."""
    wider = min((other for other in widths if other > width), default=None)
    because = (
        f"{minutes:g} minutes here are enough for it"
        if wider is None
        else f"{wider} needs more than {widths[wider]:,} images to be better, which are more than {minutes:g} minutes of this machine"
    )
    return f"networks of width {width}: {because} (--width chooses)"


def images_per_second(
    kind: type[Model], config: Model.Config, data: Data, settings: Settings, device: torch.device
) -> float:
    """Training images that this machine learns from in a second with a config: the median of a few rounds."""
    with torch.random.fork_rng(devices=[]):
        model = build(kind.name, config, data.space, settings.seed, learns=True).to(device)
        return learning_speed(model, data.to(device), settings)


def learning_speed(
    model: Model, data: Data, settings: Settings, world: World | None = None
) -> float:
    """Training images a second that a model learns from, the median of a few rounds, by which its weights are moved.

    What is drawn after is what would have been drawn without it.  Threads that are still to be raced are as many as torch has.
    """
    threads = None if settings.threads == "auto" else settings.threads
    rounds = replace(settings, steps=_UNTIMED + _TIMED, minutes=None, threads=threads)
    seconds: list[float] = []
    with torch.random.fork_rng(devices=[]):
        last = time.perf_counter()
        for _ in train(model, data, rounds, world=world):
            if model.offset.device.type == "cuda":
                torch.cuda.synchronize(model.offset.device)
            now = time.perf_counter()
            seconds.append(now - last)
            last = now
    return model.batch / sorted(seconds[_UNTIMED:])[_TIMED // 2]
