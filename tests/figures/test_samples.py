"""Pictures of samples and of trainings say what they show: classes by name, columns by name, alarms at their step."""

from importlib import import_module

import numpy as np
import pytest
import torch
from tests.conftest import make_data

from plausible import GAN, VAE, Diffusion, GaussianMixture, Space, figures
from plausible.diagnosis.history import History
from plausible.diagnosis.missing_modes import FRECHET_RATIO, MISSED_SHARE
from plausible.figures.histograms import histograms
from plausible.figures.learning import learning_curves
from plausible.figures.plane import plane

GREY = Space((1, 8, 8), 17, 3)
PLANE = Space((2,))


def test_a_caption_leaves_the_pixels_as_they_are():
    sheet = figures.grid(torch.rand(6, 1, 8, 8), 3)
    whole = figures.captioned(sheet, "A title", ("first row", "second row"))
    left, top = whole.width - sheet.width, whole.height - sheet.height
    assert left > 50
    assert top > 20
    assert whole.crop((left, top, whole.width, whole.height)).tobytes() == sheet.tobytes()
    words = np.asarray(whole)
    assert words[:top].min() < 100
    assert words[top : top + sheet.height // 2, :left].min() < 100
    assert figures.captioned(sheet).size == sheet.size
    long = figures.captioned(sheet, "word " * 60, ("a very long name of a class " * 9, ""))
    assert long.height > whole.height + 40
    assert long.width < sheet.width + 260


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_of_classes_stand_in_rows_by_name(channels):
    x, y = torch.zeros(7, channels, 8, 8), torch.tensor([2, 0, 2, 0, 2, 0, 2])
    x[y == 2] = 1.0
    space = Space((channels, 8, 8), 17, 3)
    sheet = figures.picture(space, x, y=y, names=("cat", "dog", "eel"), title="7 samples")
    pixels = np.asarray(sheet.convert("RGB"))[..., 0]
    middle = pixels[:, sheet.width - 60 - 3 * 116]  # the first image of each row
    below = middle[50:]
    assert (below[: len(below) // 3] == 0).sum() > 40  # zeros first
    assert (below[-100:] == 255).sum() > 60
    assert (pixels[:, -60] == 128).sum() > 100  # the place of a fourth image of class 0 is grey
    plain = figures.picture(space, x, title="7 samples")
    assert plain.size != sheet.size


def test_of_many_classes_there_is_a_grid():
    y = torch.arange(30)
    sheet = figures.picture(Space((1, 8, 8), 17, 30), torch.rand(30, 1, 8, 8), y=y)
    assert sheet.size == figures.grid(torch.rand(30, 1, 8, 8)).size


@pytest.mark.slow
@pytest.mark.parametrize("dims", [1, 3, 40])
def test_columns_have_histograms(dims):
    columns = [f"column number {k} of many with a long name" for k in range(dims)]
    data = torch.randn(50, dims)
    data[:, 0] = 1.0  # which has no range
    image = figures.rendered(histograms(torch.randn(60, dims) * 9, data, columns, "60 samples"))
    assert min(image.size) > 200
    assert max(image.size) <= 900


def built(kind, space=PLANE, **config):
    torch.manual_seed(0)
    model, data = kind(space, kind.Config(**config)), make_data(space)
    model.setup(data.train)
    fit = model.fit(data.train)
    if fit is not None:
        next(fit)
    return model.eval(), data


def colours(figure):
    """How many of the pixels have a colour of their own."""
    pixels = np.asarray(figures.rendered(figure).convert("RGB")).astype(int)
    return ((pixels.max(2) - pixels.min(2)) > 8).mean()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "config", "shaded"),
    [
        (GaussianMixture, {"components": 2}, True),
        (VAE, {"width": 8}, True),
        (GAN, {"width": 8}, True),
        (GAN, {"width": 8, "pack": 2}, False),  # D judges two at once
        (Diffusion, {"width": 8}, True),
    ],
)
def test_below_points_of_the_plane_is_what_the_model_says_of_it(kind, config, shaded, monkeypatch):
    monkeypatch.setattr(import_module("plausible.figures.plane"), "_FEWER", 8)
    model, data = built(kind, **config)
    before = torch.get_rng_state()
    kept = [tensor.clone() for tensor in model.state_dict().values()]
    points = data.heldout.as_batch().x
    image = plane(points, points, model=model, title="samples", patient=True)
    assert figures.rendered(image).size == (600, 600)
    plain = colours(plane(points, points))
    assert bool(colours(image) > plain + 0.1) is shaded
    if kind is Diffusion:  # while it learns nobody waits for its density
        assert colours(plane(points, points, model=model)) <= plain + 0.1
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(kept, model.state_dict().values(), strict=True))


def test_points_of_classes_have_colours():
    x, y = torch.randn(30, 2), torch.arange(30) % 3
    (axes,) = plane(x, y=y, names=("a", "b", "c"), columns=("height", "width")).axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("height", "width")
    look = {
        (
            collection.get_label(),
            tuple(collection.get_facecolor()[0]),
            len(collection.get_paths()[0]),
        )
        for collection in axes.collections
    }
    assert {label for label, *_ in look} == {"samples: a", "samples: b", "samples: c"}
    assert len({colour for _, colour, _ in look}) == len({mark for *_, mark in look}) == 3


def log(steps=600):
    for step in range(0, steps, 10):
        line = {"step": step, "images": step, "progress": step / steps, "seconds": step / 10}
        line |= {"discriminator": {"loss": 1.0, "D(x)": 0.6}, "generator": {"loss": 0.7}}
        if step % 100 == 0:
            line["probes"] = {FRECHET_RATIO: 2.0 - step / steps, MISSED_SHARE: 0.1}
        yield line


@pytest.mark.slow
def test_curves_are_drawn_of_what_there_is_and_alarms_are_marked():
    marks = [(300, "garbage"), (500, "missing modes")]
    plain, marked = (
        figures.rendered(learning_curves(History(log()), alarms)) for alarms in ((), marks)
    )
    assert plain.size == marked.size == (800, 60 + 4 * 220)
    red = [
        (np.asarray(image.convert("RGB")).astype(int) @ [1, -1, 0] > 120).sum()
        for image in (plain, marked)
    ]
    assert red[1] > red[0] + 300
    fitted = [{"step": k, "images": 0, "progress": 0.1, "mixture": {"log likelihood": k}} for k in (1, 2)]  # fmt: skip
    assert figures.rendered(learning_curves(History(fitted))).size == (800, 280)
    assert learning_curves(History()) is None
