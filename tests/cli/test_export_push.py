"""plausible export, push and pull, as they are typed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import ask, refused

KEPT = Path(__file__).parent.parent / "runs" / "kept"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys, *words):
    ask(*words)
    return " ".join(capsys.readouterr().out.split())


def test_a_part_is_written_and_what_it_takes_is_said(capsys):
    out = said(
        capsys, "export", KEPT / "vae", "--to", "threes.pt2", "--label", 3, "--part", "decoder"
    )
    assert "threes.pt2 is the decoder: z to x, E[x | z] for each z, from 0 to 1" in out
    assert "it differs from the model by" in out
    assert "* z: 4 numbers a sample, drawn from N(0, 1)" in out
    assert "* values: 0 (black) to 1 (white): level k of 17 is k / 16" in out
    assert torch.export.load("threes.pt2").module()(torch.zeros(2, 4)).shape == (2, 1, 8, 8)
    sentence = refused(capsys, "export", KEPT / "vae", "--to", "threes.pt2")
    assert "threes.pt2 exists: choose another --to, or add --overwrite" in sentence
    ask("export", KEPT / "vae", "--to", "threes.pt2", "--part", "decoder", "--overwrite")


def test_what_cannot_be_exported_is_one_sentence(capsys):
    assert "must end in one of .onnx .pt2" in refused(
        capsys, "export", KEPT / "gan", "--to", "g.h5"
    )
    assert "needs --to PATH" in refused(capsys, "export", KEPT / "gan")
    asked = "export", KEPT / "rbm", "--to", "r.onnx", "--part", "generator"
    assert "the generator of this rbm cannot be exported" in refused(capsys, *asked)
    assert "did you mean 'decoder'" in refused(capsys, "export", KEPT / "gan", "--to", "g.pt2", "--part", "decodr")  # fmt: skip
    assert not list(Path.cwd().iterdir())


def test_a_model_is_given_away_and_taken(capsys):
    out = said(capsys, "push", KEPT / "gan", "--to", "given")
    first, last = out.index("* to given go: config.json"), out.index("is at given")
    assert first < last
    assert "no example, no picture, no path" in out
    out = said(capsys, "pull", "given", "--out", "mine")
    assert "mine is a gan of digits, every file what was pushed" in out
    assert "next: plausible sample mine --out samples.npz" in out
    for run, name in ((KEPT / "gan", "a.npz"), ("mine", "b.npz")):
        ask("sample", run, "-n", 9, "--seed", 4, "--out", name)
    assert np.array_equal(np.load("a.npz")["x"], np.load("b.npz")["x"])
    assert "never overwritten" in refused(capsys, "pull", "given", "--out", "mine")
    assert "holds other files" in refused(capsys, "push", KEPT / "gan", "--to", ".")


def test_the_hub_that_cannot_be_reached_is_one_sentence(capsys, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    assert "nobody answers at" in refused(capsys, "push", KEPT / "gan", "--to", "hub:ada/gan")
    assert "nobody answers at" in refused(capsys, "pull", "hub:ada/gan")
    assert "give it as hub:user/name" in refused(capsys, "pull", "hub:gan")
