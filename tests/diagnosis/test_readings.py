"""What probes say is what alarms read: one constant for both, and a name of one side alone fails."""

import pkgutil
from importlib import import_module

import pytest
import torch
from tests.conftest import make_data

import plausible.models
from plausible import GAN, GSN, RBM, VAE, Settings, Space, train
from plausible.core import reading
from plausible.core.reading import D_FAKE, D_REAL, Reading
from plausible.diagnosis import History, alarms, probes
from plausible.diagnosis.history import PROBES, TRACE
from plausible.diagnosis.probe import probe_reference, run_probes

SPACE = Space((1, 4, 4), 2, 2)


def begun(kind):
    torch.manual_seed(0)
    training = train(kind(SPACE, kind.Config(batch=16)), make_data(SPACE, 400), Settings(steps=3))
    return training, next(training)


@pytest.fixture(scope="module")
def said():
    """{player or PROBES: every reading that any training says}."""
    found = {}
    for kind in (GAN, VAE, RBM, GSN):
        training, step = begun(kind)
        readings = run_probes(training, probe_reference(training.raw, training.data, 0), 0)
        found.setdefault(PROBES, set()).update(readings)
        for player, values in step.values().items():
            found.setdefault(player, set()).update(values)
    return found


class Recorder(History):
    """A history that notes what it is asked for."""

    def __init__(self, lines):
        self.asked = set()
        super().__init__(lines)

    def series_of(self, player, reading, since=0.0):
        self.asked.add((PROBES if player == PROBES else "player", reading))
        return super().series_of(player, reading, since)

    def trace(self, reading, since=0.0):
        self.asked.add((TRACE, reading))
        return super().trace(reading, since)


def recorded(said, players):
    """A long history in which everything that can be said of these players was said."""
    lines = []
    for k in range(40):
        line = {player: dict.fromkeys(said[player], 1.0 + k) for player in players}
        line |= {"step": 10 * k, "progress": (k + 1) / 40, PROBES: dict.fromkeys(said[PROBES], 9.0)}
        wave = [float(((10 * k + r) // 25) % 2) for r in range(10)]
        lines.append(line | {TRACE: {D_REAL: wave, D_FAKE: wave}})
    return Recorder(lines)


def test_every_probe_says_something_and_nothing_but_declared_readings(said):
    assert len(probes) >= 7
    for rule in probes.values():
        module = import_module(rule.function.__module__)
        constants = {value for value in vars(module).values() if isinstance(value, Reading)}
        assert any(
            name == known or name.startswith(known) for name in said[PROBES] for known in constants
        ), rule.name
    assert all(isinstance(name, Reading) for name in said[PROBES])


def test_every_reading_that_an_alarm_reads_is_said_by_somebody(said):
    asked = {}
    for players in (("discriminator", "generator"), ("vae",)):
        for name, rule in alarms.items():
            history = recorded(said, players)
            finding = rule.function(history)
            assert finding is None or finding.phenomenon == name
            asked.setdefault(name, set()).update(history.asked)
    of_players = {name for player, names in said.items() if player != PROBES for name in names}
    known = {PROBES: said[PROBES], "player": of_players, TRACE: {D_REAL, D_FAKE} & of_players}
    for name, readings in asked.items():
        assert readings, f"{name} reads nothing"
        for where, what in readings:
            assert what in known[where], (name, what)
    used = {what for readings in asked.values() for _, what in readings}
    assert used >= {D_REAL, D_FAKE, reading.LOSS, reading.GRADIENT_NORM, reading.CONSTANT_UNITS}


def test_a_reading_is_declared_once():
    declared = {}
    for package in (plausible.diagnosis, plausible.models, plausible.core):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for value in vars(import_module(info.name)).values():
                if isinstance(value, Reading):
                    assert declared.setdefault(str(value), value) is value, value


def test_a_name_that_nobody_declared_is_no_reading():
    history = History([{"step": 0, "progress": 1.0, PROBES: {"lost": 0.1}}])
    for ask in (
        lambda: history.series("lost"),
        lambda: history.series_of("model", "loss"),
        lambda: history.trace("D(x)"),
        lambda: history.last(1, "lost"),
    ):
        with pytest.raises(TypeError, match="is no Reading"):
            ask()
    before = dict(probes)
    probes.rule(name="careless")(lambda snapshot: {"lost": 0.1})
    try:
        training, _ = begun(VAE)
        with pytest.raises(TypeError, match="'lost' is no Reading"):
            run_probes(training, probe_reference(training.raw, training.data, 0), 0)
    finally:
        probes.clear()
        probes.update(before)
