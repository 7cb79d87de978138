"""Every command as a person types it, and every mistake as one sentence with exit code 2."""

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import SAMPLES, refused

from plausible import fit, from_arrays, runs
from plausible.cli import flags
from plausible.cli.help import field_help
from plausible.cli.main import main
from plausible.cli.parser import parse
from plausible.core.errors import UsageError
from plausible.core.model import Model, models
from plausible.core.space import Space
from plausible.data.load import load
from plausible.data.options import Options
from plausible.models import GAN
from plausible.tasks import open_trained


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_missing_or_misspelt_command_names_the_choices(capsys):
    assert "did you mean 'train'" in refused(capsys, "trian")
    choices = "choose from models, train, resume, watch, refine, runs, check, data, sample, interpolate, directions"
    assert choices in refused(capsys, "x")
    assert "needs a MODEL" in refused(capsys, "train")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["gna"], ["unknown model 'gna'", "gan", "convnet"]),
        (["gan", "--data", "digitz"], ["digitz", "did you mean 'digits'"]),
        (["gan", "--data=nowhere/at/all"], ["nowhere/at/all"]),
        (["gan", "--loss", "hing"], ["hing", "minimax", "relativistic"]),
        (["gan", "--architecture", "vit"], ["vit", "conv", "mlp"]),
        (["gan", "--stepz", "3"], ["--stepz"]),
        (["gan", "--steps", "many"], ["--steps", "many"]),
        (["gan", "--steps", "0"], ["--steps", "at least 1", "0"]),
        (["gan", "--steps", "3", "--minutes", "1"], ["--steps or --minutes"]),
        (["gan", "--batch", "0"], ["--batch"]),
        (["gan", "--size", "0"], ["size", "0"]),
        (["gan", "--levels", "1"], ["levels", "1"]),
        (["gan", "--data", "moons", "--size", "8"], ["size"]),
        (["gan", "--device", "tpu"], ["tpu", "cpu"]),
        (["gan", "--out", ".."], ["never overwritten"]),
        (["gan", "--latent", "0"], ["--latent"]),
        (["gan", "--processes", "0"], ["--processes", "0"]),
        (["gan", "--seed", "-1"], ["--seed", "-1"]),
    ],
)
def test_mistakes_in_training_are_one_sentence(capsys, args, words):
    sentence = refused(capsys, "train", *args)
    assert all(word in sentence for word in words), sentence
    assert not Path("runs").exists()


def test_a_device_that_is_not_here_is_refused(capsys):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert "no device cuda: choose from cpu" in refused(capsys, "train", "gan", "--device", "cuda")


def test_conditioning_on_labels_that_are_not_there_is_refused(capsys, tmp_path):
    np.save("x.npy", np.random.default_rng(0).normal(size=(50, 3)).astype("float32"))
    assert "have none" in refused(capsys, "train", "gan", "--data", "x.npy", "--conditional")
    assert "have none" in refused(capsys, "train", "convnet", "--data", "x.npy")


@pytest.mark.parametrize("command", ["sample", "interpolate", "resume"])
def test_a_run_that_is_none_is_refused(capsys, command):
    out = [] if command == "resume" else ["--out", "x.png"]
    assert "nowhere does not exist" in refused(capsys, command, "nowhere", *out)
    Path("empty").mkdir()
    assert "empty is not a run" in refused(capsys, command, "empty", *out)


@pytest.mark.parametrize(
    ("run", "args", "words"),
    [
        ("digits", ["--out", "x.jpg"], ["x.jpg", ".png", ".npz", "/"]),
        ("digits", ["--out", "x.png", "-n", "0"], ["-n", "at least 1"]),
        ("digits", ["--out", "x.png", "--label", "3"], ["not conditional"]),
        ("labelled", ["--out", "x.png", "--label", "10"], ["10", "out of range", "0, 1, 2"]),
        ("ring", ["--out", "many/"], ["only images"]),
        ("classifier", ["--out", "x.png"], ["convnet", "no samples"]),
        ("ring", ["--out", "x.png", "--truncation", "0"], ["--truncation", "more than 0"]),
    ],
)
def test_mistakes_in_sampling_are_one_sentence(capsys, made, run, args, words):
    sentence = refused(capsys, "sample", made[run], *args)
    assert all(word in sentence for word in words), sentence


def test_samples_as_a_grid_as_arrays_and_as_files(made):
    main(["sample", made["digits"], "-n", "6", "--out", "grid.png"])
    assert Image.open("grid.png").size == (3 * 116 + 4, 2 * 116 + 4)
    main(["sample", made["labelled"], "-n", "5", "--label", "3", "--out", "new/s.npz"])
    arrays = np.load("new/s.npz")
    assert arrays["x"].shape == (5, 1, 8, 8)
    assert arrays["x"].dtype == np.uint8
    assert arrays["x"].max() <= 16 == arrays["levels"] - 1
    assert arrays["y"].tolist() == [3] * 5
    main(["sample", made["digits"], "-n", "11", "--out", "each/"])
    files = sorted(Path("each").iterdir())
    assert [f.name for f in files] == [f"{i:02}.png" for i in range(11)]
    assert Image.open(files[0]).size == (8, 8)
    main(["sample", made["ring"], "-n", "7", "--out", "v.npz"])
    assert np.load("v.npz")["x"].shape == (7, 2)
    assert np.load("v.npz")["x"].dtype == np.float32


def test_truncated_samples_vary_less(made):
    for name, more in (("plain", []), ("truncated", ["--truncation", "0.3"])):
        main(["sample", made["ring"], "-n", "200", "--out", f"{name}.npz", *more])
    plain, truncated = (np.load(f"{name}.npz")["x"] for name in ("plain", "truncated"))
    assert truncated.std(0).sum() < plain.std(0).sum()


def test_samples_can_be_read_back_as_data(made):
    main(["sample", made["labelled"], "-n", "60", "--out", "s.npz"])
    back = load("s.npz")
    assert back.space.shape == (1, 8, 8)
    assert back.space.levels == 17


def test_the_same_seed_draws_the_same_samples(made):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        main(["sample", made["digits"], "-n", "9", "--seed", str(seed), "--out", f"{name}.npz"])
    a, b, c = (np.load(f"{name}.npz")["x"] for name in "abc")
    assert (a == b).all()
    assert (a != c).any()


def test_nothing_is_overwritten_unless_asked(capsys, made):
    Path("grid.png").write_text("precious")
    assert "grid.png exists" in refused(capsys, "sample", made["digits"], "--out", "grid.png")
    assert Path("grid.png").read_text() == "precious"
    main(["sample", made["digits"], "--out", "grid.png", "--overwrite"])
    assert Image.open("grid.png").format == "PNG"
    Path("full").mkdir()
    Path("full/x").touch()
    assert "full/ exists" in refused(capsys, "sample", made["digits"], "--out", "full/")


def test_walks_as_rows_and_as_an_animation(capsys, made):
    main(["interpolate", made["digits"], "--out", "w.png", "--rows", "2", "--columns", "5"])
    assert Image.open("w.png").size == (5 * 116 + 4, 2 * 116 + 4)
    main(["interpolate", made["labelled"], "--label", "4", "--out", "w.gif", "--columns", "5"])
    assert Image.open("w.gif").n_frames == 8
    main(["interpolate", made["ring"], "--out", "ring.png"])
    assert Image.open("ring.png").format == "PNG"
    assert "images" in refused(capsys, "interpolate", made["ring"], "--out", "ring.gif")
    assert "no latent" in refused(capsys, "interpolate", made["classifier"], "--out", "j.png")
    assert "--columns" in refused(
        capsys, "interpolate", made["digits"], "--out", "c.png", "--columns", "1"
    )


@pytest.mark.slow
def test_data_is_described_and_pictured(capsys):
    main(["data", "digits"])
    out = capsys.readouterr().out
    assert "1,797 items" in out
    assert "held out" in out
    assert Image.open("digits-data.png").format == "PNG"
    main(["data", "digits"])
    assert [path.name for path in Path().iterdir()] == ["digits-data.png"]
    assert "digits-data.png exists" in refused(
        capsys, "data", "digits", "--picture", "digits-data.png"
    )
    main(["data", "ring", "--out", "toy.png"])  # as of any other command
    assert Image.open("toy.png").size == (600, 600)


def test_models_prints_the_tree_with_verbs(capsys):
    main(["models"])
    out = capsys.readouterr().out
    for name, kind in models.items():
        assert name in out
        assert all(branch in out for branch in kind.place)
    assert "sample, encode, decode" in out
    assert "log_posterior =" in out
    assert "no probability of x" in out


@pytest.mark.slow
def test_training_from_the_command_line_makes_a_whole_run(capsys):
    main(["train", "gan", "--data", "moons", "--steps", "6", "--width", "8", "--out", "r"])
    out = capsys.readouterr().out
    assert "see it learn: r/samples.png" in out.partition("run r")[2].splitlines()[0]
    assert "round 6 of 6, done, " in out
    assert "rows/s" in out
    assert "images/s" not in out
    assert "data real" in out
    assert "samples real" in out
    assert (
        "6 rounds of about 10,000: too short to judge; go on with: plausible resume r --steps 10000"
        in out
    )
    names = {p.name for p in Path("r").iterdir()}
    assert names >= {"samples.png", "measures.json", "config.json", "weights.safetensors"}
    assert names >= {"frames", "training.png"}
    measures = json.loads(Path("r/measures.json").read_text())
    found = {measure["name"]: measure for measure in measures["measures"]}
    frechet = found["Frechet distance"]
    assert frechet["value"] > frechet["real"]["value"] >= 0
    assert sum(row["samples"] for row in measures["classes"]) == measures["samples"] == SAMPLES
    assert measures["verdict"]["state"] == "FAIL"
    assert "walks.png" in names
    assert "In plain words" in out
    assert "Frechet distance" not in out  # which is in the file


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "side", "n"),
    [("RGB", 12, 10), ("RGBA", 17, 20)],  # 10 are too few to be judged
)
def test_folders_of_colour_images_train_by_the_same_command(capsys, mode, side, n):
    random = np.random.default_rng(0)
    Path("photos").mkdir()
    for i in range(n):
        pixels = random.integers(0, 256, (side, side, len(mode)), dtype=np.uint8)
        if mode == "RGBA":
            pixels[..., 3] //= 2  # transparent in earnest, so that it is not dropped
        Image.fromarray(pixels, mode).save(f"photos/{i}.png")
    more = [
        "--width",
        "4",
        "--steps",
        "3",
        "--batch",
        "8",
        "--augment-strength",
        "0.5",
        "--out",
        "r",
    ]
    main(["train", "gan", "--data", "photos", "--channels", str(len(mode)), *more])
    assert Image.open("r/samples.png").size[0] > 8 * side
    assert runs.Run("r").space.shape == (len(mode), side, side)


@pytest.mark.slow
def test_a_training_whose_data_are_too_few_to_judge_ends_all_the_same(capsys):
    np.save("ten.npy", np.random.default_rng(0).normal(size=(10, 3)).astype("float32"))
    main(["train", "gan", "--data", "ten.npy", "--steps", "2", "--width", "8"])
    assert "not judged: " in capsys.readouterr().out
    [run] = Path("runs").iterdir()
    assert run.name.startswith("gan-ten-")
    assert {p.name for p in run.iterdir()} >= {"samples.png", "weights.safetensors"}
    assert "2 held-out examples" in refused(capsys, "evaluate", run)


@pytest.mark.parametrize(
    "command", ["train", "resume", "data", "sample", "interpolate", "evaluate", "models"]
)
def test_every_command_has_help_with_an_example(capsys, command):
    with pytest.raises(SystemExit) if command != "train" else pytest.MonkeyPatch.context() as end:
        main([command, "--help"])
    out = capsys.readouterr().out
    assert f"plausible {command}" in out
    assert "Example: plausible" in out
    if command != "train":
        assert end.value.code == 0


@pytest.mark.parametrize("name", sorted(models))
def test_a_model_s_flags_are_its_config_without_collisions(capsys, name):
    with pytest.raises(SystemExit) as end:
        main(["train", name, "--help-all"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    kind = models[name]
    common = (flags.TrainFlags, flags.TrainingFlags, Options)
    shared = {f.name for c in common for f in fields(c)}
    own = {f.name for f in fields(kind.Config)}
    assert not shared & own
    batches = kind.fit is Model.fit  # a fit has none
    for field in own - (set() if batches else {"batch"}):
        assert f"--{field.replace('_', '-')}" in out
    assert "Example: plausible train" in out
    helps = field_help(kind.Config)
    for field in own:
        assert helps[field].endswith((".", "?")), field
        assert not helps[field].startswith(("...", "Of ", "Its ")), helps[field]


def test_the_flags_arrive_in_the_config():
    def config(*args):
        return flags.model_config(GAN, parse(flags.train_flags(GAN), list(args), "x"))

    chosen = config("--loss", "minimax", "--penalties", "r1", "--lr", "0.1")
    assert (chosen.loss, chosen.penalties, chosen.lr) == ("minimax", ("r1",), 0.1)
    assert config("--penalties").penalties == ()
    assert config() == GAN.Config()


def test_a_preset_is_changed_by_the_flags_that_are_given(capsys):
    np.save("few.npy", np.random.default_rng(0).integers(0, 256, (10, 8, 8), dtype=np.uint8))
    args = ["--preset", "dcgan", "--steps", "2", "--width", "8", "--out", "r", "--no-watch"]
    main(["train", "gan", "--data", "few.npy", *args])
    config = json.loads(Path("r/config.json").read_text())["config"]
    preset = GAN.presets["dcgan"].config
    assert config["width"] == 8
    assert config["loss"] == preset.loss
    assert config["beta1"] == preset.beta1
    assert "dcgan" in refused(capsys, "train", "gan", "--preset", "dcgna")


def test_help_lists_and_wrong_paths_answer_without_torch():
    code = """
import sys
from plausible.cli.main import main
from plausible.cli.parser import parse
for args in (["--help"], ["help", "train"], ["sample", "--help"], ["data", "nowhere"], ["claims", "--help-all"],
             ["sample"], ["help", "evaluate"], ["runs", "--stepz"],
             ["train", "gan", "--data", "nowhere"], ["sample", "nowhere", "--out", "x.png"],
             ["evaluate", "--help"], ["evaluate", "nowhere"],
             ["evaluate", "--samples", "nowhere", "--data", "digits"]):
    try:
        main(args)
    except SystemExit:
        pass
assert "torch" not in sys.modules and "sklearn" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_python_m_plausible_is_the_same():
    out = subprocess.run(
        [sys.executable, "-m", "plausible", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "plausible learns a distribution" in out
    version = subprocess.run(
        [sys.executable, "-m", "plausible", "--version"], capture_output=True, text=True, check=True
    ).stdout
    assert version.strip().count(".") == 2


def test_a_label_is_known_by_name_or_number(made):
    trained = open_trained(made["labelled"])
    assert trained.label("7") == trained.label(7) == 7
    assert trained.label(None) is None
    assert Space((1, 8, 8), 17, 10) == trained.model.space


def test_a_place_is_no_label_where_the_names_are_numbers():
    x = np.random.default_rng(0).normal(size=(60, 2)).astype("float32")
    kept = {"steps": 2, "conditional": True, "width": 8}
    numbers = fit("gan", from_arrays(x, np.arange(60) % 3 + 1), **kept)
    assert [numbers.label(name) for name in (1, "3")] == [0, 2]
    with pytest.raises(UsageError, match="0 is out of range: choose from 1, 2, 3"):
        numbers.label(0)
    words = fit("gan", from_arrays(x, np.array(["cat", "dog"])[np.arange(60) % 2]), **kept)
    assert words.label("dog") == words.label(1) == 1


@pytest.mark.slow
def test_a_training_need_not_be_judged(capsys):
    flags = ["--data", "moons", "--width", "8", "--no-evaluate"]
    main(["train", "gan", *flags, "--steps", "3", "--out", "my runs/r"])
    out = capsys.readouterr().out
    assert "not judged: plausible evaluate 'my runs/r'" in out
    assert "judging" not in out
    assert not Path("my runs/r/measures.json").exists()
    main(["resume", "my runs/r", "--steps", "5", "--no-evaluate"])
    assert "round 5 of 5, done" in capsys.readouterr().out
    main(["diagnose", "my runs/r"])
    out = capsys.readouterr().out
    assert (
        "5 rounds of about 10,000: too short to judge; go on with: plausible resume 'my runs/r'"
        in out
    )
    assert "fine" not in out
