"""The walk of a Markov chain as an animation, and how well it mixes, of both families that have one."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.conftest import ask, make_data, refused

import plausible
from plausible import GSN, RBM, Settings, Space, runs, train
from plausible.core.mcmc import measure_mixing, random_projections
from plausible.diagnosis import Severity, chain_mixing, run_checks
from plausible.evaluation.measure import metrics
from plausible.evaluation.metrics import mixing

KINDS = {"rbm": RBM, "gsn": GSN}
SMALL = {"rbm": {"hidden": 8}, "gsn": {"width": 32}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs a few steps old."""
    root = tmp_path_factory.mktemp("chains")
    digits = plausible.load("digits", plausible.Options(binarise="threshold"))
    for name, kind in KINDS.items():
        torch.manual_seed(0)
        model = kind(digits.space, kind.Config(conditional=name == "gsn", **SMALL[name]))
        training = train(model, digits, Settings(steps=5))
        list(training)
        run = runs.create(root / name, training)
        runs.save(run, training)
    return root


@pytest.fixture(autouse=True)
def _there(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for module in (mixing, chain_mixing):
        monkeypatch.setattr(module, "_STEPS", 200)


@pytest.mark.parametrize("name", KINDS)
def test_the_walk_of_a_chain_is_an_animation(name):
    ask("sample", name, "--chain", f"{name}.gif", "-n", 4, "--steps", 6)
    movie = Image.open(f"{name}.gif")
    assert movie.n_frames == 7
    assert movie.size[0] > 59


def test_one_place_to_write_and_a_chain_to_show(capsys, folder):
    assert "--out" in refused(capsys, "sample", "rbm")
    assert "--out" in refused(capsys, "sample", "rbm", "--out", "a.png", "--chain", "a.gif")
    assert ".gif" in refused(capsys, "sample", "rbm", "--chain", "a.png")
    digits = plausible.load("digits")
    training = train(plausible.NaiveBayes(digits.space), digits, Settings())
    list(training)
    run = runs.create(folder / "counts", training)
    runs.save(run, training)
    assert "has none" in refused(capsys, "sample", "counts", "--chain", "a.gif")


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_evaluation_and_diagnosis_say_how_chains_mix(name):
    ask("diagnose", name)
    found = json.loads(Path(name, "findings.json").read_text())
    assert "chain mixing" in [finding["phenomenon"] for finding in found]
    model, data = runs.Run(name).model(), plausible.load("digits", runs.Run(name).options)
    report = plausible.evaluate(model, data, n=100)
    assert report["split R-hat"].value > 0.9
    assert 1 <= report["autocorrelation time"].value <= 101
    assert 1 <= report["modes per 1,000 steps"].value <= 10


class Stuck(RBM):
    """A chain that never leaves where it began."""

    name = "stuck"

    def transition(self, x, y=None, generator=None):
        return x


def test_a_chain_that_stays_where_it_began_is_found_out():
    space = Space((1, 4, 4), 2)
    data = make_data(space, 300)
    severity = {}
    for kind in (RBM, Stuck):
        model = kind(space)
        model.setup(data.train)
        (said,) = [f for f in run_checks(model, data) if f.phenomenon == "chain mixing"]
        severity[kind] = said.severity
    assert severity == {RBM: Severity.FINE, Stuck: Severity.WARNING}
    assert metrics["mixing"].needs is not None


def test_chains_that_keep_their_labels_need_not_agree_across_them():
    """The label decides the colour of most pixels: chains of two labels never meet, as they should not."""
    space = Space((1, 4, 4), 2, 2)
    data = make_data(space, 900)
    most = torch.rand(data.train.values.shape, generator=torch.Generator().manual_seed(0)) < 0.8
    colour = data.train.y[:, None, None, None].to(torch.uint8)
    data.train.values[:] = torch.where(most, colour, 1 - colour)
    model = RBM(space, RBM.Config(conditional=True))
    for _ in train(model, data, Settings(steps=300)):
        pass
    way, kept = mixing.chain_states(model, 64, 200, torch.Generator().manual_seed(0))
    f = way.flatten(2) @ random_projections(16)
    assert measure_mixing(f).r_hat > 1.2
    assert measure_mixing(f, kept).converged
