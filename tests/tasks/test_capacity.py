"""How wide a network is, where the minutes there are say so."""

import pytest
import torch

import plausible
from plausible.models import Diffusion
from plausible.runs import Run
from plausible.tasks import capacity, precision
from plausible.tasks.start import start
from plausible.training import Settings

WIDTHS = {4: 0, 8: 600, 16: 6000}


@pytest.fixture(autouse=True)
def _one_precision(monkeypatch):
    """A machine on which no precision is raced against the other."""
    monkeypatch.setattr(precision, "has_fast_bf16", lambda device: False)


@pytest.fixture
def digits(monkeypatch):
    """The digits, learned by networks of three widths at 1, 2 or 5 images a second."""
    monkeypatch.setattr(Diffusion, "widths", classmethod(lambda cls, space: WIDTHS))
    speeds = {4: 5.0, 8: 2.0, 16: 1.0}
    monkeypatch.setattr(
        capacity, "images_per_second", lambda kind, config, *rest: speeds[config.width]
    )
    return plausible.load("digits")


def begun(digits, folder, settings, **choices):
    return start(
        "diffusion", digits, settings=settings, out=folder / "run", device="cpu", **choices
    )


@pytest.mark.parametrize(
    ("minutes", "width", "because"),
    [(1, 4, "8 needs more than 600 images"), (5, 8, "16 needs more than 6,000"), (100, 16, "enough for it")],
)  # fmt: skip
def test_the_widest_that_learns_from_enough_images_is_taken_and_said(
    digits, tmp_path, minutes, width, because
):
    run, training = begun(digits, tmp_path, Settings(minutes=minutes))
    assert training.raw.width == run.config["config"]["width"] == width
    assert because in training.data.notes[-1]
    assert "--width chooses" in training.data.notes[-1]


@pytest.mark.parametrize("choices", [{"width": 12}, {}])
def test_a_width_that_is_asked_for_and_rounds_that_are_counted_time_nothing(
    digits, tmp_path, monkeypatch, choices
):
    monkeypatch.setattr(capacity, "images_per_second", None)
    settings = Settings(minutes=5) if choices else Settings(steps=3)
    _, training = begun(digits, tmp_path, settings, **choices)
    assert training.raw.width == choices.get("width", 48)
    assert not any("--width" in note for note in training.data.notes)


def test_timing_leaves_random_numbers_and_weights_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(Diffusion, "widths", classmethod(lambda cls, space: {4: 0, 8: 1}))
    digits = plausible.load("digits")
    torch.manual_seed(5)
    wanted = torch.rand(1)
    torch.manual_seed(5)
    speed = capacity.images_per_second(
        Diffusion, Diffusion.Config(width=4), digits, Settings(), torch.device("cpu")
    )
    assert torch.equal(torch.rand(1), wanted)
    assert speed > 0
    trainings = [
        begun(digits, tmp_path / name, Settings(minutes=60), **choices)[1]
        for name, choices in (("timed", {}), ("asked", {"width": 8}))
    ]
    timed, asked = (list(training.raw.parameters()) for training in trainings)
    assert all(map(torch.equal, timed, asked))


@pytest.mark.slow
def test_the_seeds_of_a_comparison_are_of_one_width(tmp_path, monkeypatch):
    monkeypatch.setattr(Diffusion, "widths", classmethod(lambda cls, space: {4: 0, 8: 600}))
    speeds = iter([100.0 * 600, 0.0])  # a machine that is busy when the second begins
    monkeypatch.setattr(capacity, "images_per_second", lambda *_: next(speeds))
    points = plausible.from_arrays(torch.randn(60, 2, generator=torch.Generator().manual_seed(0)))
    found = plausible.compare(["diffusion"], points, minutes=0.001, seeds=2, n=20, out=tmp_path)
    widths = [Run(run.folder).config["config"]["width"] for run in found["diffusion"].runs]
    assert widths == [8, 8]
