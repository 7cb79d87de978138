"""The game on real networks: both players, every loss, penalty and architecture together."""

import json
import math
from dataclasses import replace

import pytest
import torch
from tests.conftest import make_data

from plausible import runs
from plausible.core.errors import UsageError
from plausible.core.game import Clock
from plausible.core.model import truncated
from plausible.core.space import Batch, Space
from plausible.models.gan.architectures import architectures, default_architecture
from plausible.models.gan.gan import GAN
from plausible.models.gan.losses import losses
from plausible.models.gan.penalties import CriticAt, penalties
from plausible.runs.checksums import write_noted
from plausible.training import Settings, train

SETS = [(), ("r1", "r2"), ("wgan-gp",), ("dragan",), ("consistency",)]


def played(config, space=Space((2, 16, 17), levels=5, classes=2), steps=2):  # noqa: B008
    """A few steps of a small GAN, all of whose numbers must be finite; its averaged model."""
    training = train(GAN(space, config), make_data(space), Settings(steps=steps))
    for step in training:
        assert set(step.scalars) == {"discriminator", "generator"}
        seen = [v for values in step.values().values() for v in values.values()]
        assert torch.isfinite(torch.tensor(seen)).all()
        lazy = step.clock.step % config.penalty_every == 0
        assert set(config.penalties) <= set(step.scalars["discriminator"]) or not lazy
    drawn = training.averaged.sample(3)
    assert drawn.x.shape == (3, *space.shape)
    assert (drawn.y is not None) == config.conditional
    return training.averaged


def paired(first, second, third):
    """(a, b, c) of every a with every b, so that also every c stands with every b."""
    assert len(third) <= len(first)
    return [
        (a, b, third[(i + j) % len(third)])
        for i, a in enumerate(first)
        for j, b in enumerate(second)
    ]


SMALL = {"batch": 6, "latent": 5, "width": 16, "penalty_every": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "chosen", "architecture"),
    paired(sorted(losses), SETS, sorted(architectures)),
)
def test_every_two_choices_train_and_draw_together(loss, chosen, architecture):
    config = {"loss": loss, "penalties": chosen, "architecture": architecture, **SMALL}
    if architecture == "dcgan" and chosen in (("wgan-gp",), ("dragan",)):
        with pytest.raises(UsageError, match="batch norm it changes with the whole batch"):
            played(GAN.Config(**config))
        config["penalties"] = ()
    played(GAN.Config(**config), steps=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "spectral_norm", "condition", "chosen"),
    [
        (architecture, spectral_norm, condition, chosen)
        for spectral_norm in (False, True)
        for architecture, condition, chosen in paired(
            sorted(architectures),
            ["projection", "auxiliary", "concatenation"],
            [(), ("r1", "r2"), ("consistency",)],
        )
    ],
)
def test_every_way_to_the_label_goes_with_every_architecture(
    architecture, condition, spectral_norm, chosen
):
    config = GAN.Config(
        conditional=True,
        condition=condition,
        spectral_norm=spectral_norm,
        penalties=chosen,
        architecture=architecture,
        augment_strength=0.5,
        augment=("color", "translation", "cutout", "flip"),
        **SMALL,
    )
    model = played(config)
    assert model.sample(2, 1).y.tolist() == [1, 1]


@pytest.mark.parametrize("architecture", sorted(architectures))
@pytest.mark.parametrize("chosen", [(), ("r1",)])
def test_packing_and_minibatch_statistics_go_with_every_architecture(architecture, chosen):
    more = {"architecture": architecture, "penalties": chosen, **SMALL}
    played(GAN.Config(pack=2, minibatch_std=True, **more))


@pytest.mark.parametrize("condition", ["projection", "auxiliary", "concatenation"])
def test_vectors_take_labels_and_packs(condition):
    space = Space((3,), classes=2)
    played(GAN.Config(conditional=True, condition=condition, batch=6), space)
    played(GAN.Config(pack=3, minibatch_std=True, penalties=("consistency",), batch=6), space)
    for chosen in ((), ("r1",)):  # with penalties in some rounds, and in none
        played(GAN.Config(pack=2, penalties=chosen, batch=6), space)


def test_every_penalty_is_tried():
    assert set().union(*SETS) == set(penalties)


def test_a_discriminator_s_answer_depends_on_the_label_in_every_way():
    torch.manual_seed(0)
    space = Space((1, 8, 8), levels=5, classes=3)
    x, y = torch.randn(4, 1, 8, 8), torch.tensor([0, 1, 2, 0])
    for condition in ("projection", "concatenation"):
        model = GAN(space, GAN.Config(conditional=True, condition=condition))
        same = model.discriminator(x, y).logit, model.discriminator(x, (y + 1) % 3).logit
        assert (same[0] - same[1]).abs().min() > 1e-4
    model = GAN(space, GAN.Config(conditional=True, condition="auxiliary"))
    assert model.discriminator(x, y).labels.shape == (4, 3)
    batch = Batch(x.sigmoid(), y)
    terms = model.d_loss(batch, Clock(update=1)).terms
    assert terms["labels"].mean().item() == pytest.approx(2 * math.log(3), rel=0.7)
    assert "labels" in model.g_loss(batch, Clock()).terms


def test_a_pack_gets_one_logit_and_its_penalty_knows_every_sample():
    model = GAN(Space((1, 8, 8), levels=5), GAN.Config(pack=4))
    x = torch.randn(12, 1, 8, 8)
    assert model.discriminator(x).logit.shape == (3,)
    point = CriticAt(model.discriminator, x)
    assert point.gradient.shape == x.shape
    assert (point.gradient.flatten(1).norm(dim=1) > 0).all()


def test_minibatch_statistics_tell_a_batch_of_one_point_from_a_varied_one():
    torch.manual_seed(0)
    model = GAN(Space((1, 8, 8), levels=5), GAN.Config(minibatch_std=True))
    plain = GAN(Space((1, 8, 8), levels=5), GAN.Config())
    x = torch.randn(6, 1, 8, 8)
    same = x[:1].expand(6, 1, 8, 8)
    apart, together = model.discriminator(x).logit[0], model.discriminator(same).logit[0]
    assert (apart - together).abs() > 1e-3
    plainly = plain.discriminator(x).logit[0], plain.discriminator(same).logit[0]
    assert torch.allclose(*plainly, atol=1e-5)


def test_spectral_norm_bounds_the_slope_of_every_layer():
    torch.manual_seed(0)
    model = GAN(Space((4,)), GAN.Config(spectral_norm=True, width=8))
    model.train()
    for _ in range(30):
        model.discriminator(torch.randn(5, 4))
    a, b = torch.randn(2, 100, 4)
    apart = (model.discriminator(a).logit - model.discriminator(b).logit).abs()
    assert (apart <= (a - b).norm(dim=1) * 1.01).all()


def test_losses_of_a_whole_batch_refuse_to_be_split():
    space = Space((1, 16, 16), levels=5)
    whole = [{"loss": "relativistic-average"}, {"pack": 2}, {"minibatch_std": True}]
    for more in [*whole, {"architecture": "dcgan"}]:
        model = GAN(space, GAN.Config(batch=8, **more))
        with pytest.raises(UsageError, match="--micro-batch"):
            train(model, make_data(space), Settings(steps=1, micro_batch=4))


@pytest.mark.parametrize("side", [8, 11, 17, 28, 64, 256])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("architecture", ["conv", "antialiased"])
def test_images_of_any_size_and_depth_are_made(side, channels, architecture):
    space = Space((channels, side, side + 1 if side < 100 else side - 1), levels=256)
    model = GAN(space, GAN.Config(width=2, architecture=architecture))
    filtered = side > 28
    assert default_architecture(space) == ("antialiased" if filtered else "conv")
    assert GAN(space, GAN.Config(width=2)).batch == (32 if filtered else 64)
    x = model.decode(model.latent(2))
    assert x.shape == (2, *space.shape)
    assert model.discriminator(x).logit.shape == (2,)
    assert not any("Norm" in type(layer).__name__ for layer in model.modules())


@pytest.mark.parametrize("shape", [(1, 7, 9), (5,), (1, 300, 300)])
def test_small_images_and_vectors_get_a_perceptron_and_conv_refuses_what_it_cannot_make(shape):
    space = Space(shape)
    if shape != (1, 300, 300):
        assert default_architecture(space) == "mlp"
    with pytest.raises(UsageError, match="sides of 8 to 256"):
        GAN(space, GAN.Config(architecture="conv"))


@pytest.mark.parametrize(
    ("architecture", "least"),
    [("conv", 0.3), ("antialiased", 0.1)],  # filters smooth what is white at first
)
def test_at_initialisation_activations_keep_their_size_at_every_depth(architecture, least):
    torch.manual_seed(0)
    for side in (8, 32, 128):
        config = GAN.Config(width=16, architecture=architecture)
        model = GAN(Space((3, side, side), levels=256), config)
        x = model.generator(model.latent(64))
        assert least < x.std() < 3
        assert 0.1 < model.discriminator(torch.randn(64, 3, side, side)).logit.std() < 10


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
    assert not torch.allclose(*(model.discriminator(a, torch.tensor([y])).logit for y in (0, 1)))


def test_lazy_penalties_count_the_discriminator_s_own_updates_and_keep_their_mean_weight():
    data = make_data(Space((1, 2, 2), levels=2))
    model = GAN(data.space, GAN.Config(penalty_every=3, penalty_weight=2, penalty_weight_end=2))
    batch = data.train.batch(slice(0, 8))
    torch.manual_seed(0)
    terms = [model.d_loss(batch, Clock(step=5, update=turn)).terms for turn in range(6)]
    assert [set(t) >= {"r1", "r2"} for t in terms] == [True, False, False, True, False, False]
    every = GAN(data.space, GAN.Config(penalty_every=1, penalty_weight=2, penalty_weight_end=2))
    every.load_state_dict(model.state_dict())
    torch.manual_seed(1)
    once = model.d_loss(batch, Clock(update=0)).terms["r1"]
    torch.manual_seed(1)
    assert torch.allclose(once, 3 * every.d_loss(batch, Clock(update=0)).terms["r1"])


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
        ({"penalty_weight": -1.0}, "--penalty-weight must be at least 0"),
        ({"augment": ("rotate",)}, "unknown augmentation"),
        ({"augment_strength": 1.5}, "--augment-strength"),
        ({"beta2": 1.0}, "--beta2"),
        ({"decay": (0.9, 0.1)}, "--decay"),
        ({"burn_in": -0.1}, "--burn-in"),
        ({"lr_end": 0.0}, "--lr-end"),
        ({"pack": 3}, "--batch 64 cannot be packed"),
        ({"pack": 2, "conditional": True}, "--conditional"),
        ({"clip": 0.1, "spectral_norm": True}, "--clip and --spectral-norm"),
        (
            {"loss": "wasserstein", "minibatch_std": True, "penalties": ("wgan-gp",)},
            "--minibatch-std it changes with the whole batch",
        ),
        ({"updates": 0}, "--updates"),
        ({"batch": 0}, "--batch"),
    ],
)
def test_impossible_configs_are_refused_with_the_flag(wrong, word):
    with pytest.raises(UsageError, match=word):
        GAN(Space((2,)), GAN.Config(**wrong))


def test_truncation_keeps_z_within_its_bound_and_samples_more_typical():
    z = torch.randn(20_000, 3)
    for t in (0.5, 2.0):
        kept = truncated(z, t)
        assert kept.abs().max() <= t
        phi = math.exp(-t * t / 2) / math.sqrt(2 * math.pi)
        variance = 1 - 2 * t * phi / math.erf(t / math.sqrt(2))  # of N(0, 1) given |z| <= t
        assert kept.var().item() == pytest.approx(variance, rel=0.03)
        assert (kept.sign() == z.sign()).all()
    assert torch.allclose(truncated(z, 20.0), z, atol=1e-4)
    model = GAN(Space((2,)), GAN.Config())
    draw = [
        model.sample(500, truncation=t, generator=torch.Generator().manual_seed(0)).x
        for t in (None, 1.0, 0.1)
    ]
    assert draw[0].std() > draw[1].std() > draw[2].std()
    with pytest.raises(UsageError, match="truncated z must be more than 0"):
        model.sample(3, truncation=0.0)


def test_a_run_keeps_which_networks_it_has_and_one_that_kept_none_has_those_of_before(tmp_path):
    space = Space((3, 30, 33), 256)
    config = GAN.Config(width=2, latent=2, batch=4)
    for name, architecture in (("now", None), ("before", "conv")):
        model = GAN(space, replace(config, architecture=architecture))
        training = train(model, make_data(space, 30), Settings(steps=1))
        run = runs.create(tmp_path / name, training)
        list(training)
        runs.save(run, training)
    assert runs.Run(tmp_path / "now").config["config"]["architecture"] == "antialiased"
    # in colour it is for the data to say which are the default, so commands name what it was
    assert runs.Run(tmp_path / "now").model_config == replace(config, architecture="antialiased")
    grey = replace(space, shape=(1, 30, 33))
    kept = {"architecture": "antialiased"}
    assert GAN.as_chosen(kept, grey) == {"architecture": None}  # and here they do not
    assert GAN.as_chosen(kept, space) == kept
    kept = json.loads((tmp_path / "before" / "config.json").read_text())
    kept["config"]["architecture"] = None
    del kept["format"]
    write_noted(tmp_path / "before" / "config.json", json.dumps(kept))
    opened = runs.Run(tmp_path / "before").model()
    assert opened.architecture == "conv"
    assert opened.sample(2).x.shape == (2, *space.shape)


def test_d_sees_data_where_g_learns_only_if_the_loss_of_g_or_the_augmentation_asks():
    space, asked = Space((2,)), {}
    for loss in ("nonsaturating", "relativistic"):
        model, calls = GAN(space, GAN.Config(loss=loss, width=8)), []
        model.discriminator.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        model.g_loss(Batch(torch.randn(4, 2), None), Clock())
        asked[loss] = len(calls)
    assert asked == {"nonsaturating": 1, "relativistic": 2}
