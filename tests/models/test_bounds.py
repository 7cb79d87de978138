"""The variational bound: closed forms, its error, and estimators of its gradient that agree."""

import math
from itertools import pairwise

import pytest
import torch
from tests.conftest import make_data
from tests.models.variational import BINARY, GREY, NETS, made, trained

from plausible import Space
from plausible.core.capabilities import Posterior
from plausible.core.game import Clock
from plausible.core.likelihood import Kind, Reference
from plausible.core.space import Batch
from plausible.data.part import Data, Part
from plausible.models.vae.bounds import averaged, log_ratio, reparameterised

# --- closed form: probabilistic PCA ---


def gaussian(n=1500, seed=0):
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
    model, _ = trained(data.space, 400, data=data, lr=4e-2, **config)
    return model, data


@pytest.mark.slow
def test_a_linear_gaussian_vae_is_probabilistic_pca(linear):
    model, data = linear
    x = data.train.as_batch().x
    # both in the units in which every coordinate has unit variance, where the noise is isotropic
    best = pca_likelihood(model.standardise(x), 2) - model.scale.log().sum().item()
    said = model.log_prob(x, samples=200, generator=torch.Generator().manual_seed(0))
    assert said.kind is Kind.LOWER
    assert said.reference is Reference.DENSITY
    monte_carlo = (said.stderr.square().mean() / len(x)).sqrt().item()
    mean = said.nats.mean().item()
    assert mean > best - max(3 * monte_carlo, 0.01)  # it reaches the maximum ...
    assert mean < best + 3 * monte_carlo  # ... and no bound lies above it


@pytest.mark.slow
def test_with_its_exact_posterior_the_bound_is_tight_with_a_single_draw(linear):
    """For a linear model q can be the posterior, so that every draw of w is p(x) itself."""
    model, data = linear
    x = data.heldout.as_batch().x
    one, many = (model.log_prob(x, samples=k).nats.mean().item() for k in (1, 500))
    assert abs(one - many) < 0.02


# --- bounds ---


@pytest.mark.slow
@pytest.mark.parametrize("net", ["mlp", "two layers"])
def test_the_bound_sums_to_one_over_all_images_with_5000_draws_and_to_less_with_one(net):
    model, _ = trained(BINARY, 50, batch=32, **NETS[net])
    x = BINARY.enumerate()
    few = model.log_prob(x.repeat(1000, 1, 1, 1), samples=1).nats.view(1000, 16)
    # E log w is at most log E w = log p
    assert few.mean(0).exp().sum() <= 1
    assert model.log_prob(x, samples=5000).nats.exp().sum() == pytest.approx(1, abs=0.01)


@pytest.mark.slow
def test_the_bound_rises_with_the_number_of_draws():
    model, _ = trained(GREY, 60, batch=32, width=16)
    x = make_data(GREY).heldout.as_batch().x
    generator = torch.Generator().manual_seed(0)
    means = [
        model.log_prob(x.repeat(20, 1, 1, 1), samples=k, generator=generator)
        .nats.view(20, -1)
        .mean(1)
        for k in (1, 3, 10, 100)
    ]
    for less, more in pairwise(means):
        error = ((less.var() + more.var()) / 20).sqrt()
        assert more.mean() - less.mean() > 2 * error


@pytest.mark.slow
def test_the_error_of_the_bound_is_the_spread_of_repeated_bounds():
    model, _ = trained(BINARY, 100, batch=32, width=16)
    x = BINARY.enumerate()[:4]
    said = model.log_prob(x.repeat(400, 1, 1, 1), samples=200)
    spread, stated = said.nats.view(400, 4).std(0), said.stderr.view(400, 4).mean(0)
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


@pytest.mark.slow
@pytest.mark.parametrize("net", ["mlp", "two layers", "residual"])
def test_the_terms_of_the_loss_are_the_bound_by_one_draw(net):
    space = GREY if net == "residual" else BINARY
    model = made(space, importance=1, **NETS[net]).train()
    n = 300 if net != "residual" else 60
    x = make_data(space).train.batch(slice(0, 16)).x.repeat(n, 1, 1, 1)  # n draws for each of 16
    loss = model.loss(Batch(x), Clock())
    assert torch.allclose(-loss.total, loss.watch["ELBO"], atol=1e-4)
    elbo = -sum(loss.terms.values()).detach().view(n, 16).mean(1)
    direct = model.log_prob(x, samples=1).nats.view(n, 16).mean(1)
    error = ((elbo.var() + direct.var()) / n).sqrt()
    assert abs(elbo.mean() - direct.mean()) < 4 * error


# --- gradients ---


@pytest.mark.slow
@pytest.mark.parametrize(
    ("net", "beta"),
    [("mlp", 1.0), ("mlp", 0.25), ("two layers", 1.0), ("two layers", 3.0)],
)
def test_the_doubly_reparameterised_gradient_agrees_with_the_plain_one(net, beta):
    """In expectation, for every weight of encoder and decoder; and the encoder's is less noisy."""
    k, repeats, each = 8, 60, 40  # of each 40 draws the mean: one backward pass for all of them
    config = {"width": 4, "latent": 2, "blocks": 1, "layers": NETS[net].get("layers")}
    model = made(BINARY, importance=k, beta=beta, **config)
    x = BINARY.enumerate()[[3, 9]].repeat(each, 1, 1, 1)
    params = list(model.net.parameters())

    def plain():
        features = model.net.encoder_features(model.standardise(x))
        noise = torch.randn(k * len(x), model.dims)
        path = model.net(features, None, reparameterised(noise), k)
        ratio = log_ratio(path.z, path.mean, path.scale).view(k, -1)
        log_w = model._likelihood(model.net.finish(path), model.targets(x), k) + beta * ratio
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

    torch.manual_seed(4)
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
    if beta == 1:
        assert b_error[encoder].sum() < a_error[encoder].sum()


def test_the_value_of_the_weighted_bound_is_that_of_log_prob():
    model = made(BINARY, importance=20, width=8)
    x = BINARY.enumerate().repeat(200, 1, 1, 1)
    terms = model.loss(Batch(x), Clock()).terms
    loss = sum(terms.values()).detach().view(200, 16).mean(1)
    said = model.log_prob(x, samples=20).nats.view(200, 16).mean(1)
    error = ((loss.var() + said.var()) / 200).sqrt()
    assert abs(loss.mean() + said.mean()) < 4 * error
