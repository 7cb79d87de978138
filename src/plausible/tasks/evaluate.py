"""Did it learn the distribution?  Every measure beside real data, and the verdict, for a model or for
samples of another program."""

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError, unknown
from plausible.core.model import Explicit, Generative, Model
from plausible.core.space import Batch, Space
from plausible.data.part import Data, Part
from plausible.evaluation import features as extractors
from plausible.evaluation.embedding import fit
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.features import Features
from plausible.evaluation.measure import Measure, metrics
from plausible.evaluation.metrics.classification import Answers, accuracy, answers, classification
from plausible.evaluation.metrics.histogram import Share, shares
from plausible.evaluation.metrics.memorisation import with_train_distances
from plausible.evaluation.verdict.verdict import Verdict, run_tests
from plausible.models.discriminative.convnet import ConvNet
from plausible.recognition.bayes import BayesClassifier
from plausible.recognition.calibration import temper
from plausible.runs import Run, create, save
from plausible.training import Settings, train

_STEPS = 1500
_SAMPLES = 5000

Progress = Callable[[str, float], None]
"""(what is being done, share of it that is done)."""

Measures = list[tuple[Measure, Measure | None]]
"""Each measure, and the same of real data where that is defined."""

Extractor = Literal["auto", "classifier", "random", "pca", "pixels"]


@dataclass(frozen=True)
class Report:
    """What an evaluation found.

    measures  each with the same measure of real held-out data in the place of the samples, where
              that is defined; both compare ``compared`` points with as many of the held-out part.
    verdict   None for a model that draws nothing.
    classes   the shares of all samples.
    judge     accuracy of the classifier that assigns classes, on the held-out part.
    evalset     what was looked at, for pictures.
    answers   what a classifier, or Bayes' rule on p(x | y), says of the held-out part.
    classifier   the one that answers.
    """

    measures: Measures
    verdict: Verdict | None = None
    classes: list[Share] = field(default_factory=list)
    samples: int = 0
    compared: int = 0
    features: str = ""
    judge: float | None = None
    evalset: EvaluationSet | None = None
    answers: Answers | None = None
    classifier: Classifier | None = None

    def __getitem__(self, name: str) -> Measure:
        """The measure of that name; KeyError if there is none."""
        return {measure.name: measure for measure, _ in self.measures}[name]

    def real(self, name: str) -> Measure | None:
        """The same measure of real data."""
        return {measure.name: real for measure, real in self.measures}[name]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for measures.json."""
        return {
            "samples": self.samples,
            "compared": self.compared,
            "features": self.features,
            "judge_accuracy": self.judge,
            "verdict": self.verdict.to_dict() if self.verdict else None,
            "measures": [
                measure.to_dict() | ({"real": real.to_dict()} if real else {})
                for measure, real in self.measures
            ],
            "classes": [asdict(share) | {"ratio": share.ratio} for share in self.classes],
        }


def judge(data: Data, progress: Callable[[float], None] | None = None) -> ConvNet:
    """A classifier of the training part, made once for each training part and kept in the cache.

    It never sees the held-out part.  1,500 updates of 64 examples on the CPU, seed 0.  The cache is
    $PLAUSIBLE_CACHE or ~/.cache/plausible; its entries are runs.
    """
    folder = _cache() / f"judge-{data.hashes['train'][:16]}-{_STEPS}"
    try:
        kept = Run(folder).model()
    except UsageError:
        shutil.rmtree(folder, ignore_errors=True)  # half-written, or of an older version
    else:
        assert isinstance(kept, ConvNet)
        return kept
    data = data.to("cpu")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        training = train(ConvNet(data.space), data, Settings(steps=_STEPS, seed=0))
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


def evaluate(
    source: Model | Batch | Part,
    data: Data,
    *,
    n: int = _SAMPLES,
    features: Extractor | Features = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Judge a model, or points drawn by another program, against the held-out part of its data.

    source    a model, whose ``sample`` draws n points; or points of the data's space.
    n         the most samples drawn and held-out examples used.
    features  "auto" is the classifier's penultimate layer for labelled data and the principal
              components of random convolutions or coordinates otherwise; or x (N, *shape) -> (N, d).
    The same seed gives the same report.  Raises ``UsageError`` for n < 2, a held-out part with fewer
    than 4 examples, or features that are not finite.
    """
    tell = progress or (lambda stage, share: None)
    if n < 2:
        raise UsageError(f"an evaluation needs at least 2 samples, not {n}")
    if not 0 <= seed < 2**32:
        raise UsageError(f"a seed must lie between 0 and {2**32 - 1}, not {seed}")
    data = data.to("cpu")
    if isinstance(source, Model) and not isinstance(source, Generative):
        if not isinstance(source, Classifier):
            raise UsageError(f"a {source.name} neither draws samples nor classifies")
        said, alone = classified(source, data)
        return Report(alone, compared=len(data.heldout), answers=said, classifier=source)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # for whatever draws from the default generator
        evalset, right = _study(source, data, n, features, seed, tell)
        ours, real = evalset.halves()
        found: Measures = []
        for i, (name, metric) in enumerate(metrics.items()):
            tell(f"measuring: {name}", i / len(metrics))
            beside = {m.name: m for m in metric(real) if m.value is not None}
            found += [(measure, beside.get(measure.name)) for measure in metric(ours)]
        classifier = answered = None
        if isinstance(source, Explicit) and source.conditional and data.heldout.y is not None:
            tell("classifying by Bayes' rule", 1.0)
            classifier = BayesClassifier(source)
            answered, alone = classified(classifier, data)
            found += alone
        verdict = run_tests(evalset, lambda name: tell(f"testing: {name}", 1.0))
    return Report(
        found,
        verdict,
        shares(evalset) if evalset.labelled else [],
        len(evalset.samples),
        len(ours.samples),
        evalset.described,
        right,
        evalset,
        answered,
        classifier,
    )


def _study(
    source: Model | Batch | Part,
    data: Data,
    n: int,
    features: Extractor | Features,
    seed: int,
    tell: Progress,
) -> tuple[EvaluationSet, float | None]:
    """Everything seen once, and the accuracy of the classifier that saw it."""
    space, generator = data.space, torch.Generator().manual_seed(seed)
    classifier = None
    if space.classes:
        classifier = judge(data, lambda share: tell("a classifier of real data learns", share))
    # each with a seed of its own, or T and H would share the noise of dynamic binarisation
    train, heldout = data.train.frozen(seed), data.heldout.frozen(seed + 1)
    order = torch.randperm(len(heldout), generator=generator)[: 2 * n]  # files often have an order
    heldout = heldout.rows(order)
    model = source if isinstance(source, Generative) else None
    if model is not None:
        tell("drawing samples", 0.0)
        source = model.sample(n, generator=generator).to("cpu")
    samples = _points(source, space)
    samples = samples.rows(slice(0, n)).frozen(seed + 2)
    chosen = _extractor(features, train, classifier)
    compared = min(len(heldout), len(samples))
    embedding = fit(train, compared, data.class_names, classifier, chosen, seed)
    total, done = len(train) + len(heldout) + len(samples), 0

    def seen(count: int) -> None:
        nonlocal done
        done += count
        tell("looking at the data and the samples", done / total)

    views = (
        embedding.embed(train, known=train.y if embedding.labelled else None, progress=seen),
        embedding.embed(heldout, progress=seen),
        embedding.embed(samples, progress=seen),
    )
    evalset = EvaluationSet(
        space,
        *views,
        embedding.names,
        embedding.labelled,
        embedding.extract,
        embedding.describe,
        model,
        seed,
    )
    tell("comparing with the training data", 1.0)
    if classifier is None or heldout.y is None:
        return with_train_distances(evalset), None
    return with_train_distances(evalset), accuracy(classifier, heldout)


def _points(source: Model | Batch | Part, space: Space) -> Part:
    """Samples as a part of the space; ``UsageError`` where they cannot be points of it."""
    if not isinstance(source, Batch | Part):
        kind = type(source).__name__
        raise UsageError(f"an evaluation needs a model, a Batch or a Part of samples, not a {kind}")
    values = source.x if isinstance(source, Batch) else source.values
    if values.shape[1:] != space.shape:
        raise UsageError(
            f"samples of shape {tuple(values.shape[1:])} cannot be compared with data of shape "
            f"{space.shape}"
        )
    if not values.isfinite().all():
        raise UsageError("some samples are NaN or infinite, so nothing can be said about them")
    if isinstance(source, Part):
        return source.to("cpu")
    source = source.to("cpu")
    low, high = (float(v) for v in source.x.aminmax())
    if space.levels and not 0 <= low <= high <= 1:
        raise UsageError(
            f"a Batch of images holds pixels from 0 to 1, and these are {low:g} to {high:g}"
        )
    return Part(space.codes(source.x) if space.levels else source.x, source.y, space)


def _extractor(
    features: Extractor | Features, train: Part, classifier: ConvNet | None
) -> tuple[Features, str] | None:
    """The features asked for and what they are called; None leaves the choice to the embedding."""
    if callable(features):
        return features, getattr(features, "__name__", "the extractor given")
    if features not in get_args(Extractor):
        raise UsageError(unknown("features", features, list(get_args(Extractor))))
    if features == "auto":
        features = "classifier" if classifier else "random"
    if features == "classifier":
        if classifier is None:
            raise UsageError("classifier features need labels, and these data have none")
        return classifier.features, "the penultimate layer of a classifier of the training part"
    if features == "pixels":
        return extractors.pixels(), "pixels" if train.space.is_image else "coordinates"
    if features == "pca":
        return extractors.pca(train.batch(slice(0, _SAMPLES)).x), "principal components"
    return None


def classified(classifier: Classifier, data: Data) -> tuple[Answers, Measures]:
    """How right a classifier is on the held-out part, as it is and at its best temperature.

    The temperature is fitted on the validation part, whose labels training has not seen.
    """
    said = answers(classifier, data.heldout)
    before = answers(classifier, data.validation)
    tempered = temper(classifier, before.log_posterior, before.y)
    after = Answers((said.log_posterior / tempered.temperature).log_softmax(1), said.y)
    note = f"at the temperature {tempered.temperature:.3g}, fitted on the validation part"
    calibrated = [
        replace(measure, name=f"{measure.name}, calibrated", note=note)
        for measure in classification(after)
        if measure.name in ("log loss", "calibration error")
    ]
    return said, [(measure, None) for measure in classification(said) + calibrated]


def _cache() -> Path:
    return Path(os.environ.get("PLAUSIBLE_CACHE") or Path.home() / ".cache" / "plausible")
