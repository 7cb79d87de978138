"""Did it learn the distribution?  Every measure beside real data, and the verdict, for a model or for
samples of another program."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.choices import Device, Extractor
from plausible.core.device import seeded
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Generative, Model
from plausible.core.space import Batch
from plausible.data.load import load
from plausible.data.part import Data, Part
from plausible.evaluation.critic.critic import with_critiques
from plausible.evaluation.critic.updates_to_accuracy import with_efforts
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.features import Features
from plausible.evaluation.measure import Measure, measure, metrics
from plausible.evaluation.metrics.classification import (
    Predictions,
    classification_measures,
    predict_labelled,
)
from plausible.evaluation.metrics.histogram import mode_shares
from plausible.evaluation.report import Measures, Report
from plausible.evaluation.seal import place_of, seal
from plausible.evaluation.verdict.verdict import run_tests
from plausible.recognition.bayes import BayesClassifier
from plausible.recognition.calibration import best_temperature
from plausible.recognition.recogniser import Recogniser, ood_detection
from plausible.runs import Run
from plausible.tasks.calibrate import calibrated, keep_calibration
from plausible.tasks.embed import embed
from plausible.tasks.eyes import StageProgress, power_of
from plausible.tasks.outliers import outliers_of
from plausible.tasks.trained import TrainedLike, open_trained
from plausible.training.several import first_of

_SAMPLES = 5000


def evaluate(
    source: TrainedLike | Batch | Part | Tensor,
    data: Data | str | Path | None = None,
    *,
    n: int = _SAMPLES,
    features: Extractor | Features = "auto",
    outliers: Part | str | Path | None = None,
    seed: int = 0,
    device: Device = "auto",
    processes: int = 1,
    progress: StageProgress | None = None,
    on_notes: Callable[[tuple[str, ...]], None] = lambda notes: None,
    on_shared: Callable[[], None] = lambda: None,
) -> Report:
    """Judge a model, or points drawn by another program, against the held-out part of its data.

    source    a run or a model, whose ``sample`` draws n points; or points of the data's space, such as
              images x (N, C, H, W) in [0, 1].
    data      what it learned from; a run knows its own, or is told where they are now.
    n         the most samples drawn and held-out examples used.
    features  "auto" is whatever sees most of the defects planted into real data: the penultimate layer of a
              classifier, random convolutions, principal components; or x (N, *shape) -> (N, d).
    outliers  data of another kind, by name or path, or points of the same space: how well does the model
              tell them from its own?
    processes share the drawing of samples and the looking at them, as those of ``plausible evaluate --processes``: of the
              folder of a run, whose model, data, features and outliers other programs can find by name or path.
    progress  called with what is being done, and the share of it that is done.
    on_notes  called with what was decided about the data of a model, and about outliers, when they are read.
    on_shared called when all is made that several processes share (``core.ranks.sharing``); the rest is for the first.
    The same seed gives the same report.  Raises ``UsageError`` for n < 2 or points that are none of the
    space, ``NotDefined`` for a held-out part with fewer than 4 examples, or features that are not finite.
    """
    report_progress = progress or (lambda stage, share: None)
    if n < 2:
        raise UsageError(f"an evaluation needs at least 2 samples, not {n}")
    if not 0 <= seed < 2**32:
        raise UsageError(f"a seed must lie between 0 and {2**32 - 1}, not {seed}")
    if processes > 1:
        how = {"n": n, "features": features, "outliers": outliers, "seed": seed}
        heard = {"progress": progress, "on_notes": on_notes}
        return _shared(source, data, processes, device, how, heard, on_shared)
    if isinstance(source, Tensor):
        source = Batch(source.float())
    if isinstance(source, Batch | Part):
        if data is None:
            raise UsageError("samples of another program need the data that they imitate")
        real = load(str(data)) if isinstance(data, str | Path) else data
        return _judged(source, real.to("cpu"), n, features, seed, report_progress, on_shared)
    trained = open_trained(source, data, device=device)
    model, name = trained.model, "outliers"
    on_notes(trained.data.notes)
    report_progress("calibrating", 0.0)
    known = keep_calibration(trained)
    few = None if known is None else Recogniser(model, known).too_few()
    on_notes(() if few is None else (few,))
    elsewhere = outliers if isinstance(outliers, str | Path) else None
    if isinstance(outliers, str | Path):
        name, reading = Path(outliers).stem, f"reading {outliers}"
        counted = lambda done, total: report_progress(reading, done / total)  # noqa: E731
        found = outliers_of(outliers, model, trained.data, counted)
        on_notes(tuple(f"{name}: {note}" for note in found.notes))
        outliers = found.part
    real = trained.data.to("cpu")
    temperature = None if known is None or known.labels is None else known.labels.temperature
    report = _judged(model, real, n, features, seed, report_progress, on_shared, temperature)
    if outliers is not None:
        report_progress(f"looking at {name}", 1.0)
        rows = ood_detection(calibrated(trained), trained.data.heldout, outliers, name, n)
        report.measures.extend((measure, None) for measure in rows)
    if report.seal is None or trained.run is None:
        return report
    run, others = place_of(trained.run.folder), place_of(elsewhere)
    return replace(report, seal=replace(report.seal, run=run, outliers=others))


def _shared(
    source: Any,
    data: Data | str | Path | None,
    processes: int,
    device: Device,
    how: dict[str, Any],
    heard: dict[str, Any],
    on_shared: Callable[[], None],
) -> Report:
    """``evaluate`` with processes beside this one, which open the run, its data and the outliers themselves."""
    run = Run(source) if isinstance(source, str | Path) else source
    told = {"data": data, "device": device, **how}
    words = [f"--{name}={value}" for name, value in told.items() if value is not None]
    nameless = [value for value in told.values() if not isinstance(value, str | Path | int | None)]
    if not isinstance(run, Run) or run.networks or nameless:
        raise UsageError(
            "several processes judge a run that each of them can open: give its folder, and data, features and outliers by "
            "name or path"
        )
    trained = open_trained(run, data, device=device)
    command = ["evaluate", str(run.folder), f"--processes={processes}", *words]
    with first_of(processes, command, trained.model.offset.device) as go_on_alone:

        def alone() -> None:
            go_on_alone()
            on_shared()

        return evaluate(trained, **how, **heard, on_shared=alone)


def classified(
    classifier: Classifier, data: Data, temperature: float | None = None
) -> tuple[Predictions, Measures]:
    """How right a classifier is on the held-out part, as it is and at a temperature.

    temperature  that a run keeps and answers by; by default it is fitted here, as a run's is, on the validation
                 part, whose labels training has not seen.
    """
    said = predict_labelled(classifier, data.heldout)
    source = "kept in the run" if temperature is not None else "fitted on the validation part"
    if temperature is None:
        before = predict_labelled(classifier, data.validation)
        temperature = best_temperature(before.log_posterior, before.y)
    after = Predictions((said.log_posterior / temperature).log_softmax(1), said.y)
    note = f"at the temperature {temperature:.3g}, {source}"
    calibrated = [
        replace(measure, name=f"{measure.name}, calibrated", note=note)
        for measure in classification_measures(after)
        if measure.name in ("log loss", "calibration error")
    ]
    return said, [(measure, None) for measure in classification_measures(said) + calibrated]


def _judged(
    source: Model | Batch | Part,
    data: Data,
    n: int,
    features: Extractor | Features,
    seed: int,
    progress: StageProgress,
    on_shared: Callable[[], None],
    temperature: float | None = None,
) -> Report:
    """The report on a model or on points, all on the CPU."""
    if isinstance(source, Model) and not isinstance(source, Generative):
        if not isinstance(source, Classifier):
            raise UsageError(f"a {source.name} neither draws samples nor classifies")
        on_shared()
        said, alone = classified(source, data, temperature)
        return Report(alone, compared=len(data.heldout), predictions=said, classifier=source)
    with seeded(seed):  # for whatever draws from the default generator
        assert isinstance(source, Generative | Batch | Part)
        evalset, eyes = embed([source], data, n, features, seed, progress)
        made = _in_shares(evalset)
        on_shared()
        evalset = with_critiques(
            evalset, lambda share: progress("a critic learns to tell samples from real data", share)
        )
        evalset = with_efforts(
            evalset, lambda share: progress("how long critics must look to be 75% right", share)
        )
        ours, real = evalset.halves()
        measures: Measures = []
        for i, (name, metric) in enumerate(metrics.items()):
            progress(f"measuring: {name}", i / len(metrics))
            of_real = {row.name: row for row in measure(metric, real) if row.value is not None}
            of_ours = made[name] if name in made else measure(metric, ours)
            measures += [(row, of_real.get(row.name)) for row in of_ours]
        classifier = answered = None
        if isinstance(source, Explicit) and source.conditional and data.heldout.y is not None:
            progress("classifying by Bayes' rule", 1.0)
            classifier = BayesClassifier(source)
            answered, alone = classified(classifier, data, temperature)
            measures += alone
        power = power_of(data, evalset, eyes, progress)
        verdict = run_tests(evalset, lambda name: progress(f"testing: {name}", 1.0), power)
    return Report(
        measures,
        verdict,
        mode_shares(evalset) if evalset.labelled else [],
        len(evalset.samples),
        len(ours.samples),
        "; ".join([evalset.feature_description, *eyes.notes]),
        eyes.accuracy,
        evalset,
        answered,
        classifier,
        seal=seal(evalset, n, features if isinstance(features, str) else None, seed),
    )


def _in_shares(evalset: EvaluationSet) -> dict[str, list[Measure]]:
    """{metric: its measures} of what several processes can share before the first goes on alone: exact log p of H."""
    if not isinstance(evalset.model, Explicit) or not evalset.model.exact_log_prob:
        return {}
    name = "log likelihood"
    return {name: measure(metrics[name], evalset.halves()[0])}
