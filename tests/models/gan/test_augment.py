"""Augmentation changes what it says, with the probability it is given, and lets gradients pass."""

import pytest
import torch
from tests.conftest import make_data

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models.gan.adaptive_augmentation import LARGEST_P, AdaptiveAugmentation
from plausible.models.gan.augment import augment, augmentations
from plausible.models.gan.gan import GAN
from plausible.training import Settings, train

ALL = sorted(augmentations)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_each_keeps_the_shape_and_lets_a_gradient_pass(name, channels):
    torch.manual_seed(0)
    x = torch.randn(5, channels, 9, 12, requires_grad=True)
    changed = augmentations[name](x)
    assert changed.shape == x.shape
    (gradient,) = torch.autograd.grad(changed.square().sum(), x)
    assert gradient.isfinite().all()
    assert (gradient.flatten(1).norm(dim=1) > 0).all()


@pytest.mark.parametrize("name", ALL)
def test_each_image_is_changed_on_its_own_with_the_probability_given(name):
    torch.manual_seed(0)
    x = torch.randn(1, 3, 16, 16).expand(400, 3, 16, 16)
    assert torch.equal(augment(x, [name], 0.0), x)
    changed = (augment(x, [name], 0.3) != x).flatten(1).any(1).float().mean()
    assert 0.2 < changed < 0.4
    if name != "flip":
        one, other = augment(x, [name], 1.0)[:2]
        assert not torch.equal(one, other)


def test_color_moves_brightness_and_contrast_within_their_bounds_and_never_opacity():
    torch.manual_seed(0)
    x = torch.rand(1, 4, 8, 8).expand(2000, 4, 8, 8) - 0.5
    changed = augmentations["color"](x)
    assert torch.equal(changed[:, 3], x[:, 3])
    brighter = changed[:, :3].mean((1, 2, 3)) - x[:, :3].mean((1, 2, 3))
    assert -0.5 <= brighter.min() < -0.45 < 0.45 < brighter.max() <= 0.5
    grey = changed[:, :3].mean(1), x[:, :3].mean(1)  # saturation leaves the mean of colours alone
    contrast = grey[0].std((1, 2)) / grey[1].std((1, 2))
    assert 0.5 <= contrast.min() < 0.55 < 1.45 < contrast.max() <= 1.5


def test_translation_shifts_by_whole_pixels_up_to_an_eighth():
    torch.manual_seed(0)
    x = torch.zeros(3000, 1, 16, 24)
    x[:, :, 8, 12] = 1
    place = augmentations["translation"](x).flatten(1).argmax(1)
    rows, columns = place // 24 - 8, place % 24 - 12
    assert sorted(set(rows.tolist())) == [-2, -1, 0, 1, 2]
    assert sorted(set(columns.tolist())) == [-3, -2, -1, 0, 1, 2, 3]


def test_cutout_blanks_a_box_of_half_of_each_side():
    torch.manual_seed(0)
    blank = augmentations["cutout"](torch.ones(2000, 1, 16, 16)).eq(0).flatten(1).sum(1)
    assert blank.max() == 8 * 8
    assert blank.min() == 4 * 4
    assert augmentations["cutout"](torch.ones(2000, 1, 16, 16)).eq(0).any(0).all()


def test_flip_mirrors():
    x = torch.arange(6.0).reshape(1, 1, 2, 3)
    assert augmentations["flip"](x).tolist() == [[[[2, 1, 0], [5, 4, 3]]]]


def after(strength, train, fake, validation, rounds=200, examples=640):
    for _ in range(rounds):
        strength.observe(torch.full((4,), float(train)), torch.full((9,), float(fake)))
        strength.update(torch.full((examples,), float(validation)))
    return strength.p.item()


def test_the_strength_rises_while_unseen_data_look_false_and_falls_when_they_do_not():
    strength = AdaptiveAugmentation()
    assert after(strength, 5, 1, 1.5) == pytest.approx(LARGEST_P)
    assert strength.heldout_gap.item() == pytest.approx((5 - 1.5) / (5 - 1), rel=1e-3)
    assert after(strength, 5, 1, 4.9) == 0


def test_the_strength_does_not_depend_on_d_s_level_and_stays_where_d_knows_nothing():
    a, b = AdaptiveAugmentation(), AdaptiveAugmentation()
    assert after(a, 5, 1, 2, 20) == pytest.approx(after(b, 105, 101, 102, 20), abs=1e-6)
    drifting = AdaptiveAugmentation()
    for level in torch.linspace(50, 0, 500):
        after(drifting, level + 5, level + 1, level + 4.9, 1)
    assert drifting.p == 0
    assert after(AdaptiveAugmentation(), 1, 1, 1) == 0
    assert after(AdaptiveAugmentation(), 1, 2, 0) == 0


@pytest.mark.slow
def test_a_discriminator_that_learns_by_heart_is_answered_with_augmentation():
    """16 images and a discriminator without penalties: it soon knows them, and no others."""
    torch.manual_seed(0)
    space = Space((1, 8, 8), levels=256)
    data = make_data(space, n=48)
    model = GAN(space, GAN.Config(penalties=(), batch=16, lr=2e-3, architecture="mlp", width=64))
    training = train(model, data, Settings(steps=200))
    list(training)
    assert training.raw.strength.p > 0.01
    assert training.raw.strength.heldout_gap > 0.3
    assert training.averaged.strength.p == training.raw.strength.p  # saved with the weights


def test_a_given_strength_grows_during_the_burn_in_and_flips_are_only_made_when_asked():
    space = Space((1, 8, 8), levels=256)
    training = train(
        GAN(space, GAN.Config(augment_strength=0.4, batch=8)), make_data(space), Settings(steps=8)
    )
    seen = [step.scalars["discriminator"]["augment"].item() for step in training]
    assert seen[0] == 0
    assert seen == sorted(seen)
    assert seen[4:] == pytest.approx([0.4] * 4)
    assert "flip" not in training.raw.augment


def test_vectors_and_the_smallest_images_are_not_augmented_and_vectors_cannot_be():
    assert GAN(Space((3,)), GAN.Config()).augment == ()
    assert GAN(Space((1, 4, 4), levels=2), GAN.Config()).augment == ()
    with pytest.raises(UsageError, match="--augment changes images"):
        GAN(Space((3,)), GAN.Config(augment=("color",)))
