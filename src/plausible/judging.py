"""What was learned, in numbers: a classifier trained on the real training part judges the samples."""

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from plausible.core.model import Generative, Model
from plausible.core.registry import Refused
from plausible.data.part import Data, Part
from plausible.evaluation.classification import accuracy, counts, predict
from plausible.evaluation.distances import frechet
from plausible.evaluation.features import Features, pca
from plausible.models.discriminative import ConvNet
from plausible.runs import Run, create, save
from plausible.training import Settings, train

_STEPS = 1500
_SAMPLES = 5000
_CHUNK = 1024


@dataclass(frozen=True)
class ClassShare:
    """How many samples a classifier takes for one class, beside the real share."""

    name: str
    samples: int
    share: float
    real: float

    @property
    def ratio(self) -> float:
        """share / real share: 1 is right, 0 is a missing class."""
        return self.share / self.real if self.real else float(self.share > 0)


@dataclass(frozen=True)
class Measures:
    """The end of a training, measured; what does not apply is None or empty.

    frechet, frechet_real  the Frechet distance of n samples, and of n real training examples, to
                           the m of the held-out part, in the same features.
    accuracy   the judge's on the held-out part; asked: the share of samples of a conditional model
               that the judge takes for the label asked for.
    """

    samples: int = 0
    features: str = ""
    n: int = 0
    m: int = 0
    frechet: float | None = None
    frechet_real: float | None = None
    accuracy: float | None = None
    asked: float | None = None
    classes: list[ClassShare] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for measures.json."""
        return asdict(self)


def judge(data: Data, progress: Callable[[float], None] | None = None) -> ConvNet:
    """A classifier of the training part, made once for each training part and kept in the cache.

    It never sees the held-out part.  1,500 updates of 64 examples on the CPU, seed 0.  The cache is
    $PLAUSIBLE_CACHE or ~/.cache/plausible; its entries are runs.
    """
    folder = _cache() / f"judge-{data.hashes['train'][:16]}-{_STEPS}"
    try:
        kept = Run(folder).model()
    except Refused:
        shutil.rmtree(folder, ignore_errors=True)  # half-written, or of an older version
    else:
        assert isinstance(kept, ConvNet)
        return kept
    torch.manual_seed(0)
    data = data.to("cpu")
    training = train(ConvNet(data.space), data, Settings(steps=_STEPS, seed=0))
    for step in training:
        if progress:
            progress(step.clock.spent)
    # Written beside its place and renamed, so that two trainings at once cannot meet half-way.
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    save(create(draft, training), training)
    try:
        draft.rename(folder)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)  # another process was first
    return training.averaged


def measure(
    model: Model, data: Data, *, seed: int = 0, progress: Callable[[float], None] | None = None
) -> Measures:
    """Judge a trained model by 5,000 samples, or a classifier by its held-out accuracy.

    Distances compare equal numbers: as many samples as there are training examples, at most 5,000,
    against the whole held-out part, because the distance depends on both numbers.
    """
    data = data.to("cpu")
    judging = None
    if data.space.classes and isinstance(model, Generative):
        judging = judge(data, progress)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)  # dynamic binarisation draws the pixels it shows
        return _measure(model, data, judging, seed)


def _measure(model: Model, data: Data, judging: ConvNet | None, seed: int) -> Measures:
    if isinstance(model, ConvNet):
        return Measures(m=len(data.heldout), accuracy=accuracy(model, data.heldout))
    if not isinstance(model, Generative):
        return Measures()
    samples = model.sample(_SAMPLES, generator=torch.Generator().manual_seed(seed)).to("cpu")
    n = min(len(data.train), _SAMPLES)
    features: Features
    shares: list[ClassShare] = []
    right = asked = None
    if judging is not None:
        right = accuracy(judging, data.heldout)
        taken = predict(judging, samples.x)
        if samples.y is not None:
            asked = (taken == samples.y).double().mean().item()
        shares = _shares(taken, data)
        features, name = judging.features, "the classifier's penultimate layer"
    else:
        features, name = pca(data.train.batch(slice(0, n)).x), "principal components"
    real = _extract(features, data.heldout, len(data.heldout))
    drawn = torch.cat([features(part).cpu() for part in samples.x[:n].split(_CHUNK)])
    return Measures(
        samples=_SAMPLES,
        features=name,
        n=n,
        m=len(data.heldout),
        frechet=frechet(drawn, real),
        frechet_real=frechet(_extract(features, data.train, n), real),
        accuracy=right,
        asked=asked,
        classes=shares,
    )


def _shares(taken: Tensor, data: Data) -> list[ClassShare]:
    real = data.train.y
    assert real is not None
    seen, truth = counts(taken, data.space.classes), counts(real, data.space.classes)
    names = data.class_names or tuple(str(k) for k in range(data.space.classes))
    return [
        ClassShare(name, int(a), int(a) / len(taken), int(b) / len(real))
        for name, a, b in zip(names, seen, truth, strict=True)
    ]


def _extract(features: Features, part: Part, n: int) -> Tensor:
    """Features of the first n of a part, (n, d), a chunk at a time."""
    chunks = torch.arange(n).split(_CHUNK)
    return torch.cat([features(part.batch(rows).x) for rows in chunks])


def _cache() -> Path:
    return Path(os.environ.get("PLAUSIBLE_CACHE") or Path.home() / ".cache" / "plausible")
