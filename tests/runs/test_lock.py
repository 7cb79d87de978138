"""One writer a run: a second training of the same folder is refused, and a dead one holds nobody up."""

import json
import os
import signal
import time

import pytest
from tests.conftest import refused, work_and_exit

import plausible
from plausible.core.errors import UsageError
from plausible.runs.lock import writer


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of a folder: its number, and an end of it."""

    def hold():
        with writer(tmp_path):
            os.write(told, b"held")
            time.sleep(60)

    def kill():
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        ended.append(pid)

    said, told = os.pipe()
    pid, ended = os.fork(), []
    if not pid:
        work_and_exit(hold, lambda: None)
    os.close(told)
    with os.fdopen(said, "rb") as heard:
        assert heard.read(4) == b"held"
        yield pid, kill
    if not ended:
        kill()


def test_another_process_is_named_and_a_killed_one_holds_nobody_up(tmp_path, holder):
    pid, kill = holder
    with (
        pytest.raises(UsageError, match=f"being trained by process {pid} on"),
        writer(tmp_path),
    ):
        pass
    kill()
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
