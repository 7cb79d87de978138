"""Pictures say that a model drew them, which one and by which seed; the same command writes the same bytes."""

import re
from importlib.metadata import version
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import ask

import plausible
from plausible import GSN, VAE, Settings, Space, figures, from_arrays, runs, train
from plausible.core.space import Batch
from plausible.data.load import load
from plausible.data.mark import PNG_KEY, SOURCE_TYPE, Mark, is_marked
from plausible.models import GAN, PixelCNN
from plausible.tasks import open_trained, save_report, save_samples
from plausible.tasks.fit_steps import fit_steps, monitored
from plausible.tasks.mark import mark_of, weights_hash
from plausible.tasks.start import start
from plausible.tasks.training_pictures import TrainingPictures

IPTC = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
OURS = "{urn:plausible:mark:1}"
GREY = from_arrays(np.random.default_rng(0).integers(0, 2, (60, 8, 8)).astype(np.uint8) * 255)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs a few steps old, an image, and images in a folder."""
    root = tmp_path_factory.mktemp("marks")
    plausible.save_samples(Batch(GREY.train.as_batch().x[:12]), GREY.space, root / "photos")
    for name, model in (
        ("gan", GAN(GREY.space, GAN.Config(width=4))),
        ("vae", VAE(GREY.space, VAE.Config(width=8))),
        ("pixel", PixelCNN(GREY.space, PixelCNN.Config(width=8, blocks=1))),
        ("gsn", GSN(GREY.space, GSN.Config(width=32))),
    ):
        training = train(model, GREY, Settings(steps=2))
        list(training)
        runs.save(runs.create(root / name, training), training)
    return root


@pytest.fixture(autouse=True)
def _there(folder, monkeypatch):
    monkeypatch.chdir(folder)


def said(path):
    """{attribute: value} of what a picture says of itself, read as any other program reads it."""
    with Image.open(path) as image:
        packet = image.info.get(PNG_KEY) or image.info.get("comment", b"").decode()
    body = re.sub(r"<\?xpacket.*?\?>", "", packet)
    (about,) = ElementTree.fromstring(body.strip()).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")  # fmt: skip
    return dict(about.attrib)


DRAWN = {
    "sample grid": ("gan", ["sample", "gan", "-n", 4, "--out", "OUT.png"]),
    "sample folder": ("gan", ["sample", "gan", "-n", 12, "--out", "OUT/"]),
    "walk": ("gsn", ["sample", "gsn", "-n", 2, "--steps", 3, "--chain", "OUT.gif"]),
    "interpolation": ("gan", ["interpolate", "gan", "--rows", 2, "--columns", 3, "--out", "OUT.png"]),
    "animation": ("gan", ["interpolate", "gan", "--rows", 2, "--columns", 3, "--out", "OUT.gif"]),
    "reconstruction": ("vae", ["reconstruct", "vae", "photos/00.png", "--out", "OUT.png"]),
    "completion": ("pixel", ["complete", "pixel", "photos/00.png", "--rows", 4, "-n", 2, "--out", "OUT.png"]),
    "directions": ("gan", ["directions", "gan", "--rows", 1, "--columns", 3, "--draws", 2, "--out", "OUT.png"]),
}  # fmt: skip


@pytest.mark.parametrize("what", DRAWN)
def test_what_is_drawn_says_so_and_is_the_same_again(what, tmp_path):
    run, words = DRAWN[what]
    seed = [] if what == "reconstruction" else ["--seed", 3]
    outs = []
    for name, more in (("a", []), ("b", []), ("c", ["--no-mark"])):
        out = tmp_path / name
        ask(*[str(word).replace("OUT", str(out)) for word in words], *seed, *more)
        place = next(iter([*tmp_path.glob(f"{name}.*"), *sorted(tmp_path.glob(f"{name}/*"))]))
        outs.append(place)
    first, again, unmarked = outs
    assert first.read_bytes() == again.read_bytes()
    found = said(first)
    assert found[f"{IPTC}DigitalSourceType"] == SOURCE_TYPE
    assert found["{http://ns.adobe.com/xap/1.0/}CreatorTool"] == f"plausible {version('plausible')}"
    assert found[f"{OURS}WeightsSHA256"] == weights_hash(runs.Run(run).model())
    assert found.get(f"{OURS}Seed") == ("3" if seed else None)
    with Image.open(unmarked) as image, Image.open(first) as marked:
        assert not is_marked(image.info)
        assert is_marked(marked.info)
        assert np.array_equal(np.asarray(image), np.asarray(marked))


def test_a_folder_of_what_a_model_drew_is_known(tmp_path):
    ask("sample", "gan", "-n", 12, "--out", f"{tmp_path}/drawn/")
    for k in range(5):
        Image.open(f"photos/{k:02}.png").save(tmp_path / "drawn" / f"real-{k}.png")
    data = load(tmp_path / "drawn")
    assert data.survey.marked == 12
    assert any("12 of these images are marked as drawn by a model" in note for note in data.notes)
    assert load("photos").survey.marked == 0
    found = plausible.describe(tmp_path / "drawn")  # what plausible data shows
    assert any("12 of these images are marked as drawn by a model" in note for note in found.notes)


@pytest.mark.parametrize("form", ["png", "jpg", "webp", "gif"])
def test_the_mark_is_known_in_every_format_that_can_hold_it(form, tmp_path):
    """As other programs write it, too."""
    packet = Mark("gan", "ab", 1).xmp
    for k in range(12):
        image = Image.fromarray(np.random.default_rng(k).integers(0, 256, (8, 8), dtype=np.uint8))
        content = figures.png(image, Mark("gan")) if form == "png" else None
        path = tmp_path / f"{k}.{form}"
        if content:
            path.write_bytes(content)
        elif form == "gif":
            path.write_bytes(figures.gif([image, image], mark=Mark("gan")))
        else:
            image.convert("RGB").save(path, xmp=packet.encode())
            if SOURCE_TYPE.encode() not in path.read_bytes():
                pytest.skip("this Pillow writes no XMP there")
    assert load(tmp_path).survey.marked == 12


def test_what_a_mark_holds_is_text_whatever_a_model_is_called(tmp_path):
    odd = 'a"<b>&\u202e'
    (tmp_path / "a.png").write_bytes(
        figures.png(Image.new("L", (2, 2)), Mark(odd, "f" * 64, 2**40))
    )
    assert said(tmp_path / "a.png")[f"{OURS}Model"] == odd
    assert not is_marked({})
    assert not is_marked({"comment": b"\xff trainedAlgorithmicMedia", "xmp": 3})


@pytest.mark.slow
def test_the_pictures_of_a_training_and_of_an_evaluation_are_marked(tmp_path):
    run, training = start("gan", GREY, settings=Settings(steps=2), out=tmp_path / "run", device="cpu", width=4)  # fmt: skip
    pictures = TrainingPictures(run, training)
    for step in fit_steps(run, training, monitored(run, training), pictures=pictures):
        pictures.draw(step.clock.step + 1, always=True)
    pictures.finish()
    expected = weights_hash(training.averaged)
    for name in ("samples.png", "training.gif"):
        found = said(run.folder / name)
        assert (found[f"{OURS}WeightsSHA256"], found[f"{OURS}Seed"]) == (expected, "0")
    report = plausible.evaluate(open_trained(run, GREY), n=20)
    save_report(report, tmp_path / "report")
    drawn = {path.name for path in (tmp_path / "report").glob("*.png") if is_marked(Image.open(path).info)}  # fmt: skip
    assert drawn == {"neighbours.png", "walks.png"}


def test_figures_with_axes_and_data_are_not_marked(tmp_path):
    points = from_arrays(np.random.default_rng(0).normal(size=(40, 2)))
    model = VAE(points.space, VAE.Config(width=8))
    save_samples(Batch(points.train.as_batch().x), Space((2,)), tmp_path / "a.png", plausible.open_trained(model, points))  # fmt: skip
    save_samples(Batch(GREY.train.as_batch().x), GREY.space, tmp_path / "b.png", GREY)
    for name in "ab":
        with Image.open(tmp_path / f"{name}.png") as image:
            assert not is_marked(image.info)


def test_in_python_samples_of_a_trained_model_are_marked_unless_they_shall_not_be(tmp_path):
    trained = open_trained("gan")
    drawn = Batch(torch.rand(4, *GREY.space.shape).round())
    save_samples(drawn, GREY.space, tmp_path / "a.png", trained)
    assert said(tmp_path / "a.png")[f"{OURS}Model"] == "gan"
    assert f"{OURS}Seed" not in said(tmp_path / "a.png")
    save_samples(drawn, GREY.space, tmp_path / "b.png", trained, mark=mark_of(trained, 5))
    assert said(tmp_path / "b.png")[f"{OURS}Seed"] == "5"
    save_samples(drawn, GREY.space, tmp_path / "c.png", trained, mark=False)
    with Image.open(tmp_path / "c.png") as image:
        assert not is_marked(image.info)
