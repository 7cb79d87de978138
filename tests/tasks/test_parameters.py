"""Every parameter of every task does something: two values of it have two results, and a callback is called.

What the results should be is tested elsewhere.  A parameter that gets lost on its way shows here, and so does a
new one that nobody tests.
"""

import inspect
from importlib import import_module

import pytest
import torch
from tests.built_once import read_revisions_once
from tests.tasks.calls import ALOUD, CALLS, SMALL, grey, in_memory, more_minutes
from tests.tasks.small_world import TOO_FAST, World

from plausible import tasks
from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.mark import Mark
from plausible.data.options import Options
from plausible.models import VAE
from plausible.runs import Run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    reference = import_module("plausible.tasks.reference_classifier")  # the file, not its function
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "_STEPS", 5)
        read_revisions_once(patch)
        # whose import and work take seconds; that steps are compiled is tested in training/
        patch.setattr(import_module("plausible.training.loop"), "begin_compiling", lambda *_: None)
        patch.setattr(torch, "compile", lambda step, **how: step)
        yield World(tmp_path_factory.mktemp("parameters"))


QUESTIONS = ("calibrated", "classify", "score")
ASKED = (*QUESTIONS, "explain")
JUDGES = ("evaluate", "evaluate_samples", "evaluate_against")
VALUES = [  # task, parameter, two values of it (or functions of the world), and what else is said
    *((task, "data", None, grey, {"source": in_memory}) for task in ASKED),
    *((task, "background", None, lambda w: w.background, {"source": lambda w: w.bayes}) for task in QUESTIONS),
    *((task, "novelty", "likelihood", "typicality", {"draws": 1}) for task in QUESTIONS),
    *((task, "draws", 1, 3, {}) for task in ASKED),
    *((task, "seed", 0, 1, {"draws": 1}) for task in ASKED),
    *((task, "optimise_posterior", 0, 3, {"draws": 1}) for task in ASKED),
    ("explain", "classes", 1, 2, {}),
    ("explain", "said", None, lambda w: tasks.classify(w.vae, w.part, draws=1, seed=1), {}),
    ("uncover", "until", 0.5, 1.0, {}),
    ("uncover", "prior", None, (1.0, 0.0), {}),
    *((task, "class_conditional", False, True, {"source": lambda w: w.bayes}) for task in ("classify", "score")),
    *((task, "false_discovery_rate", None, 0.9, {"source": lambda w: w.bayes}) for task in ("classify", "score")),
    ("classify", "prior", None, (1.0, 0.0), {"source": lambda w: w.bayes}),
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
    ("export", "part", None, "decoder", {}),
    ("export", "label", None, "1", {}),
    ("export", "sampling_steps", 1, 2, {"source": lambda w: w.diffusion}),
    ("export", "weights", "best", "last", {"source": lambda w: w.gan}),
    ("push", "data_name", None, "people", {}),
    ("push", "public", False, True, {}),
    ("pull", "out", None, World.new, {}),
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
    ("sweep", "data", lambda w: w.plane, lambda w: w.near, {}),
    ("sweep", "steps", 2, 3, {}),
    ("sweep", "minutes", 1e-5, 1e-4, {"steps": None}),
    ("sweep", "total_minutes", 1e-5, 1e-4, {"steps": None}),
    ("sweep", "search", "lr", "beta", {"trials": 2}),
    ("sweep", "workers", 2, 1, {"data": lambda w: load(str(w.plane))}),  # two need data with a place
    ("sweep", "seed", 0, 1, {"trials": 2}),
    ("sweep", "study", None, World.new, {}),
    ("sweep", "options", Options(), Options(mutate=0.2), {}),
    ("sweep", "config", VAE.Config(width=4, latent=2), VAE.Config(width=4, latent=3), {}),
    ("sweep", "judge", False, True, {}),
    ("sweep", "per_class", False, True, {"data": lambda w: w.grey}),
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
    ("save_samples", "mark", False, lambda w: Mark("v", "h", 1), {}),
    ("fit", "data", lambda w: w.plane, lambda w: w.near, {}),
    ("fit", "steps", 2, 3, {}),
    ("fit", "minutes", 1e-5, 1e-4, {"steps": None}),
    ("fit", "seed", 0, 1, {}),
    ("fit", "out", None, World.new, {}),
    ("fit", "preset", None, "goodfellow2014", {}),
    ("fit", "options", Options(), Options(mutate=0.2), {}),
    ("fit", "per_class", False, True, {"model": "mixture", "data": lambda w: w.kinds, "components": 1}),
    ("fit", "init", None, lambda w: w.gan, {}),
    ("fit", "decoder", None, lambda w: w.flat, {"data": None}),
    ("fit", "watch", False, True, {"steps": 12}),
    ("fit", "on_failure", "warn", "rollback", TOO_FAST),
    ("fit", "precision", "float32", "bf16", {}),
    ("fit", "micro_batch", None, 8, {}),
    ("fit", "simultaneous", False, True, {}),
    ("fit", "compile", "off", "on", {}),
    ("fit", "threads", None, 2, {}),
    ("evaluate", "processes", 2, 1, {"source": lambda w: tasks.open_trained(w.mixture)}),  # two need a run's folder
    ("fit", "log_to", (), ("tensorboard",), {}),
    ("fit_steps", "monitor", False, True, {}),
    ("fit_steps", "pictures", False, True, {}),
    ("fit_steps", "mirrors", False, True, {}),
    ("fit_steps", "on_failure", "warn", "rollback", TOO_FAST),
    ("refine", "steps", 2, 3, {}),
    ("refine", "minutes", 1e-5, 1e-4, {"steps": None}),
    ("refine", "seed", 0, 1, {}),
    ("refine", "data", None, lambda w: w.plane, {}),
    ("refine", "evaluate", False, True, {"n": 8}),
    ("refine", "n", 8, 9, {"evaluate": True}),
    ("refine", "watch", False, True, {"steps": 12}),
    ("refine", "on_failure", "warn", "rollback", {"steps": 6, "lr": 1e30}),
    ("before_after", "start", None, lambda w: w.moved, {"run": lambda w: w.orphan}),
    ("before_after", "data", None, lambda w: load(str(w.plane)), {}),
    ("before_after", "n", 8, 9, {}),
    ("resume", "steps", 12, 13, {}),
    ("resume", "minutes", 1e-5, more_minutes, {"steps": None}),  # the first is spent, which changes nothing
    ("resume", "data", None, lambda w: w.plane, {}),
    ("resume", "watch", False, True, {}),
    ("resume", "log_to", None, ("tensorboard",), {}),
    ("resume", "compile", None, "on", {}),
    ("resume", "threads", None, 2, {}),
    ("resume", "on_failure", "warn", "rollback", {"source": lambda w: w.failing}),
]  # fmt: skip
CALLBACKS = [  # task, callbacks, and what else is said
    ("push", ("on_notes",), {}),
    *((task, ("progress", "on_notes", "on_result"), {}) for task in ("compare", "continue_comparison", "sweep")),
    *((task, ("progress",), {}) for task in ("report", "report_comparison", "reconstruct", "diagnose", "directions")),
    ("symmetries_of", ("progress",), {"seed": 5}),
    ("describe", ("progress",), {"source": lambda w: w.pictures}),
    ("evaluate", ("progress", "on_notes", "on_shared"), {}),
    *((task, ("progress", "on_notes"), {}) for task in ("evaluate_samples", "evaluate_against", "verify")),
    ("evaluate_twin", ("progress",), {}),
    ("reference_classifier", ("progress",), {}),
    ("reference_classifier", ("on_damage",), {"damaged": True}),
    ("fit", ("on_step",), {}),
    ("fit", ("on_finding",), TOO_FAST),
    ("refine", ("on_step", "progress"), {"evaluate": True, "n": 8}),
    ("refine", ("on_finding",), {"steps": 6, "lr": 1e30}),
    ("before_after", ("progress",), {}),
    ("fit_steps", ("on_finding",), TOO_FAST),
    ("resume", ("on_step",), {}),
    ("resume", ("on_finding",), {"source": lambda w: w.failing}),
]  # fmt: skip
PARAMETERS = {
    name: [p for p in inspect.signature(task).parameters.values() if p.default is not p.empty]
    for name in tasks.__all__
    if inspect.isfunction(task := getattr(tasks, name))
}
DEVICES = [name for name, params in PARAMETERS.items() if "device" in {p.name for p in params}]


def call(world, task, choices, **callbacks):
    """What a task returns that is told these choices, of which some are functions of the world."""
    choices = SMALL.get(task, {}) | choices
    known = {key: value(world) if callable(value) else value for key, value in choices.items()}
    return CALLS[task](world, **known, **callbacks)


def answer(world, task, choices):
    """What a task returns, or why it refuses."""
    try:
        return call(world, task, choices)
    except UsageError as reason:
        return str(reason)


@pytest.fixture(scope="module")
def answers():
    """{(task, all that it was told): its answer}: most parameters are varied from the same one."""
    return {}


def remembered(answers, world, task, choices):
    """An answer, asked for once where a task is told the same, be it by a default."""
    said = {p.name: p.default for p in PARAMETERS[task]} | SMALL.get(task, {}) | choices
    key = task, tuple(sorted(said.items())), frozenset(ALOUD & choices.keys())
    if key not in answers:
        answers[key] = answer(world, task, choices)
    return answers[key]


@pytest.mark.parametrize(
    ("task", "parameter", "first", "second", "choices"),
    VALUES,
    ids=map("{0[0]}.{0[1]}".format, VALUES),
)
def test_two_values_have_two_results(world, answers, task, parameter, first, second, choices):
    one, other = (
        remembered(answers, world, task, choices | {parameter: value}) for value in (first, second)
    )
    assert one != other
    assert not isinstance(other, str) or task == "weights_used", other


@pytest.mark.parametrize(
    ("task", "names", "choices"),
    CALLBACKS,
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_callbacks_are_called(world, task, names, choices):
    called = set()
    call(world, task, choices, **{name: lambda *said, n=name: called.add(n) for name in names})
    assert called == {*names}


@pytest.mark.parametrize("task", DEVICES)
def test_a_device_that_is_not_there_is_refused(world, task):
    assert "no device abacus" in answer(world, task, {"device": "abacus"})


def test_every_parameter_is_tested():
    tested = {(task, parameter) for task, parameter, *_ in VALUES}
    tested |= {(task, name) for task, names, _ in CALLBACKS for name in names}
    there = {(task, p.name) for task, params in PARAMETERS.items() for p in params}
    assert there - {(task, "device") for task in DEVICES} == tested
