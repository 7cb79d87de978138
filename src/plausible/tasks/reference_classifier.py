"""The classifier of real data that says which class a sample is of, and whose features are compared."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from plausible.core.device import seeded
from plausible.core.errors import UsageError
from plausible.data.cache import cache
from plausible.data.part import Data
from plausible.models.discriminative.convnet import ConvNet
from plausible.runs import Run, create, save
from plausible.training import Settings, train

_STEPS = 1500  # at most
_PASSES = 40  # through the training part, at most
_BATCH = 64


def reference_classifier(
    data: Data,
    progress: Callable[[float], None] | None = None,
    on_damage: Callable[[str], None] = lambda sentence: None,
) -> ConvNet:
    """A classifier of the training part, made once for each training part and kept in the cache.

    It never sees the held-out part.  1,500 updates of 64 examples on the CPU, or 40 passes where that is less, seed 0.
    The cache is
    $PLAUSIBLE_CACHE or ~/.cache/plausible; its entries are runs.  One that cannot be read is made anew, which
    ``on_damage`` is told once; a cache that cannot be written to keeps none.
    """
    # "judge" is what it was called when caches were first written: another name would learn it again
    steps = max(1, min(_STEPS, _PASSES * len(data.train) // _BATCH))
    folder = cache() / f"judge-{data.hashes['train'][:16]}-{steps}"
    kept, wrong = _kept(folder, data)
    if kept is not None:
        return kept
    if wrong:
        on_damage(f"the classifier kept in {folder} cannot be used, and learns anew: {wrong}")
    _remove(folder)
    data = data.to("cpu")
    with seeded(0):
        training = train(ConvNet(data.space), data, Settings(steps=steps, seed=0))
        for step in training:
            if progress:
                progress(step.clock.progress)
    # Written beside its place and renamed, so that two trainings at once cannot meet half-way.
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    _remove(draft)
    try:
        save(create(draft, training), training)
        draft.rename(folder)
    except (OSError, UsageError):  # another process was first, or nothing can be written there
        _remove(draft)
    return training.averaged


def _kept(folder: Path, data: Data) -> tuple[ConvNet | None, str]:
    """The classifier that a folder of the cache holds; none, and why, where it holds something else."""
    if not folder.exists():
        return None, ""
    try:
        model = Run(folder).model()
    except Exception as error:  # whatever is in a cache, it can be made anew
        return None, str(error).partition("\n")[0]
    if not isinstance(model, ConvNet) or model.space != data.space:
        return None, "it is of other data"
    return model, ""


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        with suppress(OSError):
            place.unlink()
