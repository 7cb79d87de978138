"""Monitors: an alarm is raised by the history that shows its failure, and not by others; looks change nothing."""

import json
import math

import pytest
import torch
from tests.conftest import make_data

from plausible import GAN, GSN, RBM, VAE, PixelCNN, Settings, Space, load, train
from plausible.core.errors import UsageError
from plausible.diagnosis import Finding, History, Monitor, Severity, alarmed, alarms
from plausible.diagnosis.history import LOOK, TRACE
from plausible.diagnosis.monitors.oscillation import cycle
from plausible.diagnosis.probe import looked, reference

SPACE = Space((1, 4, 4), 2, 2)


def lines(n, every=10, of_look=None, trace=None, **players):
    """A log of n lines; numbers may be functions of the share of the budget spent."""

    def at(value, t):
        return value(t) if callable(value) else value

    found = []
    for k in range(n):
        t = (k + 1) / n
        line = {"step": k * every, "images": k * every * 64, "spent": t, "seconds": float(k)}
        line |= {who: {what: at(v, t) for what, v in seen.items()} for who, seen in players.items()}
        if trace is not None:
            rounds = [(k * every + r + 1) / (n * every) for r in range(every)]
            line[TRACE] = {what: [value(r) for r in rounds] for what, value in trace.items()}
        if of_look is not None and k % 10 == 9:
            line[LOOK] = {what: at(v, t) for what, v in of_look.items()}
        found.append(line)
    return found


HEALTHY = {
    "D, learned": 1.0, "D, held out": 0.9, "D, samples": -0.5, "AUC, learned": 0.85, "AUC, held out": 0.83,
    "multiplier": 0.5, "slope": 0.2, "signal": 1.0, "distance": lambda t: 2 / t, "lost": 0.0, "pairs": 1.0,
    "weights of the discriminator": lambda t: 10 + t, "weights of the generator": lambda t: 10 - t,
}  # fmt: skip


def game(n=200, swing=None, **changes):
    """The history of a game that goes well but for the changes."""
    noise = iter((torch.randn(20 * n, generator=torch.Generator().manual_seed(0)) / 20).tolist())
    swing = swing or (lambda t: 0.0)
    trace = {
        "D(x)": lambda t: 0.6 + swing(t) + next(noise),
        "D(G(z))": lambda t: 0.4 - swing(t + 0.01) + next(noise),
    }
    players = {
        "discriminator": {"loss": 0.7, "gradient": 1.0},
        "generator": {"loss": 0.7, "gradient": 1.0},
    }
    return History(lines(n, of_look=HEALTHY | changes, trace=trace, **players))


FAILURES = {
    "vanishing gradient": {"multiplier": 0.01, "AUC, learned": 0.999, "slope": lambda t: 0.01 if t > 0.3 else 1.0},
    "discriminator overfitting": {"D, held out": -0.3, "AUC, learned": 0.92, "AUC, held out": 0.6},
    "starved generator": {"AUC, held out": 1.0, "AUC, learned": 1.0, "distance": 30.0},
    "mode collapse": {"lost": 0.5, "pairs": 0.6},
    "frozen player": {"weights of the discriminator": 3.25},
}  # fmt: skip


def test_a_game_that_goes_well_raises_no_alarm():
    assert not [f for f in alarmed(game()) if f.severity in (Severity.WARNING, Severity.FAILURE)]


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_raises_its_alarm_alone_with_evidence_and_a_flag(name):
    bad = [
        f
        for f in alarmed(game(**FAILURES[name]))
        if f.severity in (Severity.WARNING, Severity.FAILURE)
    ]
    assert [f.check for f in bad] == [name]
    assert bad[0].evidence
    assert "--" in bad[0].remedy
    json.dumps(bad[0].to_dict())


@pytest.mark.parametrize("name", [name for name, signs in FAILURES.items() if len(signs) > 1])
def test_one_sign_alone_is_no_failure(name):
    """Alarms rest on joint evidence: each sign but the last of a failure, and not that one."""
    signs = FAILURES[name]
    for left_out in signs:
        if left_out == "AUC, learned":  # it only confirms
            continue
        some = {what: value for what, value in signs.items() if what != left_out}
        found = [f for f in alarmed(game(**some)) if f.check == name]
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

    found = [f for f in alarmed(game(swing=swing, distance=8.0)) if f.check == "oscillation"]
    assert [f.severity for f in found] == [Severity.FAILURE]
    assert found[0].evidence["period, rounds"] == pytest.approx(2000 / 60, rel=0.1)
    calm = [f for f in alarmed(game(swing=swing)) if f.check == "oscillation"]
    assert [f.severity for f in calm] == [Severity.FINE]


def test_growth_without_bound_is_divergence():
    def growing(t):
        return 1.0 if t < 0.7 else 10 ** (10 * (t - 0.7))

    history = History(
        lines(
            100,
            of_look={"weights of the model": lambda t: 1 + 100 * t**8},
            model={"loss": 1.0, "gradient": growing},
        )
    )
    found = {f.check: f.severity for f in alarmed(history)}
    assert found == {"divergence": Severity.FAILURE, "frozen player": Severity.FINE}
    asleep = lines(100, of_look={"weights of the model": lambda t: 1 + 100 * t**8}, model={"loss": 1.0,
                   "gradient": lambda t: 0.0 if t < 0.7 else 1e-3})  # fmt: skip
    assert all(f.severity is Severity.FINE for f in alarmed(History(asleep)))  # 0 is no usual norm


def test_a_held_out_loss_that_rises_again_while_the_other_falls_is_learning_by_heart():
    def held(t):
        return 10 + 20 * (t - 0.4) ** 2

    for error, said in (
        (0.1, Severity.WARNING),
        (3.0, Severity.FINE),
    ):  # 3 standard errors are noise
        look = {"held-out loss": held, "held-out error": error}
        model = {"loss": lambda t: 10 - 5 * t, "gradient": 1.0}
        history = History(lines(100, of_look=look, model=model))
        assert [(f.check, f.severity) for f in alarmed(history)] == [("learning by heart", said)]


def of_model(**of_look):
    """The history of a model that plays alone."""
    return History(lines(100, of_look=of_look, model={"loss": 1.0, "gradient": 1.0}))


@pytest.mark.parametrize(
    ("name", "signs", "healthy"),
    [
        ("chain mixing", {"left of a chain": 0.8}, {"left of a chain": 0.4}),
        ("dead units", {"units without gradient": 0.4}, {"units without gradient": 0.1}),
        ("dead units", {"units that never change": 0.4}, {"units that never change": 0.1}),
        (
            "posterior collapse",
            {"KL": 0.01, "coordinates used": 0.0, "coordinates": 8.0, "worth of z": 0.1, "its error": 0.1},
            {"KL": 5.0, "coordinates used": 8.0, "coordinates": 8.0, "worth of z": 9.0, "its error": 0.1},
        ),
    ],
)  # fmt: skip
def test_a_failure_of_another_family_raises_its_alarm(name, signs, healthy):
    (bad,) = alarmed(of_model(**signs))
    assert (bad.check, bad.severity in (Severity.WARNING, Severity.FAILURE)) == (name, True)
    assert "--" in bad.remedy
    (good,) = alarmed(of_model(**healthy))
    assert (good.check, good.severity) == (name, Severity.FINE)
    early = lines(4, of_look=None, model={"loss": 1.0, "gradient": 1.0})
    early[0][LOOK] = signs
    assert alarmed(History(early)) == []  # one look is not enough


def test_what_is_looked_at_of_chains_and_units_is_what_is_wrong():
    binary = Space((1, 8, 8), 2, 0)
    data = make_data(binary, 300)

    def seen(training):
        return looked(training, reference(training.raw, data, 0), 0)

    torch.manual_seed(0)
    training = train(RBM(binary), data, Settings(steps=3))
    next(training)
    good = seen(training)
    with torch.no_grad():
        training.raw.weight.normal_().mul_(30)  # each v is a place of its own
    bad = seen(training)
    assert good["left of a chain"] < 0.3 < 0.8 < bad["left of a chain"]
    with torch.no_grad():
        training.raw.weight.mul_(1e-3)
        training.raw.b[:32] = -50.0
    assert seen(training)["units that never change"] == 32 / 128
    assert good["units that never change"] == 0

    training = train(
        PixelCNN(binary, PixelCNN.Config(version="plain", width=8)), data, Settings(steps=3)
    )
    next(training)
    assert seen(training)["units without gradient"] < 0.1
    with torch.no_grad():
        for name, weight in training.raw.named_parameters():
            if name.endswith("narrow.bias"):
                weight.fill_(-1e4)
    next(training)
    assert seen(training)["units without gradient"] > 0.25


def test_a_vae_whose_bound_is_nearly_all_kl_collapses_while_it_learns_and_a_usual_one_does_not():
    for beta, raised in ((200.0, True), (1.0, False)):
        data, watch = load("digits"), None
        torch.manual_seed(0)
        training = train(VAE(data.space, VAE.Config(beta=beta)), data, Settings(steps=300))
        watch = Monitor(training)
        for step in training:
            if watch.due(step):
                clock = {"step": step.clock.step, "spent": step.clock.progress}
                watch.add({**clock, **step.values(), LOOK: watch.look()})
        finding = watch.findings["posterior collapse"]
        assert (finding.severity is Severity.FAILURE) == raised


def test_a_long_log_is_read_by_column_and_rounds_by_the_last_of_them():
    history = History(lines(600, trace={"D(x)": lambda t: t}, of_look={"lost": lambda t: t},
                            model={"loss": lambda t: 1 - t}))  # fmt: skip
    steps, values = history.series("model", "loss", since=0.5)
    assert (len(steps), steps[0].item(), values[-1].item()) == (300, 3000.0, 0.0)
    assert history.trace("D(x)").tolist() == [k / 6000 for k in range(5489, 6001)]
    assert len(history.trace("D(x)", since=0.95)) == 301
    assert history.last(3, "lost", since=0.99) is None
    assert [values.tolist() for values in history.last(1, "lost", since=0.99)] == [[1.0]]
    assert history.players == ["model"]
    assert history.steps == 5991
    resumed = History(lines(100, of_look={"lost": lambda t: t}))  # its budget, spent ...
    resumed.add({"step": 1000, "spent": 0.1})  # ... has become ten times as large
    assert resumed.last(1, "lost", since=0.2) is None


def test_a_model_that_says_how_probable_data_are_is_kept_by_that_and_not_by_how_its_samples_look():
    watch, kept = Monitor(begun(VAE)), []
    for step, (held, distance) in enumerate([(9.0, 1.0), (5.0, 3.0), (4.0, 8.0), (4.1, 1.0)]):
        line = {
            "step": step,
            "spent": step / 4,
            LOOK: {"distance": distance, "held-out loss": held},
        }
        watch.add(line)
        kept.append(watch.best_steps)
    assert kept == [1, 2, 3, 3]
    watch.add({"step": 4, "spent": 1.0, LOOK: {"distance": 0.1, "held-out loss": None}})
    assert watch.best_steps == 3  # another score cannot stand in for the one that is not finite


def test_samples_too_far_away_to_be_measured_are_left_out_of_a_look():
    training = train(GAN(load("ring").space, GAN.Config(width=8)), load("ring"), Settings(steps=3))
    next(training)
    beside = reference(training.raw, training.data, 0)
    assert "distance" in looked(training, beside, 0)
    with torch.no_grad():
        training.raw.scale.fill_(1e30)
    assert "distance" not in looked(training, beside, 0)


def test_an_empty_or_short_history_says_nothing():
    for history in (History(), History(lines(3, model={"loss": 1.0, "gradient": 1.0}))):
        assert alarmed(history) == []
    assert len(alarms) >= 7


def test_a_log_is_read_as_it_was_written_and_a_torn_line_is_left_out(tmp_path):
    path = tmp_path / "log.jsonl"
    assert History.read(path).steps == 0
    whole = lines(4, of_look={"lost": 0.1}, model={"loss": 1.0})
    path.write_text("".join(json.dumps(line) + "\n" for line in whole) + '{"step": 4')
    read = History.read(path)
    assert read.looks == [line[LOOK] for line in whole if LOOK in line]
    assert read.series("model", "loss")[0].tolist() == [line["step"] for line in whole]
    for rubbish in ("rubbish", "[]", "{}", '{"step": "1", "spent": 0.1}'):
        path.write_text(rubbish + "\n")
        with pytest.raises(UsageError, match=r"line 1 of .* is not one of the log"):
            History.read(path)


def begun(kind, steps=30, **config):
    torch.manual_seed(0)
    space = Space((1, 8, 8), 2, 2) if "architecture" in config else SPACE
    return train(
        kind(space, kind.Config(**{"width": 8, "batch": 16, **config})),
        make_data(space, 400),
        Settings(steps=steps),
    )


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
def test_training_goes_on_as_if_nobody_had_looked(kind, config):
    unseen = begun(kind, **config)
    for _ in range(15):
        next(unseen)
    seen = begun(kind, **config)
    beside = reference(seen.raw, seen.data, 0)
    for _ in range(15):
        next(seen)
        numbers = looked(seen, beside, 0)
        assert all(math.isfinite(value) for value in numbers.values())
    assert numbers == looked(seen, beside, 0)
    for a, b in zip(unseen.raw.state_dict().values(), seen.raw.state_dict().values(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("config", [{"conditional": True}, {"pack": 2}, {"loss": "relativistic-average"},
                                    {"loss": "wasserstein", "penalties": ("wgan-gp",)}])  # fmt: skip
def test_every_kind_of_gan_can_be_looked_at(config):
    training = begun(GAN, **config)
    next(training)
    numbers = looked(training, reference(training.raw, training.data, 0), 0)
    assert 0 <= numbers["AUC, learned"] <= 1
    assert numbers["slope"] > 0


def test_the_multiplier_is_the_slope_of_the_loss():
    """s(a) of the saturating and 1 - s(a) of the other, at the D that every sample meets."""
    found = {}
    for loss in ("minimax", "nonsaturating"):
        training = begun(GAN, loss=loss, penalties=())
        with torch.no_grad():
            head = training.raw.discriminator.head
            head.weight.zero_(), head.bias.fill_(-2.0)
        found[loss] = looked(training, reference(training.raw, training.data, 0), 0)["multiplier"]
    sure = 1 / (1 + math.exp(2.0))
    assert found["minimax"] == pytest.approx(sure, rel=1e-4)
    assert found["nonsaturating"] == pytest.approx(1 - sure, rel=1e-4)


def test_the_best_weights_are_those_of_the_latest_look_near_the_lowest_score():
    training = begun(GAN)
    watch = Monitor(training)
    kept = []
    for step, distance in enumerate([9.0, 3.0, 3.2, 5.0, 2.9, 8.0]):
        watch.follow(next(training))
        watch.add({"step": step, "spent": step / 6, LOOK: {"distance": distance}})
        kept.append(watch.best_steps)
    assert kept == [1, 2, 3, 3, 5, 5]
    assert watch.best is not None
    scores = enumerate([9.0, 3.0, 3.2])
    watch.restart(
        History([{"step": k, "spent": k / 6, LOOK: {"distance": score}} for k, score in scores])
    )
    assert watch.best is None
    assert watch.trace() == {}  # nothing of rounds that were taken back
    watch.findings["divergence"] = Finding("divergence", Severity.FAILURE, "it ran away")
    watch.restart(watch.history)
    assert watch.findings == {}  # what was said of rounds that were taken back
    again = Monitor(training, watch.history)
    again.add({"step": 4, "spent": 0.8, LOOK: {"distance": 3.5}})
    assert again.best is None  # the best are of an earlier session, and in its folder
