"""What a person reads at the end of plausible train and plausible evaluate: what it means, and what to do."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ask


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def text_of(capsys):
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_a_run_ends_with_advice_that_can_be_copied(capsys, made):
    ask("evaluate", made["digits"], "-n", "80", "--out", "found")
    text = text_of(capsys)
    advice = json.loads(Path("found/measures.json").read_text())["advice"]
    assert text.index("In plain words") < text.index("Did it learn the distribution?")
    assert advice["state"] == "FAIL"
    assert advice["wrong"] in text
    assert advice["limit"] == "time"
    assert "In plain words: 2 rounds of about 1,500: too short to judge" in text
    assert f"plausible resume {made['digits']} --steps 1500" in text


@pytest.mark.slow
def test_samples_of_another_program_get_advice_without_a_run(capsys):
    values = np.random.default_rng(0).normal(size=(400, 2))
    np.savetxt("far.csv", values + 9, delimiter=",", header="a,b", comments="")
    ask("evaluate", "--samples", "far.csv", "--data", "moons", "--out", "found", "-n", "200")
    text = text_of(capsys)
    advice = json.loads(Path("found/measures.json").read_text())["advice"]
    assert advice["defect"] == "garbage"
    assert "About 100% of the samples are like nothing in the data" in text
    assert "usually comes from" in text
    assert advice["limit"] is None
    assert advice["next"] == []


@pytest.mark.slow
def test_a_training_ends_with_advice(capsys):
    two = np.random.default_rng(0).normal(size=(600, 2)) + 6 * (np.arange(600) % 2)[:, None]
    np.save("two.npy", two)
    ask("train", "mixture", "--data", "two.npy", "--components", "1", "--out", "r")
    text = text_of(capsys)
    advice = json.loads(Path("r/measures.json").read_text())["advice"]
    assert advice["state"] == "FAIL"
    assert "fitted to its end at once" in text
    assert "--components 2 (now 1)" in text
    assert re.search(r"plausible train mixture --data \S*two.npy --components 2", text)
