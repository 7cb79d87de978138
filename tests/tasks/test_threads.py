"""How many threads compute is decided by a race where that is asked for, which leaves no trace but the count."""

import json
from dataclasses import replace

import pytest
import torch
from tests.conftest import ask, make_data, refused

from plausible import tasks
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.models import GAN, GaussianMixture
from plausible.runs import Run
from plausible.runs.saving import resuming_notes, save
from plausible.tasks import threads
from plausible.tasks.start import start
from plausible.tasks.threads import thread_counts, with_threads
from plausible.training import Settings
from plausible.training.distributed import World

DATA = make_data(Space((1, 4, 4), levels=17))
SMALL = GAN.Config(batch=8, width=8)
AUTO = Settings(steps=3, threads="auto")


@pytest.fixture
def race(monkeypatch):
    """Sets how fast each number of threads is, on a machine that has so many cores; the list says what was timed."""
    timed: list[int] = []

    def at(speeds: dict[int, float]) -> list[int]:
        def speed(model, data, settings, world):
            timed.append(settings.threads)
            return speeds[settings.threads]

        monkeypatch.setattr(threads, "learning_speed", speed)
        monkeypatch.setattr(threads, "thread_counts", lambda: tuple(speeds))
        return timed

    return at


@pytest.fixture
def two(monkeypatch):
    """One thread and two race really, and two win, whatever this machine does."""
    real = threads.learning_speed

    def speed(model, data, settings, world):
        assert real(model, data, settings, world) > 0
        return float(settings.threads)

    monkeypatch.setattr(threads, "thread_counts", lambda: (1, 2))
    monkeypatch.setattr(threads, "learning_speed", speed)


def chosen(model, settings=AUTO):
    return with_threads(model, DATA, settings, World())


@pytest.mark.parametrize(
    ("speeds", "winner", "sentence"),
    [
        ({1: 10.0, 2: 8.0}, 1, "computes with 1 thread: in a race of a few rounds 2 threads were 0.80 times as fast"),
        ({1: 10.0, 2: 20.0}, 2, "computes with 2 threads: in a race of a few rounds 1 thread was 0.50 times as fast"),
        ({1: 1.0, 8: 4.0, 16: 3.0}, 8, "1 thread was 0.25 times as fast and 16 threads were 0.75 times as fast"),
        ({1: 1.0}, 1, "computes with 1 thread: the only one that this process may have"),
    ],
)  # fmt: skip
def test_the_fastest_is_taken_and_said(race, speeds, winner, sentence):
    timed = race(speeds)
    settings, data = chosen(GAN(DATA.space, SMALL))
    assert settings == replace(AUTO, threads=winner)
    assert sentence in data.notes[-1]
    assert data.notes[-1].endswith("(--threads chooses)")
    assert timed == (list(speeds) if len(speeds) > 1 else [])


@pytest.mark.parametrize("settings", [Settings(minutes=3), Settings(steps=5, threads=2)])
def test_nothing_is_timed_where_it_was_not_asked_for(race, settings):
    timed = race({1: 1.0, 2: 2.0})
    assert chosen(GAN(DATA.space, SMALL), settings) == (settings, DATA)
    assert not timed


def test_a_race_with_nothing_to_time_is_a_sentence():
    with pytest.raises(
        UsageError, match=r"a mixture is fitted to all examples at once: give a number"
    ):
        chosen(GaussianMixture(DATA.space))
    with pytest.raises(UsageError, match=r"times a processor, and this training is on meta"):
        chosen(GAN(DATA.space, SMALL).to("meta"))


def test_one_half_and_all_cores_race_or_those_that_the_environment_allows(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for cores, counts in ((1, (1,)), (2, (1, 2)), (3, (1, 3)), (16, (1, 8, 16))):
        monkeypatch.setattr(threads, "usable_cores", lambda cores=cores: cores)
        assert thread_counts() == counts
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert thread_counts() == (1, 2, 4)


def test_a_race_leaves_weights_and_generators_as_they_were(two):
    torch.manual_seed(5)
    model = GAN(DATA.space, SMALL)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    drawn, count = torch.get_rng_state(), torch.get_num_threads()
    settings, _ = chosen(model)
    assert settings.threads == 2
    assert torch.equal(torch.get_rng_state(), drawn)
    assert torch.get_num_threads() == count
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("family", ["gan", "vae", "rbm"])
def test_after_a_race_the_weights_are_those_of_the_count_that_won(two, family):
    """Told by --threads, or what the whole process has."""
    data = make_data(Space((1, 4, 4), levels=2))
    small = {"rbm": {"hidden": 8}}.get(family, {"width": 8})

    def learned(threads):
        trained = tasks.fit(family, data, steps=4, threads=threads, watch=False, batch=8, **small)
        return trained.model.state_dict()

    raced, told, before = learned("auto"), learned(2), torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        plain = learned(None)
    finally:
        torch.set_num_threads(before)
    for name, value in raced.items():
        assert torch.equal(value, told[name]), name
        assert torch.equal(value, plain[name]), name


def test_one_model_for_each_class_and_a_model_that_is_built_race_too(race):
    race({1: 1.0, 2: 2.0})
    data = make_data(Space((1, 4, 4), levels=17, classes=2))
    trained = tasks.fit("vae", data, steps=1, threads="auto", per_class=True, width=4, watch=False)
    assert "computes with 2 threads" in trained.data.notes[-1]
    built = GAN(DATA.space, SMALL)
    trained = tasks.fit(built, DATA, steps=1, threads="auto", watch=False)
    assert "computes with 2 threads" in trained.data.notes[-1]


def test_precision_and_width_are_timed_with_threads_that_are_yet_to_race(race, tmp_path):
    race({1: 1.0, 2: 2.0})
    settings = Settings(minutes=0.001, threads="auto")
    run, _ = start("diffusion", DATA, settings=settings, out=tmp_path / "run", device="cpu")
    assert run.settings.threads == 2


def test_the_count_that_won_is_what_the_run_keeps_goes_on_with_and_is_repeated_by(race, tmp_path, capsys, monkeypatch):  # fmt: skip
    race({1: 1.0, 2: 2.0})
    monkeypatch.setattr("plausible.runs.saving.usable_cores", lambda: 2)
    place, again = tmp_path / "run", tmp_path / "again"
    small = ("--data", "ring", "--width", 8, "--batch", 8, "--no-evaluate", "--no-watch")
    ask("train", "gan", *small, "--steps", 3, "--threads", "auto", "--out", place)
    assert "computes with 2 threads" in " ".join(capsys.readouterr().out.split())
    kept = json.loads((place / "config.json").read_text())
    assert kept["training"]["threads"] == kept["threads"] == 2
    assert any("computes with 2 threads" in note for note in Run(place).notes)
    ask("train", "--config", place, "--out", again, "--no-evaluate")
    assert Run(again).settings.threads == 2
    weights = [Run(folder).model().state_dict() for folder in (place, again)]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    ask("resume", place, "--steps", 5, "--no-evaluate", "--no-watch")
    assert Run(place).settings.threads == Run(place).threads == 2
    assert "rounded" not in capsys.readouterr().out


@pytest.mark.slow
def test_a_run_goes_on_compiled_or_no_longer_and_with_other_threads_and_says_so(tmp_path, capsys, monkeypatch):  # fmt: skip
    monkeypatch.setattr(
        "plausible.training.compiled.BACKEND", "eager"
    )  # which draws as the step does
    monkeypatch.setattr("plausible.runs.saving.usable_cores", lambda: 4)
    place, small = tmp_path / "run", {"width": 4, "batch": 8, "watch": False}
    settings = Settings(steps=4, compile="on")
    run, training = start("vae", "ring", settings=settings, out=place, **small)
    for _ in range(2):
        next(training)
    save(run, training)
    training.pause()
    assert resuming_notes(run) == resuming_notes(run, compile="on") == ()
    ask("resume", place, "--compile", "off", "--threads", 2, "--no-evaluate", "--no-watch")  # fmt: skip
    said = " ".join(capsys.readouterr().out.split())
    assert "was trained with --compile on and goes on with --compile off" in said
    assert "was trained with 1 thread and goes on with 2 threads" in said
    assert (Run(place).settings.compile, Run(place).settings.threads) == ("off", 2)
    plain = tasks.fit("vae", "ring", steps=4, **small).model.state_dict()
    for name, value in Run(place).model().state_dict().items():
        assert torch.allclose(value, plain[name], atol=1e-5), name


def test_other_threads_or_more_than_there_are_cores_are_said_before_a_run_goes_on(tmp_path, monkeypatch):  # fmt: skip
    run = tasks.fit("naive-bayes", "digits", threads=4, out=tmp_path / "run").run
    for cores, words in ((8, []), (4, []), (2, ["with 4 threads, as before", "--threads 2"])):
        monkeypatch.setattr("plausible.runs.saving.usable_cores", lambda cores=cores: cores)
        notes = resuming_notes(run)
        assert len(notes) == bool(words)
        assert all(word in notes[0] for word in words)
    (note,) = resuming_notes(run, threads=1)
    assert "was trained with 4 threads and goes on with 1 thread:" in note
    assert "(--threads 4 keeps it)" in note


@pytest.mark.parametrize("value", ["0", "nan", "many", "1025", "-1"])
def test_what_is_no_number_of_threads_is_refused_in_a_sentence(capsys, value):
    for words in (("train", "gan"), ("resume", "run")):
        sentence = refused(capsys, *words, f"--threads={value}")
        assert "--threads" in sentence
        assert len(sentence) < 200
