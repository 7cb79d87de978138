"""Trials of a model: measured by validation data, the same again, stopped and gone on with, the best judged once."""

import json
import os
import signal
import subprocess
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from tests.built_once import read_revisions_once
from tests.conftest import ForkedChild, ask, make_data, refused, tiny

from plausible.core.errors import NotDefined, UsageError
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.models import VAE
from plausible.runs import Run
from plausible.tasks import fit, sweep, sweep_plan, sweep_trials
from plausible.tasks.start import start
from plausible.tasks.sweep_plan import SweepPlan
from plausible.tasks.validation_score import LOG_LOSS, NATS, measured_by, validation_score
from plausible.training import Settings

SMALL = VAE.Config(width=4, latent=2)
SEARCH = "lr=1e-4:1e-1,beta=0.1:2"


@pytest.fixture(scope="module", autouse=True)
def _revisions():
    with pytest.MonkeyPatch.context() as patch:
        read_revisions_once(patch)
        yield


def tried(data, folder, trials=3, **more):
    return sweep(
        "vae", data, trials=trials, steps=12, search=SEARCH, config=SMALL, study=folder, judge=False, **more
    )  # fmt: skip


def rows(swept):
    return [(trial.number, trial.state, trial.choices, trial.score) for trial in swept.trials]


def test_the_same_call_tries_the_same_and_never_looks_at_held_out_data(tmp_path, binary):
    first = tried(binary, tmp_path / "a")
    nonsense = Part(1 - binary.heldout.values, binary.heldout.y, binary.space)
    assert rows(tried(replace(binary, heldout=nonsense), tmp_path / "b")) == rows(first)
    other = tried(binary, tmp_path / "c", trials=2, seed=1)
    (chosen,) = [trial.choices for trial in other.trials if trial.number == 1]
    assert chosen not in [trial.choices for trial in first.trials]
    assert first.finished
    assert first.measured == NATS
    assert first.trials[0] == first.best
    scores = [trial.score for trial in first.trials if trial.score is not None]
    assert scores == sorted(scores)
    assert {trial.number for trial in first.trials} == {0, 1, 2}
    (usual,) = [trial for trial in first.trials if trial.number == 0]
    assert usual.choices == {"lr": SMALL.lr, "beta": SMALL.beta}
    assert not list((tmp_path / "a").rglob("measures.json"))


def test_a_trial_is_a_run_that_says_what_was_chosen(tmp_path, binary):
    swept = tried(binary, tmp_path / "a", trials=2)
    for trial in swept.trials:
        run = Run(trial.folder)
        assert run.progress == 1
        assert run.model_config == replace(SMALL, **trial.choices)
        model = run.model()
        x = binary.validation.as_batch().x
        nats = model.log_prob(x, generator=torch.Generator().manual_seed(0)).nats
        assert trial.score == pytest.approx(-nats.double().mean().item())


def interrupted_at(monkeypatch, trial, step):
    """Ctrl-C in a round of the k-th trial that begins."""
    usual, begun = sweep_trials.fit_steps, []

    def played(*words):
        begun.append(1)
        for each in usual(*words):
            if len(begun) == trial and each.clock.step == step:
                os.kill(os.getpid(), signal.SIGINT)
            yield each

    monkeypatch.setattr(sweep_trials, "fit_steps", played)


def test_a_sweep_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch):
    source = tiny(tmp_path / "few.npz", 96)
    whole = tried(source, tmp_path / "a", trials=3)
    with monkeypatch.context() as patch:
        interrupted_at(patch, trial=2, step=5)
        stopped = tried(source, tmp_path / "b", trials=3)
    assert not stopped.finished
    assert {trial.number: trial.state for trial in stopped.trials} == {0: "finished", 1: "running"}
    assert Run(tmp_path / "b" / "trials" / "0001").progress == 0.5
    ended = []
    again = tried(source, tmp_path / "b", trials=3, on_result=ended.append)
    assert again.finished
    assert rows(again) == rows(whole)
    assert sorted(trial.number for trial in ended) == [1, 2]
    more = tried(source, tmp_path / "b", trials=4)
    assert len(more.trials) == 4
    assert sorted(rows(more))[:3] == sorted(rows(whole))


def test_a_study_of_something_else_is_refused(tmp_path, binary):
    tried(binary, tmp_path / "a", trials=1)
    with pytest.raises(
        UsageError, match="holds a sweep with steps 12, and this is one with steps 13"
    ):
        sweep("vae", binary, trials=1, steps=13, search=SEARCH, config=SMALL, study=tmp_path / "a")
    with pytest.raises(UsageError, match="--search lr,beta, and this is one with --search lr"):
        sweep("vae", binary, trials=1, steps=12, search="lr", config=SMALL, study=tmp_path / "a")
    with pytest.raises(UsageError, match="have changed: choose another --study"):
        tried(make_data(binary.space, seed=1), tmp_path / "a", trials=1)


def test_a_trial_whose_probes_are_hopeless_is_saved_and_stays_a_run(tmp_path, binary):
    run, training = start("vae", binary, config=SMALL, settings=Settings(200), out=tmp_path / "run")
    reported = []
    trial = SimpleNamespace(
        report=lambda score, step: reported.append((step, score)), should_prune=lambda: len(reported) == 2
    )  # fmt: skip
    plan = SweepPlan("vae", {}, "", binary.options, 1, 200, None, 0, ())
    assert sweep_trials._pruned(run, training, plan, trial, lambda share: None)
    log = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    probed = [(line["step"], line["probes"]["validation loss"]) for line in log if "probes" in line]
    assert reported == probed
    assert run.steps("last") == reported[-1][0] + 1 < 200
    assert not training.finished


def test_bad_trials_are_pruned_by_the_median_of_the_others(tmp_path, binary, monkeypatch):
    swept = sweep(
        "vae", binary, trials=7, steps=20, search="lr=1e-5:1e-1", config=SMALL, study=tmp_path / "a", judge=False
    )  # fmt: skip
    pruned = [trial for trial in swept.trials if trial.state == "pruned"]
    assert pruned
    assert all(trial.score is None for trial in pruned)
    assert {trial.state for trial in swept.trials} == {"finished", "pruned"}
    assert all(Run(trial.folder).progress < 1 for trial in pruned)


def test_a_trial_that_fails_is_a_row_with_its_reason(tmp_path, binary, monkeypatch):
    def broken(trained):
        raise NotDefined("it is not finite")

    monkeypatch.setattr(sweep_trials, "validation_score", broken)
    swept = tried(binary, tmp_path / "a", trials=2)
    assert [(trial.state, trial.reason) for trial in swept.trials] == [
        ("failed", "it is not finite")
    ] * 2
    assert swept.best is None
    assert swept.sentence == "no trial was finished, so there is none to keep"


def test_the_best_alone_is_judged_and_once(tmp_path, monkeypatch):
    asked = dict(data=tiny(tmp_path / "few.npz", 200), trials=2, search="smoothing=0.01:100", study=tmp_path / "a")  # fmt: skip
    first = sweep("naive-bayes", **asked)
    (judged,) = (tmp_path / "a").rglob("measures.json")
    assert judged.parent == first.best.folder
    assert first.judged == 1
    said = f"judged by held-out data it is {first.verdict}, and no other trial has been judged"
    assert said in first.sentence
    before = judged.read_bytes()
    assert sweep("naive-bayes", **asked).judged == 1
    assert judged.read_bytes() == before
    (first.trials[1].folder / "measures.json").write_bytes(before)
    assert "and 1 other trial has been judged, too" in first.sentence


def test_scores_are_of_validation_data(binary):
    data = make_data(Space((1, 4, 4), levels=2, classes=2))
    trained = fit("naive-bayes", data)
    assert validation_score(trained) == pytest.approx(
        -trained.model.log_prob(data.validation.as_batch().x).nats.mean().item(), rel=1e-6
    )
    classifier = fit("linear", data)
    assert measured_by(classifier.model) == LOG_LOSS
    said = classifier.model.log_posterior(data.validation.as_batch().x)
    right = said[torch.arange(len(said)), data.validation.y]
    assert validation_score(classifier) == pytest.approx(-right.mean().item(), rel=1e-5)


@pytest.mark.slow
def test_two_workers_share_a_study(tmp_path, monkeypatch):
    workers = SimpleNamespace(Popen=ForkedChild, DEVNULL=subprocess.DEVNULL)
    monkeypatch.setattr(import_module("plausible.tasks.sweep"), "subprocess", workers)
    source = tmp_path / "few.npz"
    values = torch.randint(2, (96, 1, 4, 4), generator=torch.Generator().manual_seed(0))
    np.savez(source, x=values.numpy().astype(np.uint8), levels=2)
    swept = tried(source, tmp_path / "a", trials=3, workers=2)
    assert swept.finished
    assert sorted(trial.number for trial in swept.trials) == [0, 1, 2]
    processes = {Run(trial.folder).config["training"]["steps"] for trial in swept.trials}
    assert processes == {12}
    assert all(
        Run(trial.folder).progress == 1 for trial in swept.trials if trial.state == "finished"
    )
    alone = tried(source, tmp_path / "b", trials=1)
    (usual,) = [trial for trial in swept.trials if trial.number == 0]
    assert usual.score == alone.best.score  # whoever trains it


def test_as_it_is_typed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tiny(tmp_path / "few.npz", 96)
    words = [
        "sweep",
        "vae",
        "--trials",
        2,
        "--steps",
        8,
        "--search",
        "lr",
        "--fix",
        "width=4,latent=2,conditional=true",
        "--data",
        "few.npz",
    ]
    ask(*words, "--no-evaluate")
    said = capsys.readouterr().out
    assert "-log p(x) of validation examples in nats" in said
    assert "the best of 2 trials has lr" in said
    assert "its run is sweeps/vae-few/trials/000" in said
    assert Run("sweeps/vae-few/trials/0001").model_config.conditional
    ask(*words, "--no-evaluate", "--json")
    document = json.loads(capsys.readouterr().out)
    assert [trial["state"] for trial in document["result"]["trials"]] == ["finished"] * 2
    assert "unknown choice of vae 'widht'" in refused(capsys, "sweep", "vae", "--fix", "widht=3")
    assert "leave out --minutes" in refused(
        capsys, *words[:6], "--total-minutes", 3, "--study", "new"
    )
    monkeypatch.setattr(sweep_plan, "find_spec", lambda name: None)
    assert "pip install 'plausible[sweep]'" in refused(capsys, "sweep", "vae")


def test_one_model_for_each_class(tmp_path, capsys):
    words = ["sweep", "naive-bayes", "--data", "digits", "--trials", 2, "--no-evaluate"]
    ask(*words, "--per-class", "--study", tmp_path / "each", "--json")
    trials = json.loads(capsys.readouterr().out)["result"]["trials"]
    assert [trial["state"] for trial in trials] == ["finished"] * 2
    assert all(Run(trial["run"]).per_class for trial in trials)
    assert "holds a sweep with one model for each class, and this is one with one model for all classes" in refused(
        capsys, *words, "--study", tmp_path / "each"
    )  # fmt: skip
    assert "--per-class needs a model that says how probable x is" in refused(
        capsys, "sweep", "gan", "--data", "digits", "--per-class", "--study", tmp_path / "gan"
    )


def test_several_workers_need_data_with_a_place(tmp_path, binary):
    with pytest.raises(UsageError, match="several workers each read the data"):
        tried(binary, tmp_path / "a", workers=2)


def test_a_worker_that_the_system_ended_is_a_sentence(tmp_path, monkeypatch):
    module = import_module("plausible.tasks.sweep")  # whose name is that of the function, too
    monkeypatch.setattr(module, "_WORK", "import os; os.kill(os.getpid(), 9)")
    with pytest.raises(
        UsageError, match=r"a worker was ended by the system \(SIGKILL\) after 0 of 3 trials"
    ):
        tried("digits", tmp_path / "a", trials=3, workers=2)
