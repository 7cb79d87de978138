"""Output where the encoding lacks characters is degraded, never a crash."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ask, environment

from plausible.cli.encoding import degrade


@pytest.mark.slow
def test_no_command_stops_at_a_character_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "ascii", write_through=True))
    np.save("few.npy", np.random.default_rng(0).normal(size=(120, 2)))
    small = "--width", "4", "--latent", "2", "--steps", "2"
    ask("train", "vae", "--data", "few.npy", *small, "--out", "r", "--no-evaluate")
    ask("evaluate", "r", "-n", "20", "--features", "pixels", "--verbose")
    ask("data", "moons")
    ask("sample", "r", "-n", "4", "--out", "ü漢.png")
    ask("models")
    with pytest.raises(SystemExit):
        ask("help", "train", "rbm")
    said = written.getvalue().decode("ascii")
    assert ">= -" in said
    assert "+-" in said
    assert "log_prob ~" in said  # of the taxonomy
    assert "?.png" in said
    assert list(Path(tmp_path).glob("*.png"))


def test_a_process_whose_output_is_ascii_writes_what_is_like_it():
    command = [sys.executable, "-m", "plausible", "diagnose", "log_prob ≈ é"]
    there = {**environment(), "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=there, capture_output=True)
    assert done.returncode == 2
    assert done.stderr.decode("ascii") == "plausible: log_prob ~ ? does not exist\n"


def test_a_character_becomes_one_that_can_be_written():
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, "ascii")
    degrade(stream, io.StringIO())
    stream.write("log p ≥ -79.2 ± 0.4 ≈ é漢 ─╮")
    stream.flush()
    assert written.getvalue() == b"log p >= -79.2 +- 0.4 ~ ?? -+"
    windows = io.TextIOWrapper(io.BytesIO(), "cp1252", write_through=True)
    degrade(windows)
    windows.write("≥ ±")
    assert windows.buffer.getvalue().decode("cp1252") == ">= ±"
