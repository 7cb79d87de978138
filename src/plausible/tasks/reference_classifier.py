"""The classifier of real data that says which class a sample is of, and whose features are compared."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from plausible.core.device import seeded
from plausible.core.errors import UsageError
from plausible.data.part import Data
from plausible.models.discriminative.convnet import ConvNet
from plausible.runs import Run, create, save
from plausible.training import Settings, train

_STEPS = 1500  # at most
_PASSES = 40  # through the training part, at most
_BATCH = 64


def reference_classifier(data: Data, progress: Callable[[float], None] | None = None) -> ConvNet:
    """A classifier of the training part, made once for each training part and kept in the cache.

    It never sees the held-out part.  1,500 updates of 64 examples on the CPU, or 40 passes where that is less, seed 0.
    The cache is
    $PLAUSIBLE_CACHE or ~/.cache/plausible; its entries are runs.
    """
    # "judge" is what it was called when caches were first written: another name would learn it again
    steps = max(1, min(_STEPS, _PASSES * len(data.train) // _BATCH))
    folder = cache() / f"judge-{data.hashes['train'][:16]}-{steps}"
    try:
        kept = Run(folder).model()
    except UsageError:
        shutil.rmtree(folder, ignore_errors=True)  # half-written, or of an older version
    else:
        assert isinstance(kept, ConvNet)
        return kept
    data = data.to("cpu")
    with seeded(0):
        training = train(ConvNet(data.space), data, Settings(steps=steps, seed=0))
        for step in training:
            if progress:
                progress(step.clock.progress)
    # Written beside its place and renamed, so that two trainings at once cannot meet half-way.
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    save(create(draft, training), training)
    try:
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)  # another process was first
    return training.averaged


def cache() -> Path:
    """$PLAUSIBLE_CACHE, or ~/.cache/plausible."""
    return Path(os.environ.get("PLAUSIBLE_CACHE") or Path.home() / ".cache" / "plausible")
