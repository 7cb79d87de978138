"""How each task is called in a small world, by name, and what it is told where nobody says anything else."""

import contextlib
import functools
import inspect
import json
import shutil
from dataclasses import replace
from importlib import import_module

import pytest
import torch
from PIL import Image
from tests.conftest import export_untraced

from plausible import figures, tasks
from plausible.core.errors import NotDefined, UsageError
from plausible.data.load import load
from plausible.models import VAE
from plausible.runs import Run
from plausible.runs.checksums import write_noted
from plausible.runs.mirrors import Mirrors
from plausible.tasks.fit_steps import monitored
from plausible.tasks.reference_classifier import cache
from plausible.tasks.start import start
from plausible.tasks.training_pictures import TrainingPictures
from plausible.training import Settings

SMALL = {
    "sweep": {
        "data": lambda w: w.plane, "trials": 1, "steps": 2, "search": "lr", "config": VAE.Config(width=4, latent=2),
        "judge": False, "study": lambda w: w.new(),
    },
    "fit": {"model": "gan", "data": lambda w: w.plane, "steps": 3, "out": lambda w: w.new()},
    "compare": {"data": lambda w: w.plane, "steps": 2, "n": 8, "out": lambda w: w.new()},
    "refine": {"steps": 3, "width": 4, "evaluate": False, "watch": False, "out": lambda w: w.new()},
    "before_after": {"n": 8},
    "resume": {"steps": 12},
    "walk_between_draws": {"n": 5},
    "latent_point": {"n": 5},
    "complete": {"rows": 2},
    "directions": {"rows": 2, "columns": 3, "draws": 2},
    "symmetries_of": {"source": lambda w: w.large},
    "sample_chain": {"steps": 3},
    "describe": {"source": lambda w: w.grey},
    "evaluate": {"n": 8},
    "evaluate_samples": {"n": 8},
    "evaluate_against": {"source": lambda w: w.near, "data": lambda w: w.plane, "n": 8},
    "evaluate_twin": {"n": 12},
}  # fmt: skip
"""{task: {parameter: what it is by default here}}, of which some are functions of the world."""
ALOUD = {"data", "request", "public"}
"""What some calls below do otherwise where it is said, also where it is the default that is said."""


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
    findings, small = [], {"width": 8} if choices["model"] == "gan" else {}
    try:
        trained = tasks.fit(**{**small, "on_finding": findings.append, **choices})
    except tasks.Failed:
        return len(findings)
    run = trained.run
    kept = run and (run.settings, run.options, logged(run.folder), mirrored(run.folder))
    return kept, weights(trained.model)


def mirrored(folder):
    """Whether its log is shown elsewhere."""
    return (folder / "tensorboard").exists()


def resume(w, source=None, **choices):
    """A copy of a run goes on; where ``data`` says where its data are they are not where they were."""
    folder, findings = w.new(), []
    shutil.copytree(source or w.gan, folder)
    if "data" in choices:
        config = (folder / "config.json").read_text()
        write_noted(folder / "config.json", config.replace(w.plane.name, "nowhere"))
    try:
        tasks.resume(folder, **{"on_finding": findings.append, **choices})
    except tasks.Failed:
        return len(findings)
    return Run(folder).settings, logged(folder), mirrored(folder)


def refine(w, **choices):
    """What a refinement leaves behind, and how many findings it had; where ``data`` says where its data are they are not where they were."""
    findings, start = [], w.flat
    if "data" in choices:
        start = without_data(w, w.flat)
    try:
        found = tasks.refine(start, **{"on_finding": findings.append, **choices})
    except tasks.Failed:
        return len(findings)
    run, measured = found.trained.run, found.measured
    judged = measured and measured.reports["refined"].samples
    return run.settings, logged(run.folder), weights(found.trained.model), judged


def before_after(w, run=None, **choices):
    """What a refined run is beside its start, which is judged once more."""
    run = shutil.copytree(run or w.refined, w.new())
    if "data" in choices:
        run = without_data(w, run)
    found = tasks.before_after(run, **choices)
    return found.sentence, [report.samples for report in found.reports.values()]


def without_data(w, run):
    """A copy of a run of the plane that does not find its data."""
    folder = shutil.copytree(run, w.new())
    config = (folder / "config.json").read_text()
    write_noted(folder / "config.json", config.replace(w.plane.name, "nowhere"))
    return folder


def fit_steps(w, lr=2e-3, monitor=False, pictures=False, mirrors=False, **choices):
    """The lines of a training that is played round by round, how many findings it had, and what was drawn."""
    findings, settings = [], Settings(steps=12)
    run, training = start("gan", w.plane, width=8, lr=lr, out=w.new(), settings=settings)
    with contextlib.suppress(tasks.Failed):
        drawn = TrainingPictures(run, training) if pictures else None
        shown = Mirrors(run, ["tensorboard"]) if mirrors else None
        choices = {"on_finding": findings.append, "pictures": drawn, "mirrors": shown, **choices}
        list(
            tasks.fit_steps(run, training, monitored(run, training) if monitor else None, **choices)
        )
    drawn = (run.folder / "samples.png").exists()
    return len(findings), logged(run.folder), drawn, mirrored(run.folder)


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
    pictures = sorted(folder.rglob("*.png"))
    return [(str(path.relative_to(folder)), path.read_bytes()) for path in pictures]


def save_report(w, **choices):
    folder = w.new()
    tasks.save_report(w.report, folder, **choices)
    kept = json.loads((folder / "measures.json").read_text())
    return sorted(path.name for path in folder.iterdir()), kept.get("advice")


@functools.cache
def _returned(task, choices):
    return task(**dict(choices))


def once(task, **choices):
    """What a task returns, which is asked once where it is told the same, be it by a default."""
    defaults = {
        p.name: p.default
        for p in inspect.signature(task).parameters.values()
        if p.default is not p.empty
    }
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
    return compared(w, tasks.compare, ["vae", "rbm"], **choices)


def comparison(w):
    folder = w.new()
    compare(w, data=w.plane, steps=2, n=8, out=folder)
    return folder


@functools.cache
def unfinished(w):
    """The folder of a comparison of data in memory, of which a part has failed, and is tried again each time."""
    folder = w.new()
    compare(w, data=replace(load(str(w.plane)), source=""), steps=2, n=8, out=folder)
    return folder


def continue_comparison(w, **choices):
    choices = {"data": load(str(w.plane)), **choices}
    return compared(w, tasks.continue_comparison, unfinished(w), **choices)


def sweep(w, **choices):
    """What was tried and what of it was best, by a judge that says only that it was asked."""
    module = import_module("plausible.tasks.sweep")

    def judged(trained, progress):
        raise NotDefined("judged")

    here = w.new()
    here.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.setattr(module, "evaluate", judged)
        patch.setattr(module, "save_picture", lambda trained: None)
        found = tasks.sweep("vae", **choices)
    tried = [(trial.choices, trial.score) for trial in found.trials]
    return tried, found.plan, found.folder.is_absolute(), found.unjudged


def check(w, **choices):
    folder = w.new()
    shutil.copytree(w.bayes, folder)
    (folder / "config.json").write_text("{")
    return tasks.check(folder, **choices).files


def report(w, source=None, **choices):
    found = tasks.report(source or w.mixture, **choices)
    shown = [figures.png(picture.picture) for picture in found.samples.pictures]
    return shown, found.headline.lead, found.notes


def reference_classifier(w, damaged=False, **choices):
    data = load(str(w.kinds))
    if damaged:
        tasks.reference_classifier(data)
        for kept in cache().glob("judge-*/config.json"):
            kept.write_text("{}")
    return tasks.reference_classifier(data, **choices)


def explain(w, source=None, **choices):
    """What is shown of each input."""
    found = tasks.explain(source or w.vae, w.part, **choices)
    return [list(map(str, vars(row).values())) for row in found]


def export(w, source=None, **choices):
    """What a file says of itself, and what comes out of it."""
    with pytest.MonkeyPatch.context() as patch:
        export_untraced(patch)
        done = tasks.export(source or w.vae, w.new().with_suffix(".pt2"), **choices)
    return done.part, list(done.inputs), done.facts, done.path.read_bytes()


def push(w, **choices):
    """What was said to go out, and what the hub was asked."""
    asked, place = [], "hub:a/b" if "public" in choices else w.new()
    module = import_module("plausible.tasks.push")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "upload", lambda folder, there, files, public: asked.append(public))
        return tasks.push(w.mixture, place, **choices).notes[1:], asked


def pull(w, **choices):
    folder = w.new()
    tasks.push(w.mixture, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(w.folder)
        return tasks.pull(folder, **choices).folder


CALLS = {
    "export": export,
    "push": push,
    "pull": pull,
    "refine": refine,
    "before_after": before_after,
    "compare": compare,
    "sweep": sweep,
    "latent_draws": lambda w, **k: tasks.latent_draws(w.vae, **k).x.tolist(),
    "walk_between_draws": lambda w, **k: tasks.walk_between_draws(w.vae, 0, 2, **k).tolist(),
    "latent_point": lambda w, **k: tasks.latent_point(w.vae, torch.eye(2), [0.5], **k).tolist(),
    "continue_comparison": continue_comparison,
    "check": check,
    "report": report,
    "report_comparison": lambda w, **k: tasks.report_comparison(comparison(w), **k),
    "advise": lambda w, **k: tasks.advise(w.measured, **k).to_dict(),
    "calibrated": lambda w, source=None, **k: tasks.calibrated(source or w.vae, **k).score(w.part, "abcde"),
    "classify": lambda w, source=None, **k: list(tasks.classify(source or w.vae, w.part, **k)),
    "score": lambda w, source=None, **k: list(tasks.score(source or w.vae, w.part, **k)),
    "explain": explain,
    "uncover": lambda w, source=None, **k: [list(map(str, vars(row).values())) for row in tasks.uncover(source or w.bayes, w.part, **k)],
    "complete": lambda w, source=None, **k: tasks.complete(source or w.cnn, w.part, **k).draws.tolist(),
    "surprisal": lambda w, **k: tasks.surprisal(w.cnn, w.part, **k).tolist(),
    "directions": lambda w, **k: [list(map(str, vars(tasks.directions(w.vae, **k)).values()))],
    "symmetries_of": lambda w, **k: tasks.symmetries_of(**k).tests,
    "reconstruct": lambda w, **k: tasks.reconstruct(w.vae, w.part, **k).reconstruction.tolist(),
    "interpolate": lambda w, **k: tasks.interpolate(w.vae, **k).tolist(),
    "interpolate_between": lambda w, **k: tasks.interpolate_between(w.vae, w.part.rows(slice(0, 2)), **k).tolist(),
    "sample": lambda w, source=None, **k: tasks.sample(source or w.vae, **k).x.tolist(),
    "sample_chain": lambda w, **k: tasks.sample_chain(w.rbm, **k).tolist(),
    "weights_used": lambda w, **k: tasks.weights_used(w.gan, **k),
    "open_trained": open_trained,
    "list_runs": lambda w, **k: [row.folder.name for row in tasks.list_runs(**k)],
    "diagnose": lambda w, source=None, **k: once(tasks.diagnose, source=source or w.vae, **k),
    "describe": lambda w, **k: tasks.describe(**k).facts,
    "evaluate": lambda w, source=None, **k: measured(once(tasks.evaluate, source=source or w.mixture, **k)),
    "evaluate_samples": lambda w, **k: measured(once(tasks.evaluate_samples, samples=w.far, data=w.plane, **k)),
    "verify": lambda w, **k: [tasks.verify(w.judged if "device" in k else w.sealed, **k).sentence],
    "evaluate_against": lambda w, **k: once(tasks.evaluate_against, against=w.far, **k).to_dict(),
    "evaluate_twin": lambda w, source=None, **k: once(tasks.evaluate_twin, source=source or w.halves[0], twin=w.halves[1], **k).to_dict(),
    "reference_classifier": reference_classifier,
    "save_picture": lambda w, **k: Image.open(tasks.save_picture(tasks.open_trained(w.vae), **k)).size,
    "save_report": save_report,
    "save_samples": save_samples,
    "fit": fit,
    "fit_steps": fit_steps,
    "resume": resume,
}  # fmt: skip
