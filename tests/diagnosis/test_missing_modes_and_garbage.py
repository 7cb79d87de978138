"""What is raised while a model learns and judged afterwards: one name, one margin, and more asked of an alarm."""

import math

import numpy as np
import pytest
import torch
from tests.diagnosis.test_monitors import HEALTHY, game, lines, plain_gan

from plausible import GAN, Settings, load, train
from plausible.core.finding import Severity
from plausible.diagnosis import History, Monitor, alarms, garbage, missing_modes, run_alarms
from plausible.diagnosis.garbage import GARBAGE, GARBAGE_AT_LEAST
from plausible.diagnosis.history import PROBES
from plausible.diagnosis.missing_modes import MISSED_SHARE, PAIRWISE_RATIO
from plausible.evaluation.verdict.defect import defects


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({MISSED_SHARE: 0.3, PAIRWISE_RATIO: 0.8}, Severity.FAILURE),
        ({MISSED_SHARE: 0.06, PAIRWISE_RATIO: 0.8}, Severity.WARNING),
        ({MISSED_SHARE: 0.04, PAIRWISE_RATIO: 0.8}, Severity.FINE),
        ({MISSED_SHARE: 0.3, PAIRWISE_RATIO: 0.95}, Severity.FINE),  # an uneven one, and as wide
        ({MISSED_SHARE: lambda t: 3 * (1 - t), PAIRWISE_RATIO: 0.8}, Severity.FINE),  # it recovers
        ({GARBAGE: 0.1, GARBAGE_AT_LEAST: 0.04}, Severity.WARNING),
        ({GARBAGE: 0.05, GARBAGE_AT_LEAST: 0.02}, Severity.FINE),
        ({GARBAGE: 0.4, GARBAGE_AT_LEAST: lambda t: 0.3 if t < 0.97 else 0.0}, Severity.FINE),
        ({GARBAGE: lambda t: 1 - 0.5 * t, GARBAGE_AT_LEAST: 0.4}, Severity.NOTE),  # it falls
    ],
)
def test_an_alarm_has_the_margin_of_the_verdict_and_is_as_severe_as_there_is_much(
    changes, severity
):
    name = "garbage" if GARBAGE in changes else "missing modes"
    (found,) = (f for f in run_alarms(game(changes), plain_gan()) if f.phenomenon == name)
    assert found.severity is severity


def test_a_young_generator_is_held_to_wider_margins_than_a_finished_one():
    """Half way: a third of missed modes is nothing yet, a half is; garbage that does not fall is worth a note."""
    every = lines(200, probes=HEALTHY | {MISSED_SHARE: 0.3, PAIRWISE_RATIO: 0.8, GARBAGE: 0.9,
                  GARBAGE_AT_LEAST: 0.8}, discriminator={}, generator={})  # fmt: skip
    younger, young = every[:80], every[:120]
    assert {f.severity for f in run_alarms(History(younger))} == {Severity.FINE}
    found = {f.phenomenon: f.severity for f in run_alarms(History(young))}
    assert found.pop("garbage") is Severity.NOTE
    assert set(found.values()) == {Severity.FINE}
    for line in young:
        if PROBES in line:
            line[PROBES] |= {MISSED_SHARE: 0.5}
    found = {f.phenomenon: f.severity for f in run_alarms(History(young))}
    assert found["missing modes"] is Severity.FAILURE


def test_what_is_raised_and_what_is_judged_have_one_name_and_one_margin():
    for module in (garbage, missing_modes):
        name = module.__name__.rpartition(".")[2].replace("_", " ")
        assert alarms[name].function.__module__ == module.__name__
        assert defects[name].margin == module.MARGIN


def on_a_circle(count, modes, deviation, seed=0):
    """Points around so many modes on a circle of radius 2."""
    generator = torch.Generator().manual_seed(seed)
    angle = torch.randint(modes, (count,), generator=generator) * (2 * math.pi / modes)
    noise = torch.randn(count, 2, generator=generator)
    return 2 * torch.stack([angle.cos(), angle.sin()], 1) + deviation * noise


@pytest.mark.slow
def test_a_default_gan_that_draws_bridges_between_narrow_modes_is_told_so(tmp_path):
    path = tmp_path / "narrow.npy"
    np.save(path, on_a_circle(3000, 12, 0.02).numpy())
    data = load(str(path))
    training = train(GAN(data.space), data, Settings(steps=60))
    monitor = Monitor(training)
    for step in training:
        if monitor.should_probe(step):
            clock = {"step": step.clock.step, "progress": step.clock.progress}
            monitor.update({**clock, **step.values(), PROBES: monitor.probe()})
    finding = monitor.findings["garbage"]
    assert finding.severity is Severity.FAILURE
    assert finding.evidence["at least"] > 0.5
    assert "--steps 120 (now 60)" in finding.remedy
