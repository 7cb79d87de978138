"""Codes: a codebook that finds its clusters, bits that are codes, and a bound over all grids of codes."""

import math

import pytest
import torch
from tests.conftest import make_data

from plausible import VQVAE, Settings, Space, train
from plausible.core.capabilities import Autoencoder, Latent
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind
from plausible.models.vqvae.codebook import Codebook

SMALL = {"width": 8, "blocks": 1, "prior_width": 8, "prior_blocks": 1, "batch": 32}


def trained(space, steps, n=300, data=None, **config):
    torch.manual_seed(0)
    training = train(
        VQVAE(space, VQVAE.Config(**{**SMALL, **config})),
        data or make_data(space, n),
        Settings(steps=steps),
    )
    *_, last = training
    return training.averaged, last


@pytest.mark.slow
def test_the_bound_lies_below_the_sum_over_all_grids_of_codes():
    """p(x) = sum_k p(k) p(x | k) over 2^4 grids, which is a distribution, and each term a bound."""
    space = Space((1, 2, 2), 2)
    model, _ = trained(space, 40, codes=2)
    grids = Space((1, 2, 2), 2).enumerate()  # all 2x2 grids of two codes
    log_p = model.prior.log_prob(grids).nats
    x = space.enumerate()
    vectors = model._embed(grids[:, 0].long())  # (16, F, 2, 2)
    likelihood = torch.stack(
        [model._likelihood(x[[i]].expand(16, -1, -1, -1), vectors) for i in range(16)]
    )
    truth = (log_p + likelihood).logsumexp(1)  # (16,)
    assert truth.exp().sum() == pytest.approx(1, abs=1e-5)
    said = model.log_prob(x)
    assert said.kind is Kind.LOWER
    assert (said.nats <= truth + 1e-6).all()
    # and the samples follow the sum, not the bound
    drawn = model.sample(20_000, generator=torch.Generator().manual_seed(0)).x
    place = (drawn.flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])).long()
    seen = torch.bincount(place, minlength=16) / 20_000
    p = truth.exp()
    noise = (p * (1 - p) / 20_000 * 2 / math.pi).sqrt().sum() / 2
    assert (seen - p).abs().sum() / 2 < 2 * noise


@pytest.mark.parametrize("codes", [2, 8, 64])
def test_bits_are_codes(codes):
    model = VQVAE(Space((1, 8, 8), 17), VQVAE.Config(**SMALL, codes=codes))
    grid = torch.randint(codes, (5, 4, 4))
    bits = model._to_bits(grid)
    assert bits.shape == (5, codes.bit_length() - 1, 4, 4)
    assert set(bits.unique().tolist()) <= {0.0, 1.0}
    assert torch.equal(model._from_bits(bits), grid)


def test_a_codebook_finds_the_clusters_and_no_vector_stays_idle():
    generator = torch.Generator().manual_seed(0)
    centres = 10 * torch.randn(8, 4, generator=generator)
    torch.manual_seed(0)
    book = Codebook(32, 4)
    for round in range(400):
        e = centres[torch.randint(8, (256,), generator=generator)]
        e = e + 0.1 * torch.randn(256, 4, generator=generator)
        book.update(e, book.distances(e).argmin(1))
        if round % 4 == 0 and round < 200:
            book.revive()
    assert (torch.cdist(centres, book.vectors).amin(1) < 0.5).all()
    assert book.perplexity > 8


def test_distances_are_those_of_the_direct_form():
    book, e = Codebook(5, 3), torch.randn(20, 3)
    direct = (e[:, None] - book.vectors).square().sum(2)
    assert torch.allclose(book.distances(e), direct, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "space", [Space((1, 9, 11), 17, 3), Space((3, 18, 17), 256, 3), Space((1, 5, 5), 2, 3)]
)
@pytest.mark.parametrize("conditional", [False, True])
def test_every_kind_of_image_is_learned_drawn_scored_and_comes_back(space, conditional):
    data = make_data(space, 96)
    model, last = trained(space, 6, data=data, conditional=conditional, codes=4)
    assert all(math.isfinite(v) for player in last.values().values() for v in player.values())
    assert isinstance(model, Autoencoder)
    assert not isinstance(model, Latent)
    x = data.heldout.as_batch().x[:5]
    assert model.log_prob(x).nats.isfinite().all()
    assert model.log_prob(x).stderr is None
    assert model.codes(x).shape == (5, *model.grid)
    assert model.reconstruct(x).shape == x.shape
    assert model.sample(4, 1 if conditional else None).x.shape == (4, *space.shape)


@pytest.mark.slow
def test_learning_lowers_the_code_length_below_that_of_single_pixels():
    """Images that are all black or all white: one bit is all there is to say, where pixels cost 16."""
    space = Space((1, 4, 4), 2)
    data = make_data(space, 300)
    for part in (data.train, data.validation, data.heldout):
        part.values[:] = part.values[:, :, :1, :1]
    model, _ = trained(space, 110, data=data, codes=4, patch=2, dropout=0.0, lr=4e-3)
    nats = -model.log_prob(data.heldout.as_batch().x).nats.mean().item()
    assert nats < 4 * math.log(2)
    assert (
        model.reconstruct(data.heldout.as_batch().x) - data.heldout.as_batch().x
    ).abs().mean() < 0.05


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"codes": 48}, "power of 2"),
        ({"codes": 1}, "power of 2"),
        ({"patch": 0}, "--patch"),
        ({"prior_width": 0}, "--prior-width"),
        ({"commitment": -1.0}, "--commitment"),
        ({"dropout": 1.0}, "--dropout"),
    ],
)
def test_impossible_numbers_are_refused(config, words):
    with pytest.raises(UsageError, match=words):
        VQVAE.Config(**config)


def test_vectors_have_no_patches():
    with pytest.raises(UsageError, match="vectors"):
        VQVAE(Space((3,)))


def test_the_prior_learns_the_codes_that_are_scored():
    """Also while units of the encoder drop out."""
    space = Space((1, 8, 8), 17)
    model = VQVAE(space, VQVAE.Config(**SMALL)).train()
    model.setup(make_data(space, 96).train)
    with torch.no_grad():
        for param in model.parameters():
            param.add_(0.2 * torch.randn_like(param))
    x = make_data(space).train.as_batch().x
    assert torch.equal(model.codes(x), model.codes(x))
    assert model.training


def test_a_batch_cannot_be_split_because_the_codebook_sees_it_whole():
    data = make_data(Space((1, 4, 4), 2), 96)
    with pytest.raises(UsageError, match="--micro-batch"):
        train(VQVAE(data.space, VQVAE.Config(**SMALL)), data, Settings(steps=1, micro_batch=8))


def test_mixed_precision_learns_too():
    data = make_data(Space((1, 8, 8), 17), 96)
    torch.manual_seed(0)
    model = VQVAE(data.space, VQVAE.Config(**SMALL))
    *_, last = train(model, data, Settings(steps=5, precision="bf16"))
    assert all(math.isfinite(v) for player in last.values().values() for v in player.values())


def test_a_vector_that_nothing_is_near_to_stays_where_it_is():
    book = Codebook(2, 3)
    with torch.no_grad():
        book.vectors.copy_(torch.tensor([[0.0, 0, 0], [50.0, 50, 50]]))
        book.sums.copy_(book.vectors)
    for _ in range(2000):
        e = torch.randn(32, 3)
        book.update(e, book.distances(e).argmin(1))
    assert torch.allclose(book.vectors[1], torch.full((3,), 50.0), atol=1.0)
    book.revive()
    assert book.vectors[1].norm() < 10  # beside the other one
