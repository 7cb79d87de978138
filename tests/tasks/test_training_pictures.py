"""A training is seen while it learns: what is drawn when, that it changes nothing, and how many frames are kept."""

import contextlib
import itertools
import os
import signal
from importlib import import_module

import numpy as np
import pytest
import torch
from PIL import Image

from plausible import Space, figures, fit, from_arrays
from plausible.core.finding import Finding, Severity
from plausible.diagnosis import Monitor
from plausible.runs.log import read_alarms
from plausible.tasks import training_pictures
from plausible.tasks.fit_steps import Diverged, fit_steps, monitored
from plausible.tasks.start import start
from plausible.tasks.training_pictures import TrainingPictures, draw_samples
from plausible.training import Settings

R = np.random.default_rng(0)
PLANE = from_arrays(R.normal(size=(300, 2)).astype("float32"))
GREY = from_arrays(R.integers(0, 256, (120, 8, 8)).astype(np.uint8), np.arange(120) % 3)
CURVES = figures.learning_curves
COUNTS = {"gan": {"width": 4}, "vae": {"width": 8}, "convnet": {"width": 4}}


@pytest.fixture
def _curves(monkeypatch):
    """Elsewhere they are not drawn, see fixtures.py."""
    monkeypatch.setattr(figures, "learning_curves", CURVES)


def begun(folder, model="gan", data=PLANE, steps=12, **choices):
    choices = COUNTS[model] | choices
    return start(model, data, settings=Settings(steps=steps), out=folder, device="cpu", **choices)


def frames(run):
    return [int(path.stem) for path in sorted((run.folder / "frames").iterdir())]


@pytest.mark.slow
@pytest.mark.usefixtures("_curves", "drawn")
@pytest.mark.parametrize(("model", "data"), [("vae", PLANE), ("gan", GREY)], ids=["plane", "grey"])
def test_the_same_command_gives_the_same_weights_with_pictures(tmp_path, model, data):
    weights = []
    for name in ("unseen", "seen"):
        more = {"conditional": True} if data is GREY else {}
        run, training = begun(tmp_path / name, model, data, steps=3, **more)
        drawn = TrainingPictures(run, training) if name == "seen" else None
        for step in fit_steps(run, training, monitored(run, training), pictures=drawn):
            if drawn is not None:
                drawn.draw(step.clock.step + 1, always=True)
        weights.append([*training.raw.state_dict().values(), torch.get_rng_state()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
    assert frames(run) == [1, 2, 3]
    assert Image.open(run.folder / "training.gif").n_frames > 2
    assert Image.open(run.folder / "training.png").size[0] == 800


@pytest.mark.slow
def test_the_picture_is_drawn_when_the_model_is_probed_and_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(training_pictures, "_CREDIT", 300.0)  # however busy the machine is
    run, training = begun(tmp_path / "r", steps=25)
    list(fit_steps(run, training, Monitor(training), pictures=TrainingPictures(run, training)))
    assert frames(run) == [11, 21, 25]
    run, training = begun(tmp_path / "unwatched", steps=25)
    list(fit_steps(run, training, pictures=TrainingPictures(run, training)))
    assert frames(run) == [25]


def test_a_stopped_training_has_its_pictures(tmp_path):
    run, training = begun(tmp_path / "r", steps=1000)
    for step in fit_steps(run, training, pictures=TrainingPictures(run, training)):
        if step.clock.step == 5:
            os.kill(os.getpid(), signal.SIGINT)
    assert not training.finished
    assert frames(run) == [6]
    assert {"samples.png", "training.png"} <= {path.name for path in run.folder.iterdir()}


@pytest.mark.usefixtures("_curves")
def test_a_training_that_broke_has_its_curves(tmp_path):
    run, training = begun(tmp_path / "r", steps=40)
    pictures = TrainingPictures(run, training)
    with pytest.raises(Diverged):  # noqa: PT012  # weights break between two rounds
        for step in fit_steps(run, training, monitored(run, training), "stop", pictures=pictures):
            if step.clock.step == 11:
                with torch.no_grad():
                    next(training.raw.generator.parameters()).fill_(float("nan"))
    assert Image.open(run.folder / "training.png").size[0] == 800


def test_a_fit_that_is_kept_has_its_pictures(tmp_path, monkeypatch):
    fitting = import_module("plausible.tasks.fit")  # the file, not its function
    monkeypatch.setattr(fitting, "TrainingPictures", TrainingPictures)
    points = R.normal(size=(60, 2)).astype("float32")
    kept = fit("vae", points, steps=2, width=8, out=tmp_path / "r")
    assert kept.data.space.shape == (2,)
    assert {"samples.png", "training.png"} <= {path.name for path in kept.run.folder.iterdir()}


@pytest.mark.usefixtures("_curves")
def test_what_draws_no_samples_has_its_curves(tmp_path):
    run, training = begun(tmp_path / "r", "convnet", GREY)
    pictures = TrainingPictures(run, training)
    assert pictures.path == run.folder / "training.png"
    list(fit_steps(run, training, pictures=pictures))
    assert pictures.path.exists()
    assert not (run.folder / "samples.png").exists()


def test_frames_are_thinned_as_they_grow_and_stay_evenly_spread(tmp_path):
    run, training = begun(tmp_path / "r")
    pictures = TrainingPictures(run, training)
    for steps in range(10, 2010, 10):
        pictures._keep_frame(steps, b"")
    kept = frames(run)
    assert len(kept) == training_pictures._FRAMES
    assert (kept[0], kept[-1]) == (10, 2000)
    assert max(b - a for a, b in itertools.pairwise(kept)) <= 80
    pictures._keep_frame(500, b"")  # what came after was taken back
    assert frames(run)[-1] == 500


def test_pictures_that_take_long_become_rare(tmp_path, monkeypatch):
    run, training = begun(tmp_path / "r")
    now = [0.0]
    monkeypatch.setattr(training_pictures.time, "perf_counter", lambda: now[0])
    pictures = TrainingPictures(run, training)

    def slow(model, steps):
        now[0] += 3  # seconds
        return Image.new("L", (4, 4))

    monkeypatch.setattr(pictures, "_picture", slow)
    for steps in range(1, 2001):
        now[0] += 1
        pictures.draw(steps)
    assert 2000 * 0.01 / 3 < len(frames(run)) <= 2 + 2000 * 0.02 / 3


def test_samples_of_a_picture_are_those_of_the_same_noise_a_row_for_each_class(tmp_path):
    _, training = begun(tmp_path / "r", data=GREY, conditional=True)
    model = training.averaged
    first, again = draw_samples(model), draw_samples(model)
    assert torch.equal(first.x, again.x)
    assert first.y.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    _, training = begun(tmp_path / "p")
    assert draw_samples(training.averaged).x.shape == (1000, 2)


def test_an_alarm_is_in_the_log_at_its_step(tmp_path, monkeypatch):
    run, training = begun(tmp_path / "r", steps=25)
    monitor, update = Monitor(training), Monitor.update
    raised = Finding("garbage", Severity.WARNING, "it is there", {})
    monkeypatch.setattr(
        Monitor,
        "update",
        lambda self, line: [*update(self, line), *[raised] * (line["step"] == 20)],
    )
    with contextlib.suppress(KeyError):
        list(fit_steps(run, training, monitor))
    assert (20, "garbage") in read_alarms(run.folder / "log.jsonl")


def test_samples_that_are_not_finite_are_not_drawn(tmp_path):
    run, training = begun(tmp_path / "r")
    for weights in training.averaged.parameters():
        weights.data.fill_(float("nan"))
    TrainingPictures(run, training).draw(1, always=True)
    assert not (run.folder / "samples.png").exists()
    assert Space((2,)) == training.raw.space
