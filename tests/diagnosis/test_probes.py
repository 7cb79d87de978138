"""Probes: what they see of a training, and that they change nothing of it."""

import math

import pytest
import torch
from tests.conftest import make_data

from plausible import GAN, GSN, VAE, Settings, Space, train
from plausible.diagnosis.discriminator import AUC_TRAIN, LOGIT_GRADIENT, SAMPLE_GRADIENT
from plausible.diagnosis.probe import probe_reference, run_probes

SPACE = Space((1, 4, 4), 2, 2)


def begun(kind, steps=30, **config):
    torch.manual_seed(0)
    space = Space((1, 8, 8), 2, 2) if "architecture" in config else SPACE
    return train(
        kind(space, kind.Config(**{"width": 8, "batch": 16, **config})),
        make_data(space, 400),
        Settings(steps=steps),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "config"),
    [
        (GAN, {}),
        (GAN, {"spectral_norm": True}),
        (GAN, {"architecture": "resnet"}),
        (VAE, {}),
        (GSN, {}),
    ],
)
def test_training_goes_on_as_if_nobody_had_run_probes(kind, config):
    unseen = begun(kind, **config)
    for _ in range(6):
        next(unseen)
    seen = begun(kind, **config)
    reference = probe_reference(seen.raw, seen.data, 0)
    for _ in range(6):
        next(seen)
        numbers = run_probes(seen, reference, 0)
        assert all(math.isfinite(value) for value in numbers.values())
    assert numbers == run_probes(seen, reference, 0)
    for a, b in zip(unseen.raw.state_dict().values(), seen.raw.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("config", [{"conditional": True}, {"pack": 2}, {"loss": "relativistic-average"},
                                    {"loss": "wasserstein", "penalties": ("wgan-gp",)}])  # fmt: skip
def test_every_kind_of_gan_can_be_probed(config):
    training = begun(GAN, **config)
    next(training)
    numbers = run_probes(training, probe_reference(training.raw, training.data, 0), 0)
    assert 0 <= numbers[AUC_TRAIN] <= 1
    assert numbers[SAMPLE_GRADIENT] > 0


def test_the_multiplier_is_the_slope_of_the_loss():
    """s(a) of the saturating and 1 - s(a) of the other, at the D that every sample meets."""
    found = {}
    for loss in ("minimax", "nonsaturating"):
        training = begun(GAN, loss=loss, penalties=())
        with torch.no_grad():
            head = training.raw.discriminator.head
            head.weight.zero_(), head.bias.fill_(-2.0)
        found[loss] = run_probes(training, probe_reference(training.raw, training.data, 0), 0)[
            LOGIT_GRADIENT
        ]
    sure = 1 / (1 + math.exp(2.0))
    assert found["minimax"] == pytest.approx(sure, rel=1e-4)
    assert found["nonsaturating"] == pytest.approx(1 - sure, rel=1e-4)
