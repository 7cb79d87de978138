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
    with pytest.raises(SystemExit):
        ask("help", "train", "rbm")
    said = written.getvalue().decode("ascii")
    assert ">= -" in said
    assert "+-" in said
    assert "?.png" in said
    assert list(Path(tmp_path).glob("*.png"))


@pytest.mark.slow
def test_a_process_whose_output_is_ascii_shows_the_taxonomy():
    there = {**environment(), "PYTHONIOENCODING": "ascii", "COLUMNS": "100"}
    command = [sys.executable, "-m", "plausible", "models"]
    done = subprocess.run(command, env=there, capture_output=True, check=True)
    assert "log_prob ~" in done.stdout.decode("ascii")


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
