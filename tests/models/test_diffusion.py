"""Flow matching and diffusion: what is known in closed form, and what the way from noise to data can do."""

import math
from inspect import getsource

import pytest
import torch
from tests.conftest import make_data

from plausible import Diffusion, Settings, Space, train
from plausible.cli.sample import Sample
from plausible.core.capabilities import Autoencoder, Latent
from plausible.core.errors import UsageError
from plausible.core.game import Clock
from plausible.core.likelihood import Kind
from plausible.data.load import load
from plausible.data.part import Part
from plausible.models.diffusion.average_velocity import average_target, jumps
from plausible.models.diffusion.bound import variational_bound
from plausible.models.diffusion.levels import Levels
from plausible.models.diffusion.pairing import pairings
from plausible.models.diffusion.path import EDM, Straight
from plausible.models.diffusion.solvers import evaluations_of, log_density, solvers

GREY = Space((1, 8, 8), levels=16, classes=3)
PATHS = [Straight(1.0), EDM(1.0)]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def made(space=GREY, **config):
    torch.manual_seed(0)
    model = Diffusion(space, Diffusion.Config(**{"width": 8, **config}))
    with torch.no_grad():  # as if it had learned something
        for param in model.parameters():
            param.add_(0.05 * torch.randn(param.shape))
    return model


def learned(data, steps, **config):
    torch.manual_seed(0)
    config = Diffusion.Config(width=64, batch=256, lr=3e-3, **config)
    training = train(Diffusion(data.space, config), data, Settings(steps=steps))
    watched = [step.values()["diffusion"] for step in training]
    return training.averaged, watched


@pytest.fixture(scope="module")
def moons():
    """The data, a model that learned them, and what was seen on the way."""
    data = load("moons")
    return data, *learned(data, 250)


# --- what is known in closed form ---


def gaussian(path, mean, deviation):
    """The velocity of x ~ N(mean, deviation^2), by E[x | y] alone."""

    def velocity(y, t):
        straight = isinstance(path, Straight)
        a, b = (1 - t, t) if straight else (torch.ones_like(t), t)
        share = 1 / ((a * deviation) ** 2 + b**2)  # of the variance of y
        e = b * (y - a * mean) * share
        x = mean + a * deviation**2 * (y - a * mean) * share
        return e - x if straight else e

    return velocity


@pytest.mark.parametrize("path", PATHS, ids=["straight", "edm"])
def test_a_gaussian_becomes_another_and_its_log_p_is_the_integral_of_the_divergence(path):
    velocity, times = gaussian(path, 0.7, 0.3), path.fine(40)
    x = 0.7 + 0.3 * torch.randn(200, 3, generator=seeded())
    base = torch.distributions.Normal(0.0, path.end)
    truth = torch.distributions.Normal(0.7, 0.3).log_prob(x).sum(1)
    exact, error = log_density(velocity, x, times, lambda y: base.log_prob(y).sum(1), None)
    assert error is None
    # what is left of x in the most noise of edm is neglected
    assert torch.allclose(exact, truth, atol=1e-3 if isinstance(path, Straight) else 0.1)
    # every direction shrinks alike, so one probe says it all
    drawn, error = log_density(velocity, x, times, lambda y: base.log_prob(y).sum(1), 2, seeded())
    assert torch.allclose(drawn, exact, atol=1e-4)
    assert error.max() < 1e-4
    for name, solver in solvers.items():
        z = torch.randn(4000, 3, generator=seeded(1))
        y = solver(velocity, path.end * z, path.grid(64))
        assert y.mean().item() == pytest.approx(0.7, abs=0.02), name
        assert y.std().item() == pytest.approx(0.3, abs=0.02), name


def test_a_solver_of_higher_order_needs_fewer_evaluations():
    velocity, z = gaussian(Straight(), 0.7, 0.3), torch.linspace(-2, 2, 50)[:, None]
    exact = 0.7 + 0.3 * z
    error = {
        name: (solver(velocity, z, Straight().grid(16 // evaluations_of(name))) - exact).abs().max()
        for name, solver in solvers.items()
    }
    assert max(error["rk4"], error["midpoint"], error["heun"]) < error["euler"] / 5


def test_the_help_names_every_solver():
    assert all(name in getsource(Sample) for name in solvers)  # without importing torch


@pytest.mark.parametrize("path", PATHS, ids=["straight", "edm"])
@pytest.mark.parametrize("t", [0.05, 0.3, 0.9])
def test_the_best_answer_for_two_points_is_their_mean_weighted_by_how_near_they_are(path, t):
    y, t = torch.linspace(-2, 2, 9)[:, None], torch.tensor([[t]])
    a = 1 - t if isinstance(path, Straight) else torch.ones_like(t)
    weight = torch.sigmoid(2 * a * y / t**2)  # P(x = 1 | y), by Bayes' rule
    wanted = sum(
        w * path.target(x, (y - a * x) / t, t)
        for x, w in ((torch.ones(1, 1), weight), (-torch.ones(1, 1), 1 - weight))
    )
    mean = torch.tanh(a * y / t**2)
    assert torch.allclose(path.denoised(y, wanted, t), mean, atol=1e-4)
    slope = (y - mean) / t if isinstance(path, EDM) else (y - a * mean) / t - mean
    assert torch.allclose(path.velocity(y, wanted, t), slope, atol=1e-3)
    assert torch.allclose(path.time(path.ratio(t)), t)


def test_the_mean_velocity_of_a_gaussian_satisfies_its_own_equation():
    velocity, mean, deviation = gaussian(Straight(), 0.7, 0.3), 0.7, 0.3

    def width(t):
        return (((1 - t) * deviation) ** 2 + t**2).sqrt()

    def average(y, r, t):
        """(y_t - y_r) / (t - r), along the way that keeps every quantile."""
        earlier = (1 - r) * mean + width(r) / width(t) * (y - (1 - t) * mean)
        return (y - earlier) / (t - r)

    y, t = (
        torch.randn(100, 2, generator=seeded()),
        0.5 + 0.5 * torch.rand(100, 1, generator=seeded(1)),
    )
    r = t * torch.rand(100, 1, generator=seeded(2)) * 0.9
    v = torch.stack([velocity(row, time) for row, time in zip(y, t, strict=True)])
    assert torch.allclose(average_target(average, y, v, r, t), average(y, r, t), atol=1e-3)
    assert torch.equal(average_target(lambda y, r, t: y * t * r, y, v, t, t), v)  # flow matching
    z = torch.randn(50, 2, generator=seeded(3))
    assert torch.allclose(jumps(average, z, torch.tensor([1.0, 0.0])), 0.7 + 0.3 * z, atol=1e-5)


@pytest.mark.slow
def test_a_mean_velocity_draws_in_one_step_what_a_velocity_needs_many_for(moons):
    data, plain, _ = moons
    far = {}
    for average in (False, True):
        model = learned(data, 80, average_velocity=True)[0] if average else plain
        solver = None if average else "euler"
        with model.sampling(steps=1, solver=solver):
            once = model.sample(200, generator=seeded()).x
        with model.sampling(steps=32, solver=solver):
            often = model.sample(200, generator=seeded()).x
        real = data.heldout.as_batch().x[:500]
        distance = torch.cdist(torch.cat([once, often]), real).min(1).values
        far[average] = distance[:200].mean().item()
        assert distance[200:].mean() < 0.15
    assert far[True] < 0.7 * far[False]
    with pytest.raises(UsageError, match="straight"):
        Diffusion.Config(average_velocity=True, path="edm")
    with pytest.raises(UsageError, match="without a --solver"), model.sampling(solver="rk4"):
        pass


@pytest.mark.parametrize("least", [0.15, 1.0])
@pytest.mark.parametrize("levels", [2, 5, 16])
def test_the_bound_of_a_perfect_denoiser_that_knows_how_often_each_level_occurs_is_log_p(
    levels, least
):
    grid = torch.linspace(-1, 1, levels)
    chances = torch.linspace(1, 2, levels).softmax(0)

    def perfect(x, e, sigma):
        y, s = (x + sigma[:, None] * e)[..., None], sigma[:, None, None]
        return ((chances.log() - (y - grid).square() / (2 * s**2)).softmax(-1) * grid).sum(-1)

    x = grid[torch.multinomial(chances, 400 * 4, replacement=True, generator=seeded())].view(400, 4)
    known = Levels(Space((4,), levels=levels))
    known.log_frequency.copy_(chances.log())
    known.noise.fill_(least)
    decoding = known.decoding((x + 1) / 2)
    bound, error = variational_bound(perfect, x, decoding, known.least, 0.5, 200, seeded(1))
    truth = chances.log()[((x + 1) / 2 * (levels - 1)).round().long()].sum(1)
    gap, noise = (truth - bound).mean().item(), 4 * error.mean().item() / 20
    assert abs(gap) < noise


def test_the_level_of_a_sample_is_the_nearest_unless_another_is_much_more_frequent():
    space = Space((3, 4, 4), levels=256)
    levels = Levels(space)
    x = torch.rand(20, 3, 4, 4, generator=seeded()) * 1.4 - 0.2
    assert torch.equal(levels.most_probable(x), space.quantise(x))
    white = torch.randint(256, (50, 3, 4, 4), generator=seeded(1)).to(torch.uint8)
    white[:25, 0] = 255  # half of all red is full
    levels.count(Part(white, None, space))
    near = torch.full((1, 3, 4, 4), 250 / 255)
    found = (levels.most_probable(near)[0] * 255).round()
    assert (found[0] == 255).all()
    assert (found[1:] == 250).all()
    assert levels.decoding(torch.ones(1, 3, 4, 4)) < levels.decoding(near)


# --- what it does ---


@pytest.mark.slow
def test_it_learns_a_density_and_draws_from_it(moons):
    data, model, watched = moons
    assert set(watched[0]) >= {"loss", "loss at least noise", "loss at most noise"}
    start, end = ([w["loss"] for w in part] for part in (watched[:50], watched[-50:]))
    assert sum(end) < 0.9 * sum(start)
    heldout = model.log_prob(data.heldout.as_batch().x[:200])
    assert heldout.kind is Kind.ESTIMATE
    spread = data.train.as_batch().x.std(0)
    normal = -0.5 * (2 * math.log(2 * math.pi * math.e)) - spread.log().sum()
    assert heldout.mean().nats.item() > normal.item() + 0.5  # far better than the best Gaussian
    own = model.log_prob(model.sample(200, generator=seeded()).x)
    assert own.mean().nats.item() == pytest.approx(heldout.mean().nats.item(), abs=0.4)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["straight", "edm"])
@pytest.mark.parametrize("space", [GREY, Space((5,))], ids=["images", "vectors"])
def test_back_to_noise_and_to_data_again(path, space):
    model = made(space, path=path)
    x = make_data(space).heldout.as_batch().x[:6]
    assert isinstance(model, Latent)
    assert isinstance(model, Autoencoder)
    assert model.encode(x).shape == (6, space.dims)
    assert (model.reconstruct(x) - x).abs().max() < (1e-3 if path == "straight" else 1e-2)


def test_samples_are_decoded_noise_by_whatever_steps_and_solver_are_asked_for():
    model = made()
    z = model.latent(5, seeded())
    assert torch.equal(model.sample(5, generator=seeded()).x, GREY.quantise(model.decode(z)))
    with model.sampling(steps=1, solver="euler"):
        once = model.decode(z)
        assert torch.allclose(model.restore(z.view(5, *GREY.shape) - model._velocity(None)(z.view(5, *GREY.shape), torch.ones(()))), once, atol=1e-5)  # fmt: skip
    assert not torch.allclose(model.decode(z), once)
    assert z.requires_grad_() is z
    (slope,) = torch.autograd.grad(model.decode(z).sum(), z)
    assert slope.abs().sum() > 0
    for wrong in ({"steps": 0}, {"solver": "newton"}, {"guidance": -1.0}, {"guidance": 2.0}):
        with pytest.raises(UsageError), model.sampling(**wrong):
            pass
    assert model.sampler is model.config


def test_guidance_exaggerates_what_a_label_changes():
    model = made(conditional=True)
    z, y = model.latent(4, seeded()), torch.tensor([0, 1, 2, 0])
    drawn = []
    for guidance in (0.0, 1.0, 2.0):
        with model.sampling(steps=1, solver="euler", guidance=guidance):
            drawn.append(model.decode(z, y))
    none, usual, twice = drawn
    assert not torch.allclose(none, usual)
    assert torch.allclose(twice - usual, usual - none, atol=1e-4)
    with model.sampling(steps=1, solver="euler"):
        assert torch.allclose(none, model.decode(z), atol=1e-5)


@pytest.mark.parametrize("average", [False, True])
def test_mixed_precision_learns_too(average):
    model = made(average_velocity=average)
    *_, last = train(model, make_data(GREY), Settings(steps=3, precision="bf16"))
    assert math.isfinite(last.values()["diffusion"]["loss"])


def test_what_is_encoded_comes_back_whatever_guidance_draws_with():
    model, x = made(conditional=True), make_data(GREY).heldout.as_batch().x[:4]
    y = torch.tensor([0, 1, 2, 0])
    with model.sampling(guidance=3.0):
        assert (model.reconstruct(x, y) - x).abs().max() < 1e-3


def test_a_label_is_forgotten_as_often_as_asked():
    batch = make_data(GREY).train.batch(slice(0, 32))
    assert batch.y is not None
    model, seen = made(conditional=True, label_dropout=0.5), []
    network = model._network
    model._network = lambda at, t, y: seen.append(y) or network(at, t, y)
    for _ in range(40):
        model.loss(batch, Clock())
    told = torch.cat(seen)
    unknown = told == GREY.classes
    assert unknown.float().mean().item() == pytest.approx(0.5, abs=0.05)
    assert torch.equal(told[~unknown], batch.y.repeat(40)[~unknown])


def test_pairs_of_least_distance_are_an_order_of_the_noise():
    x, e = torch.randn(40, 3, generator=seeded()), torch.randn(40, 3, generator=seeded(1))
    paired = pairings["optimal"](x, e)
    assert torch.equal(paired.sort(0).values.sum(1), e.sort(0).values.sum(1))
    assert (paired - x).square().sum() < 0.7 * (e - x).square().sum()
    batch = make_data(GREY).train.batch(slice(0, 12))
    loss = made(conditional=True, pairing="optimal").loss(batch, Clock())
    assert loss.terms["velocity"].shape == (12,)


@pytest.mark.parametrize(
    ("shape", "patch", "widths"),
    [
        ((1, 8, 8), 1, 2), ((3, 16, 16), 1, 2), ((1, 28, 28), 2, 2), ((3, 32, 20), 2, 2),
        ((4, 33, 9), 2, 3), ((3, 64, 64), 2, 3), ((1, 128, 128), 4, 3),
    ],
)  # fmt: skip
def test_images_of_any_size_and_channels(shape, patch, widths):
    from plausible.nn.unet import level_widths, patch_size

    assert (patch_size(shape), len(level_widths(shape, 8))) == (patch, widths)
    model = Diffusion(Space(shape, levels=256), Diffusion.Config(width=8, sampling_steps=1))
    assert model.sample(2, generator=seeded()).x.shape == (2, *shape)


def test_more_draws_make_a_bound_more_certain():
    model, x = made(), make_data(GREY).heldout.as_batch().x[:4]
    few, many = (model.log_prob(x, samples=k, generator=seeded()) for k in (4, 64))
    assert few.kind is many.kind is Kind.LOWER
    assert (many.stderr < few.stderr).float().mean() > 0.7
    assert model.log_prob(x, samples=1).stderr is None
    vectors = made(Space((20,)))
    assert vectors.kinds["log_prob"] is Kind.ESTIMATE
    log_p = vectors.log_prob(torch.randn(3, 20), generator=seeded())
    assert log_p.stderr is not None  # too many dimensions to take every one


def test_images_are_learned_in_small_batches_and_vectors_in_large_ones_unless_told_otherwise():
    assert Diffusion(GREY).batch == 16
    assert Diffusion(Space((3,))).batch == 512
    assert Diffusion(Space((6,))).batch == 256
    training = train(made(batch=5), make_data(GREY), Settings(steps=2))
    list(training)
    assert training.clock.images == 10
