"""Variational autoencoders: every network on every space, hierarchies, and what each number changes."""

import math

import pytest
import torch
from tests.conftest import make_data
from tests.models.variational import BINARY, GREY, NETS, SPACES, made, trained

from plausible import VAE, Settings, Space, train
from plausible.core.capabilities import Autoencoder, Latent, Variational
from plausible.core.errors import UsageError
from plausible.core.game import Clock
from plausible.models.vae.bounds import reparameterised
from plausible.models.vae.hierarchy import repeated

# --- numbers that are variants ---


def test_beta_weighs_the_kl_and_warms_up():
    batch = make_data(BINARY).train.batch(slice(0, 16))
    plain = made(BINARY, width=8)
    for config, spent, weight in (
        ({}, 0.0, 1.0),
        ({"beta": 4.0}, 0.5, 4.0),
        ({"warm_up": 0.5}, 0.0, 0.0),
        ({"warm_up": 0.5}, 0.25, 0.5),
        ({"warm_up": 0.5, "beta": 2.0}, 0.9, 2.0),
    ):
        model = made(BINARY, width=8, **config)
        torch.manual_seed(1)
        weighed = model.loss(batch, Clock(progress=spent)).terms["kl"]
        torch.manual_seed(1)
        whole = plain.loss(batch, Clock()).terms["kl"]
        assert torch.allclose(weighed, weight * whole, atol=1e-5)


def test_free_bits_cost_what_they_allow_and_have_no_slope():
    model = made(BINARY, width=8, latent=3, free_bits=100.0)
    loss = model.loss(make_data(BINARY).train.batch(slice(0, 16)), Clock())
    assert torch.allclose(loss.terms["kl"], torch.full((16,), 300.0))
    slopes = torch.autograd.grad(
        loss.terms["kl"].sum(), list(model.parameters()), allow_unused=True
    )
    assert all(slope is None or not slope.any() for slope in slopes)
    assert model.players()[0].whole_batch
    assert not made(BINARY, width=8).players()[0].whole_batch


@pytest.mark.slow
def test_free_bits_keep_a_posterior_from_collapsing():
    """Random pixels have nothing to say to z, so that a plain bound gives it up."""
    config = {"width": 16, "latent": 4, "batch": 32, "lr": 4e-3}
    _, plain = trained(GREY, 80, **config)
    _, freed = trained(GREY, 80, **config, free_bits=0.5)
    assert plain.values()["vae"]["KL"] < 0.5
    assert freed.values()["vae"]["KL"] > 1.5


@pytest.mark.slow
def test_a_large_beta_collapses_the_posterior_and_is_seen_to():
    _, last = trained(BINARY, 60, width=16, beta=50.0, lr=5e-3)
    assert last.values()["vae"]["active"] == 0


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"importance": 5, "free_bits": 0.1}, "--free-bits"),
        ({"importance": 0}, "--importance"),
        ({"layers": 0}, "--layers"),
        ({"beta": -1.0}, "--beta"),
        ({"warm_up": 2.0}, "--warm-up"),
        ({"dropout": 1.0}, "--dropout"),
        ({"lr": 0.0}, "--lr"),
        ({"largest_gradient": 0.0}, "--largest-gradient"),
        ({"architecture": "vit"}, "unknown architecture"),
    ],
)
def test_impossible_numbers_are_refused(config, words):
    with pytest.raises(UsageError, match=words):
        VAE.Config(**config)


@pytest.mark.parametrize(
    ("space", "config", "words"),
    [
        (BINARY, {"logistics": 3}, "--logistics"),
        (BINARY, {"scale": "shared"}, "--scale"),
        (Space((3,)), {"logistics": 3}, "--logistics"),
        (Space((3,)), {"architecture": "conv"}, "sides of 8 to 256"),
        (BINARY, {"architecture": "residual"}, "sides of 8 to 256"),
        (Space((3,)), {"architecture": "linear", "layers": 2}, "one layer"),
        (Space((3,), None, 2), {"architecture": "linear", "conditional": True}, "no labels"),
    ],
)
def test_what_does_not_go_together_is_refused(space, config, words):
    with pytest.raises(UsageError, match=words):
        VAE(space, VAE.Config(**config))


# --- every network on every space ---


@pytest.mark.slow
@pytest.mark.parametrize(
    ("net", "space", "conditional", "importance"),
    [  # each of the four with every network and with every space
        (net, space, *[(False, 1), (True, 3), (True, 1), (False, 3)][(i + j) % 4])
        for i, net in enumerate(NETS)
        for j, space in enumerate(SPACES)
    ],
)
def test_every_network_learns_draws_and_scores(net, space, conditional, importance):
    space = SPACES[space]
    config = {**NETS[net], "conditional": conditional, "importance": importance, "batch": 8}
    if "architecture" in config and min(space.shape) < 8 and space.shape[-1] < 8:
        with pytest.raises(UsageError):
            VAE(space, VAE.Config(**config))
        return
    data = make_data(space, 48)
    model, last = trained(space, 3, data=data, **config)
    assert all(math.isfinite(v) for v in last.values()["vae"].values())
    assert isinstance(model, Latent)
    assert isinstance(model, Variational)
    assert isinstance(model, Autoencoder)
    x = data.heldout.as_batch().x[:5]
    said = model.log_prob(x, samples=7)
    assert said.nats.shape == (5,)
    assert said.nats.isfinite().all()
    assert model.sample(3).x.shape == (3, *space.shape)
    y = torch.arange(5) % space.classes if conditional else None
    z = model.encode(x, y)
    assert z.shape == (5, model.dims) == (5, model.latent(1).shape[1])
    assert model.decode(z, y).shape == (5, *space.shape)
    assert model.reconstruct(x, y).shape == (5, *space.shape)


def test_a_draw_of_p_x_given_z_has_the_mean_that_decode_says():
    model = made(SPACES["many levels"], width=8)
    z = model.latent(1, torch.Generator().manual_seed(0))
    noise = torch.cat([z.expand(4000, -1), torch.randn(4000, model.space.dims)], 1)
    drawn = model._sample(noise, None)
    apart = drawn.mean(0) - model.decode(z)[0]
    error = drawn.std(0) / math.sqrt(4000)
    assert (apart.abs() < 5 * error + 0.5 / 255).all()


def test_decode_is_differentiable_and_leaves_the_weights_alone():
    model = made(GREY, width=8)
    z = model.latent(2).requires_grad_()
    model.decode(z).sum().backward()
    assert z.grad.abs().sum() > 0


def test_a_truncated_sample_is_the_most_typical_one():
    model = made(BINARY, width=8)
    drawn = model.sample(50, truncation=1e-3)
    assert (drawn.x == drawn.x[0]).all()


def test_the_same_generator_gives_the_same_numbers():
    model, x = made(GREY, width=8), make_data(GREY).heldout.as_batch().x

    def at(seed):
        return torch.Generator().manual_seed(seed)

    a, b = (model.log_prob(x, samples=10, generator=at(3)).nats for _ in range(2))
    assert torch.equal(a, b)
    assert torch.equal(model.encode(x, generator=at(3)), model.encode(x, generator=at(3)))
    assert not torch.equal(model.encode(x, generator=at(3)), model.encode(x, generator=at(4)))


def test_a_hierarchy_goes_the_same_way_down_whoever_asks():
    """finish(path) and decode(path.z) are the same function, for any number of draws."""
    for net in ("two layers", "residual", "conv"):
        model = made(GREY, **NETS[net], conditional=True)
        batch = make_data(GREY).train.batch(slice(0, 4))
        features = model.net.encoder_features(model.standardise(batch.x))
        path = model.net(features, batch.y, reparameterised(torch.randn(12, model.dims)), 3)
        again = model.net.decode(path.z, repeated(batch.y, 3))
        assert torch.allclose(model.net.finish(path), again, atol=1e-5)


def test_a_conditional_model_must_be_told_the_label():
    """Two classes of constant images, black and white: the label alone decides what comes back."""
    space = Space((1, 2, 2), 2, 2)
    data = make_data(space, 300)
    for part in (data.train, data.validation, data.heldout):
        part.values[:] = part.y[:, None, None, None].to(torch.uint8)
    model, _ = trained(space, 100, data=data, width=16, conditional=True)
    batch = data.heldout.as_batch()
    for ask in (model.encode, model.posterior, model.reconstruct):
        with pytest.raises(UsageError, match="give the labels"):
            ask(batch.x)
    assert (model.reconstruct(batch.x, batch.y) - batch.x).abs().max() < 0.2
    assert model.sample(20, 1).x.mean() > 0.9


@pytest.mark.slow
def test_reconstructions_of_learned_images_are_near_them():
    space = Space((1, 4, 4), 2)
    data = make_data(space, 900)
    for part in (data.train, data.validation, data.heldout):
        part.values[:] = part.values[:, :, :1, :1]  # all black or all white
    model, _ = trained(space, 150, data=data, width=32, latent=2, dropout=0.0, lr=3e-3)
    x = data.heldout.as_batch().x
    assert (model.reconstruct(x) - x).abs().mean() < 0.05
    nats = -model.log_prob(x, samples=1000).nats.mean().item()
    assert math.log(2) * 0.9 < nats < math.log(2) * 1.2  # one bit is all there is to say


def test_few_images_drop_units_and_many_do_not():
    def share(n, **config):
        model = VAE(BINARY, VAE.Config(width=8, **config))
        model.setup(make_data(BINARY, n).train)
        return {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)}

    assert share(96) == {0.5}
    assert share(30_003) == {0.0}
    assert share(96, dropout=0.1) == {0.1}


def test_dropout_does_not_disturb_a_path_that_is_taken_twice():
    """The doubly reparameterised gradient needs the very same q again."""
    with pytest.raises(UsageError, match="--dropout"):
        VAE(BINARY, VAE.Config(layers=2, importance=3, dropout=0.2))
    model = VAE(BINARY, VAE.Config(width=8, layers=2, importance=3))
    model.setup(make_data(BINARY, 96).train)
    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.0}
    single = VAE(BINARY, VAE.Config(width=8, importance=3))  # its only layer asks before any path
    single.setup(make_data(BINARY, 96).train)
    assert {m.p for m in single.modules() if isinstance(m, torch.nn.Dropout)} == {0.5}


def test_verbs_are_asked_in_evaluation_mode_also_while_it_learns():
    model = VAE(BINARY, VAE.Config(width=16, dropout=0.5)).train()
    model.setup(make_data(BINARY, 96).train)
    with torch.no_grad():
        for param in model.parameters():
            param.add_(0.5 * torch.randn_like(param))
    x = BINARY.enumerate()
    a, b = (model.log_prob(x, samples=5, generator=torch.Generator().manual_seed(0)) for _ in "ab")
    assert torch.equal(a.nats, b.nats)
    assert torch.equal(model.reconstruct(x), model.reconstruct(x))
    assert model.training


def test_there_is_nothing_to_say_of_nothing_and_no_estimate_without_draws():
    model = made(BINARY, width=8)
    assert model.log_prob(BINARY.enumerate()[:0]).nats.shape == (0,)
    with pytest.raises(UsageError, match="at least 1 draw"):
        model.log_prob(BINARY.enumerate(), samples=0)


def test_the_density_of_x_given_z_is_in_the_units_of_the_data():
    space = Space((2,))
    data = make_data(space, 300)
    model, _ = trained(space, 20, data=data, width=8, latent=2)
    x = data.heldout.as_batch().x
    z = model.encode(x)
    step = 1e-3  # the density integrates over a small square to its area times its value
    here = model.log_likelihood(x, z)
    params = model._params(model.net.decode(z, None))
    spread = model.scale * params[..., 1].exp()  # in data units
    mean = model.restore(params[..., 0])
    normal = torch.distributions.Normal(mean, spread)
    assert torch.allclose(here, normal.log_prob(x).sum(1), atol=step)


@pytest.mark.parametrize(
    ("net", "importance"),
    [("mlp", 1), ("mlp", 3), ("two layers", 3), ("conv", 1), ("residual", 3)],
)
def test_mixed_precision_learns_too(net, importance):
    torch.manual_seed(0)
    model = VAE(GREY, VAE.Config(batch=8, importance=importance, **NETS[net]))
    settings = Settings(steps=2, precision="bf16")
    *_, last = train(model, make_data(GREY, 60), settings)
    assert all(math.isfinite(value) for value in last.values()["vae"].values())


def test_a_hierarchy_with_few_layers_moves_every_weight_it_has():
    for layers in (1, 2, 4):
        config = {**NETS["residual"], "layers": layers}
        model = VAE(GREY, VAE.Config(batch=8, **config))
        before = {name: param.clone() for name, param in model.named_parameters()}
        list(train(model, make_data(GREY, 60), Settings(steps=3)))
        for name, param in model.named_parameters():
            assert not torch.equal(param, before[name]), (layers, name)
