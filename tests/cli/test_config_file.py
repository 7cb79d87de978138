"""A run repeated by one command, from its config.json or a TOML file: the same weights bit for bit."""

import json
from pathlib import Path

import pytest
import torch
from tests.conftest import ask, refused

from plausible.runs import Run
from plausible.tasks import fit


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plausible.cli.play.play", _played)


def _played(run, training, flags):
    """To the end without pictures and without a word: what is looked at are the weights."""
    from plausible.tasks.fit import played

    played(run, training, True, flags.watch, flags.on_failure, lambda s: None, lambda f: None)


def same(first, second):
    """Whether two runs hold the same weights, best and last, to the last bit."""
    for which in ("best", "last"):
        a, b = (Run(folder).weights(which) for folder in (first, second))
        assert a.keys() == b.keys()
        if not all(torch.equal(a[name], b[name]) for name in a):
            return False
    return True


def test_a_run_is_repeated_bit_for_bit():
    made = ["train", "vae", "--data", "digits", "--width", "6", "--latent", "3", "--steps", "25"]
    ask(
        *made,
        "--seed",
        "5",
        "--lr",
        "0.0013",
        "--binarise",
        "threshold",
        "--conditional",
        "--out",
        "a",
    )
    ask("train", "vae", "--config", "a/config.json", "--out", "b")
    ask("train", "--config", "a", "--out", "c", "--seed", "6")
    assert same("a", "b")
    assert not same("a", "c")
    kept, again = (json.loads(Path(f"{run}/config.json").read_text()) for run in "ab")
    assert kept == again


def test_what_is_kept_depends_on_watching_and_is_repeated_too():
    ask("train", "vae", "--width", "6", "--steps", "25", "--no-watch", "--out", "a")
    ask("train", "vae", "--config", "a", "--out", "b")
    assert Run("a").config["watch"] is False
    assert not Path("b/last.safetensors").exists()
    assert same("a", "b")


def test_what_began_with_the_weights_of_another_run_does_so_again():
    ask("train", "vae", "--width", "6", "--latent", "3", "--steps", "3", "--out", "start")
    ask("train", "vae", "--data", "digits", "--init", "start", "--steps", "5", "--out", "c")
    ask("train", "vae", "--config", "c", "--out", "d")
    assert same("c", "d")


def test_toml_has_flags_as_keys(capsys):
    Path("mine.toml").write_text(
        'model = "vae"\ndata = "digits"\nsteps = 10\nwidth = 6\nlr = 1e-3\nconditional = true\nwatch = false\n'
        "seed = 2\n"
    )
    ask("train", "--config", "mine.toml", "--out", "a")
    ask("train", "vae", "--data", "digits", "--steps", "10", "--width", "6", "--lr", "1e-3", "--conditional",
        "--no-watch", "--seed", "2", "--out", "b")  # fmt: skip
    assert same("a", "b")
    ask("train", "--config=mine.toml", "--out", "c", "--minutes", "0.001", "--no-conditional")
    assert Run("c").settings.minutes == 0.001
    assert Run("c").settings.steps is None
    assert not Run("c").model_config.conditional


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ('model = "vae"\nwidht = 3', [], "has a key widht, which is no flag of a vae; did you mean width?"),
        ('model = "vae"\nwidth = "much"', [], "--width takes NUMBER, not 'much'"),
        ('model = "vae"\nwidth = 0', [], "--width must be at least 1, not 0"),
        ('model = "vae"\n[training]\nsteps = 3', [], "has a table [training]: write its keys at the top"),
        ('model = "vae"\nsteps = 2026-01-01', [], "steps in mine.toml must be a number, a text"),
        ("steps = 3", [], 'mine.toml names no model: give one, or write model = "gan" in it'),
        ('model = "gan"', ["vae"], "mine.toml is for a gan, and vae was asked for"),
        ('model = "gna"', [], "unknown model 'gna'"),
        ("model = 3", [], "model in mine.toml must be a name"),
        ("model", [], "mine.toml is no TOML"),
        ('model = "gan"', ["gan", "--preset", "dcgan"], "give one of them"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_taken_is_one_sentence(capsys, text, words, said):
    Path("mine.toml").write_text(text)
    assert said in refused(capsys, "train", *words, "--config", "mine.toml")
    assert not Path("runs").exists()


def test_what_is_no_file_of_flags_is_refused(capsys, binary):
    assert "nowhere.toml does not exist" in refused(capsys, "train", "--config", "nowhere.toml")
    Path("other.json").write_text("{}")
    assert "must be a config.json" in refused(capsys, "train", "--config", "other.json")
    fit("vae", binary, steps=2, width=4, out="memory")
    assert refused(capsys, "train", "--config", "memory", "--data", "nowhere")
    config = json.loads(Path("memory/config.json").read_text())
    Path("memory/config.json").write_text(json.dumps({**config, "own_networks": ["encoder"]}))
    Path("memory/checksums.json").unlink()
    assert "networks of its author" in refused(capsys, "train", "--config", "memory")


def test_other_data_are_said(capsys):
    ask("train", "naive-bayes", "--data", "digits", "--out", "a")
    ask("train", "--config", "a", "--data", "glyphs", "--size", "8", "--out", "b")
    assert "these data are not those of a" in capsys.readouterr().out
