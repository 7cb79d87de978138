"""Monitors: an alarm is raised by the history that shows its failure, and not by others; probes change nothing."""

import json
import math

import pytest
import torch
from tests.conftest import make_data

from plausible import GAN, RBM, VAE, PixelCNN, Settings, Space, load, train
from plausible.core.finding import Finding, Severity
from plausible.core.reading import CONSTANT_UNITS, D_FAKE, D_REAL, GRADIENT_NORM, LOSS
from plausible.diagnosis import History, Monitor, alarms, run_alarms
from plausible.diagnosis.chain_mixing import AUTOCORRELATION
from plausible.diagnosis.dead_units import UNITS_WITHOUT_GRADIENT
from plausible.diagnosis.discriminator import (
    AUC_TRAIN,
    AUC_VALIDATION,
    D_SAMPLES,
    D_TRAIN,
    D_VALIDATION,
    LOGIT_GRADIENT,
    SAMPLE_GRADIENT,
    SIGNAL_TO_NOISE,
)
from plausible.diagnosis.frozen_player import WEIGHT_NORM
from plausible.diagnosis.garbage import GARBAGE, GARBAGE_AT_LEAST
from plausible.diagnosis.history import PROBES, TRACE
from plausible.diagnosis.missing_modes import FRECHET_RATIO, MISSED_SHARE, PAIRWISE_RATIO
from plausible.diagnosis.oscillation import cycle
from plausible.diagnosis.overfitting import VALIDATION_ERROR, VALIDATION_LOSS
from plausible.diagnosis.posterior_collapse import (
    ACTIVE_UNITS,
    KL,
    LATENT_DIMS,
    LATENT_GAIN,
    LATENT_GAIN_ERROR,
)
from plausible.diagnosis.probe import probe_reference, run_probes

SPACE = Space((1, 4, 4), 2, 2)


def lines(n, every=10, probes=None, trace=None, **players):
    """A log of n lines; numbers may be functions of the share of the budget spent."""

    def at(value, t):
        return value(t) if callable(value) else value

    found = []
    for k in range(n):
        t = (k + 1) / n
        line = {"step": k * every, "images": k * every * 64, "progress": t, "seconds": float(k)}
        line |= {who: {what: at(v, t) for what, v in seen.items()} for who, seen in players.items()}
        if trace is not None:
            rounds = [(k * every + r + 1) / (n * every) for r in range(every)]
            line[TRACE] = {what: [value(r) for r in rounds] for what, value in trace.items()}
        if probes is not None and k % 10 == 9:
            line[PROBES] = {what: at(v, t) for what, v in probes.items()}
        found.append(line)
    return found


HEALTHY = {
    D_TRAIN: 1.0, D_VALIDATION: 0.9, D_SAMPLES: -0.5, AUC_TRAIN: 0.85, AUC_VALIDATION: 0.83, LOGIT_GRADIENT: 0.5,
    SAMPLE_GRADIENT: 0.2, SIGNAL_TO_NOISE: 1.0, FRECHET_RATIO: lambda t: 2 / t, MISSED_SHARE: 0.0,
    PAIRWISE_RATIO: 1.0, GARBAGE: 0.01, GARBAGE_AT_LEAST: 0.0, WEIGHT_NORM.of("discriminator"): lambda t: 10 + t,
    WEIGHT_NORM.of("generator"): lambda t: 10 - t,
}  # fmt: skip


def game(changes=None, n=200, swing=None):
    """The history of a game that goes well but for the changes."""
    noise = iter((torch.randn(20 * n, generator=torch.Generator().manual_seed(0)) / 20).tolist())
    swing = swing or (lambda t: 0.0)
    trace = {
        D_REAL: lambda t: 0.6 + swing(t) + next(noise),
        D_FAKE: lambda t: 0.4 - swing(t + 0.01) + next(noise),
    }
    players = {
        "discriminator": {LOSS: 0.7, GRADIENT_NORM: 1.0},
        "generator": {LOSS: 0.7, GRADIENT_NORM: 1.0},
    }
    return History(lines(n, probes=HEALTHY | (changes or {}), trace=trace, **players))


FAILURES = {
    "vanishing gradient": {LOGIT_GRADIENT: 0.01, AUC_TRAIN: 0.999,
                           SAMPLE_GRADIENT: lambda t: 0.01 if t > 0.3 else 1.0},
    "discriminator overfitting": {D_VALIDATION: -0.3, AUC_TRAIN: 0.92, AUC_VALIDATION: 0.6},
    "starved generator": {AUC_VALIDATION: 1.0, AUC_TRAIN: 1.0, FRECHET_RATIO: 30.0},
    "missing modes": {MISSED_SHARE: 0.5, PAIRWISE_RATIO: 0.6},
    "garbage": {GARBAGE: 0.4, GARBAGE_AT_LEAST: 0.3},
    "frozen player": {WEIGHT_NORM.of("discriminator"): 3.25},
}  # fmt: skip


def plain_gan():
    """A GAN without anything that steadies its game."""
    config = {
        "loss": "minimax",
        "penalties": (),
        "augment": (),
        "updates": 10,
        "lr_discriminator": 1e-5,
    }
    return GAN(SPACE, GAN.Config(width=8, **config))


def test_a_game_that_goes_well_raises_no_alarm():
    assert not [f for f in run_alarms(game()) if f.severity in (Severity.WARNING, Severity.FAILURE)]


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_raises_its_alarm_alone_with_evidence_and_a_flag(name):
    bad = [
        f
        for f in run_alarms(game(FAILURES[name]), plain_gan())
        if f.severity in (Severity.WARNING, Severity.FAILURE)
    ]
    assert [f.phenomenon for f in bad] == [name]
    assert bad[0].evidence
    assert "--" in bad[0].remedy
    json.dumps(bad[0].to_dict())


@pytest.mark.parametrize("name", [name for name, signs in FAILURES.items() if len(signs) > 1])
def test_one_sign_alone_is_no_failure(name):
    """Alarms rest on joint evidence: each sign but the last of a failure, and not that one."""
    signs = FAILURES[name]
    for left_out in signs:
        if left_out in (AUC_TRAIN, GARBAGE):  # it only confirms
            continue
        some = {what: value for what, value in signs.items() if what != left_out}
        found = [f for f in run_alarms(game(some)) if f.phenomenon == name]
        assert [f.severity for f in found] == [Severity.FINE], left_out


def test_a_circle_is_found_with_its_period_and_red_noise_is_none():
    t = torch.arange(300, dtype=torch.float64)
    noise = torch.randn(300, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = cycle((2 * math.pi * t / 25).sin() + 0.2 * noise)
    assert found.p <= 0.01
    assert found.modulus > 0.9
    assert found.period == pytest.approx(25, rel=0.1)
    assert cycle(torch.full((300,), 0.5)).p == 1.0
    false = 0
    for seed in range(40):
        e = torch.randn(300, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        red = torch.zeros(300, dtype=torch.float64)
        for k in range(1, 300):
            red[k] = 0.9 * red[k - 1] + e[k]
        false += cycle(red).p <= 0.05
    assert false <= 7  # binomial (40, 0.05): more has a chance below 0.1%


def test_players_that_circle_without_coming_nearer_raise_an_alarm():
    def swing(t):
        return 0.2 * math.sin(2 * math.pi * 60 * t)

    found = [
        f
        for f in run_alarms(game({FRECHET_RATIO: 8.0}, swing=swing))
        if f.phenomenon == "oscillation"
    ]
    assert [f.severity for f in found] == [Severity.FAILURE]
    assert found[0].evidence["period, rounds"] == pytest.approx(2000 / 60, rel=0.1)
    calm = [f for f in run_alarms(game(swing=swing)) if f.phenomenon == "oscillation"]
    assert [f.severity for f in calm] == [Severity.FINE]


def test_growth_without_bound_is_divergence():
    def growing(t):
        return 1.0 if t < 0.7 else 10 ** (10 * (t - 0.7))

    history = History(
        lines(
            100,
            probes={WEIGHT_NORM.of("model"): lambda t: 1 + 100 * t**8},
            model={LOSS: 1.0, GRADIENT_NORM: growing},
        )
    )
    found = {f.phenomenon: f.severity for f in run_alarms(history)}
    assert found == {"divergence": Severity.FAILURE, "frozen player": Severity.FINE}
    asleep = lines(100, probes={WEIGHT_NORM.of("model"): lambda t: 1 + 100 * t**8}, model={LOSS: 1.0,
                   GRADIENT_NORM: lambda t: 0.0 if t < 0.7 else 1e-3})  # fmt: skip
    assert all(
        f.severity is Severity.FINE for f in run_alarms(History(asleep))
    )  # 0 is no usual norm


def test_a_held_out_loss_that_rises_again_while_the_other_falls_is_overfitting():
    def held(t):
        return 10 + 20 * (t - 0.4) ** 2

    for error, said in (
        (0.1, Severity.WARNING),
        (3.0, Severity.FINE),
    ):  # 3 standard errors are noise
        probes = {VALIDATION_LOSS: held, VALIDATION_ERROR: error}
        model = {LOSS: lambda t: 10 - 5 * t, GRADIENT_NORM: 1.0}
        history = History(lines(100, probes=probes, model=model))
        assert [(f.phenomenon, f.severity) for f in run_alarms(history)] == [("overfitting", said)]


def of_model(probes):
    """The history of a model that plays alone."""
    return History(lines(100, probes=probes, model={LOSS: 1.0, GRADIENT_NORM: 1.0}))


@pytest.mark.parametrize(
    ("kind", "name", "signs", "healthy"),
    [
        (RBM, "chain mixing", {AUTOCORRELATION: 0.8}, {AUTOCORRELATION: 0.4}),
        (RBM, "dead units", {UNITS_WITHOUT_GRADIENT: 0.4}, {UNITS_WITHOUT_GRADIENT: 0.1}),
        (RBM, "dead units", {CONSTANT_UNITS: 0.4}, {CONSTANT_UNITS: 0.1}),
        (
            VAE,
            "posterior collapse",
            {KL: 0.01, ACTIVE_UNITS: 0.0, LATENT_DIMS: 8.0, LATENT_GAIN: 0.1, LATENT_GAIN_ERROR: 0.1},
            {KL: 5.0, ACTIVE_UNITS: 8.0, LATENT_DIMS: 8.0, LATENT_GAIN: 9.0, LATENT_GAIN_ERROR: 0.1},
        ),
    ],
)  # fmt: skip
def test_a_failure_of_another_family_raises_its_alarm(kind, name, signs, healthy):
    (bad,) = run_alarms(of_model(signs), kind(SPACE))
    assert (bad.phenomenon, bad.severity in (Severity.WARNING, Severity.FAILURE)) == (name, True)
    assert "--" in bad.remedy
    (good,) = run_alarms(of_model(healthy))
    assert (good.phenomenon, good.severity) == (name, Severity.FINE)
    early = lines(4, probes=None, model={LOSS: 1.0, GRADIENT_NORM: 1.0})
    early[0][PROBES] = signs
    assert run_alarms(History(early)) == []  # one probe is not enough


def test_what_probes_say_of_chains_and_units_is_what_is_wrong():
    binary = Space((1, 8, 8), 2, 0)
    data = make_data(binary, 300)

    def probed(training):
        return run_probes(training, probe_reference(training.raw, data, 0), 0)

    torch.manual_seed(0)
    training = train(RBM(binary), data, Settings(steps=3))
    next(training)
    good = probed(training)
    with torch.no_grad():
        training.raw.weight.normal_().mul_(30)  # each v is a place of its own
    bad = probed(training)
    assert good[AUTOCORRELATION] < 0.3 < 0.8 < bad[AUTOCORRELATION]
    with torch.no_grad():
        training.raw.weight.mul_(1e-3)
        training.raw.b[:32] = -50.0
    assert probed(training)[CONSTANT_UNITS] == 32 / 128
    assert good[CONSTANT_UNITS] == 0

    training = train(
        PixelCNN(binary, PixelCNN.Config(version="plain", width=8)), data, Settings(steps=3)
    )
    next(training)
    assert probed(training)[UNITS_WITHOUT_GRADIENT] < 0.1
    with torch.no_grad():
        for name, weight in training.raw.named_parameters():
            if name.endswith("narrow.bias"):
                weight.fill_(-1e4)
    next(training)
    assert probed(training)[UNITS_WITHOUT_GRADIENT] > 0.25


@pytest.mark.slow
def test_a_vae_whose_bound_is_nearly_all_kl_collapses_while_it_learns_and_a_usual_one_does_not():
    for beta, raised in ((200.0, True), (1.0, False)):
        data = load("digits")
        torch.manual_seed(0)
        training = train(
            VAE(data.space, VAE.Config(beta=beta, width=32, batch=32)), data, Settings(steps=100)
        )
        monitor = Monitor(training)
        for step in training:
            if monitor.should_probe(step):
                clock = {"step": step.clock.step, "progress": step.clock.progress}
                monitor.update({**clock, **step.values(), PROBES: monitor.probe()})
        finding = monitor.findings["posterior collapse"]
        assert (finding.severity is Severity.FAILURE) == raised
        assert monitor.findings["garbage"].severity is Severity.FINE


def test_a_long_log_is_read_by_column_and_rounds_by_the_last_of_them():
    history = History(lines(600, trace={D_REAL: lambda t: t}, probes={MISSED_SHARE: lambda t: t},
                            model={LOSS: lambda t: 1 - t}))  # fmt: skip
    steps, values = history.series_of("model", LOSS, since=0.5)
    assert (len(steps), steps[0].item(), values[-1].item()) == (300, 3000.0, 0.0)
    assert history.trace(D_REAL).tolist() == [k / 6000 for k in range(5489, 6001)]
    assert len(history.trace(D_REAL, since=0.95)) == 301
    assert history.last(3, MISSED_SHARE, since=0.99) is None
    assert [values.tolist() for values in history.last(1, MISSED_SHARE, since=0.99)] == [[1.0]]
    assert history.players == ["model"]
    assert history.steps == 5991
    resumed = History(lines(100, probes={MISSED_SHARE: lambda t: t}))  # its budget, spent ...
    resumed.append({"step": 1000, "progress": 0.1})  # ... has become ten times as large
    assert resumed.last(1, MISSED_SHARE, since=0.2) is None


def begun(kind):
    model = kind(SPACE, kind.Config(width=8, batch=16))
    return train(model, make_data(SPACE, 400), Settings(steps=30))


def test_a_model_that_says_how_probable_data_are_is_kept_by_that_and_not_by_how_its_samples_look():
    monitor, kept = Monitor(begun(VAE)), []
    for step, (held, distance) in enumerate([(9.0, 1.0), (5.0, 3.0), (4.0, 8.0), (4.1, 1.0)]):
        line = {
            "step": step,
            "progress": step / 4,
            PROBES: {FRECHET_RATIO: distance, VALIDATION_LOSS: held},
        }
        monitor.update(line)
        kept.append(monitor.best_steps)
    assert kept == [1, 2, 3, 3]
    monitor.update(
        {"step": 4, "progress": 1.0, PROBES: {FRECHET_RATIO: 0.1, VALIDATION_LOSS: None}}
    )
    assert monitor.best_steps == 3  # another score cannot stand in for the one that is not finite


def test_samples_too_far_away_to_be_measured_are_left_out():
    training = train(GAN(load("ring").space, GAN.Config(width=8)), load("ring"), Settings(steps=3))
    next(training)
    reference = probe_reference(training.raw, training.data, 0)
    assert FRECHET_RATIO in run_probes(training, reference, 0)
    with torch.no_grad():
        training.raw.scale.fill_(1e30)
    assert FRECHET_RATIO not in run_probes(training, reference, 0)


def test_an_empty_or_short_history_says_nothing():
    for history in (History(), History(lines(3, model={LOSS: 1.0, GRADIENT_NORM: 1.0}))):
        assert run_alarms(history) == []
    assert len(alarms) >= 7


def test_the_best_weights_are_those_of_the_latest_probe_near_the_lowest_score():
    training = begun(GAN)
    monitor = Monitor(training)
    kept = []
    for step, distance in enumerate([9.0, 3.0, 3.2, 5.0, 2.9, 8.0]):
        monitor.observe(next(training))
        monitor.update({"step": step, "progress": step / 6, PROBES: {FRECHET_RATIO: distance}})
        kept.append(monitor.best_steps)
    assert kept == [1, 2, 3, 3, 5, 5]
    assert monitor.best is not None
    scores = enumerate([9.0, 3.0, 3.2])
    monitor.reset(
        History(
            [{"step": k, "progress": k / 6, PROBES: {FRECHET_RATIO: score}} for k, score in scores]
        )
    )
    assert monitor.best is None
    assert monitor.pop_trace() == {}  # nothing of rounds that were taken back
    monitor.findings["divergence"] = Finding("divergence", Severity.FAILURE, "it ran away")
    monitor.reset(monitor.history)
    assert monitor.findings == {}  # what was said of rounds that were taken back
    again = Monitor(training, monitor.history)
    again.update({"step": 4, "progress": 0.8, PROBES: {FRECHET_RATIO: 3.5}})
    assert again.best is None  # the best are of an earlier session, and in its folder
