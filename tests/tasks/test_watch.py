"""A training as its folder shows it: how far, how fast, how long, and what was found wrong, at any moment of it."""

import json
import os
import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from plausible.core.errors import UsageError
from plausible.runs.checksums import write_noted
from plausible.tasks import Watched, fit, watch
from plausible.tasks.watch import State

KEPT = Path(__file__).parent.parent / "runs" / "kept"
NOW = 1_000_000_000.0


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run that has logged 31 of 400 rounds, one in 2 seconds, of 64 examples each, and was written to just now."""
    monkeypatch.setattr(import_module("plausible.tasks.watch").time, "time", lambda: NOW)
    place = tmp_path / "run"
    place.mkdir()
    config = json.loads((KEPT / "gan" / "config.json").read_text())
    config["training"] |= {"steps": 400, "minutes": None}
    (place / "config.json").write_text(json.dumps(config))
    log(place, [line(step) for step in (0, 10, 20, 30)])
    return place


def line(step, **more):
    said = {"discriminator": {"loss": 1.0 + step, "D(x)": 0.6}, "generator": {"loss": 0.7}}
    when = {"step": step, "images": 64 * step, "progress": step / 400, "seconds": 2.0 * step + 1}
    return {**when, **said, **more}


def log(place, lines, age=0.0):
    (place / "log.jsonl").write_text("".join(json.dumps(each) + "\n" for each in lines))
    written(place, age)


def written(place, age):
    """Everything was written so many seconds ago."""
    for path in place.iterdir():
        os.utime(path, (NOW - age,) * 2)


def change(place, **training):
    config = json.loads((place / "config.json").read_text())
    config["training"] |= training
    write_noted(place / "config.json", json.dumps(config))
    written(place, 0.0)


def test_a_running_training_has_rates_and_an_end(folder):
    seen = watch(folder)
    assert isinstance(seen, Watched)
    assert (seen.state, seen.model, seen.data) == (State.RUNNING, "gan", "digits")
    assert (seen.rounds, seen.total, seen.progress) == (31, 400, 31 / 400)
    assert seen.rate == pytest.approx(0.5)
    assert seen.examples_rate == pytest.approx(32)
    assert seen.left == pytest.approx((400 - 31) / 0.5)
    assert seen.values == {"discriminator": {"loss": 31.0, "D(x)": 0.6}, "generator": {"loss": 0.7}}
    written(folder, 100)
    assert watch(folder).left == pytest.approx((400 - 31) / 0.5 - 100)


def test_the_speed_is_that_of_the_last_minute(folder):
    slow = [line(step) | {"seconds": 50.0 * step} for step in range(0, 100, 10)]
    quick = [line(100 + step) | {"seconds": 5000.0 + step} for step in range(0, 70, 10)]
    log(folder, slow + quick)
    assert watch(folder).rate == pytest.approx(1.0)


def test_a_budget_of_minutes_ends_by_the_clock(folder):
    change(folder, steps=None, minutes=2.0)
    seen = watch(folder)
    assert (seen.total, seen.progress) == (None, 61 / 120)
    assert seen.left == pytest.approx(120 - 61)


def test_half_of_a_line_is_not_read_and_nothing_is_changed(folder):
    whole = watch(folder)
    with (folder / "log.jsonl").open("a") as file:
        file.write(json.dumps(line(40))[:30])
    written(folder, 0.0)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    half = watch(folder)
    assert (half.rounds, half.rate, half.values) == (whole.rounds, whole.rate, whole.values)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_a_run_that_has_not_begun_has_no_rounds(folder):
    for content in (None, "", '{"step": 0'):
        (folder / "log.jsonl").unlink(missing_ok=True)
        if content is not None:
            (folder / "log.jsonl").write_text(content)
        seen = watch(folder)
        assert (seen.state, seen.rounds, seen.progress) == (State.NOT_BEGUN, 0, 0.0)
        assert (seen.rate, seen.left, seen.values, list(seen.curves)) == (None, None, {}, [])


def test_one_that_writes_no_more_was_stopped_and_a_slow_one_was_not(folder):
    written(folder, 700)
    stopped = watch(folder)
    assert (stopped.state, stopped.left, stopped.age) == (State.STOPPED, None, 700)
    log(folder, [line(step) | {"seconds": 100.0 * step} for step in (0, 1, 2)], age=700)
    assert watch(folder).state is State.RUNNING


def test_curves_are_arrays_by_name(folder):
    loss, said = watch(folder).curves
    steps, values = loss.lines["discriminator"]
    assert np.allclose(steps, [0, 10, 20, 30])
    assert np.allclose(values, [1, 11, 21, 31])
    assert said.percent
    assert set(said.lines) == {"of data"}


def test_what_was_found_stands_at_its_round(folder):
    lines = [line(0), line(10, alarms=["garbage"]), line(20, alarms=["oscillation"]), line(30, alarms=["garbage"])]  # fmt: skip
    log(folder, lines)

    def finding(name, severity, **evidence):
        return {"phenomenon": name, "severity": severity, "claim": f"{name}!", "evidence": evidence, "remedy": ""}  # fmt: skip

    (folder / "findings.json").write_text(
        json.dumps(
            [
                finding("garbage", "failure"),
                finding("oscillation", "fine"),
                finding("not finite", "failure", step=24),
                finding("unused", "note"),
                finding("bound gap", "warning"),  # of plausible diagnose
            ]
        )
    )
    raised = [
        (each.step, each.finding.phenomenon, str(each.finding.severity))
        for each in watch(folder).raised
    ]
    assert raised == [
        (21, "oscillation", "fine"),
        (25, "not finite", "failure"),
        (31, "garbage", "failure"),
        (None, "bound gap", "warning"),
    ]
    (folder / "findings.json").unlink()
    assert [each.finding.phenomenon for each in watch(folder).raised] == ["oscillation", "garbage"]


def test_one_that_was_finished_runs_again_when_it_gets_more_rounds(tmp_path):
    run = fit("gan", make_plane(), steps=12, width=4, out=tmp_path / "r").run
    done = watch(run)
    assert (done.state, done.rounds, done.progress, done.left) == (State.FINISHED, 12, 1.0, None)
    assert done.verdict is None
    run.write("measures.json", json.dumps({"verdict": {"state": "FAIL"}, "measures": []}))
    change(run.folder, steps=24)
    for path in run.folder.iterdir():
        os.utime(path)
    again = watch(run)  # whose config.json was read before
    assert (again.state, again.total, again.progress) == (State.RUNNING, 24, 0.5)
    assert again.verdict == "FAIL"


def make_plane():
    return np.random.default_rng(0).normal(size=(60, 2)).astype("float32")


@pytest.mark.parametrize("name", ["gan", "vae", "rbm", "pixelcnn", "mixture"])
def test_runs_of_older_code_are_watched_too(name, tmp_path):
    seen = watch(shutil.copytree(KEPT / name, tmp_path / name))
    assert seen.rounds > 0
    assert seen.curves
    assert all(len(steps) == len(values) for each in seen.curves for steps, values in each.lines.values())  # fmt: skip


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is not a run: it holds no config"):
        watch(tmp_path)
