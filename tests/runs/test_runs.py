"""A run is a folder that survives: Ctrl-C, kill -9, a new process, a second training."""

import json
import os
import signal
import sys
import time
from dataclasses import replace
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.conftest import Forked, ask

from plausible import runs
from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.diagnosis import Monitor
from plausible.models import GAN
from plausible.runs.files import write
from plausible.tasks.fit_steps import Diverged, Failed, fit_steps
from plausible.training import Settings, train


@pytest.fixture
def source(tmp_path):
    """A file of 60 tiny images, without labels so that no judge is needed."""
    codes = np.random.default_rng(0).integers(0, 2, (60, 1, 2, 2), dtype=np.uint8)
    np.savez(tmp_path / "tiny.npz", x=codes, levels=2)
    return tmp_path / "tiny.npz"


def begun(source, steps=12, **config):
    data = load(str(source))
    model = runs.build("gan", GAN.Config(batch=8, width=16, **config), data.space, 0)
    return train(model, data, Settings(steps=steps))


def weights(folder):
    return safetensors.torch.load_file(folder / "weights.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_a_followed_run_holds_its_files_and_opens_as_it_was(source, tmp_path):
    training = begun(source)
    run = runs.create(tmp_path / "run", training)
    steps = list(fit_steps(run, training))
    assert {p.name for p in run.folder.iterdir()} == {
        "checksums.json",
        "config.json",
        "weights.safetensors",
        "state.pt",
        "log.jsonl",
    }
    again = runs.Run(tmp_path / "run")
    assert again.config == json.loads((run.folder / "config.json").read_text())
    assert again.config["data"]["hashes"] == training.data.hashes
    assert again.space == training.raw.space
    assert again.settings == training.settings
    assert again.data().hashes == training.data.hashes
    assert same(again.model().state_dict(), training.averaged.state_dict())
    lines = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [0, 10, 11]
    assert lines[-1]["generator"] == steps[-1].values()["generator"]


def test_a_training_imports_no_compiler_of_torch(source, tmp_path, monkeypatch):
    monkeypatch.delitem(vars(torch), "_dynamo", raising=False)
    for name in ("torch._dynamo", "torch.fx.experimental.symbolic_shapes"):
        monkeypatch.setitem(sys.modules, name, None)  # to import it is an error
    training = begun(source, steps=2)  # with penalties
    run = runs.create(tmp_path / "run", training)
    list(fit_steps(run, training))
    assert len(list(runs.resume(run, replace(run.settings, steps=4)))) == 2


def test_an_existing_folder_is_never_overwritten(source, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "precious").write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"):
        runs.create(tmp_path / "run", begun(source))
    assert (tmp_path / "run" / "precious").read_text() == "mine"


@pytest.mark.slow
def test_what_was_saved_goes_on_bit_for_bit(source, tmp_path, capsys):
    whole = begun(source)
    runs.save(runs.create(tmp_path / "whole", whole), whole)
    list(fit_steps(runs.Run(tmp_path / "whole"), whole))
    first = begun(source)
    run = runs.create(tmp_path / "part", first)
    for step in fit_steps(run, first):
        if step.clock.step == 4:  # a consumer that stops in the middle ...
            runs.save(run, first)
            break
    ask("resume", run.folder)  # ... and another, which knows nothing but the folder
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "part"))
    states = [
        torch.load(tmp_path / name / "state.pt", weights_only=True) for name in ("whole", "part")
    ]
    assert same(states[0]["raw"], states[1]["raw"])
    assert states[0]["draws"] == states[1]["draws"]
    assert torch.equal(states[0]["random"][0], states[1]["random"][0])
    for a, b in zip(states[0]["optimizers"], states[1]["optimizers"], strict=True):
        for one, other in zip(a["state"].values(), b["state"].values(), strict=True):
            assert same(one, other)
    steps = [json.loads(x)["step"] for x in (run.folder / "log.jsonl").read_text().splitlines()]
    assert steps == [0, 10, 11]
    assert (run.folder / "samples.png").exists()
    assert "In plain words" in capsys.readouterr().out


@pytest.mark.slow
def test_interrupted_and_killed_it_resumes_to_the_same_end(source, tmp_path):
    run = tmp_path / "run"
    log = run / "log.jsonl"

    def struck(blow, *command):
        """What a process said that was struck when it had logged a few lines."""
        before = log.read_text().count("\n") if log.exists() else 0
        process = Forked(tmp_path / "out", *command)
        deadline = time.time() + 200
        while time.time() < deadline and not (
            log.exists() and log.read_text().count("\n") > before + 3
        ):
            time.sleep(0.01)
        process.send_signal(blow)
        return process.finish()

    flags = ["--data", source, "--steps", 240, "--batch", 8, "--width", 16]
    out, code = struck(signal.SIGINT, "train", "gan", *flags, "--out", run)
    assert code == 130
    assert f"plausible resume {run}" in out
    steps = torch.load(run / "state.pt", weights_only=True)["steps"]
    assert 0 < steps < 240
    assert struck(signal.SIGKILL, "resume", run)[1] == -signal.SIGKILL
    state = torch.load(run / "state.pt", weights_only=True)  # whole, whenever the blow fell
    assert steps <= state["steps"] < 240
    out, code = Forked(tmp_path / "out", "resume", run, "--no-evaluate").finish()
    assert code == 0, out
    training = begun(source, steps=240)
    list(training)
    assert same(weights(run), training.averaged.state_dict())


def test_a_new_total_stretches_the_schedules(source, tmp_path):
    training = begun(source, steps=4)
    run = runs.create(tmp_path / "run", training)
    list(fit_steps(run, training))
    longer = runs.resume(run, replace(run.settings, steps=8))
    assert longer.clock.progress == 0.5
    assert [step.clock.step for step in fit_steps(run, longer)] == [4, 5, 6, 7]
    assert runs.Run(run.folder).settings.steps == 8


def test_changed_data_are_noticed(source, tmp_path):
    training = begun(source)
    run = runs.create(tmp_path / "run", training)
    runs.save(run, training)
    np.savez(source, x=np.zeros((60, 1, 2, 2), dtype=np.uint8), levels=2)
    with pytest.raises(UsageError, match="changed since"):
        runs.resume(run, run.settings)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.json", None, "is not a run"),
        ("config.json", "{", "is damaged"),
        ("weights.safetensors", None, "nothing was saved"),
        ("weights.safetensors", "rubbish", "is damaged"),
    ],
)
def test_a_damaged_run_says_what_is_wrong(source, tmp_path, name, content, sentence):
    training = begun(source)
    run = runs.create(tmp_path / "run", training)
    runs.save(run, training)
    (run.folder / name).unlink()
    if content is not None:
        (run.folder / name).write_text(content)
    with pytest.raises(UsageError, match=sentence):
        runs.Run(run.folder).model()


def test_a_write_leaves_the_old_file_or_the_new_one(tmp_path, monkeypatch):
    path = tmp_path / "file"
    runs.write(path, "old")

    def crash(*args):
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="full"):
        runs.write(path, "new and longer")
    assert path.read_text() == "old"


def test_divergence_stops_the_run_with_a_sentence_and_keeps_the_last_save(source, tmp_path):
    training = begun(source)
    run = runs.create(tmp_path / "run", training)

    def play():
        for step in fit_steps(run, training):
            if step.clock.step == 2:
                with torch.no_grad():
                    next(training.raw.generator.parameters()).fill_(float("nan"))

    with pytest.raises(Diverged, match=r"of the (discriminator|generator) is nan at step"):
        play()
    assert all(value.isfinite().all() for value in weights(run.folder).values())


def test_a_number_that_is_not_finite_rolls_back_once_with_a_smaller_step_then_stops(
    source, tmp_path
):
    training = begun(source, steps=40)
    run = runs.create(tmp_path / "run", training)
    told, poisoned = [], []

    def play(times):
        for step in fit_steps(run, training, Monitor(training), on_finding=told.append):
            if step.clock.step == 20 and len(poisoned) < times:
                poisoned.append(step.clock.step)
                with torch.no_grad():
                    next(training.raw.discriminator.parameters()).fill_(float("nan"))

    play(1)
    assert training.finished
    (finding,) = [one for one in told if one.phenomenon == "not finite"]
    assert finding.evidence["step"] == 21
    assert "discriminator." in finding.evidence["gradients that are not finite"]
    assert training.state_dict()["lr_factor"] == 0.5
    assert "not finite" in (run.folder / "findings.json").read_text()
    log = (run.folder / "log.jsonl").read_text()
    assert "NaN" not in log
    steps = [json.loads(line)["step"] for line in log.splitlines()]
    assert steps == sorted(set(steps))
    assert all(value.isfinite().all() for value in weights(run.folder).values())


@pytest.mark.parametrize("choice", ["warn", "stop"])
def test_what_was_not_finite_is_told_and_kept_when_it_ends_the_training(
    source, tmp_path, choice, capsys
):
    training = begun(source, steps=40)
    run = runs.create(tmp_path / "run", training)
    told = []

    def play():
        for step in fit_steps(run, training, Monitor(training), choice, told.append):
            if step.clock.step == 20:
                runs.save(run, training)
                with torch.no_grad():
                    next(training.raw.discriminator.parameters()).fill_(float("nan"))

    with pytest.raises(Diverged):
        play()
    assert [one.phenomenon for one in told] == ["not finite"]
    ask("diagnose", run.folder)  # which keeps it, though no line of the log shows it
    assert "not finite" in capsys.readouterr().out
    assert "not finite" in (run.folder / "findings.json").read_text()


class Elsewhere:
    """A training that says that it is not on the CPU."""

    device = SimpleNamespace(type="other")

    def __init__(self, training):
        self._training = training

    def __iter__(self):
        return iter(self._training)

    def __getattr__(self, name):
        return getattr(self._training, name)


def test_where_numbers_are_read_seldom_a_broken_round_is_not_saved(source, tmp_path, monkeypatch):
    """On a GPU loss and gradients are looked at every 10 rounds only, and a save may fall between."""
    training = begun(source, steps=40)
    run = runs.create(tmp_path / "run", training)
    monkeypatch.setattr(import_module("plausible.tasks.fit_steps"), "_SAVE_EVERY", 0.0)
    monkeypatch.setattr(import_module("plausible.tasks.fit_steps"), "_SAVE_SHARE", 0)

    bad = []
    next(training.raw.discriminator.parameters()).register_hook(
        lambda slope: slope * float("nan") if bad else slope
    )

    def play():
        for step in fit_steps(run, Elsewhere(training), None, "warn"):
            if step.clock.step == 22:
                bad.append(step)

    with pytest.raises(Diverged, match="at step 30"):
        play()
    assert all(value.isfinite().all() for value in weights(run.folder).values())
    assert torch.load(run.folder / "state.pt", weights_only=True)["steps"] == 23


def test_a_run_that_goes_on_unwatched_keeps_its_last_weights_alone(source, tmp_path):
    training = begun(source, steps=20)
    run = runs.create(tmp_path / "run", training)
    list(fit_steps(run, training, Monitor(training)))
    assert (run.folder / "last.safetensors").exists()
    again = runs.resume(run, Settings(steps=30))
    list(fit_steps(run, again))
    assert not (run.folder / "last.safetensors").exists()
    assert run.steps("best") == run.steps("last") == 30


@pytest.mark.parametrize("last", [10, 11])  # one that is logged in any case, and one that is not
def test_when_the_time_ends_the_last_round_is_looked_at(source, tmp_path, monkeypatch, last):
    now = [0.0]
    monkeypatch.setattr(
        "plausible.training.loop.time", SimpleNamespace(perf_counter=lambda: now[0])
    )
    data = load(str(source))
    torch.manual_seed(0)
    training = train(GAN(data.space, GAN.Config(width=8)), data, Settings(minutes=1))
    run = runs.create(tmp_path / "run", training)
    for step in fit_steps(run, training, Monitor(training)):
        now[0] = 60.0 * (step.clock.step == last)
    assert step.clock.step == last
    *_, before, line = map(json.loads, (run.folder / "log.jsonl").read_text().splitlines())
    assert before["step"] < line["step"] == last
    assert line["probes"]


def test_stop_stops_at_a_failure_and_says_which_and_what_to_do(source, tmp_path):
    training = begun(source, steps=400, lr_discriminator=1e-30)
    run = runs.create(tmp_path / "run", training)
    with pytest.raises(Failed, match=r"discriminator does not move.*--lr-discriminator"):
        list(fit_steps(run, training, Monitor(training), "stop"))
    assert not training.finished
    assert (run.folder / "state.pt").exists()


def test_a_watched_run_keeps_the_best_and_the_last_weights(source, tmp_path):
    training = begun(source, steps=60)
    run = runs.create(tmp_path / "run", training)
    monitor = Monitor(training)
    list(fit_steps(run, training, monitor))
    assert run.steps("last") == 60
    assert run.steps("best") == monitor.best_steps
    best, last = (run.model(which=which).state_dict() for which in ("best", "last"))
    assert same(best, dict(monitor.best))
    assert same(last, dict(training.averaged.state_dict()))


def test_a_link_in_the_place_of_a_temporary_file_is_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    (tmp_path / f".a.json.{os.getpid()}").symlink_to(elsewhere)
    write(tmp_path / "a.json", "new")
    assert elsewhere.read_text() == "kept"
    assert (tmp_path / "a.json").read_text() == "new"
    assert not (tmp_path / "a.json").is_symlink()
