"""With what eyes data are looked at, chosen and tried on defects planted into the data themselves."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args

import scipy
import torch

from plausible.core.choices import Extractor
from plausible.core.errors import NotDefined, UsageError, unknown
from plausible.data.part import Data, Part
from plausible.evaluation import features as extractors
from plausible.evaluation.embedding import (
    Embedding,
    convolutional_features,
    fit_embedding,
    with_invariants,
)
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.eyes import Eyes, choose_features
from plausible.evaluation.features import Features
from plausible.evaluation.metrics.classification import accuracy
from plausible.evaluation.verdict.power import planted_effects, planted_power, real_points
from plausible.models.discriminative.convnet import ConvNet
from plausible.runs.files import write
from plausible.tasks.reference_classifier import cache, reference_classifier

_VERSION = 6  # of what is kept; another one where planting or looking changes
_LEARN = 5000  # training examples that fix principal components
_CHANCE = 0.01  # with which a classifier that knows nothing is taken for one that does

StageProgress = Callable[[str, float], None]
"""(what is being done, share of it that is done)."""


@dataclass(frozen=True)
class EyesOfData:
    """How points of these data are seen.

    embedding   features, raw coordinates and modes.
    accuracy    of the classifier that assigns modes, on the held-out part; None where there is none.
    kept        what names these eyes in the cache; None where nothing can.
    notes       what was decided, in sentences.
    """

    embedding: Embedding
    accuracy: float | None
    kept: str | None
    notes: tuple[str, ...] = ()


def eyes_of(
    data: Data, compared: int, features: Extractor | Features, seed: int, progress: StageProgress
) -> EyesOfData:
    """The eyes for comparing ``compared`` held-out examples with samples.

    features  "auto" takes those that see most of what is planted into real data, see ``choose_features``.
    A classifier that is right no more often than the largest class says nothing of modes, and is not used.
    """
    notes: tuple[str, ...] = ()
    classifier, right = None, None
    if data.space.classes:
        classifier = reference_classifier(
            data,
            lambda share: progress("a classifier of real data learns", share),
            lambda sentence: progress(sentence, 0.0),
        )
        right = accuracy(classifier, data.heldout) if data.heldout.y is not None else None
        if right is not None and not _knows(right, data.heldout):
            notes = (
                f"a classifier of these classes is right about {right:.1%} of the held-out part, no better than the "
                "largest class, so modes are bins of k-means",
            )
            classifier = right = None
    train = data.train.frozen(seed)
    if features == "auto":
        chosen, note = _best(data, train, classifier, progress)
        kept: str | None = chosen[1]
        notes += note
    else:
        chosen = _asked_for(features, train, classifier)
        kept = None if callable(features) else features
    named = chosen if features == "pixels" or callable(features) else with_invariants(chosen, train)
    embedding = fit_embedding(train, compared, data.class_names, classifier, named, seed)
    return EyesOfData(embedding, right, kept, notes)


def power_of(
    data: Data, evalset: EvaluationSet, eyes: EyesOfData, progress: StageProgress
) -> dict[str, float]:
    """{defect: how often its margin is found when it is planted into real data}, once for the same data and numbers.

    Empty where there are too few real points.
    """
    return _of_planted("power", planted_power, _is_power, data, evalset, eyes, progress)


def effects_of(
    data: Data, evalset: EvaluationSet, eyes: EyesOfData, progress: StageProgress
) -> dict[str, float]:
    """{defect: how large a difference its margin makes, planted into real data}; as ``power_of``."""
    return _of_planted("effects", planted_effects, _are_numbers, data, evalset, eyes, progress)


def _of_planted(
    what: str,
    ask: Callable[..., dict[str, float]],
    whole: Callable[[Any], bool],
    data: Data,
    evalset: EvaluationSet,
    eyes: EyesOfData,
    progress: StageProgress,
) -> dict[str, float]:
    """What planting says, kept in the cache; empty where there are too few real points."""

    def make() -> dict[str, float]:
        generator = torch.Generator().manual_seed(0)
        n = min(len(evalset.samples), len(evalset.heldout))
        try:
            real = real_points(_unknown(data), n, generator)
        except NotDefined:
            return {}
        told = partial(progress, "planting defects into real data, and looking for them")
        return ask(replace(evalset, seed=0), eyes.embedding, real, told)

    if eyes.kept is None:
        return make()
    numbers = [len(evalset.samples), len(evalset.heldout), evalset.labelled]
    return remembered(data, what, [eyes.kept, *map(str, numbers)], make, whole)


def _knows(right: float, heldout: Part) -> bool:
    """Whether so many right answers are more than the largest class gives."""
    assert heldout.y is not None
    n, largest = len(heldout), int(torch.bincount(heldout.y).max()) / len(heldout)
    return bool(scipy.stats.binomtest(round(right * n), n, largest, "greater").pvalue <= _CHANCE)


def _best(
    data: Data, train: Part, classifier: ConvNet | None, progress: StageProgress
) -> tuple[Eyes, tuple[str, ...]]:
    """The features that see most, and a sentence that says so where there was a choice."""
    candidates = [] if classifier is None else [_of_classifier(classifier)]
    candidates += [convolutional_features(train), _principal(train)] if train.space.is_image else []
    candidates = candidates or [convolutional_features(train)]
    if len(candidates) == 1:
        return candidates[0], ()

    def make() -> list[float]:
        generator = torch.Generator().manual_seed(0)
        try:
            real = real_points(_unknown(data), len(data.heldout), generator)
        except NotDefined:
            return []
        progress("choosing features by what is planted into real data", 0.0)
        return choose_features(candidates, real, train, generator)[1]

    names = [name for _, name in candidates]
    shares = remembered(data, "features", names, make, lambda kept: _are_shares(kept, len(names)))
    if not shares:
        return candidates[0], ()
    order = sorted(range(len(shares)), key=lambda i: -shares[i])
    said = ", ".join(f"{candidates[i][1]} {shares[i]:.0%}" for i in order)
    return candidates[order[0]], (f"of defects planted into real data these features see: {said}",)


def _of_classifier(classifier: ConvNet) -> Eyes:
    return classifier.features, "the penultimate layer of a classifier of the training part"


def _principal(train: Part) -> Eyes:
    return extractors.pca(train.batch(slice(0, _LEARN)).x), "principal components"


def _asked_for(features: Extractor | Features, train: Part, classifier: ConvNet | None) -> Eyes:
    """The features asked for and what they are called."""
    if callable(features):
        return features, getattr(features, "__name__", "the extractor given")
    if features not in get_args(Extractor):
        raise UsageError(unknown("features", features, list(get_args(Extractor))))
    if features == "classifier":
        if classifier is None:
            raise UsageError("classifier features need labels, and these data have none")
        return _of_classifier(classifier)
    if features == "pixels":
        return extractors.pixels(), "pixels" if train.space.is_image else "coordinates"
    return _principal(train) if features == "pca" else convolutional_features(train)


def _unknown(data: Data) -> Sequence[Part]:
    """The parts that nothing learned from; each with a seed of its own where pixels are drawn.

    Where samples of another program are judged, T ends with the validation part, which that program had no reason
    to set aside.
    """
    heldout, validation = data.heldout.frozen(1), data.validation
    end = data.train.values[-len(validation) :]
    if len(end) == len(validation) and torch.equal(end, validation.values):
        return (heldout,)
    return heldout, validation.frozen(2)


def remembered(
    data: Data,
    what: str,
    names: Sequence[str],
    make: Callable[[], Any],
    whole: Callable[[Any], bool],
) -> Any:
    """What was made of the same data before, or is made now; kept in the cache, if it can be written to.

    whole  whether that is what a file of the cache holds; a damaged one is made again.
    """
    words = [str(_VERSION), *data.hashes.values(), *names]
    path = cache() / f"{what}-{hashlib.sha256(' '.join(words).encode()).hexdigest()[:16]}.json"
    try:
        kept = json.loads(path.read_bytes())
        if whole(kept):
            return kept
    except (OSError, ValueError, RecursionError):
        pass
    made = make()
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, json.dumps(made).encode())
    return made


def _is_power(kept: Any) -> bool:
    """Whether this is {defect: share of trials in which it was found}."""
    return isinstance(kept, dict) and _are_shares(list(kept.values()), len(kept))


def _are_numbers(kept: Any) -> bool:
    """Whether this is {defect: a number}."""
    return isinstance(kept, dict) and all(
        type(number) in (int, float) and math.isfinite(number) for number in kept.values()
    )


def _are_shares(kept: Any, n: int) -> bool:
    """Whether this is a list of n shares, or empty because there were too few real points."""
    shares = isinstance(kept, list) and all(type(s) in (int, float) and 0 <= s <= 1 for s in kept)
    return shares and len(kept) in (0, n)
