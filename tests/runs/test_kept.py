"""Runs that code before the change of rooms and words has made, commit 295bdfa, still open, draw, judge and go on.

kept/NAME is such a run, without the state that it would resume from but for the gan's, whose discriminator was frozen;
the vae's KL counted 200 times.  Their findings.json, and expected.json and expected.npz beside them, are what that
code said and drew.
"""

import json
import shutil
from collections import Counter
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import ask

import plausible
from plausible import runs
from plausible.evaluation.metrics import distances

KEPT = Path(__file__).parent / "kept"
NAMES = ["gan", "vae", "rbm", "pixelcnn", "mixture"]
EXPECTED = json.loads((KEPT / "expected.json").read_text())
ARRAYS = np.load(KEPT / "expected.npz")
# as users have them, before fixtures.py makes them fewer
BOUND_GAP = import_module("plausible.diagnosis.bound_gap")
EXAMPLES, SIZES = BOUND_GAP._FEW, distances._SIZES
VAE = import_module("plausible.models.vae.vae")


@pytest.fixture
def copied(request, tmp_path):
    """A run that may be written to."""
    return Path(shutil.copytree(KEPT / request.param, tmp_path / request.param))


def seeded():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_draws_the_same_samples(name):
    model = plausible.Run(KEPT / name).model()
    batch = model.sample(8, generator=seeded())
    x = ARRAYS[f"{name} x"]
    if model.space.levels:
        x = x / np.float32(model.space.levels - 1)
    assert np.allclose(batch.x, x, atol=1e-6)
    if batch.y is not None:
        assert batch.y.tolist() == ARRAYS[f"{name} y"].tolist()


@pytest.mark.parametrize("name", [name for name in NAMES if "log_prob" in EXPECTED[name]])
def test_the_same_inputs_are_as_probable(name):
    run = plausible.Run(KEPT / name)
    x = run.data().heldout.batch(slice(0, 8)).x
    with torch.no_grad():
        found = run.model().log_prob(x, generator=seeded())
    assert found.nats.tolist() == pytest.approx(EXPECTED[name]["log_prob"], rel=1e-4)
    assert found.kind.value == EXPECTED[name]["kind"]


@pytest.mark.parametrize("which", ["best", "last"])
def test_the_best_and_the_last_weights_are_told_apart(which):
    run = plausible.Run(KEPT / "gan")
    assert run.steps(which) <= 60
    assert run.model(which=which).sample(1, generator=seeded()).x.shape == (1, 1, 8, 8)


def test_a_resumed_run_goes_on_to_the_same_weights(tmp_path):
    run = runs.Run(shutil.copytree(KEPT / "gan", tmp_path / "gan"))
    lines = (run.folder / "log.jsonl").read_text()
    training = runs.resume(run, replace(run.settings, steps=70))
    assert [step.clock.step for step in training] == list(range(60, 70))
    raw = training.state_dict()["raw"]
    kept = {key.removeprefix("resumed "): ARRAYS[key] for key in ARRAYS if "resumed" in key}
    for key, values in kept.items():
        assert np.allclose(raw[key], values, rtol=1e-4, atol=1e-5), key
    assert (run.folder / "log.jsonl").read_text() == lines  # nothing of it is played again


def told(findings):
    """How grave each finding is, and the numbers it rests on, whatever they are called."""
    return Counter(
        (
            one["severity"],
            tuple(sorted(f"{v:.3g}" for v in one["evidence"].values() if isinstance(v, float))),
        )
        for one in findings
    )


FAILURES = {"gan": ["frozen player"], "vae": ["posterior collapse"], "pixelcnn": []}


@pytest.mark.slow
@pytest.mark.parametrize("copied", FAILURES, indirect=True)
def test_a_diagnosis_reads_the_log_and_says_the_same(copied, monkeypatch):
    monkeypatch.setattr(BOUND_GAP, "_FEW", EXAMPLES)
    # of 100, which say the same where z says nothing
    monkeypatch.setattr(VAE, "_DRAWS", 20)
    before = json.loads((copied / "findings.json").read_text())
    # what is called overfitting today, of which the check of the trained model knows more than the alarm
    before = [one for one in before if one["check"] != "learning by heart"]
    (copied / "findings.json").unlink()
    ask("diagnose", copied)
    after = json.loads((copied / "findings.json").read_text())
    assert told(after) == told(before)
    failed = [one["phenomenon"] for one in after if one["severity"] == "failure"]
    assert failed == FAILURES[copied.name]


@pytest.mark.scheduled  # each measure and each defect has tests of its own
def test_an_evaluation_measures_the_same(monkeypatch, tmp_path):
    # a cache of its own: another test's command may have trained it on two threads, which rounds differently
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path))
    classifier = import_module("plausible.tasks.reference_classifier")
    monkeypatch.setattr(classifier, "_STEPS", 1500)  # as users have it, see fixtures.py
    monkeypatch.setattr(distances, "_SIZES", SIZES)
    run = plausible.Run(KEPT / "mixture")
    report = plausible.evaluate(
        run.model(), run.data(), n=400, features=lambda x: x.flatten(1), seed=0
    )
    kept = EXPECTED["mixture"]
    found = {m.name: m.value for m, _ in report.measures if m.value is not None}
    assert found.keys() >= kept["measures"].keys()  # and those that came later
    found = {name: found[name] for name in kept["measures"]}
    assert found == pytest.approx(kept["measures"], rel=1e-3, abs=1e-5)
    verdict = report.verdict.to_dict()
    states = {"state": verdict["state"], **{d["name"]: d["state"] for d in verdict["defects"]}}
    # today a critic is asked, for which 400 examples are too few, and shares may be off by less
    unsure = dict.fromkeys(("anything else", "uneven modes"), "INCONCLUSIVE")
    expected = {**kept["verdict"], **unsure}
    assert {name: states[name] for name in expected} == expected
