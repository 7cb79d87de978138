"""What a person does, from Python: values come back, nothing is printed, and the command line shows the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import ask

import plausible
from plausible import runs
from plausible.cli.main import main
from plausible.core.errors import UsageError
from plausible.data.options import Options
from plausible.runs import Run
from plausible.tasks import (
    classify,
    complete,
    describe,
    diagnose,
    evaluate,
    evaluate_samples,
    fit,
    interpolate,
    interpolate_between,
    open_trained,
    reconstruct,
    resume,
    sample,
    sample_chain,
    score,
    surprisal,
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def gan():
    """A conditional GAN of the digits in memory, hardly trained."""
    return fit("gan", "digits", steps=12, width=4, conditional=True)


@pytest.fixture(scope="module")
def bayes():
    """Naive Bayes of the digits in memory."""
    return fit("naive-bayes", "digits")


@pytest.mark.slow
def test_a_notebook_cell_trains_judges_and_samples_the_digits_in_silence(capfd, tmp_path):
    gan = fit("gan", "digits", steps=12, width=4, conditional=True)
    drawn = sample(gan, 5, 3)
    assert drawn.x.shape == (5, 1, 8, 8)
    assert drawn.y.tolist() == [3] * 5
    report = evaluate(gan, n=60)
    assert report.verdict.state in ("FAIL", "INCONCLUSIVE")
    assert report["Frechet distance"].value > 0
    assert gan.run is None
    assert gan.finished
    assert not list(tmp_path.iterdir())  # nothing is left on the disk
    out, err = capfd.readouterr()
    assert out == err == ""


@pytest.mark.slow
def test_fit_is_what_the_command_does():
    ask("train", "gan", "--steps", 12, "--width", 4, "--seed", 5, "--no-evaluate", "--out", "typed")
    kept = fit("gan", "digits", steps=12, width=4, seed=5, out="called")
    alone = fit("gan", "digits", steps=12, width=4, seed=5)
    typed = Run("typed").model().state_dict()
    for model in (Run("called").model(), kept.model, alone.model):
        assert all(torch.equal(typed[name], value) for name, value in model.state_dict().items())
    configs = [json.loads(Path(name, "config.json").read_text()) for name in ("typed", "called")]
    assert configs[0] == configs[1]
    assert kept.run.folder == Path("called")


def test_fit_takes_a_class_or_a_model_and_data_in_memory():
    data = plausible.load("moons")
    config = plausible.GAN.Config(width=8)
    built = runs.build("gan", config, data.space, 0)
    by_class, by_model = fit(plausible.GAN, data, steps=3, width=8), fit(built, data, steps=3)
    a, b = by_class.model.state_dict(), by_model.model.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    with pytest.raises(UsageError, match="built already"):
        fit(built, data, steps=3, width=8)


def test_rounds_and_findings_are_passed_on_while_it_learns():
    steps = []
    fit("gan", "ring", steps=4, width=8, on_step=lambda step: steps.append(step.clock.step))
    assert steps == [0, 1, 2, 3]


def test_a_run_goes_on_from_python():
    fit("gan", "moons", steps=3, width=8, out="whole")
    more = resume("whole", steps=6)
    other = fit("gan", "moons", steps=6, width=8)
    assert more.finished
    assert Run("whole").settings.steps == 6
    assert {name for name in more.model.state_dict()} == {name for name in other.model.state_dict()}
    with pytest.raises(UsageError, match="nowhere"):
        resume("nowhere")


def test_a_misspelt_choice_or_preset_names_those_there_are():
    with pytest.raises(UsageError, match="did you mean 'width'"):
        fit("gan", "ring", steps=1, widht=8)
    with pytest.raises(UsageError, match="dcgan"):
        fit("gan", "digits", steps=1, preset="dcgna")
    with pytest.raises(UsageError, match="no presets"):
        fit("naive-bayes", "digits", preset="dcgan")
    Path("there").mkdir()
    Path("there/notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists"):
        fit("gan", "ring", steps=1, out="there")


def test_samples_are_those_of_the_command(made, gan):
    main(["sample", made["labelled"], "-n", "5", "--label", "3", "--seed", "2", "--out", "s.npz"])
    drawn = sample(made["labelled"], 5, "3", seed=2)
    codes = Run(made["labelled"]).space.codes(drawn.x).numpy()
    assert (np.load("s.npz")["x"] == codes).all()
    assert torch.equal(sample(gan, 4, seed=1).x, sample(gan, 4, seed=1).x)
    with pytest.raises(UsageError, match="out of range"):
        sample(gan, 4, "ten")
    with pytest.raises(UsageError, match="no samples"):
        sample(made["classifier"], 4)
    with pytest.raises(UsageError, match="one set of weights"):
        sample(gan, 4, weights="last")
    for wrong in (lambda: interpolate(gan, 0), lambda: interpolate(gan, 2, 1)):
        with pytest.raises(UsageError, match="at least"):
            wrong()


def test_walks_through_z(gan):
    assert interpolate(gan, 2, 5).shape == (2, 5, 1, 8, 8)
    with pytest.raises(UsageError, match="no latent z"):
        interpolate_between(fit("naive-bayes", "digits"), torch.zeros(2, 1, 8, 8))


@pytest.mark.slow
def test_from_an_input_to_its_code_and_back():
    vae = fit("vae", "digits", steps=3, width=16, latent=2)
    x = vae.data.heldout.as_batch().x[:6]
    found = reconstruct(vae, x)
    assert found.reconstruction.shape == x.shape
    assert found.rmse == pytest.approx((found.reconstruction - x).square().mean().sqrt().item())
    assert interpolate_between(vae, x[:2], 7).shape == (7, 1, 8, 8)
    with pytest.raises(UsageError, match="two inputs"):
        interpolate_between(vae, x[:3])
    assert diagnose(vae)


def test_the_rest_of_an_image_and_its_surprisal():
    cnn = fit("pixelcnn", "digits", steps=2, width=8, blocks=1)
    x = cnn.data.heldout.as_batch().x[:3]
    found = complete(cnn, x, rows=5, n=2)
    assert found.draws.shape == (3, 2, 1, 8, 8)
    assert torch.equal(found.draws[:, :, :, :5], x[:, None, :, :5].expand(-1, 2, -1, -1, -1))
    nats = surprisal(cnn, x)
    log_p = cnn.model.log_prob(x).nats
    assert torch.allclose(nats.flatten(1).sum(1).double(), -log_p.double(), atol=1e-3)
    with pytest.raises(UsageError, match="--rows"):
        complete(cnn, x, rows=8)


def test_which_class_and_how_plausible(bayes):
    x, y = bayes.data.heldout.as_batch().x[:40], bayes.data.heldout.y[:40]
    answers = classify(bayes, x, reject_cost=1.0, level=0.0)
    right = sum(answer.label == int(label) for answer, label in zip(answers, y, strict=True))
    assert right > 30
    rows = score(bayes, x)
    assert len(rows) == 40
    assert all(row.sign == "=" and 0 < row.p <= 1 for row in rows)
    with pytest.raises(UsageError, match="give its data"):
        classify(bayes.model, x)
    assert classify(bayes.model, x, bayes.data, reject_cost=1.0, level=0.0) == answers


def test_chains_from_where_they_begin():
    rbm = fit("rbm", "digits", options=Options(binarise="static"), steps=2, hidden=8)
    assert sample_chain(rbm, 3, 4).shape == (5, 3, 1, 8, 8)
    with pytest.raises(UsageError, match="Markov chain"):
        sample_chain(fit("naive-bayes", "digits"), 3)


def test_a_data_set_is_described(capsys):
    main(["data", "digits"])
    out = capsys.readouterr().out
    found = describe("digits")
    assert found.facts["shape"] == "1 x 8 x 8"
    assert all(value.split(",")[0] in out for value in found.facts.values())
    assert found.examples.shape[1:] == (1, 8, 8)


@pytest.mark.slow
def test_samples_of_another_program_are_judged_from_python(tmp_path):
    digits = plausible.load("digits")
    np.savez(tmp_path / "real.npz", x=digits.heldout.values.numpy()[:120], levels=17)
    report = evaluate_samples(tmp_path / "real.npz", "digits", n=60, features="pixels")
    assert report.verdict.n == 60
    assert "never have seen" in report.notes[-1]


def test_points_that_are_none_of_the_space_are_refused(bayes):
    with pytest.raises(UsageError, match="shape"):
        score(bayes, torch.zeros(2, 1, 9, 9))
    with pytest.raises(UsageError, match="0 to 1"):
        score(bayes, torch.full((2, 1, 8, 8), 7.0))
    with pytest.raises(UsageError, match="is not a run"):
        open_trained("nowhere/at/all")


def test_arrays_in_memory_are_data_too():
    digits = plausible.load("digits")
    x = digits.train.values.numpy()[:200, 0].astype("float32") / 16  # (N, H, W) in [0, 1]
    data = plausible.from_arrays(x, digits.train.y[:200])
    assert data.space.shape == (1, 8, 8)
    assert data.class_names == tuple("0123456789")
    trained = fit("naive-bayes", data, out="kept")
    assert sample(trained, 3).x.shape == (3, 1, 8, 8)
    with pytest.raises(UsageError, match="give its data"):
        evaluate("kept")
    assert diagnose("kept", data)
    with pytest.raises(UsageError, match="y has the shape"):
        plausible.from_arrays(x, [1, 2])
