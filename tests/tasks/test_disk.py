"""A full disk stops no training: it is said, the save before stays, and what can be saved later is."""

import errno
import os
from importlib import import_module

import pytest
from tests.conftest import ask

import plausible
from plausible.core.finding import Severity
from plausible.runs import files
from plausible.tasks.fit_steps import Failed


class Device:
    """A disk that is full while ``full`` says so of a path."""

    def __init__(self, monkeypatch, full):
        self.full, self.refused, real = full, 0, files.write

        def write(path, content):
            if self.full(path):
                self.refused += 1
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return real(path, content)

        for module in ("runs.checksums", "tasks.training_pictures"):
            monkeypatch.setattr(import_module(f"plausible.{module}"), "write", write)


@pytest.fixture
def often(monkeypatch):
    """Every round is saved."""
    module = import_module("plausible.tasks.fit_steps")
    monkeypatch.setattr(module, "_SAVE_EVERY", 0.0)
    monkeypatch.setattr(module, "_SAVE_SHARE", 0)


def test_a_disk_that_is_full_for_a_while_is_said_and_the_training_is_saved_again(
    tmp_path, monkeypatch, often
):
    rounds, said = [0], []
    device = Device(monkeypatch, lambda path: path.suffix == ".pt" and 3 <= rounds[0] <= 6)

    def on_step(step):
        rounds[0] = step.clock.step

    run = plausible.fit(
        "vae", "ring", steps=10, out=tmp_path / "run", on_step=on_step, on_finding=said.append
    ).run
    assert device.refused >= 3
    mine = [finding for finding in said if finding.phenomenon == "not saved"]
    assert [finding.severity for finding in mine] == [Severity.WARNING, Severity.NOTE]
    assert "state.pt cannot be written (No space left on device)" in mine[0].claim
    assert run.progress == 1.0
    assert plausible.tasks.check(run).whole


def test_a_training_that_cannot_be_saved_at_its_end_keeps_the_save_before(
    tmp_path, monkeypatch, often
):
    rounds = [0]
    device = Device(monkeypatch, lambda path: rounds[0] >= 5)
    with pytest.raises(Failed, match=r"No space left on device.*make room, and plausible resume"):
        plausible.fit(
            "vae", "ring", steps=8, out=tmp_path / "run", on_step=lambda step: rounds.__setitem__(0, step.clock.step)
        )  # fmt: skip
    device.full = lambda path: False
    run = plausible.Run(tmp_path / "run")
    assert 0 < run.progress < 1
    assert not [path.name for path in run.folder.iterdir() if path.name.startswith(".")]
    whole = plausible.resume(run.folder)
    straight = plausible.fit("vae", "ring", steps=8)
    for name, weight in straight.model.state_dict().items():
        assert (whole.model.state_dict()[name] == weight).all(), name


def test_the_command_line_says_what_the_system_refuses_in_a_sentence(
    tmp_path, monkeypatch, capsys, often
):
    monkeypatch.chdir(tmp_path)
    Device(monkeypatch, lambda path: path.suffix == ".pt")
    with pytest.raises(SystemExit) as end:
        ask("train", "vae", "--data", "ring", "--steps", 2, "--out", "r", "--no-evaluate")
    assert end.value.code == 3
    assert "No space left on device" in capsys.readouterr().out.replace("\n", " ")


def test_any_error_of_the_system_is_one_sentence(tmp_path, monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "runs/a")

    monkeypatch.setattr(plausible.tasks, "list_runs", refuse)
    with pytest.raises(SystemExit) as end:
        ask("runs", tmp_path)
    assert end.value.code == 2
    assert capsys.readouterr().err == "plausible: runs/a: Permission denied\n"
