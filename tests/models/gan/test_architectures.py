"""Every trunks of networks: shapes, second derivatives, batch statistics, and what is refused."""

import math

import pytest
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models.gan.architectures import architectures
from plausible.models.gan.architectures.r3gan import Block, Resample, stages

ALL = sorted(architectures)
IMAGES = sorted(set(architectures) - {"mlp"})


def built(name, shape, more=0, width=16):
    d_space = Space((shape[0] + more, *shape[1:]), levels=256)
    return architectures[name](Space(shape, levels=256), d_space, 10, width)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    "shape", [(1, 16, 16), (1, 28, 28), (3, 33, 32), (4, 64, 64), (3, 50, 17), (3, 128, 128)]
)
def test_shapes_each_way_and_a_second_derivative_of_every_weight(name, shape):
    torch.manual_seed(0)
    trunks = built(name, shape, more=2)
    made = trunks.generator(torch.randn(3, 10))
    assert made.shape == (3, *shape)
    assert made.isfinite().all()
    for (
        layer
    ) in trunks.discriminator.modules():  # what is zero at first learns from the second update on
        if isinstance(layer, Block):
            torch.nn.init.normal_(layer.branch[-1].weight, std=0.1)
    x = torch.randn(3, shape[0] + 2, *shape[1:], requires_grad=True)
    h = trunks.discriminator(x)
    assert h.shape == (3, trunks.features)
    (slope,) = torch.autograd.grad(h, x, h.detach(), create_graph=True)
    weights = {
        k: p for k, p in trunks.discriminator.named_parameters() if p.ndim > 1 and k[-4:] != "bias"
    }
    moved = torch.autograd.grad(slope.square().sum() + h.sum(), list(weights.values()))
    assert all(g.isfinite().all() and g.abs().sum() > 0 for g in moved)


@pytest.mark.parametrize("name", ALL)
def test_batch_statistics_are_declared_by_those_who_have_them(name):
    torch.manual_seed(0)
    trunks = built(name, (1, 16, 16))
    x = torch.randn(6, 1, 16, 16)
    alone = torch.allclose(trunks.discriminator(x)[:3], trunks.discriminator(x[:3]), atol=1e-4)
    assert alone is not trunks.batch_statistics


@pytest.mark.parametrize("name", IMAGES)
def test_what_is_no_image_or_too_small_or_too_large_is_refused(name):
    for shape in [(5,), (1, 7, 9), (1, 300, 300)]:
        with pytest.raises(
            UsageError, match=f"the architecture {name} is for images with sides of"
        ):
            architectures[name](Space(shape), Space(shape), 10, 16)


def test_r3gan_refuses_a_width_that_makes_no_groups():
    with pytest.raises(UsageError, match="--width of r3gan must be a multiple of 16, not 20"):
        built("r3gan", (1, 28, 28), width=20)


@pytest.mark.parametrize(
    ("side", "sizes"),
    [(16, [4, 8, 16]), (28, [4, 7, 14, 28]), (33, [5, 9, 17, 33]), (128, [4, 8, 16, 32, 64, 128])],
)
def test_r3gan_s_stages_start_at_about_four_pixels(side, sizes):
    assert [h for h, _ in stages(side, side)] == sizes


def test_r3gan_resamples_with_the_kernel_1_3_3_1():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 16, 16)
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    kernel = torch.outer(taps, taps).expand(3, 1, 4, 4)
    down = torch.nn.functional.conv2d(x, kernel, stride=2, padding=1, groups=3)
    mine = Resample((8, 8))(x)
    assert torch.allclose(
        mine[..., 1:-1, 1:-1], down[..., 1:-1, 1:-1], atol=1e-5
    )  # but for the border
    up = torch.nn.functional.conv_transpose2d(x, 4 * kernel, stride=2, padding=1, groups=3)
    mine = Resample((32, 32))(x)
    assert torch.allclose(mine[..., 2:-2, 2:-2], up[..., 2:-2, 2:-2], atol=1e-5)


def test_r3gan_is_two_mirror_images_without_normalisation_and_with_blocks_that_start_as_identity():
    torch.manual_seed(0)
    trunks = built("r3gan", (3, 32, 32), width=64)
    layers = [
        type(layer).__name__
        for net in (trunks.generator, trunks.discriminator)
        for layer in net.modules()
    ]
    assert not any("Norm" in name for name in layers)
    blocks = [
        [m for m in net if isinstance(m, Block)] for net in (trunks.generator, trunks.discriminator)
    ]
    assert len(blocks[0]) == len(blocks[1]) == 8

    def count(network):
        return sum(p.numel() for m in network if isinstance(m, Block) for p in m.parameters())

    assert count(trunks.generator) == count(trunks.discriminator)
    x = torch.randn(2, 64, 4, 4)
    assert torch.equal(blocks[0][0](x), x)
    first, middle = blocks[0][0].branch[0].weight, blocks[0][0].branch[2].weight
    for weight, fan_in in ((first, 64), (middle, 16 * 9)):
        expected = math.sqrt(2 / 1.04) * 8**-0.25 / math.sqrt(fan_in)
        assert weight.std().item() == pytest.approx(expected, rel=0.1)
    assert all(
        layer.bias is None
        for net in (trunks.generator, trunks.discriminator)
        for layer in net.modules()
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)
    )


@pytest.mark.parametrize("name", IMAGES)
def test_at_initialisation_activations_neither_vanish_nor_explode(name):
    torch.manual_seed(0)
    for side in (16, 64):
        trunks = built(name, (3, side, side), width=32)
        assert 0.005 < trunks.generator(torch.randn(16, 10)).std() < 5
        assert 0.01 < trunks.discriminator(torch.randn(16, 3, side, side)).std() < 200


@pytest.mark.parametrize("name", ALL)
def test_bf16_gives_nearly_the_same(name):
    torch.manual_seed(0)
    trunks = built(name, (1, 28, 28))
    x = torch.randn(4, 1, 28, 28)
    with torch.autocast("cpu", torch.bfloat16):
        half = trunks.discriminator(x).float()
    whole = trunks.discriminator(x)
    assert (half - whole).abs().max() < 0.05 * whole.abs().max()
