"""One writer a run: a second training of the same folder is refused, and a dead one holds nobody up."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tests.conftest import refused

import plausible
from plausible.core.errors import UsageError
from plausible.runs.lock import writer

HOLD = """
import sys, time
from pathlib import Path
from plausible.runs.lock import writer
with writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of a folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


@pytest.mark.slow
def test_another_process_is_named_and_a_killed_one_holds_nobody_up(tmp_path, holder):
    with (
        pytest.raises(UsageError, match=f"being trained by process {holder.pid} on"),
        writer(tmp_path),
    ):
        pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with writer(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_writer_on_another_machine_counts_as_long_as_it_gives_signs_of_life(tmp_path):
    owner = tmp_path / ".owner.json"
    owner.write_text(json.dumps({"host": "elsewhere", "process": 7}))
    with pytest.raises(UsageError, match="process 7 on elsewhere"), writer(tmp_path):
        pass
    long_ago = time.time() - 3600
    os.utime(owner, (long_ago, long_ago))
    with writer(tmp_path):
        assert json.loads(owner.read_text())["process"] == os.getpid()


def test_signs_of_life_are_given_now_and_then(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with writer(tmp_path) as sign_of_life:
        owner = tmp_path / ".owner.json"
        os.utime(owner, (1, 1))
        sign_of_life()
        assert owner.stat().st_mtime == 1
        now[0] = 60.0
        sign_of_life()
        assert owner.stat().st_mtime > 1


def test_a_run_that_is_being_trained_is_not_resumed_beside(tmp_path, capsys):
    run = plausible.fit("vae", "ring", steps=2, out=tmp_path / "run").run
    config = (run.folder / "config.json").read_bytes()
    with writer(run.folder):
        said = refused(capsys, "resume", run.folder, "--steps", 4)
    assert f"is being trained by process {os.getpid()}" in said
    assert (run.folder / "config.json").read_bytes() == config
    trained = plausible.resume(run.folder, steps=4)
    assert trained.finished
    assert not [p.name for p in run.folder.iterdir() if p.name.startswith(".")]
