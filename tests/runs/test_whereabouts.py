"""Data of a run that moved, grew or changed: found, or the sentence that fits what was asked."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ask, refused

import plausible
from plausible.core.errors import UsageError
from plausible.runs import Run
from plausible.runs.whereabouts import DataGone

X = np.random.default_rng(0).integers(0, 3, (80, 1, 4, 4)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(tmp_path):
    """A run in project/runs that learned from project/data/tiny.npz."""
    Path("project/data").mkdir(parents=True)
    keep("project/data/tiny.npz", X)
    made = plausible.fit("naive-bayes", "project/data/tiny.npz", out="project/runs/r").run
    return made


def keep(path, x):
    np.savez(path, x=x, y=np.arange(len(x)) % 2, levels=3)


def sentence(run, request="evaluate", source=None):
    with pytest.raises(DataGone) as gone:
        Run(run).data(source, request)
    return str(gone.value)


def test_data_that_moved_with_their_run_are_found(run):
    hashes = run.hashes
    Path("project").rename("elsewhere")
    data = Run("elsewhere/runs/r").data()
    assert data.hashes == hashes
    assert "are no longer at" in data.notes[-1]
    assert "elsewhere/data/tiny.npz" in data.notes[-1]


def test_data_below_the_current_folder_are_found(run, monkeypatch, tmp_path):
    shutil.copytree("project/runs/r", "given")
    Path("data").mkdir()
    Path("project/data/tiny.npz").rename("data/tiny.npz")
    assert Run("given").data().hashes == run.hashes
    monkeypatch.chdir("given")
    assert "say where they are with --data PATH" in sentence(".")


def test_of_others_in_the_place_of_the_data_it_is_said_that_they_are_others(run):
    Path("project").rename("elsewhere")
    keep("elsewhere/data/tiny.npz", 2 - X)
    said = sentence("elsewhere/runs/r")
    assert "are others: say where they are with --data PATH" in said


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("resume", "a run goes on with the data it began with"),
        ("evaluate", "plausible evaluate --samples"),
        ("diagnose", "leave out --data to go by the log"),
        ("score", "give the data as they were (--data PATH)"),
        ("inputs", "or files"),
    ],
)
def test_data_that_grew_have_the_sentence_of_what_was_asked(run, request_, words):
    keep("project/data/tiny.npz", np.concatenate([X, X[:20]]))
    said = sentence(run.folder, request_)
    assert "they have grown from 80 items to 100" in said
    assert words in said
    keep("project/data/tiny.npz", X[:60])
    assert "of 80 items 60 are left" in sentence(run.folder, request_)
    keep("project/data/tiny.npz", 2 - X)
    assert "have changed since" in (said := sentence(run.folder, request_))
    assert "grown" not in said


def test_data_that_cannot_be_read_any_more_are_gone_too(run):
    Path("project/data/tiny.npz").write_text("broken")
    assert "cannot be read as they were" in sentence(run.folder)
    findings = plausible.diagnose(run.folder)  # which goes by the log
    assert all("Traceback" not in finding.claim for finding in findings)


def test_nothing_that_answers_needs_the_data_once_it_was_judged(run, capsys):
    plausible.tasks.calibrated(run)
    vae = plausible.fit("vae", "project/data/tiny.npz", steps=2, width=8, latent=2, out="vae").run
    np.savez("two.npz", x=X[:2], levels=3)
    shutil.rmtree("project/data")
    for words in (
        ["classify", run.folder, "two.npz"],
        ["score", run.folder, "two.npz"],
        ["sample", vae.folder, "-n", "4", "--out", "s.png"],
        ["reconstruct", vae.folder, "two.npz", "--out", "back.png"],
        ["interpolate", vae.folder, "--between", "a.npy", "b.npy", "--out", "way.png"],
        ["diagnose", run.folder],
        ["diagnose", vae.folder],
    ):
        np.save("a.npy", X[0].astype(np.float32) / 2)
        np.save("b.npy", X[1].astype(np.float32) / 2)
        ask(*words)
    assert "the data of" in refused(capsys, "evaluate", vae.folder)
    said = refused(capsys, "reconstruct", vae.folder, "heldout:0", "--out", "x.png")
    assert said.startswith(
        "plausible: heldout:0 is an item of its data, and the data of vae are no longer at"
    )


def test_items_of_the_data_are_inputs_by_their_number(run, capsys):
    vae = plausible.fit("vae", "project/data/tiny.npz", steps=2, width=8, latent=2, out="vae").run
    keep("moved.npz", X)
    shutil.rmtree("project/data")
    np.savez("two.npz", x=X[:2], levels=3)
    ask(
        "reconstruct",
        "vae",
        "heldout:0-2",
        "two.npz",
        "train:1",
        "--data",
        "moved.npz",
        "--out",
        "r.npz",
    )
    assert np.load("r.npz")["x"].shape == (6, 1, 4, 4)
    trained = plausible.open_trained(vae, "moved.npz")
    found = plausible.tasks.inputs.as_inputs(["train:1", "heldout:0-1"], trained)
    assert found.names == ("train:1", "heldout:0", "heldout:1")
    assert found.part.values[0].equal(trained.data.train.values[1])
    with pytest.raises(UsageError, match="heldout:99 is none of 0 to"):
        plausible.reconstruct(trained, "heldout:99")


@pytest.mark.parametrize(
    "command", ["sample", "interpolate", "reconstruct", "complete", "classify", "score"]
)
def test_every_command_of_a_run_takes_data_and_checks_them(run, capsys, command):
    keep("moved.npz", X)
    keep("other.npz", 2 - X)
    np.savez("two.npz", x=X[:2], levels=3)
    folder = plausible.fit("vae", "project/data/tiny.npz", steps=1, width=8, out="vae").run.folder
    words = [command, folder, *(["two.npz"] if command not in ("sample", "interpolate") else [])]
    words += ["--rows", "2"] if command == "complete" else []
    words += [] if command in ("classify", "score") else ["--out", "x.png"]
    words[1] = run.folder if command in ("classify", "score") else folder
    assert "have changed since" in refused(capsys, *words, "--data", "other.npz")
    if command == "complete":  # a vae does not
        return
    ask(*words, "--data", "moved.npz")


def test_what_is_known_of_the_place_is_kept(run):
    kept = json.loads((run.folder / "config.json").read_text())["data"]
    assert kept["count"] == 80
    assert kept["from_run"] == "../../data/tiny.npz"
