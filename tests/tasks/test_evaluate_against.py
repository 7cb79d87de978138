"""``evaluate --against``: runs, samples of other programs and points, by the same held-out data."""

import json
from importlib import import_module

import numpy as np
import pytest
import torch
from tests.conftest import ask, refused

import plausible
from plausible.core.errors import UsageError
from plausible.evaluation.paired import Answer
from plausible.tasks import evaluate_against


@pytest.fixture(scope="module")
def digits():
    return plausible.load("digits")


def halves(data, n=60):
    x = data.train.as_batch().x[: 2 * n]
    return x[:n], x[n:]


def test_a_darker_sampler_is_worse_in_brightness_and_in_what_a_critic_sees(digits):
    first, second = halves(digits)
    found = evaluate_against(first, 0.6 * second, digits)
    answers = {result.name: result.answer for result in found.results}
    assert answers["brightness or contrast"] is Answer.A
    assert answers["anything else"] is Answer.A
    assert found.of(Answer.B) == []
    assert (found.names, found.n, found.heldout) == (("A", "B"), 60, 60)
    assert "A is better in" in str(found)


@pytest.mark.slow
def test_log_p_is_compared_where_both_say_it(digits):
    exact = plausible.fit("naive-bayes", digits)
    other = plausible.fit("gan", digits, steps=1, width=4, watch=False)
    found = evaluate_against(exact, plausible.fit("naive-bayes", digits), digits, n=40)
    assert found.log_prob == (0.0, 0.0)
    assert found.log_prob_note == "both exact"
    assert evaluate_against(exact, other, digits, n=40).log_prob is None


def test_runs_of_other_data_are_not_compared(tmp_path):
    a, b = (
        plausible.fit("mixture", np.random.default_rng(seed).normal(size=(60, 2)), components=1)
        for seed in (0, 1)
    )
    with pytest.raises(UsageError, match="hold out other data"):
        evaluate_against(a, b)
    with pytest.raises(UsageError, match="draws no samples"):
        evaluate_against(plausible.fit("logistic", "moons", steps=1), torch.zeros(9, 2))


@pytest.mark.slow
def test_the_command_compares_a_run_with_samples_of_another_program(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    moons = plausible.load("moons")
    plausible.fit("mixture", moons, components=2, out="run")
    wide = moons.train.as_batch().x[:200] * torch.tensor([1.5, 1.0])
    np.savez("wide.npz", x=wide.numpy())
    with pytest.raises(SystemExit) as end:
        ask("evaluate", "run", "--against", "wide.npz", "--n", 200, "--strict")
    said = capsys.readouterr().out
    kept = json.loads((tmp_path / "run" / "against-wide.json").read_text())
    better = {r["name"] for r in kept["results"] if r["answer"] == "A is better"}
    assert "anything else" in better
    assert kept["n"] == 200
    assert "Which is better?" in said
    assert "B  wide.npz" in said
    assert kept["sentence"][:20] in " ".join(said.split())
    assert end.value.code in (0, 1, 3)


def test_what_cannot_be_compared_is_refused_in_a_sentence(made, capsys):
    said = refused(capsys, "evaluate", made["ring"], "--against", "nowhere")
    assert "--against nowhere does not exist" in said
    said = refused(
        capsys, "evaluate", made["ring"], "--against", made["ring"], "--outliers", "moons"
    )
    assert "--outliers asks one model" in said


def test_samples_of_two_programs_are_compared_by_data_that_are_read_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    points = np.random.default_rng(0).normal(size=(300, 2)).astype("float32")
    for name, x in (("data", points), ("a", points[:90]), ("b", 3 * points[:90])):
        np.savez(f"{name}.npz", x=x)
    module, read = import_module("plausible.tasks.evaluate_against"), []

    def load(*args):
        read.append(args[0])
        return plausible.load(*args)

    monkeypatch.setattr(module, "load", load)
    found = evaluate_against("a.npz", "b.npz", "data.npz", n=80)
    assert read == ["data.npz"]
    assert found.names == ("a.npz", "b.npz")
    assert {"garbage", "too wide"} & {result.name for result in found.of(Answer.A)}
    assert any("b.npz" in note or "samples against" in note for note in found.notes)
    with pytest.raises(UsageError, match="need the data that they imitate"):
        evaluate_against("a.npz", "b.npz")
