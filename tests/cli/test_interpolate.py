"""plausible reconstruct, interpolate --between, sample --mean, diagnose, and the plane of z."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import ask, make_data, refused

import plausible
from plausible import VAE, VQVAE, Settings, Space, figures, runs, train
from plausible.models import GAN, NaiveBayes


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs a few steps old, and two images."""
    root, digits = tmp_path_factory.mktemp("inferring"), plausible.load("digits")
    small = {"width": 8, "blocks": 1, "prior_width": 12, "prior_blocks": 1}
    torch.manual_seed(0)
    for name, model in (
        ("vae", VAE(digits.space, VAE.Config(width=16))),
        ("plane", VAE(digits.space, VAE.Config(width=16, latent=2, conditional=True))),
        ("codes", VQVAE(digits.space, VQVAE.Config(**small))),
        ("gan", GAN(digits.space, GAN.Config(width=4))),
        ("naive", NaiveBayes(digits.space)),
    ):
        steps = 60 if isinstance(model, VAE) else 3
        training = train(model, digits, Settings(steps=steps))
        list(training)
        runs.save(runs.create(root / name, training), training)
    moons = plausible.load("moons")
    training = train(VAE(moons.space, VAE.Config(width=16)), moons, Settings(steps=3))
    list(training)
    runs.save(runs.create(root / "moons", training), training)
    np.save(root / "points.npy", moons.heldout.as_batch().x[:5].numpy())
    for i, image in enumerate(figures.images(digits.heldout.batch(slice(0, 3)).x)):
        image.save(root / f"{i}.png")
    return root


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def most_probable(model, x):
    """The label of each x that a conditional model finds most probable, as the commands draw it."""
    if not model.conditional:
        return None
    generator = torch.Generator().manual_seed(0)
    return plausible.BayesClassifier(model).log_posterior(x, generator).argmax(1)


@pytest.mark.slow
@pytest.mark.parametrize("run", ["vae", "plane", "codes"])
def test_inputs_and_what_comes_back_stand_above_each_other(folder, capsys, run):
    inputs = [folder / f"{i}.png" for i in range(3)]
    ask("reconstruct", folder / run, *inputs, "--out", "back.png")
    assert Image.open("back.png").size == (3 * 116 + 4, 2 * 116 + 4)
    assert "3 inputs" in capsys.readouterr().out
    ask("reconstruct", folder / run, *inputs, "--out", "back.npz")
    back = np.load("back.npz")["x"]
    assert back.shape == (3, 1, 8, 8)
    x = plausible.load("digits").heldout.batch(slice(0, 3)).x
    model = runs.Run(folder / run).model()
    expected = model.reconstruct(x, most_probable(model, x))
    assert np.allclose(back, expected.numpy(), atol=1e-6)


def test_points_come_back_as_points(folder):
    ask("reconstruct", folder / "moons", folder / "points.npy", "--out", "back.npz")
    assert np.load("back.npz")["x"].shape == (5, 2)
    ask("reconstruct", folder / "moons", folder / "points.npy", "--out", "back.png")
    assert Image.open("back.png").format == "PNG"


def test_the_label_of_a_reconstruction_can_be_told(folder, capsys):
    for label in ("3", "8"):
        ask(
            "reconstruct", folder / "plane", folder / "0.png", "--label", label,
            "--out", f"{label}.npz",
        )  # fmt: skip
    assert not (np.load("3.npz")["x"] == np.load("8.npz")["x"]).all()
    told = "reconstruct", folder / "vae", folder / "0.png", "--label", "3", "--out", "x.png"
    assert "not conditional" in refused(capsys, *told)


def test_models_without_a_code_do_not_reconstruct(folder, capsys):
    said = refused(capsys, "reconstruct", folder / "naive", folder / "0.png", "--out", "x.png")
    assert "keeps no code" in said
    assert "vae" in said
    missing = "reconstruct", folder / "vae", "nowhere.png", "--out", "x.png"
    assert "nowhere.png does not exist" in refused(capsys, *missing)
    assert not Path("x.png").exists()


@pytest.mark.parametrize("run", ["vae", "plane"])
def test_a_walk_between_two_images_starts_and_ends_at_their_reconstructions(folder, run):
    ends = folder / "0.png", folder / "1.png"
    ask("interpolate", folder / run, "--between", *ends, "--columns", 5, "--out", "walk.png")
    walk = np.asarray(Image.open("walk.png"))
    model = runs.Run(folder / run).model()
    x = plausible.load("digits").heldout.batch(slice(0, 2)).x
    back = model.space.quantise(model.reconstruct(x, most_probable(model, x)))
    whole = np.asarray(figures.grid(back, 2))
    assert (walk[:, :116] == whole[:, :116]).all()
    assert (walk[:, -116:] == whole[:, -116:]).all()
    ask("interpolate", folder / run, "--between", *ends, "--columns", 5, "--out", "walk.gif")
    assert 2 <= Image.open("walk.gif").n_frames <= 8  # frames that are alike are one


def test_a_walk_needs_two_inputs_and_a_model_that_encodes(folder, capsys):
    ends = folder / "0.png", folder / "1.png"
    said = refused(capsys, "interpolate", folder / "naive", "--between", *ends, "--out", "x.png")
    assert "no latent z" in said
    three = folder / "0.png", folder
    assert "two inputs" in refused(
        capsys, "interpolate", folder / "vae", "--between", *three, "--out", "x.png"
    )


def test_means_have_less_noise_than_draws(folder, capsys):
    for more in ([], ["--mean"]):
        name = f"{len(more)}.npz"
        ask("sample", folder / "vae", "-n", 200, *more, "--out", name)
    drawn, means = (np.load(f"{k}.npz")["x"].astype(float) for k in (0, 1))
    assert means.shape == drawn.shape == (200, 1, 8, 8)
    assert means.std(0).mean() < drawn.std(0).mean()
    said = refused(capsys, "sample", folder / "naive", "--mean", "--out", "x.png")
    assert "--mean" in said


@pytest.mark.slow
def test_a_diagnosis_is_shown_and_kept_in_the_run(folder, capsys):
    ask("diagnose", folder / "moons")
    out = capsys.readouterr().out
    assert "posterior" in out
    assert "findings.json" in out
    found = json.loads((folder / "moons" / "findings.json").read_text())
    assert {row["phenomenon"] for row in found} == {
        "posterior collapse",
        "bound gap",
        "overfitting",
    }
    assert all(row["evidence"] for row in found)
    ask("diagnose", folder / "gan")
    assert json.loads((folder / "gan" / "findings.json").read_text()) == []
    assert "nowhere does not exist" in refused(capsys, "diagnose", "nowhere")


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_z_of_two_coordinates_is_drawn_whole(folder):
    run = runs.Run(folder / "plane")
    picture = figures.latent_plane(run.model(), run.data().heldout)
    assert figures.rendered(picture).size == (1400, 700)
    space = Space((1, 8, 8), 17)
    bare = figures.latent_plane(GAN(space, GAN.Config(latent=2, width=4)), make_data(space).heldout)
    side = 20 * 59 + 3
    assert bare.width == side
    assert side < bare.height < side + 60  # below its title
    vectors = make_data(Space((3,)))
    points = figures.latent_plane(GAN(vectors.space, GAN.Config(latent=2)), vectors.heldout)
    assert points.axes[0].get_xlabel() == "first principal component"


def test_pairs_fill_their_last_line_with_grey():
    x = torch.zeros(5, 1, 8, 8)
    sheet = np.asarray(figures.paired_grid(x, torch.ones(5, 1, 8, 8), 3))
    assert sheet.shape == (4 * 116 + 4, 3 * 116 + 4)
    assert sheet[10, 10] == 0
    assert sheet[116 + 10, 10] == 255
    assert sheet[2 * 116 + 10, 2 * 116 + 10] == 128


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "small"),
    [("vae", []), ("vq-vae", ["--prior-width", "8", "--prior-blocks", "1"])],
)
def test_training_by_the_command_line_from_start_to_report(capsys, model, small):
    np.savez("few.npz", x=plausible.load("digits").train.values[:240].numpy(), levels=17)
    more = ["--width", "16", "--blocks", "1", "--steps", "4", "--verbose", "--out", "r"]
    ask("train", model, "--data", "few.npz", *small, *more)
    out = capsys.readouterr().out
    assert "log likelihood" in out
    assert "≥" in out
    names = {path.name for path in Path("r").iterdir()}
    assert names >= {"config.json", "weights.safetensors", "samples.png", "measures.json"}
    measures = json.loads(Path("r/measures.json").read_text())["measures"]
    found = {measure["name"]: measure for measure in measures}
    assert found["log likelihood"]["kind"] == "≥"
    assert found["bits per dimension"]["kind"] == "≤"
    assert ("active units" in found) or model == "vq-vae"
