"""Every parameter of every task does something: two values of it have two results, and a callback is called.

What the results should be is tested elsewhere.  A parameter that gets lost on its way shows here, and so does a
new one that nobody tests.
"""

import contextlib
import inspect
import json
import shutil
from dataclasses import replace
from functools import cache
from importlib import import_module

import pytest
import torch
from PIL import Image
from tests.tasks.small_world import TOO_FAST, World

from plausible import figures, tasks
from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.options import Options
from plausible.runs import Run
from plausible.runs.checksums import write_noted
from plausible.tasks.fit_steps import monitored
from plausible.tasks.start import start
from plausible.tasks.training_pictures import TrainingPictures
from plausible.training import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    reference = import_module("plausible.tasks.reference_classifier")  # the file, not its function
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "_STEPS", 5)
        yield World(tmp_path_factory.mktemp("parameters"))


def weights(model):
    return [value.tolist() for value in model.state_dict().values()]


def in_memory(w):
    """A model that knows no data."""
    return Run(w.bayes).model()


def grey(w):
    return load(str(w.grey))


def logged(folder):
    """What the rounds of a run say, without the seconds they took."""
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


def fit(w, **choices):
    """What a training leaves behind, and how many findings it had, also one that fails."""
    findings, small = [], {"width": 8} if choices.get("model", "gan") == "gan" else {}
    default = {"model": "gan", "data": w.plane, "steps": 3, "out": w.new(), **small}
    try:
        trained = tasks.fit(**{**default, "on_finding": findings.append, **choices})
    except tasks.Failed:
        return len(findings)
    run = trained.run
    return run and (run.settings, run.options, logged(run.folder)), weights(trained.model)


def resume(w, source=None, **choices):
    """A copy of a run goes on; where ``data`` says where its data are they are not where they were."""
    folder, findings = w.new(), []
    shutil.copytree(source or w.gan, folder)
    if "data" in choices:
        config = (folder / "config.json").read_text()
        write_noted(folder / "config.json", config.replace(w.plane.name, "nowhere"))
    try:
        tasks.resume(folder, **{"steps": 12, "on_finding": findings.append, **choices})
    except tasks.Failed:
        return len(findings)
    return Run(folder).settings, logged(folder)


def fit_steps(w, lr=2e-3, monitor=False, pictures=False, **choices):
    """The lines of a training that is played round by round, how many findings it had, and what was drawn."""
    findings, settings = [], Settings(steps=12)
    run, training = start("gan", w.plane, width=8, lr=lr, out=w.new(), settings=settings)
    with contextlib.suppress(tasks.Failed):
        drawn = TrainingPictures(run, training) if pictures else None
        choices = {"on_finding": findings.append, "pictures": drawn, **choices}
        list(
            tasks.fit_steps(run, training, monitored(run, training) if monitor else None, **choices)
        )
    return len(findings), logged(run.folder), (run.folder / "samples.png").exists()


def more_minutes(w):
    """A little more than a run has spent."""
    return logged_seconds(w.gan) / 60 + 0.01


def logged_seconds(folder):
    return json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["seconds"]


def open_trained(w, source=None, **choices):
    if "request" in choices:  # which is for the sentence about data that are others
        with pytest.raises(UsageError) as refusal:
            tasks.open_trained(w.gan, w.far, **choices)
        return [str(refusal.value)]
    trained = tasks.open_trained(source or w.gan, **choices)
    return weights(trained.model), trained.data.hashes


def save_samples(w, **choices):
    folder = w.new()
    tasks.save_samples(tasks.sample(w.vae, 4, "1"), Run(w.vae).space, folder, **choices)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))


def save_report(w, **choices):
    folder = w.new()
    tasks.save_report(w.report, folder, **choices)
    kept = json.loads((folder / "measures.json").read_text())
    return sorted(path.name for path in folder.iterdir()), kept.get("advice")


@cache
def _returned(task, choices):
    return task(**dict(choices))


def once(task, **choices):
    """What a task returns, which is asked once where it is told the same, be it by a default."""
    defaults = {p.name: p.default for p in PARAMETERS[task.__name__]}
    return _returned(task, tuple(sorted({**defaults, **choices}.items())))


def measured(report):
    """What was found, without what was asked."""
    return {key: value for key, value in report.to_dict().items() if key != "seal"}


def compared(w, task, *args, **choices):
    """What was trained and judged, by how many samples, and where it was kept: a judge that says only that."""
    module = import_module("plausible.tasks.compare")

    def judged(trained, place, n, progress):
        progress("judging", 1.0)
        return {"measures": [{"name": "recall", "value": float(n)}], "verdict": None}

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(w.folder)
        patch.setattr(module, "judged", judged)
        found = task(*args, **choices)
    rows = [run for family in found.families for run in family.runs if not run.failed]
    own = [(Run(row.folder).settings, Run(row.folder).options) for row in rows]
    return (
        [(row.model, row.seed, row.values["recall"]) for row in rows],
        own,
        found.data,
        found.folder.parent,
    )


def compare(w, **choices):
    choices = {"data": w.plane, "steps": 2, "n": 8, "out": w.new(), **choices}
    return compared(w, tasks.compare, ["vae", "mixture", "rbm"], **choices)


def comparison(w):
    folder = w.new()
    compare(w, out=folder)
    return folder


def continue_comparison(w, **choices):
    """One of data in memory, of which a part has failed."""
    folder = w.new()
    compare(w, data=replace(load(str(w.plane)), source=""), out=folder)
    choices = {"data": load(str(w.plane)), **choices}
    return compared(w, tasks.continue_comparison, folder, **choices)


def check(w, **choices):
    folder = w.new()
    shutil.copytree(w.bayes, folder)
    (folder / "config.json").write_text("{")
    return tasks.check(folder, **choices).files


def report(w, source=None, **choices):
    found = tasks.report(source or w.mixture, **choices)
    shown = [figures.png(picture.picture) for picture in found.samples.pictures]
    return shown, found.headline.lead, found.notes


CALLS = {
    "compare": compare,
    "latent_draws": lambda w, **k: tasks.latent_draws(w.vae, **k).x.tolist(),
    "walk_between_draws": lambda w, **k: tasks.walk_between_draws(w.vae, 0, 2, **{"n": 5, **k}).tolist(),
    "latent_point": lambda w, **k: tasks.latent_point(w.vae, torch.eye(2), [0.5], **{"n": 5, **k}).tolist(),
    "continue_comparison": continue_comparison,
    "check": check,
    "report": report,
    "report_comparison": lambda w, **k: tasks.report_comparison(comparison(w), **k),
    "advise": lambda w, **k: tasks.advise(w.measured, **k).to_dict(),
    "calibrated": lambda w, source=None, **k: tasks.calibrated(source or w.vae, **k).score(w.part, "abcde"),
    "classify": lambda w, source=None, **k: list(tasks.classify(source or w.vae, w.part, **k)),
    "score": lambda w, source=None, **k: list(tasks.score(source or w.vae, w.part, **k)),
    "complete": lambda w, source=None, **k: tasks.complete(source or w.cnn, w.part, **{"rows": 2, **k}).draws.tolist(),
    "surprisal": lambda w, **k: tasks.surprisal(w.cnn, w.part, **k).tolist(),
    "directions": lambda w, **k: [list(map(str, vars(tasks.directions(w.vae, **{"rows": 2, "columns": 3, "draws": 2, **k})).values()))],
    "symmetries_of": lambda w, **k: tasks.symmetries_of(**{"source": w.large, **k}).tests,
    "reconstruct": lambda w, **k: tasks.reconstruct(w.vae, w.part, **k).reconstruction.tolist(),
    "interpolate": lambda w, **k: tasks.interpolate(w.vae, **k).tolist(),
    "interpolate_between": lambda w, **k: tasks.interpolate_between(w.vae, w.part.rows(slice(0, 2)), **k).tolist(),
    "sample": lambda w, source=None, **k: tasks.sample(source or w.vae, **k).x.tolist(),
    "sample_chain": lambda w, **k: tasks.sample_chain(w.rbm, **{"steps": 3, **k}).tolist(),
    "weights_used": lambda w, **k: tasks.weights_used(w.gan, **k),
    "open_trained": open_trained,
    "list_runs": lambda w, **k: [row.folder.name for row in tasks.list_runs(**k)],
    "diagnose": lambda w, source=None, **k: once(tasks.diagnose, source=source or w.vae, **k),
    "describe": lambda w, **k: tasks.describe(**{"source": w.grey, **k}).facts,
    "evaluate": lambda w, source=None, **k: measured(once(tasks.evaluate, source=source or w.mixture, **{"n": 8, **k})),
    "evaluate_samples": lambda w, **k: measured(once(tasks.evaluate_samples, samples=w.far, data=w.plane, **{"n": 8, **k})),
    "verify": lambda w, **k: [tasks.verify(w.judged if "device" in k else w.sealed, **k).sentence],
    "evaluate_against": lambda w, **k: once(tasks.evaluate_against, **{"source": w.near, "against": w.far, "data": w.plane, "n": 8, **k}).to_dict(),
    "evaluate_twin": lambda w, source=None, **k: once(tasks.evaluate_twin, source=source or w.halves[0], twin=w.halves[1], **{"n": 12, **k}).to_dict(),
    "reference_classifier": lambda w, **k: tasks.reference_classifier(load(str(w.kinds)), **k),
    "save_picture": lambda w, **k: Image.open(tasks.save_picture(tasks.open_trained(w.vae), **k)).size,
    "save_report": save_report,
    "save_samples": save_samples,
    "fit": fit,
    "fit_steps": fit_steps,
    "resume": resume,
}  # fmt: skip
QUESTIONS = ("calibrated", "classify", "score")
JUDGES = ("evaluate", "evaluate_samples", "evaluate_against")
VALUES = [  # task, parameter, two values of it (or functions of the world), and what else is said
    *((task, "data", None, grey, {"source": in_memory}) for task in QUESTIONS),
    *((task, "background", None, lambda w: w.background, {"source": lambda w: w.bayes}) for task in QUESTIONS),
    *((task, "novelty", "likelihood", "typicality", {"draws": 1}) for task in QUESTIONS),
    *((task, "draws", 1, 3, {}) for task in QUESTIONS),
    *((task, "seed", 0, 1, {"draws": 1}) for task in QUESTIONS),
    ("classify", "reject_cost", 0.0, 1.0, {}),
    ("classify", "level", 0.0, 0.99, {}),
    *((task, "label", "0", "1", {}) for task in ("complete", "surprisal", "reconstruct", "interpolate", "sample")),
    ("interpolate_between", "label", "0", "1", {}),
    ("sample_chain", "label", "0", "1", {"n": 200, "steps": 20}),
    *((task, "seed", 0, 1, {}) for task in ("complete", "interpolate", "sample", "sample_chain")),
    *((task, "n", 2, 3, {}) for task in ("complete", "sample", "sample_chain")),
    ("complete", "rows", 1, 3, {}),
    ("complete", "mask", torch.eye(4).bool(), torch.ones(4, 4).triu().bool(), {"rows": None, "source": lambda w: w.diffusion}),
    ("interpolate", "rows", 2, 3, {}),
    ("interpolate", "columns", 2, 3, {}),
    ("interpolate_between", "columns", 2, 3, {}),
    *(("directions", name, one, other, {}) for name, one, other in (("rows", 1, 2), ("columns", 2, 3), ("draws", 1, 2), ("seed", 0, 1), ("label", "0", "1"))),
    ("symmetries_of", "source", lambda w: w.large, lambda w: w.grey, {}),
    ("symmetries_of", "options", Options(), Options(mutate=0.3), {}),
    ("symmetries_of", "seed", 0, 1, {}),
    ("sample", "truncation", None, 0.1, {}),
    ("sample", "mean", False, True, {}),
    ("sample", "sampling_steps", 1, 5, {"source": lambda w: w.diffusion}),
    ("sample", "solver", "euler", "rk4", {"source": lambda w: w.diffusion, "sampling_steps": 2}),
    ("sample", "guidance", 1.0, 9.0, {"source": lambda w: w.diffusion}),
    ("sample", "weights", "best", "last", {"source": lambda w: w.gan}),
    ("sample_chain", "steps", 2, 3, {}),
    ("sample_chain", "weights", "best", "last", {}),
    ("weights_used", "which", "best", "last", {}),
    ("open_trained", "weights", "best", "last", {}),
    ("open_trained", "data", None, grey, {"source": in_memory}),
    ("open_trained", "request", "resume", "score", {}),
    ("list_runs", "folder", lambda w: w.gan, lambda w: w.bayes, {}),
    ("diagnose", "data", None, grey, {"source": in_memory}),
    ("diagnose", "seed", 0, 1, {}),
    ("describe", "source", lambda w: w.grey, lambda w: w.bits, {}),
    ("describe", "options", Options(), Options(binarise="threshold"), {}),
    ("evaluate", "data", None, lambda w: w.plane, {"source": lambda w: Run(w.mixture).model()}),
    ("evaluate", "outliers", None, lambda w: w.far, {}),
    ("evaluate_samples", "options", Options(), Options(mutate=0.3), {}),
    ("evaluate_samples", "split", 0.2, 0.5, {}),
    ("evaluate_samples", "heldout", None, lambda w: w.near, {}),
    ("evaluate_against", "data", None, lambda w: w.plane, {}),
    ("evaluate_against", "options", Options(), Options(mutate=0.3), {}),
    ("evaluate_against", "split", 0.2, 0.5, {}),
    ("evaluate_against", "heldout", None, lambda w: w.near, {"source": lambda w: w.far}),
    *((task, "n", 6, 8, {}) for task in JUDGES),
    *((task, "features", "pixels", "random", {}) for task in JUDGES),
    *((task, "seed", 0, 1, {}) for task in JUDGES),
    ("verify", "samples", None, lambda w: w.near, {}),
    ("verify", "data", None, lambda w: w.near, {}),
    *((task, "seed", 0, 1, {}) for task in ("latent_draws", "walk_between_draws", "latent_point")),
    *((task, "label", "0", "1", {}) for task in ("latent_draws", "walk_between_draws", "latent_point")),
    *((task, "n", 4, 5, {}) for task in ("latent_draws", "walk_between_draws", "latent_point")),
    ("walk_between_draws", "columns", 2, 3, {}),
    ("latent_point", "pick", 0, 2, {}),
    ("compare", "data", None, lambda w: w.plane, {}),
    ("compare", "steps", 2, 3, {}),
    ("compare", "minutes", 1e-5, 1e-4, {"steps": None}),
    ("compare", "seeds", 1, 2, {}),
    ("compare", "out", None, World.new, {}),
    ("compare", "options", Options(), Options(mutate=0.2), {}),
    ("compare", "n", 8, 9, {}),
    ("continue_comparison", "data", None, lambda w: load(str(w.plane)), {}),
    ("check", "repair", False, True, {}),
    ("report", "data", None, lambda w: load(str(w.plane)), {"source": lambda w: w.lost}),
    ("report", "seed", 0, 1, {"source": lambda w: w.vae}),
    ("report", "not_judged", "", "there were too few", {}),
    ("evaluate_twin", "data", lambda w: w.far, None, {}),
    ("evaluate_twin", "n", 12, 14, {}),
    ("evaluate_twin", "seed", 0, 1, {}),
    ("save_picture", "n", 4, 9, {}),
    ("save_report", "data", None, lambda w: load(str(w.kinds)), {}),
    ("save_report", "advice", None, lambda w: tasks.advise(w.measured), {}),
    ("advise", "course", None, lambda w: tasks.course_of(tasks.open_trained(w.mixture)), {}),
    ("save_samples", "named", None, lambda w: load(str(w.named)), {}),
    ("fit", "data", lambda w: w.plane, lambda w: w.near, {}),
    ("fit", "steps", 2, 3, {}),
    ("fit", "minutes", 1e-5, 1e-4, {"steps": None}),
    ("fit", "seed", 0, 1, {}),
    ("fit", "out", None, World.new, {}),
    ("fit", "preset", None, "goodfellow2014", {}),
    ("fit", "options", Options(), Options(mutate=0.2), {}),
    ("fit", "per_class", False, True, {"model": "mixture", "data": lambda w: w.kinds, "components": 1}),
    ("fit", "init", None, lambda w: w.gan, {}),
    ("fit", "watch", False, True, {"steps": 12}),
    ("fit", "on_failure", "warn", "rollback", TOO_FAST),
    ("fit", "precision", "float32", "bf16", {}),
    ("fit", "micro_batch", None, 8, {}),
    ("fit", "simultaneous", False, True, {}),
    ("fit_steps", "monitor", False, True, {}),
    ("fit_steps", "pictures", False, True, {}),
    ("fit_steps", "on_failure", "warn", "rollback", TOO_FAST),
    ("resume", "steps", 12, 13, {}),
    ("resume", "minutes", 1e-5, more_minutes, {"steps": None}),  # the first is spent, which changes nothing
    ("resume", "data", None, lambda w: w.plane, {}),
    ("resume", "watch", False, True, {}),
    ("resume", "on_failure", "warn", "rollback", {"source": lambda w: w.failing}),
]  # fmt: skip
CALLBACKS = [
    *(("compare", name, {}) for name in ("progress", "on_notes", "on_result")),
    *(("continue_comparison", name, {}) for name in ("progress", "on_notes", "on_result")),
    ("report", "progress", {}),
    ("report_comparison", "progress", {}),
    ("reconstruct", "progress", {}),
    ("diagnose", "progress", {}),
    ("directions", "progress", {}),
    ("symmetries_of", "progress", {"seed": 5}),
    ("describe", "progress", {"source": lambda w: w.pictures}),
    ("evaluate", "progress", {}),
    ("evaluate", "on_notes", {}),
    ("evaluate_samples", "progress", {}),
    ("evaluate_samples", "on_notes", {}),
    ("evaluate_against", "progress", {}),
    ("evaluate_twin", "progress", {}),
    ("verify", "progress", {}),
    ("verify", "on_notes", {}),
    ("evaluate_against", "on_notes", {}),
    ("reference_classifier", "progress", {}),
    ("fit", "on_step", {}),
    ("fit", "on_finding", TOO_FAST),
    ("fit_steps", "on_finding", TOO_FAST),
    ("resume", "on_step", {}),
    ("resume", "on_finding", {"source": lambda w: w.failing}),
]
PARAMETERS = {
    name: [p for p in inspect.signature(task).parameters.values() if p.default is not p.empty]
    for name in tasks.__all__
    if inspect.isfunction(task := getattr(tasks, name))
}
DEVICES = [name for name, params in PARAMETERS.items() if "device" in {p.name for p in params}]


def told(world, choices):
    """Choices of which some are functions of the world."""
    return {key: value(world) if callable(value) else value for key, value in choices.items()}


def answer(world, task, choices):
    """What a task returns, or why it refuses."""
    try:
        return CALLS[task](world, **told(world, choices))
    except UsageError as reason:
        return str(reason)


@pytest.mark.parametrize(
    ("task", "parameter", "first", "second", "choices"),
    VALUES,
    ids=map("{0[0]}.{0[1]}".format, VALUES),
)
def test_two_values_have_two_results(world, task, parameter, first, second, choices):
    one, other = (answer(world, task, choices | {parameter: value}) for value in (first, second))
    assert one != other
    assert not isinstance(other, str) or task == "weights_used", other


@pytest.mark.parametrize(
    ("task", "parameter", "choices"), CALLBACKS, ids=map("{0[0]}.{0[1]}".format, CALLBACKS)
)
def test_a_callback_is_called(world, task, parameter, choices):
    calls = []
    CALLS[task](world, **told(world, choices), **{parameter: lambda *said: calls.append(said)})
    assert calls


@pytest.mark.parametrize("task", DEVICES)
def test_a_device_that_is_not_there_is_refused(world, task):
    assert "no device abacus" in answer(world, task, {"device": "abacus"})


def test_every_parameter_is_tested():
    tested = {(task, parameter) for task, parameter, *_ in [*VALUES, *CALLBACKS]}
    there = {(task, p.name) for task, params in PARAMETERS.items() for p in params}
    assert there - {(task, "device") for task in DEVICES} == tested
