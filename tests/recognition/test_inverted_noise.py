"""Is a z noise?  Against scipy, uniform where it is, found where it is not; and of models that map x to z."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import stats
from tests.conftest import make_data

import plausible
from plausible import Flow, Recogniser, Space, fit, score
from plausible.core.capabilities import Invertible
from plausible.core.errors import UsageError
from plausible.data.part import Data, Part
from plausible.models import VAE, Diffusion, GaussianMixture
from plausible.recognition.inverted_noise import (
    anderson_darling,
    ljung_box,
    ljung_box_lags,
    noise_p_values,
    noise_statistics,
)
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.recogniser import ood_detection

DIMS = 64


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(n, dims=DIMS, seed=0):
    return torch.randn(n, dims, generator=seeded(seed), dtype=torch.float64)


def related(n, dims=DIMS):
    """N(0, 1) each, with a correlation of 0.5 between neighbours."""
    e, z = normal(n, dims), []
    for k in range(dims):
        z.append(e[:, k] if k == 0 else 0.5 * z[-1] + math.sqrt(0.75) * e[:, k])
    return torch.stack(z, 1)


def two_sided(n, dims=DIMS):
    """Half of the coordinates near -1 and half near 1, of variance 1."""
    sign = torch.where(torch.rand(n, dims, generator=seeded(3)) < 0.5, -1.0, 1.0)
    return math.sqrt(0.96) * sign + 0.2 * normal(n, dims)


def test_anderson_darling_is_that_of_scipy():
    z = normal(3, 40) + 0.3
    for row, ours in zip(z.numpy(), anderson_darling(z).tolist(), strict=True):
        theirs = stats.goodness_of_fit(
            stats.norm, row, known_params={"loc": 0, "scale": 1}, statistic="ad", n_mc_samples=2
        )
        assert ours == pytest.approx(theirs.statistic)


def test_ljung_box_is_its_formula():
    z = normal(2, 30)
    for row, ours in zip(z, ljung_box(z).tolist(), strict=True):
        r = [float((row[k:] * row[:-k]).sum() / row.square().sum()) for k in range(1, 6)]
        assert ours == pytest.approx(30 * 32 * sum(c**2 / (30 - k) for k, c in enumerate(r, 1)))
    assert [ljung_box_lags(d) for d in (1, 2, 7, 9, 784)] == [0, 0, 0, 3, 28]


@pytest.mark.parametrize("dims", [2, 16, DIMS, 784])
def test_p_values_of_noise_are_uniform(dims):
    n, level = 1500, torch.tensor([0.02, 0.1, 0.5, 0.9])
    p = noise_p_values(noise_statistics(normal(n, dims)), dims)
    for column in p[:, : 3 if ljung_box_lags(dims) else 2].T:
        share = (column[:, None] <= level).double().mean(0)
        error = (level * (1 - level) / n).sqrt()
        assert ((share - level).abs() <= 4 * error + 0.03 / dims).all()
    if not ljung_box_lags(dims):
        assert (p[:, 2] == 1).all()


@pytest.mark.parametrize(
    ("z", "found"),
    [
        (normal(300) + 0.5, "shape"),
        (1.4 * normal(300), "length"),
        (0.7 * normal(300), "length"),
        (related(300), "correlation"),
        (two_sided(300), "shape"),
    ],
    ids=["shifted", "wide", "narrow", "related", "two-sided"],
)
def test_what_is_no_noise_is_found_by_the_statistic_that_sees_it(z, found):
    p = noise_p_values(noise_statistics(z), DIMS)
    names = ("length", "shape", "correlation")
    power = dict(zip(names, (p <= 0.05).double().mean(0).tolist(), strict=True))
    assert power[found] > 0.85
    assert power[found] == max(power.values())


def test_numbers_that_cannot_be_told_are_the_oddest_there_are():
    z = normal(4)
    z[1, 3], z[2, 5], z[3, 7] = math.inf, math.nan, -1e30
    found = noise_statistics(z)
    assert found.isfinite().all()
    assert (found[1:, :2] > 1e6 * found[0, :2]).all()


# --- by a model: a flow that has not learned is the identity, so that what its z are is known ---


def gaussian(seed=0, n=400):
    """Standard normal data, whose z are N(0, I) from the start."""
    space = Space((DIMS,))
    part = Part(normal(3 * n, seed=seed).float(), None, space)
    cut = [part.rows(slice(k * n, (k + 1) * n)) for k in range(3)]
    return Data("noise", space, *cut)


@pytest.fixture(scope="module")
def data():
    return gaussian()


@pytest.fixture(scope="module")
def identity(data):
    model = Flow(data.space, Flow.Config(width=8, layers=1))
    model.setup(data.train)
    return model.eval()


def test_a_good_input_is_as_odd_as_any_other(identity, data):
    asked = Recogniser(identity, data, novelty="noise")
    p = asked.p_values(asked.outputs(data.heldout))
    for level in (0.05, 0.1, 0.5):
        share = (p <= level).double().mean().item()
        assert share == pytest.approx(level, abs=4 * math.sqrt(2 * level * (1 - level) / len(p)))


@pytest.mark.parametrize(
    "odd", [0.7 * normal(60, seed=7), related(60), 1.4 * normal(60, seed=8)], ids=["narrow", "related", "wide"]
)  # fmt: skip
def test_what_a_density_does_not_see_its_noise_shows(identity, data, odd):
    part = Part(odd.float(), None, data.space)
    by_noise, by_density = (Recogniser(identity, data, novelty=n) for n in ("noise", "likelihood"))
    p = by_noise.p_values(by_noise.outputs(part))
    assert (p <= 0.05).double().mean() > 0.5
    if odd.square().mean() < 0.6:  # more probable than any datum
        assert by_density.p_values(by_density.outputs(part)).min() > 0.9
    auroc, accepted = ood_detection(by_noise, data.heldout, part, "odd ones")
    assert auroc.value > 0.85
    assert auroc.note == "by noise"
    assert accepted.value < 0.5


def test_the_z_is_that_of_the_most_probable_class():
    data = make_data(Space((3,), classes=2), 200)
    torch.manual_seed(0)
    model = Flow(data.space, Flow.Config(width=8, layers=2, conditional=True))
    model.setup(data.train)
    with torch.no_grad():
        for param in model.parameters():
            param.add_(0.1 * torch.randn_like(param))
    asked = Recogniser(model.eval(), data, novelty="noise")
    part = data.heldout.rows(slice(0, 9))
    outputs = asked.outputs(part)
    z = model.encode(part.as_batch().x, outputs.log_posterior.argmax(1))
    assert torch.allclose(outputs.noise, noise_statistics(z))


def test_grey_levels_have_several_z_and_their_statistics_are_averaged():
    data = make_data(Space((1, 4, 4), 4), 40)
    torch.manual_seed(0)
    model = Flow(data.space, Flow.Config(width=8, layers=1))
    model.setup(data.train)
    asked = Recogniser(model.eval(), data, novelty="noise")
    part = data.heldout.rows(slice(0, 5))
    z = model.inverted_noise(part.as_batch().x, generator=seeded())
    assert z.shape == (4, 5, 16)
    assert not torch.equal(z[0], z[1])
    each = [asked.outputs(part).noise for _ in range(2)]
    assert torch.equal(*each)  # a question has one answer
    usual = asked.in_distribution.noise
    assert (each[0].log() - usual.log().mean(0)).abs().max() < 6 * usual.log().std(0).max()
    assert not Recogniser(model, data, novelty="likelihood").outputs(part).noise


def test_the_score_is_told_what_is_usual_and_nobody_guesses_it():
    usual = NoveltyInput(torch.zeros(3), noise=torch.tensor([[1.0, 1, 2], [2, 1, 2], [4, 1, 2]]))
    seen = NoveltyInput(torch.zeros(2), noise=torch.tensor([[2.0, 1, 2], [8, 1, 2]]))
    found = novelties["noise"](replace(seen, in_distribution=usual))
    assert found.tolist() == pytest.approx([0, 2])  # log 2 is one deviation
    assert torch.equal(NoveltyInput.cat([usual, seen])[torch.tensor([4])].noise, seen.noise[1:])
    with pytest.raises(UsageError, match="right kind"):
        novelties["noise"](seen)
    with pytest.raises(UsageError, match="invertible"):
        novelties["noise"](NoveltyInput(torch.zeros(2), in_distribution=usual))


@pytest.mark.parametrize("kind", [VAE, GaussianMixture])
def test_a_model_that_maps_no_x_to_its_own_noise_is_refused(kind):
    data = make_data(Space((2,)), 60)
    model = kind(data.space)
    assert not isinstance(model, Invertible)
    with pytest.raises(UsageError, match="one invertible map"):
        Recogniser(model, data, novelty="noise")


def test_diffusion_maps_to_noise_along_its_way():
    space = Space((1, 4, 4), 4)
    data = make_data(space, 40)
    torch.manual_seed(0)
    model = Diffusion(space, Diffusion.Config(width=8))
    model.setup(data.train)
    asked = Recogniser(model.eval(), data, novelty="noise", draws=2)
    outputs = asked.outputs(data.heldout)
    assert torch.allclose(
        outputs.noise, noise_statistics(model.encode(data.heldout.as_batch().x)), rtol=1e-3
    )
    assert ((p := asked.p_values(outputs)) > 0).all()
    assert (p <= 1).all()


@pytest.mark.slow
def test_a_run_keeps_what_its_noise_was_beside_its_usual_answers(tmp_path):
    np.savez(tmp_path / "x.npz", x=normal(300, 4).numpy())
    run = fit("flow", tmp_path / "x.npz", out=tmp_path / "run", steps=3, width=8, layers=1).run
    far = np.full((2, 4), 9.0)
    by_noise = score(tmp_path / "run", far, novelty="noise")
    assert by_noise.novelty == "noise"
    kept = sorted(path.name for path in run.folder.glob("calibration*.safetensors"))
    score(tmp_path / "run", far)
    both = sorted(path.name for path in run.folder.glob("calibration*.safetensors"))
    assert len(kept) == 1
    assert len(both) == 2
    assert "calibration.safetensors" in set(both) - set(kept)
    (tmp_path / "x.npz").unlink()
    again = score(tmp_path / "run", far, novelty="noise")
    assert [row.p for row in again] == [row.p for row in by_noise]
    assert all(row.p == 1 / (again.compared + 1) for row in again)


def test_it_is_a_choice_of_the_commands():
    assert "noise" in plausible.core.choices.Novelty.__args__
    assert set(novelties) == set(plausible.core.choices.Novelty.__args__)
