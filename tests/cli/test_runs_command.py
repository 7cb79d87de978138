"""plausible runs, and folders of runs: where one may be made, and that nothing refused leaves one behind."""

import json
import os
import time
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ask, refused

import plausible
from plausible.core.errors import UsageError
from plausible.runs import Run


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("plane.npz", x=np.random.default_rng(0).normal(size=(60, 2)))


def stopped(out, steps=8):
    """A run that was stopped half-way."""
    run = plausible.fit("gan", "plane.npz", steps=steps // 2, width=4, out=out).run
    config = json.loads((run.folder / "config.json").read_text())
    config["training"]["steps"] = steps
    run.write("config.json", json.dumps(config))
    return run


def test_runs_are_listed_with_model_data_state_and_verdict(capsys):
    plausible.fit("mixture", "plane.npz", components=1, out="runs/done")
    (Path("runs/done") / "measures.json").write_text(
        json.dumps({"verdict": {"state": "FAIL"}, "measures": []})
    )
    short = {"verdict": {"state": "FAIL"}, "measures": [], "advice": {"too_short": "4 rounds"}}
    half = stopped("runs/deep/half").folder
    (stopped("runs/short").folder / "measures.json").write_text(json.dumps(short))
    for path in half.iterdir():
        os.utime(path, (time.time() - 7201,) * 2)
    Path("runs/broken").mkdir()
    Path("runs/broken/config.json").write_text("{")
    Path("runs/other").mkdir()
    Path("runs/other/config.json").write_text('{"a program": "of another kind"}')
    ask("runs")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0][:2] == ["in", "runs"]
    by_name = {row[0]: " ".join(row[1:]) for row in rows[1:]}
    assert by_name.keys() == {"done", "deep/half", "short", "broken"}
    assert "at 50% too short" in by_name["short"]
    assert by_name["done"].startswith("mixture plane finished FAIL")
    assert by_name["deep/half"] == "gan plane stopped at 50% not judged 2 hours"
    assert "config.json cannot be read" in by_name["broken"]
    assert [row.folder.name for row in plausible.list_runs("runs")][
        -1
    ] == "half"  # the last saved first
    assert plausible.list_runs("runs/deep")[0].progress == 0.5


def test_a_folder_without_runs_is_said_and_a_wrong_one_refused(capsys):
    assert "runs does not exist" in refused(capsys, "runs")
    assert "plane.npz is a file" in refused(capsys, "runs", "plane.npz")
    ask("runs", ".")
    assert "no runs in ." in capsys.readouterr().out
    with pytest.raises(UsageError, match="nowhere does not exist"):
        plausible.list_runs("nowhere")


def test_a_run_may_be_made_in_an_empty_folder_and_in_no_other(capsys):
    flags = ["train", "mixture", "--data", "plane.npz", "--components", "1", "--no-evaluate"]
    Path("empty").mkdir()
    ask(*flags, "--out", "empty")
    assert Run("empty").progress == 1
    assert "never overwritten" in refused(capsys, *flags, "--out", "empty")
    assert "never overwritten" in refused(capsys, *flags, "--out", "plane.npz")
    with pytest.raises(UsageError, match="cannot be created"):
        plausible.fit("mixture", "plane.npz", components=1, out="plane.npz/run")


@pytest.mark.parametrize(
    "flags",
    [
        ["mixture", "--components", "50"],  # refused at the first step
        ["rbm"],  # when the model is built
        ["gan", "--augment", "color"],
        ["vae", "--per-class"],
        ["gan", "--steps", "0"],
    ],
    ids=" ".join,
)
def test_what_is_refused_leaves_no_folder(capsys, flags):
    refused(capsys, "train", *flags, "--data", "plane.npz", "--out", "deep/runs/r")
    assert not Path("deep").exists()
    Path("mine").mkdir()
    refused(capsys, "train", *flags, "--data", "plane.npz", "--out", "mine")
    assert not list(Path("mine").iterdir())  # which was there before, and stays
