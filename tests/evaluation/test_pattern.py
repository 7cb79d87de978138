"""A regular pattern over the samples: what is measured, what is found, and what is left to other tests."""

import math

import evaluation_points
import pytest
import torch
from evaluation_points import evalset
from torch.nn.functional import conv2d, pad

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.evaluation.permutation import observed
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.pattern import peaks
from plausible.evaluation.verdict.verdict import State

pytestmark = pytest.mark.slow


def blobs(n, seed, side=24, channels=1):
    """Smooth bumps at random places, and noise of 8 of 255."""
    generator = torch.Generator().manual_seed(seed)
    place = torch.rand(n, 2, 1, 1, generator=generator) * side
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    away = (rows - place[:, 0]) ** 2 + (columns - place[:, 1]) ** 2  # (n, side, side)
    bump = 0.25 + 0.5 * (-away / 32).exp()[:, None].expand(-1, channels, -1, -1)
    return (bump + 8 / 255 * torch.randn(bump.shape, generator=generator)).clamp(0, 1)


def checkerboard(x, amplitude):
    rows, columns = x.shape[2:]
    sign = (torch.arange(rows)[:, None] + torch.arange(columns)) % 2 * 2 - 1
    return (x + amplitude * sign).clamp(0, 1)


def shown(samples, heldout):
    return evalset(
        heldout[:50], heldout, samples, space=Space(tuple(heldout.shape[1:]), levels=256)
    )


def result(samples, heldout):
    return evaluation_points.result("regular pattern", shown(samples, heldout))


def effect(samples, heldout):
    kind = defects["regular pattern"]
    found = shown(samples, heldout)
    return kind.effect(kind.function(found).statistic(observed(len(samples)))).item()


def test_a_wave_stands_out_by_its_amplitude():
    generator = torch.Generator().manual_seed(0)
    x = 0.5 + 0.02 * torch.randn(4000, 1, 16, 16, generator=generator)
    wave = (2 * math.pi * torch.arange(16) * 5 / 16).cos()
    plain, striped = peaks(x, None).mean(0), peaks(x + 0.05 * wave, None).mean(0)
    place = (striped - plain).abs().argmax().item()
    assert place == 5  # row 0, column 5
    power = 256 * 0.02**2
    higher = math.log((power + (0.05 * 256 / 2) ** 2) / power)
    assert (striped - plain)[5].item() == pytest.approx(higher, abs=0.7)  # E log is not log E


def test_real_images_pass_and_a_checkerboard_that_nobody_sees_fails():
    heldout = blobs(400, 1)
    assert result(blobs(400, 2), heldout).state is State.PASS
    found = result(checkerboard(blobs(400, 2), 4 / 255), heldout)
    assert found.state is State.FAIL
    assert found.effect > 2
    assert "grid" in found.sentence


def test_blur_and_noise_are_no_pattern():
    heldout, other = blobs(400, 1), blobs(400, 2)
    kernel = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])[None, None] / 16
    blurred = conv2d(pad(other, (1, 1, 1, 1), mode="replicate"), kernel)
    noisy = other + 0.05 * torch.randn(other.shape, generator=torch.Generator().manual_seed(3))
    assert effect(blurred, heldout) < 0.7
    assert effect(noisy.clamp(0, 1), heldout) < 0.7


def test_a_grid_in_one_channel_and_in_images_that_are_not_square():
    heldout, other = blobs(200, 1, channels=3)[..., :17], blobs(200, 2, channels=3)[..., :17]
    assert effect(other, heldout) < 0.7
    other[:, 1, ::4] += 0.1  # every fourth row
    assert effect(other.clamp(0, 1), heldout) > 1


def test_tiny_images_and_vectors_have_none():
    kind = defects["regular pattern"]
    for x in (torch.rand(20, 1, 15, 19), torch.rand(20, 3)):
        with pytest.raises(NotDefined, match=r"at least 16 pixels|these data are vectors"):
            kind.function(evalset(x, x, x))
