"""The game on real networks: both players, every loss, penalty and architecture together."""

import itertools

import pytest
import torch
from tests.conftest import make_data

from plausible.core.model import Clock
from plausible.core.registry import Refused
from plausible.core.space import Space
from plausible.models.implicit.gan.architectures import architectures, default
from plausible.models.implicit.gan.gan import GAN
from plausible.models.implicit.gan.losses import losses
from plausible.models.implicit.gan.penalties import penalties
from plausible.training import Settings, train

SETS = [(), ("r1",), ("r2",), ("r1", "r2")]


@pytest.mark.parametrize(
    ("loss", "chosen", "architecture", "conditional"),
    list(itertools.product(sorted(losses), SETS, sorted(architectures), [False, True])),
)
def test_every_combination_trains_and_draws(loss, chosen, architecture, conditional):
    data = make_data(Space((2, 9, 8), levels=5, classes=2))
    config = GAN.Config(
        loss=loss,
        penalties=chosen,
        architecture=architecture,
        conditional=conditional,
        width=4,
        batch=6,
        latent=5,
    )
    training = train(GAN(data.space, config), data, Settings(steps=2))
    for step in training:
        assert set(step.seen) == {"discriminator", "generator"}
        assert all(
            torch.isfinite(torch.tensor(list(v.values()))).all() for v in step.values().values()
        )
        lazy = step.clock.step % config.penalty_every == 0
        assert set(chosen) <= set(step.seen["discriminator"]) or not lazy
    drawn = training.averaged.sample(3)
    assert drawn.x.shape == (3, 2, 9, 8)
    assert (drawn.y is not None) == conditional


def test_every_penalty_is_tried():
    assert set().union(*SETS) == set(penalties)


@pytest.mark.parametrize("side", [8, 11, 17, 28, 64, 128])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_conv_makes_images_of_any_size_and_depth(side, channels):
    space = Space((channels, side, side + 1 if side < 100 else side), levels=256)
    model = GAN(space, GAN.Config(width=2))
    assert default(space) == "conv"
    x = model.decode(model.latent(2))
    assert x.shape == (2, *space.shape)
    assert model.discriminator(x).shape == (2,)
    assert not any("Norm" in type(layer).__name__ for layer in model.modules())


@pytest.mark.parametrize("shape", [(1, 7, 9), (5,), (1, 200, 200)])
def test_small_images_and_vectors_get_a_perceptron_and_conv_refuses_what_it_cannot_make(shape):
    space = Space(shape)
    if shape != (1, 200, 200):
        assert default(space) == "mlp"
    with pytest.raises(Refused, match="sides of 8 to 128"):
        GAN(space, GAN.Config(architecture="conv"))


def test_at_initialisation_activations_keep_their_size_at_every_depth():
    torch.manual_seed(0)
    for side in (8, 32, 128):
        model = GAN(Space((3, side, side), levels=256), GAN.Config(width=16))
        x = model.generator(model.latent(64))
        assert 0.3 < x.std() < 3
        assert 0.1 < model.discriminator(torch.randn(64, 3, side, side)).std() < 10


def test_the_discriminator_sees_samples_on_the_grid_and_the_generator_still_gets_its_gradient():
    model = GAN(Space((1, 8, 8), levels=3), GAN.Config())
    x = model._draw(16, None)
    assert set(x.unique().tolist()) <= {-1.0, 0.0, 1.0}
    x.square().sum().backward()
    assert model.generator.network.layers[-1].weight.grad.abs().sum() > 0


def test_the_label_steers_both_players():
    torch.manual_seed(0)
    data = make_data(Space((1, 8, 8), levels=5, classes=3))
    model = GAN(data.space, GAN.Config(conditional=True))
    z = model.latent(1)
    a, b = (model.decode(z, torch.tensor([y])) for y in (0, 1))
    assert not torch.allclose(a, b)
    assert not torch.allclose(*(model.discriminator(a, torch.tensor([y])) for y in (0, 1)))


def test_lazy_penalties_count_the_discriminator_s_own_updates_and_keep_their_mean_weight():
    data = make_data(Space((1, 2, 2), levels=2))
    model = GAN(data.space, GAN.Config(penalty_every=3, penalty_weight=2, penalty_weight_end=2))
    batch = data.train.batch(slice(0, 8))
    torch.manual_seed(0)
    terms = [model.discriminate(batch, Clock(step=5, turn=turn)).terms for turn in range(6)]
    assert [set(t) >= {"r1", "r2"} for t in terms] == [True, False, False, True, False, False]
    every = GAN(data.space, GAN.Config(penalty_every=1, penalty_weight=2, penalty_weight_end=2))
    every.load_state_dict(model.state_dict())
    torch.manual_seed(1)
    once = model.discriminate(batch, Clock(turn=0)).terms["r1"]
    torch.manual_seed(1)
    assert torch.allclose(once, 3 * every.discriminate(batch, Clock(turn=0)).terms["r1"])


def test_clipping_keeps_the_discriminator_s_weights_in_their_box():
    data = make_data(Space((4,)))
    model = GAN(data.space, GAN.Config(clip=0.01, penalties=(), updates=3, batch=8))
    list(train(model, data, Settings(steps=2)))
    assert all(p.abs().max() <= 0.01 for p in model.discriminator.parameters())
    assert max(p.abs().max() for p in model.generator.parameters()) > 0.01


def test_two_learning_rates_reach_their_players_and_decay():
    model = GAN(Space((4,)), GAN.Config(lr=1e-3, lr_discriminator=4e-3))
    d, g = model.players()
    assert (d.lr(0), g.lr(0)) == (4e-3, 1e-3)
    assert g.lr(1) == pytest.approx(1e-5)
    assert d.name == "discriminator"


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"loss": "hinge2"}, "unknown loss"),
        ({"penalties": ("r3",)}, "unknown penalty"),
        ({"architecture": "vit"}, "unknown architecture"),
        ({"latent": 0}, "--latent"),
        ({"width": 0}, "--width"),
        ({"lr": 0.0}, "--lr"),
        ({"clip": -1.0}, "--clip"),
        ({"penalty_weight": -1.0}, "negative"),
        ({"updates": 0}, "--updates"),
        ({"batch": 0}, "--batch"),
    ],
)
def test_impossible_configs_are_refused_with_the_flag(wrong, word):
    with pytest.raises(Refused, match=word):
        GAN.Config(**wrong)
