"""What was written to a run is what is read of it, or a sentence says which file is damaged and what is left."""

import json
import os
import subprocess
import sys

import pytest
import torch
from tests.conftest import ask, refused

import plausible
from plausible import runs
from plausible.core.errors import UsageError
from plausible.runs import files
from plausible.runs.checksums import Condition, Damaged, condition, read_noted, write_noted
from plausible.tasks import check, resume

FILES = ("config.json", "weights.safetensors", "last.safetensors", "state.pt")


@pytest.fixture
def run(tmp_path):
    """A run with best and last weights, in a folder of its own."""
    data = plausible.load("ring")
    model = runs.build("vae", plausible.VAE.Config(), data.space, 0)
    training = plausible.train(model, data, plausible.Settings(steps=4))
    run = runs.create(tmp_path / "run", training)
    for _ in training:
        best = runs.Weights(training.averaged.state_dict(), 1)
        runs.save(run, training, best)
        break
    return run


def flip(path, place=-5):
    """One bit of a file is another one now."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", FILES)
def test_one_bit_of_any_file_that_is_read_is_seen(run, name):
    assert check(run).whole
    flip(run.folder / name, -5 if name != "config.json" else 30)
    again = runs.Run(run.folder)
    with pytest.raises(Damaged, match=f"{name} is damaged"):
        {
            "config.json": lambda: again.config,
            "weights.safetensors": again.model,
            "last.safetensors": lambda: again.model(which="last"),
            "state.pt": lambda: runs.saving.saved_state(again),
        }[name]()
    found = check(run)
    assert not found.whole
    assert found.files[name] is Condition.DAMAGED
    assert f"{name} is damaged" in found.sentence


def test_the_sentence_says_what_is_left(run):
    flip(run.folder / "weights.safetensors")
    with pytest.raises(Damaged, match="--weights last"):
        runs.Run(run.folder).model()
    assert runs.Run(run.folder).model(which="last") is not None
    flip(run.folder / "state.pt")
    with pytest.raises(Damaged, match="--init"):
        runs.saving.saved_state(run)


def test_a_lost_or_damaged_config_is_made_again_from_the_weights(run):
    path, before = run.folder / "config.json", run.config
    for harm in (path.unlink, lambda: path.write_text("{")):
        harm()
        with pytest.raises(UsageError, match=r"plausible check .* --repair"):
            _ = runs.Run(run.folder).config
        found = check(run.folder, repair=True)
        assert found.repaired == {"config.json": "last.safetensors"}
        assert found.whole
        assert runs.Run(run.folder).config == before


def test_damaged_best_weights_are_replaced_by_the_last_when_asked(run):
    last = runs.Run(run.folder).model(which="last").state_dict()
    flip(run.folder / "weights.safetensors")
    assert check(run, repair=True).repaired == {"weights.safetensors": "last.safetensors"}
    now = runs.Run(run.folder).model().state_dict()
    assert all(torch.equal(last[name], now[name]) for name in last)


def test_a_crash_before_or_after_a_file_is_written_is_no_damage(tmp_path, monkeypatch):
    path, real = tmp_path / "a.json", files.write
    write_noted(path, "1")

    def crash(place, content):
        if place == path:
            raise KeyboardInterrupt
        return real(place, content)

    monkeypatch.setattr("plausible.runs.checksums.write", crash)
    with pytest.raises(KeyboardInterrupt):
        write_noted(path, "2")  # noted, and never written
    monkeypatch.setattr("plausible.runs.checksums.write", real)
    assert read_noted(path) == b"1"
    write_noted(path, "3")
    assert read_noted(path) == b"3"
    assert condition(path) is Condition.WHOLE


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = files.write(tmp_path / "a.json", "old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_what_killed_processes_left_is_taken_away_when_a_training_goes_on(run):
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)  # fmt: skip
    dead = run.folder / f".state.pt.{gone.stdout.strip()}"
    alive = run.folder / f".state.pt.{os.getppid()}"
    mine = run.folder / ".notes.txt"
    for path in (dead, alive, mine):
        path.write_text("half")
    resume(run.folder)
    assert not dead.exists()
    assert alive.exists()
    assert mine.exists()


def test_weights_are_written_before_the_state(run, monkeypatch):
    written = []
    monkeypatch.setattr(runs.Run, "write", lambda self, name, content: written.append(name))
    data = plausible.load("ring")
    training = plausible.train(runs.build("vae", plausible.VAE.Config(), data.space, 0), data)
    runs.save(run, training, runs.Weights(training.averaged.state_dict(), 1))
    assert written == ["weights.safetensors", "last.safetensors", "state.pt"]


def test_opening_a_run_leaves_the_generators_of_its_user_alone(run):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    run.model()
    assert torch.equal(torch.rand(2), expected)


def test_a_refused_resume_changes_nothing(run, capsys):
    resume(run.folder)
    before = (run.folder / "config.json").read_bytes()
    assert "has used its budget" in refused(
        capsys, "resume", run.folder, "--steps", 2, "--no-evaluate"
    )
    assert (run.folder / "config.json").read_bytes() == before


def test_a_run_of_before_there_were_checksums_opens_and_says_so(run):
    (run.folder / "checksums.json").unlink()
    assert runs.Run(run.folder).model() is not None
    assert "before there were checksums" in check(run).sentence


def test_the_command_says_it_with_exit_codes(run, capsys):
    with pytest.raises(SystemExit) as end:
        ask("check", run.folder)
    assert end.value.code == 0
    assert "every file is what was written" in capsys.readouterr().out
    flip(run.folder / "state.pt")
    with pytest.raises(SystemExit) as end:
        ask("check", run.folder)
    assert end.value.code == 1
    assert "state.pt: damaged" in capsys.readouterr().out
    assert "is not a run" in refused(capsys, "check", run.folder.parent)


def test_a_damaged_list_of_checksums_is_one_sentence(run):
    (run.folder / "checksums.json").write_text(json.dumps([1]))
    with pytest.raises(Damaged, match=r"checksums.json is damaged"):
        runs.Run(run.folder).model()
