"""From x back to z: what a GAN drew itself comes back, with labels and without, as points and as images."""

import pytest
import torch
from tests.conftest import make_data

from plausible import fit, tasks
from plausible.core.capabilities import Autoencoder, Encoder, LabelFinder
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models import GAN
from plausible.models.gan import inversion

GREY = Space((1, 8, 8), levels=256)


def seeded_gan(space, **config):
    torch.manual_seed(0)
    return GAN(space, GAN.Config(width=16, latent=4, architecture="mlp", **config)).eval()


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """A search of fewer steps."""
    short = inversion.Search(pool=256, starts=3, steps=25, last=100)
    monkeypatch.setattr("plausible.models.gan.gan.SEARCH", short)


def test_what_it_drew_comes_back():
    model = seeded_gan(GREY)
    z = model.latent(6, torch.Generator().manual_seed(1))
    x = model.space.quantise(model.decode(z).detach())
    found = model.encode(x, generator=torch.Generator().manual_seed(2))
    back = model.space.quantise(model.decode(found).detach())
    error, spread = (back - x).square().mean().sqrt(), x.std(0).mean()
    assert error < 0.02 * spread
    assert torch.cosine_similarity(found, z, dim=1).min() > 0.99
    assert torch.equal(found, model.encode(x, generator=torch.Generator().manual_seed(2)))


def test_an_input_has_the_same_z_whoever_stands_beside_it():
    model = seeded_gan(GREY)
    x = model.sample(5, generator=torch.Generator().manual_seed(1)).x
    all_, alone = (
        model.encode(some, generator=torch.Generator().manual_seed(2)) for some in (x, x[3:4])
    )
    assert torch.allclose(all_[3], alone[0], atol=1e-3)


@pytest.mark.slow
def test_labels_are_found_or_given():
    space = Space((1, 8, 8), levels=256, classes=3)
    model = seeded_gan(space, conditional=True)
    assert isinstance(model, Encoder)
    assert isinstance(model, Autoencoder)
    assert isinstance(model, LabelFinder)
    y = torch.tensor([0, 1, 2, 2, 1])
    x = model.sample(5, y, generator=torch.Generator().manual_seed(1)).x
    assert torch.equal(model.closest_labels(x, torch.Generator().manual_seed(0)), y)
    right, wrong = ((model.reconstruct(x, some) - x).square().mean() for some in (y, (y + 1) % 3))
    assert right < 0.1 * wrong
    with pytest.raises(UsageError, match="give the labels"):
        model.encode(x)


def test_weights_and_their_gradients_are_left_alone():
    model = seeded_gan(Space((2,)))
    before = [value.clone() for value in model.state_dict().values()]
    model.reconstruct(torch.zeros(2, 2))
    assert all(map(torch.equal, before, model.state_dict().values()))
    assert all(param.grad is None for param in model.parameters())


def test_a_gan_reconstructs_and_walks_between_inputs():
    data = make_data(GREY)
    trained = fit("gan", data, steps=2, width=4, architecture="mlp", symmetries=())
    x = trained.model.sample(2, generator=torch.Generator().manual_seed(0)).x
    result = tasks.reconstruct(trained, x)
    assert result.errors.shape == (2,)
    assert result.rmse == pytest.approx(result.errors.square().mean().sqrt().item())
    walk = tasks.interpolate_between(trained, x, 5)
    ends = trained.model.space.quantise(result.reconstruction)
    assert torch.allclose(walk[[0, -1]], ends, atol=2 / 255)
