"""Two processes on equal shards train as one process does on the whole batch (gloo, CPU)."""

import os
import subprocess
import sys

import numpy as np
import pytest
import safetensors.torch
import torch

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


def train(out, model, source, *flags):
    command = [sys.executable, "-m", "plausible", "train", model, "--data", source, "--out", out]
    done = subprocess.run(
        [*map(str, command), *flags], env=ENV, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return safetensors.torch.load_file(out / "weights.safetensors"), done.stdout


@pytest.fixture
def source(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (90, 1, 2, 2), dtype=np.uint8)
    np.savez(tmp_path / "tiny.npz", x=x, y=x.reshape(90, 4).sum(1) > 1, levels=2)
    return tmp_path / "tiny.npz"


def test_two_processes_make_the_weights_of_one(source, tmp_path):
    flags = ["--steps", "20", "--batch", "16", "--dropout", "0"]
    one, _ = train(tmp_path / "one", "convnet", source, *flags)
    two, _ = train(tmp_path / "two", "convnet", source, *flags, "--processes", "2")
    for name, value in one.items():
        assert torch.allclose(value, two[name], atol=1e-5), name


def test_a_gan_trains_on_two_processes_and_resumes_on_two(source, tmp_path):
    flags = ["--steps", "6", "--batch", "16", "--width", "16", "--processes", "2"]
    _, out = train(tmp_path / "run", "gan", source, *flags)
    assert out.count("trained for") == 1  # one rank speaks
    state = torch.load(tmp_path / "run" / "state.pt", weights_only=True)
    assert len(state["random"]) == 2
    assert not torch.equal(*state["random"])
    command = [sys.executable, "-m", "plausible", "resume", str(tmp_path / "run"), "--steps", "8"]
    alone = subprocess.run(command, env=ENV, capture_output=True, text=True, timeout=100)
    assert alone.returncode == 2
    assert "2 processes" in alone.stderr
    both = subprocess.run(
        [*command, "--processes", "2"], env=ENV, capture_output=True, text=True, timeout=200
    )
    assert both.returncode == 0, both.stderr
    assert torch.load(tmp_path / "run" / "state.pt", weights_only=True)["steps"] == 8
