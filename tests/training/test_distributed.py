"""Two processes on equal shards train as one process does on the whole batch (gloo, CPU)."""

import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.conftest import ask, environment

from plausible import runs
from plausible.core.errors import UsageError

pytestmark = pytest.mark.slow  # each process imports torch


def tiny(path, n):
    x = np.random.default_rng(0).integers(0, 2, (n, 1, 2, 2), dtype=np.uint8)
    np.savez(path, x=x, y=x.reshape(n, 4).sum(1) > 1, levels=2)
    return path


@pytest.fixture
def source(tmp_path):
    return tiny(tmp_path / "tiny.npz", 90)


def test_two_processes_make_the_weights_of_one(source, tmp_path):
    flags = ["--steps", 20, "--batch", 16, "--dropout", 0]
    ask("train", "convnet", "--data", source, "--out", tmp_path / "one", *flags)
    one = safetensors.torch.load_file(tmp_path / "one" / "weights.safetensors")
    run = tmp_path / "two"
    command = [sys.executable, "-m", "plausible", "train", "convnet", "--data", source, "--out"]
    done = subprocess.run(
        [*map(str, [*command, run, *flags]), "--processes", "2"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("trained for") == 1  # one rank speaks
    two = safetensors.torch.load_file(run / "weights.safetensors")
    for name, value in one.items():
        assert torch.allclose(value, two[name], atol=1e-5), name


FAMILIES = {
    "gan": {"width": 16, "batch": 16},
    "rbm": {"hidden": 6, "batch": 16},
    "vae": {"width": 8, "importance": 3},
    "vq-vae": {"width": 8, "prior_width": 8, "prior_blocks": 1, "codes": 4},
    "gsn": {"width": 8},
}
ONE_AFTER_THE_OTHER = """
import sys, torch
from plausible import Settings, fit_steps
from plausible.tasks.fit_steps import monitored
from plausible.tasks.start import start
from plausible.training import distributed
world = distributed.join(torch.device("cpu"))
for name, config in CONFIGS.items():
    run, training = start(
        name, sys.argv[1], settings=Settings(steps=6), out=f"{sys.argv[2]}/{name}", world=world, **config
    )
    for step in fit_steps(run, training, monitored(run, training)):
        pass
    assert training.finished
distributed.leave()
"""


def ranks(*command):
    """What two processes said that are the ranks of one world; they must end well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    processes = [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env={**environment(), **world, "WORLD_SIZE": "2", "RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    errors = [process.communicate(timeout=200)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors


def test_other_families_train_on_two_processes_and_resume_on_two(tmp_path):
    """In one test, because most of its time goes into starting processes."""
    few = tiny(tmp_path / "few.npz", 13)  # too few to be judged
    ranks("-c", ONE_AFTER_THE_OTHER.replace("CONFIGS", repr(FAMILIES)), few, tmp_path)
    for name in FAMILIES:
        weights = safetensors.torch.load_file(tmp_path / name / "weights.safetensors")
        assert all(value.isfinite().all() for value in weights.values())
        state = torch.load(tmp_path / name / "state.pt", weights_only=True)
        assert state["steps"] == 6
        assert len(state["random"]) == 2
        assert not torch.equal(*state["random"])

    run = runs.Run(tmp_path / "rbm")
    with pytest.raises(UsageError, match="2 processes"):
        runs.resume(run, replace(run.settings, steps=8))
    command = [sys.executable, "-m", "plausible", "resume", str(run.folder), "--steps", "8"]
    both = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=200)
    assert both.returncode == 0, both.stderr
    state = torch.load(run.folder / "state.pt", weights_only=True)
    assert state["steps"] == 8
    (chains,) = state["own"]  # of each process its own
    assert len(chains) == 2
    assert not torch.equal(*chains)


def test_ctrl_c_on_two_processes_saves_and_ends_with_one_sentence(source, tmp_path):
    run = tmp_path / "run"
    flags = ["--steps", "100000", "--batch", "16", "--width", "16", "--processes", "2"]
    command = [sys.executable, "-m", "plausible", "train", "gan", "--data", str(source)]
    process = subprocess.Popen(
        [*command, "--out", str(run), *flags], env=environment(), stdout=subprocess.PIPE, text=True
    )
    deadline = time.time() + 60
    while time.time() < deadline and not (run / "state.pt").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.count(f"plausible resume {run}") == 1
    assert torch.load(run / "state.pt", weights_only=True)["steps"] > 0


def test_a_mistake_in_a_rank_is_one_sentence_too(source, tmp_path):
    command = [sys.executable, "-m", "plausible", "train", "gan", "--data", str(source)]
    flags = ["--processes", "2", "--architecture", "conv", "--out", str(tmp_path / "run")]
    done = subprocess.run(
        [*command, *flags], env=environment(), capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "sides of 8 to 128" in done.stderr
