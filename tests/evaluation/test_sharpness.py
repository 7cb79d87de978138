"""Detail of images against white noise, ramps, waves and blur."""

import math

import pytest
import torch
from torch.nn.functional import avg_pool2d

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.measure import measure, metrics
from plausible.evaluation.metrics.sharpness import (
    colour_detail,
    laplacian_variance,
    spectra,
    spectrum,
)

NAMES = ["laplacian sharpness", "power spectrum", "high frequencies"]


def view(x):
    space = Space(x.shape[1:], levels=256 if x.ndim == 4 else None)
    part = Part(space.codes(x) if space.levels else x, None, space)
    return Embedded(part, x.flatten(1), x.flatten(1), torch.zeros(len(x)).long())


def evalset(real, made):
    real, made = view(real), view(made)
    space = real.part.space
    return EvaluationSet(space, real, real, made, ("all",), False, lambda x: x.flatten(1))


def noise(n, *shape, seed=0, scale=0.1):
    return 0.5 + scale * torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed))


def measured(name, real, made):
    (row,) = measure(metrics[name], evalset(real, made))
    assert row.name == name
    return row


def test_white_noise_has_twenty_times_its_variance_and_a_ramp_none():
    x = noise(20, 3, 48, 40)
    assert laplacian_variance(x).shape == (20,)
    assert laplacian_variance(x).mean().item() == pytest.approx(20 * 0.01, rel=0.02)
    ramp = torch.linspace(0, 1, 16).expand(2, 1, 12, 16)
    assert laplacian_variance(ramp).max().item() < 1e-12
    assert laplacian_variance(torch.full((2, 3, 5, 5), 0.3)).tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 16, 32), (2, 33, 20), (1, 3, 3)])
def test_the_spectrum_of_white_noise_is_flat(shape):
    radii, power = spectrum(noise(4000 // shape[1], *shape))
    last = min(shape[1:]) // 2
    assert radii.tolist() == list(range(1, last + 1))
    assert power.shape == (4000 // shape[1], last)
    for mean in power.mean(0)[1:].tolist():  # radius 1 lies beside the mean that was removed
        assert mean == pytest.approx(0.01, rel=0.1)


def test_a_wave_has_its_power_at_its_frequency_whichever_way_it_runs():
    t = torch.arange(32) / 32
    down, across = torch.sin(2 * math.pi * 8 * t)[:, None], torch.sin(2 * math.pi * 8 * t)[None]
    x = torch.stack([down.expand(32, 32), across.expand(32, 32)])[:, None]
    for power in spectrum(x)[1]:
        assert power.argmax() + 1 == 8
        assert power[:6].max() < 1e-3 * power[7]
        assert power[10:].max() < 1e-3 * power[7]
    wide = torch.sin(2 * math.pi * 4 * t).expand(1, 1, 16, 32)  # the same wave of 8 pixels
    assert spectrum(wide)[1].argmax() + 1 == 2  # two of them fit into the shorter side


def test_a_ramp_does_not_leak_into_the_high_frequencies():
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    power = spectrum(ramp)[1][0]
    assert power[16:].max() < 1e-6 * power[0]


def test_more_noise_of_the_same_kind_is_measured_as_what_it_is():
    real, made = noise(300, 1, 16, 16), noise(300, 1, 16, 16, seed=1, scale=0.2)
    assert measured("laplacian sharpness", real, made).value == pytest.approx(4, rel=0.05)
    for name in NAMES[1:]:
        assert measured(name, real, made).value == pytest.approx(10 * math.log10(4), abs=0.2)


def test_equal_sets_are_equal_and_another_draw_lies_within_its_error():
    real, again = noise(200, 3, 8, 8), noise(200, 3, 8, 8, seed=1)
    for name, perfect in zip(NAMES, [1, 0, 0], strict=True):
        assert measured(name, real, real).value == pytest.approx(perfect, abs=1e-6)
        drawn = measured(name, real, again)
        assert abs(drawn.value - perfect) < 4 * drawn.stderr


def test_the_errors_are_those_of_repeated_draws():
    real = noise(100, 1, 8, 8)
    for name in NAMES:
        drawn = [measured(name, real, noise(50, 1, 8, 8, seed=k, scale=0.2)) for k in range(1, 41)]
        spread = torch.tensor([measure.value for measure in drawn]).std().item()
        # each stderr also counts the draw of the real images, half as many as of these
        expected = sum(measure.stderr for measure in drawn) / len(drawn) * math.sqrt(2 / 3)
        assert spread == pytest.approx(expected, rel=0.4)


def test_blur_is_below_and_noise_above():
    real = noise(100, 1, 16, 16)
    blurred = avg_pool2d(real, 3, 1, 1, count_include_pad=False)
    assert measured("laplacian sharpness", real, blurred).value < 0.3
    assert measured("high frequencies", real, blurred).value < -6
    rough = avg_pool2d(noise(100, 1, 16, 16, seed=2), 3, 1, 1, count_include_pad=False)
    assert measured("laplacian sharpness", rough, real).value > 3
    assert measured("high frequencies", rough, real).value > 6
    radii, power, made = spectra(evalset(real, blurred))
    assert len(radii) == len(power) == len(made) == 8
    assert made[-1] < power[-1] / 5


def test_speckles_of_colour_are_seen_beside_brightness_that_is_right():
    grey = noise(300, 1, 16, 16)
    tint = noise(300, 3, 16, 16, seed=1, scale=0.004)
    real = grey + tint - tint.mean(1, keepdim=True)
    more = noise(300, 3, 16, 16, seed=2, scale=0.02)
    made = noise(300, 1, 16, 16, seed=3) + more - more.mean(1, keepdim=True)
    assert measured("colour detail", real, made).value == pytest.approx(14, abs=0.7)
    assert measured("high frequencies", real, made).value == pytest.approx(0, abs=0.3)
    assert measured("colour detail", real, real).value == 0
    with_alpha = torch.cat([made, noise(300, 1, 16, 16, seed=4)], 1)
    assert measured("colour detail", with_alpha, with_alpha).value == 0
    for without in (grey, grey.expand(-1, 3, -1, -1)):
        with pytest.raises(NotDefined, match="colours"):
            colour_detail(evalset(without, without))


@pytest.mark.parametrize("name", NAMES)
def test_broken_samples_give_a_number_and_broken_data_a_reason(name):
    real, grey = noise(20, 1, 8, 8), torch.full((20, 1, 8, 8), 0.5)
    flat = measured(name, real, grey)
    assert math.isfinite(flat.value)
    assert math.isfinite(flat.stderr)
    assert math.isfinite(measured(name, real[:2], real[2:4]).stderr)
    alone = measured(name, real[:1], real[1:2])
    assert math.isfinite(alone.value)
    assert alone.stderr is None
    for bad, reason in [
        (grey, "held-out images"),
        (noise(20, 5), "these data are vectors"),
        (noise(20, 1, 2, 9), "at least 3 pixels a side, not 9x2"),
    ]:
        refused = measured(name, bad, bad)
        assert refused.value is None
        assert reason in refused.note


def test_vectors_have_no_spectra_to_plot():
    with pytest.raises(NotDefined, match="vectors"):
        spectra(evalset(noise(9, 4), noise(9, 4)))
