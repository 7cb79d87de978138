"""A training that begins with the weights of another run, and what of them it takes."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import ask, refused

import plausible
from plausible.core.errors import UsageError
from plausible.runs import Run
from plausible.runs.warm_start import initial_of
from plausible.tasks.start import start
from plausible.training import Settings

R = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def plane(classes=0, n=60, shift=0.0, width=2):
    x = R.normal(size=(n, width)).astype(np.float32) + shift
    return plausible.from_arrays(x, np.arange(n) % classes if classes else None)


def begun(model, data, run, **choices):
    """The first weights of a training that begins with a run, by name, and what it says it took."""
    new, training = start(
        model, data, init=run, out=Path("new"), settings=Settings(steps=2), **choices
    )
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            training.raw.state_dict().values(), training.averaged.state_dict().values(), strict=True
        )
    )
    return dict(training.raw.state_dict()), initial_of(new), training


def test_all_weights_are_taken_and_units_are_those_of_the_new_data():
    old = plausible.fit("gan", plane(), steps=3, width=8, out="old").run
    data = plane(shift=9.0)
    state, initial, training = begun("gan", data, old)
    assert training.raw.config.width == 8  # the choices of the run
    kept = old.weights()
    assert initial.taken == initial.weights == sum(p.numel() for p in training.raw.parameters())
    for name, tensor in state.items():
        if name in ("offset", "scale", "log_prior"):
            continue
        assert torch.equal(tensor, kept[name]), name
    assert torch.allclose(state["offset"], data.train.as_batch().x.mean(0))
    assert "units and class prior are those of the new data" in str(initial)
    assert json.loads(Path("new/config.json").read_text())["init"]["run"] == "old"
    next(training)  # and it learns


def test_what_has_another_shape_is_new_and_is_named():
    old = plausible.fit("gan", plane(2), steps=2, width=8, conditional=True, out="old").run
    state, initial, training = begun("gan", plane(3), old)
    new = [
        name for name, p in training.raw.named_parameters() if p.shape != old.weights()[name].shape
    ]
    assert new
    assert len(initial.new) == len(new)
    assert 0 < initial.taken < initial.weights
    assert f"{new[0]} (3 x " in str(initial)
    assert "there 2 x " in str(initial)
    assert state["log_prior"].shape == (3,)


def test_another_model_is_refused_and_leaves_no_folder():
    old = plausible.fit("gan", plane(), steps=1, width=8, out="old").run
    fitted = plausible.fit("mixture", plane(2), components=1, out="fitted").run
    narrow = plausible.fit("vae", plane(width=3), steps=1, width=8, latent=2, out="narrow").run
    for model, run, choices, words in (
        ("vae", old, {}, "old is a gan, and --init takes the weights of a run of the same model: this is a vae"),
        ("mixture", fitted, {"per_class": True}, "this is one mixture for each class"),
        ("mixture", fitted, {}, "fitted to all examples at once, from nothing"),
        ("vae", narrow, {"width": 9, "latent": 3}, "none of the weights of narrow"),
        ("gan", "nowhere", {}, "nowhere is not a run"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            begun(model, plane(2), run, **choices)
        assert not Path("new").exists()


def test_what_is_resumed_does_not_begin_again():
    plausible.fit("gan", plane(), steps=2, width=8, out="old")
    source = Path("plane.npz")
    np.savez(source, x=R.normal(size=(60, 2)))
    trained = plausible.fit("gan", source, steps=2, init="old", out="new")
    before = trained.model.offset.clone()
    after = plausible.resume(trained.run, steps=3).model
    assert torch.equal(after.offset, before)
    assert initial_of(Run("new")).run == "old"


@pytest.mark.slow
def test_the_command_line_says_what_was_taken(capsys):
    np.savez("plane.npz", x=R.normal(size=(60, 2)))
    flags = ["--steps", "1", "--no-evaluate"]
    ask("train", "gan", "--data", "plane.npz", "--width", "8", *flags, "--out", "old")
    np.savez("more.npz", x=R.normal(size=(90, 2)))
    Path("empty").mkdir()
    capsys.readouterr()
    ask("train", "gan", "--data", "more.npz", "--init", "old", *flags, "--out", "empty")
    said = " ".join(capsys.readouterr().out.split())
    assert "weights as they are in old; units and class prior are those of the new data" in said
    assert Run("empty").config["config"]["width"] == 8
    assert "say what to learn from with --data" in refused(capsys, "train", "gan", "--init", "old")
    other = refused(capsys, "train", "vae", "--data", "more.npz", "--init", "old", "--out", "x")
    assert "takes the weights of a run of the same model" in other
    assert "is not a run" in refused(
        capsys, "train", "gan", "--data", "more.npz", "--init", "empty/frames"
    )
    assert not Path("x").exists()
