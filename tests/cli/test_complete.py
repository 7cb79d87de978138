"""plausible complete, and the map of -log p."""

import numpy as np
import pytest
from PIL import Image

import plausible
from plausible import Settings, figures, runs, train
from plausible.cli.main import main
from plausible.models import Diffusion, NaiveBayes, PixelCNN


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A conditional pixelcnn of the digits and a naive Bayes, a step old, and two images."""
    root, digits = tmp_path_factory.mktemp("completing"), plausible.load("digits")
    config = PixelCNN.Config(width=8, blocks=2, conditional=True)
    for name, model in (
        ("flow", Diffusion(digits.space, Diffusion.Config(width=8))),
        ("pixel", PixelCNN(digits.space, config)),
        ("naive", NaiveBayes(digits.space)),
    ):
        training = train(model, digits, Settings(steps=2))
        list(training)
        runs.save(runs.create(root / name, training), training)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(root / "black.png")
    (root / "text.png").write_text("no picture")
    for i, image in enumerate(figures.images(digits.heldout.batch(slice(0, 2)).x)):
        image.save(root / f"{i}.png")
    return root


def ask(*words):
    main([str(word) for word in words])


def test_ends_are_drawn_below_the_rows_that_are_known(folder):
    out = folder / "ends.npz"
    ask(
        "complete",
        folder / "pixel",
        folder / "0.png",
        folder / "1.png",
        "--rows",
        5,
        "-n",
        3,
        "--out",
        out,
    )
    x = np.load(out)["x"]
    assert x.shape == (6, 1, 8, 8)
    assert (x[:3, :, :5] == x[0, :, :5]).all()
    assert not (x[0, :, 5:] == x[1, :, 5:]).all()
    assert set(np.load(out)["y"]) <= set(range(10))
    picture = folder / "ends.png"
    ask(
        "complete",
        folder / "pixel",
        folder / "0.png",
        "--rows",
        5,
        "--label",
        "3",
        "--out",
        picture,
    )
    assert Image.open(picture).width > 10 * 8


def test_any_pixels_are_drawn_anew_where_a_picture_is_white(folder):
    mask = np.zeros((16, 16), np.uint8)
    mask[4:12, 6:] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    out = folder / "filled.npz"
    ask("complete", folder / "flow", folder / "0.png", "--mask", folder / "mask.png", "-n", 2, "--out", out)  # fmt: skip
    x, known = np.load(out)["x"], mask[::2, ::2] == 0
    image = np.asarray(Image.open(folder / "0.png")) / 255 * 16
    assert x.shape == (2, 1, 8, 8)
    assert (x[0, 0][known] == x[1, 0][known]).all()
    assert np.abs(x[0, 0][known].astype(float) - image[known]).max() < 1
    assert not (x[0, 0][~known] == x[1, 0][~known]).all()


def test_a_mask_is_cropped_and_resized_as_its_image_is(folder):
    wide = np.zeros((16, 32), np.uint8)  # cropped to its middle
    wide[:, :8] = wide[:8, 16:] = 255
    Image.fromarray(wide).save(folder / "wide.png")
    out = folder / "wide.npz"
    ask("complete", folder / "flow", folder / "0.png", "--mask", folder / "wide.png", "-n", 2, "--out", out)  # fmt: skip
    x = np.load(out)["x"][:, 0]
    drawn = np.zeros((8, 8), bool)
    drawn[:4, 4:] = True
    assert (x[0] == x[1])[~drawn].all()
    assert not (x[0] == x[1])[drawn].all()


@pytest.mark.usefixtures("drawn")
def test_a_map_of_the_surprise(folder):
    out = folder / "map.png"
    ask("score", folder / "pixel", folder / "0.png", folder / "1.png", "--map", out)
    assert Image.open(out).width > 100


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("complete", "naive", "0.png", "--rows", "2", "--out", "a.png"), "pixelcnn"),
        (("complete", "pixel", "0.png", "--rows", "8", "--out", "a.png"), "between 0 and 7"),
        (("complete", "pixel", "none.png", "--rows", "2", "--out", "a.png"), "does not exist"),
        (("complete", "pixel", "0.png", "--out", "a.png"), "--rows or --mask"),
        (("complete", "flow", "0.png", "--mask", "0.txt", "--out", "a.png"), "does not exist"),
        (("complete", "flow", "0.png", "--mask", "black.png", "--out", "a.png"), "white where"),
        (("complete", "flow", "0.png", "--mask", "text.png", "--out", "a.png"), "text.png"),
        (("complete", "pixel", "0.png", "--mask", "1.png", "--out", "a.png"), "first rows"),
        (("sample", "pixel", "--sampling-steps", "3", "--out", "a.png"), "diffusion"),
        (("sample", "flow", "--solver", "newton", "--out", "a.png"), "midpoint"),
        (("sample", "flow", "--guidance", "2", "--out", "a.png"), "conditional"),
        (("score", "naive", "0.png", "--map", "b.png"), "pixelrnn"),
        (("score", "naive", "0.png", "--map", "b.jpg"), "--map b.jpg must end"),
        (("score", "naive", "0.png", "--background", "naive"), "--mutate"),
        (("train", "logistic", "--data", "digits", "--per-class"), "how probable x is"),
    ],
)
def test_what_cannot_be_done_gets_one_sentence(folder, words, sentence, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as stopped:
        ask(*words)
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err
