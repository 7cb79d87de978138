"""The variational bound: closed forms, estimators that agree, hierarchies, and what each number changes."""

import math
from itertools import pairwise, product

import pytest
import torch
from tests.conftest import make_data

from plausible import VAE, Settings, Space, train
from plausible.core.likelihood import Kind, Reference
from plausible.core.model import Clock
from plausible.core.registry import Refused
from plausible.core.space import Batch
from plausible.core.verbs import Latent, Posterior, Reconstructing, Variational
from plausible.data.part import Data, Part
from plausible.models.approximate.vae.bounds import averaged, drawing, log_ratio
from plausible.models.approximate.vae.hierarchy import repeated

BINARY = Space((1, 2, 2), 2, 2)
GREY = Space((1, 8, 8), 17, 3)
SPACES = {
    "binary": BINARY,
    "grey": GREY,
    "many levels": Space((1, 9, 8), 256, 3),
    "colour": Space((3, 17, 18), 256, 3),
    "vectors": Space((3,), None, 3),
}
NETS = {
    "mlp": {"width": 16, "latent": 3},
    "two layers": {"width": 16, "latent": 3, "layers": 2},
    "conv": {"architecture": "conv", "width": 4, "latent": 3, "layers": 2},
    "residual": {"architecture": "residual", "width": 8, "latent": 2, "layers": 5, "blocks": 1},
}


def made(space, seed=0, **config):
    torch.manual_seed(seed)
    model = VAE(space, VAE.Config(**{"batch": 16, **config}))
    with torch.no_grad():  # layers that start at nothing count from the start
        for param in model.parameters():
            param.add_(0.1 * torch.randn_like(param))
    return model.eval()


def trained(space, steps=300, n=900, data=None, **config):
    torch.manual_seed(0)
    training = train(
        VAE(space, VAE.Config(**config)), data or make_data(space, n), Settings(steps=steps)
    )
    *_, last = training
    return training.averaged, last


# --- closed form: probabilistic PCA ---


def gaussian(n=3000, seed=0):
    """x = W z + b + s e in five dimensions, two of z, with its maximum of likelihood in closed form."""
    generator = torch.Generator().manual_seed(seed)
    w = torch.randn(5, 2, generator=generator) * torch.tensor([1.5, 0.8])
    z, e = (torch.randn(n, k, generator=generator) for k in (2, 5))
    x = z @ w.T + 0.5 * e + torch.randn(5, generator=generator)
    space = Space((5,))
    part = Part(x, None, space)
    return Data("gaussian", space, part, part.rows(slice(0, 100)), part.rows(slice(0, 100)))


def pca_likelihood(x, latent):
    """Mean log-likelihood of probabilistic PCA at its maximum, by the eigenvalues of the covariance.

    C = U_q (L_q - s^2 I) U_q' + s^2 I, s^2 the mean of the other eigenvalues; then tr(C^-1 S) = D.
    """
    values = torch.linalg.eigvalsh(torch.cov(x.T.double(), correction=0)).flip(0)
    noise = values[latent:].mean()
    log_det = values[:latent].log().sum() + (len(values) - latent) * noise.log()
    return (-(len(values) * math.log(2 * math.pi) + log_det + len(values)) / 2).item()


@pytest.fixture(scope="module")
def linear():
    data = gaussian()
    config = {"architecture": "linear", "scale": "shared", "latent": 2, "importance": 1}
    model, _ = trained(data.space, 3000, data=data, lr=1e-2, **config)
    return model, data


def test_a_linear_gaussian_vae_is_probabilistic_pca(linear):
    model, data = linear
    x = data.train.everything().x
    # both in the units in which every coordinate has unit variance, where the noise is isotropic
    best = pca_likelihood(model.standardise(x), 2) - model.scale.log().sum().item()
    said = model.log_prob(x, samples=200, generator=torch.Generator().manual_seed(0))
    assert said.kind is Kind.LOWER
    assert said.reference is Reference.DENSITY
    monte_carlo = (said.stderr.square().mean() / len(x)).sqrt().item()
    mean = said.nats.mean().item()
    assert mean > best - max(3 * monte_carlo, 0.01)  # it reaches the maximum ...
    assert mean < best + 3 * monte_carlo  # ... and no bound lies above it


def test_with_its_exact_posterior_the_bound_is_tight_with_a_single_draw(linear):
    """For a linear model q can be the posterior, so that every draw of w is p(x) itself."""
    model, data = linear
    x = data.heldout.everything().x
    one, many = (model.log_prob(x, samples=k).nats.mean().item() for k in (1, 500))
    assert abs(one - many) < 0.02


# --- bounds ---


@pytest.mark.parametrize("net", ["mlp", "two layers"])
def test_the_bound_sums_to_one_over_all_images_with_5000_draws_and_to_less_with_one(net):
    model, _ = trained(BINARY, 200, batch=32, **NETS[net])
    x = BINARY.enumerate()
    few = torch.stack([model.log_prob(x, samples=1).nats for _ in range(200)])  # (200, 16)
    # E log w is at most log E w = log p
    assert few.mean(0).exp().sum() <= 1
    assert model.log_prob(x, samples=5000).nats.exp().sum() == pytest.approx(1, abs=0.01)


def test_the_bound_rises_with_the_number_of_draws():
    model, _ = trained(GREY, 60, batch=32, width=16)
    x = make_data(GREY).heldout.everything().x
    generator = torch.Generator().manual_seed(0)
    means = [
        torch.stack(
            [model.log_prob(x, samples=k, generator=generator).nats.mean() for _ in range(20)]
        )
        for k in (1, 3, 10, 100)
    ]
    for less, more in pairwise(means):
        error = ((less.var() + more.var()) / 20).sqrt()
        assert more.mean() - less.mean() > 2 * error


def test_the_error_of_the_bound_is_the_spread_of_repeated_bounds():
    model, _ = trained(BINARY, 100, batch=32, width=16)
    x = BINARY.enumerate()[:4]
    said = [model.log_prob(x, samples=200) for _ in range(400)]
    spread = torch.stack([one.nats for one in said]).std(0)
    stated = torch.stack([one.stderr for one in said]).mean(0)
    assert torch.allclose(spread, stated, rtol=0.25)
    assert model.log_prob(x, samples=1).stderr is None


def test_the_mean_of_equal_weights_is_exact_and_one_weight_has_no_error():
    nats, error = averaged(torch.full((7, 3), -2.5))
    assert torch.allclose(nats, torch.full((3,), -2.5).double())
    assert torch.equal(error, torch.zeros(3).double())
    assert averaged(torch.zeros(1, 3))[1] is None


def test_kl_and_ratio_are_those_of_torch_distributions():
    mean, scale, z = torch.randn(50, 4), torch.rand(50, 4) + 0.1, torch.randn(50, 4)
    q, p = torch.distributions.Normal(mean, scale), torch.distributions.Normal(0, 1)
    kl = torch.distributions.kl_divergence(q, p)
    assert torch.allclose(Posterior(z, mean, scale).kl, kl, atol=1e-5)
    ratio = (p.log_prob(z) - q.log_prob(z)).sum(1)
    assert torch.allclose(log_ratio(z, mean, scale), ratio, atol=1e-4)


@pytest.mark.parametrize("net", ["mlp", "two layers", "residual"])
def test_the_terms_of_the_loss_are_the_bound_by_one_draw(net):
    space = GREY if net == "residual" else BINARY
    model = made(space, importance=1, **NETS[net]).train()
    batch = make_data(space).train.batch(slice(0, 16))
    n = 300 if net != "residual" else 60
    losses = [model.loss(batch, Clock()) for _ in range(n)]
    elbo = -torch.stack([one.total for one in losses]).detach()
    watched = torch.stack([one.watch["ELBO"] for one in losses])
    assert torch.allclose(elbo, watched, atol=1e-4)
    direct = torch.stack([model.log_prob(batch.x, samples=1).nats.mean() for _ in range(n)])
    error = ((elbo.var() + direct.var()) / n).sqrt()
    assert abs(elbo.mean() - direct.mean()) < 4 * error


# --- gradients ---


@pytest.mark.parametrize("net", ["mlp", "two layers"])
def test_the_doubly_reparameterised_gradient_agrees_with_the_plain_one(net):
    """In expectation, for every weight of encoder and decoder; and the encoder's is less noisy."""
    k, repeats = 8, 1500
    model = made(BINARY, importance=k, width=4, latent=2, blocks=1, layers=NETS[net].get("layers"))
    x = BINARY.enumerate()[[3, 9]]
    params = list(model.net.parameters())

    def plain():
        seen = model.net.seen(model.standardise(x))
        noise = torch.randn(k * len(x), model.dims)
        walk = model.net(seen, None, drawing(noise), k)
        ratio = log_ratio(walk.z, walk.mean, walk.scale).view(k, -1)
        log_w = model._likelihood(model.net.finish(walk), model._point(x)) + ratio
        return -(log_w.logsumexp(0) - math.log(k)).mean()

    def doubly():
        return model.loss(Batch(x), Clock()).total

    def slopes(cost):
        found = torch.stack(
            [
                torch.cat([g.flatten() for g in torch.autograd.grad(cost(), params)])
                for _ in range(repeats)
            ]
        )  # (repeats, P)
        return found.mean(0), found.var(0) / repeats

    (a, a_error), (b, b_error) = slopes(plain), slopes(doubly)
    off = (a - b) / (a_error + b_error).sqrt().clamp(min=1e-9)
    # as many standard errors off as chance makes, over all the weights together and for the worst one
    assert off.square().mean() < 1.5
    assert off.abs().max() < 6
    heads = [name for name, _ in model.net.named_parameters()]
    sizes = [param.numel() for param in params]
    encoder = torch.cat(
        [
            torch.full((size,), name.startswith(("front", "up", "heads")))
            for name, size in zip(heads, sizes, strict=True)
        ]
    )
    assert b_error[encoder].sum() < a_error[encoder].sum()


def test_the_value_of_the_weighted_bound_is_that_of_log_prob():
    model = made(BINARY, importance=20, width=8)
    x = BINARY.enumerate()
    loss = torch.stack([model.loss(Batch(x), Clock()).total.detach() for _ in range(200)])
    said = torch.stack([model.log_prob(x, samples=20).nats.mean() for _ in range(200)])
    error = ((loss.var() + said.var()) / 200).sqrt()
    assert abs(loss.mean() + said.mean()) < 4 * error


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
        weighed = model.loss(batch, Clock(spent=spent)).terms["kl"]
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


def test_free_bits_keep_a_posterior_from_collapsing():
    """Random pixels have nothing to say to z, so that a plain bound gives it up."""
    _, plain = trained(GREY, 150, width=16, latent=4, batch=32)
    _, freed = trained(GREY, 150, width=16, latent=4, batch=32, free_bits=0.5)
    assert plain.values()["vae"]["KL"] < 0.5
    assert freed.values()["vae"]["KL"] > 1.5


def test_a_large_beta_collapses_the_posterior_and_is_seen_to():
    _, last = trained(BINARY, 200, width=16, beta=50.0)
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
    with pytest.raises(Refused, match=words):
        VAE.Config(**config)


@pytest.mark.parametrize(
    ("space", "config", "words"),
    [
        (BINARY, {"logistics": 3}, "--logistics"),
        (BINARY, {"scale": "shared"}, "--scale"),
        (Space((3,)), {"logistics": 3}, "--logistics"),
        (Space((3,)), {"architecture": "conv"}, "sides of 8 to 128"),
        (BINARY, {"architecture": "residual"}, "sides of 8 to 128"),
        (Space((3,)), {"architecture": "linear", "layers": 2}, "one layer"),
        (Space((3,), None, 2), {"architecture": "linear", "conditional": True}, "no labels"),
    ],
)
def test_what_does_not_go_together_is_refused(space, config, words):
    with pytest.raises(Refused, match=words):
        VAE(space, VAE.Config(**config))


# --- every network on every space ---


@pytest.mark.parametrize(("net", "space"), list(product(NETS, SPACES)))
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("importance", [1, 3])
def test_every_network_learns_draws_and_scores(net, space, conditional, importance):
    space = SPACES[space]
    config = {**NETS[net], "conditional": conditional, "importance": importance, "batch": 8}
    if "architecture" in config and min(space.shape) < 8 and space.shape[-1] < 8:
        with pytest.raises(Refused):
            VAE(space, VAE.Config(**config))
        return
    data = make_data(space, 48)
    model, last = trained(space, 3, data=data, **config)
    assert all(math.isfinite(v) for v in last.values()["vae"].values())
    assert isinstance(model, Latent)
    assert isinstance(model, Variational)
    assert isinstance(model, Reconstructing)
    x = data.heldout.everything().x[:5]
    said = model.log_prob(x, samples=7)
    assert said.nats.shape == (5,)
    assert said.nats.isfinite().all()
    assert model.sample(3).x.shape == (3, *space.shape)
    z = model.encode(x)
    assert z.shape == (5, model.dims) == (5, model.latent(1).shape[1])
    y = torch.arange(5) % space.classes if conditional else None
    assert model.decode(z, y).shape == (5, *space.shape)
    assert model.reconstruct(x).shape == (5, *space.shape)


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
    model, x = made(GREY, width=8), make_data(GREY).heldout.everything().x

    def at(seed):
        return torch.Generator().manual_seed(seed)

    a, b = (model.log_prob(x, samples=10, generator=at(3)).nats for _ in range(2))
    assert torch.equal(a, b)
    assert torch.equal(model.encode(x, generator=at(3)), model.encode(x, generator=at(3)))
    assert not torch.equal(model.encode(x, generator=at(3)), model.encode(x, generator=at(4)))


def test_a_hierarchy_walks_the_same_way_down_whoever_asks():
    """finish(walk) and decode(walk.z) are the same function, for any number of draws."""
    for net in ("two layers", "residual", "conv"):
        model = made(GREY, **NETS[net], conditional=True)
        batch = make_data(GREY).train.batch(slice(0, 4))
        seen = model.net.seen(model.standardise(batch.x))
        walk = model.net(seen, batch.y, drawing(torch.randn(12, model.dims)), 3)
        again = model.net.decode(walk.z, repeated(batch.y, 3))
        assert torch.allclose(model.net.finish(walk), again, atol=1e-5)


def test_a_conditional_model_infers_the_label_it_is_not_told():
    """Two classes of constant images, black and white: the bound knows which is which."""
    space = Space((1, 2, 2), 2, 2)
    data = make_data(space, 300)
    for part in (data.train, data.validation, data.heldout):
        part.values[:] = part.y[:, None, None, None].to(torch.uint8)
    model, _ = trained(space, 150, data=data, width=16, conditional=True)
    x = data.heldout.everything().x
    assert torch.equal(model._told(x, None).cpu(), data.heldout.y)
    assert (model.reconstruct(x) - x).abs().max() < 0.2
    assert model.sample(20, 1).x.mean() > 0.9


def test_reconstructions_of_learned_images_are_near_them():
    space = Space((1, 4, 4), 2)
    data = make_data(space, 900)
    for part in (data.train, data.validation, data.heldout):
        part.values[:] = part.values[:, :, :1, :1]  # all black or all white
    model, _ = trained(space, 200, data=data, width=32, latent=2, dropout=0.0)
    x = data.heldout.everything().x
    assert (model.reconstruct(x) - x).abs().mean() < 0.05
    nats = -model.log_prob(x).nats.mean().item()
    assert math.log(2) * 0.9 < nats < math.log(2) * 1.2  # one bit is all there is to say


def test_few_images_drop_units_and_many_do_not():
    def share(n, **config):
        model = VAE(BINARY, VAE.Config(width=8, **config))
        model.prepare(make_data(BINARY, n).train)
        return {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)}

    assert share(96) == {0.5}
    assert share(30_003) == {0.0}
    assert share(96, dropout=0.1) == {0.1}
