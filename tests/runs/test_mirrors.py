"""The log of a training in other places: what log.jsonl says, each line once, also when it goes on or a mirror fails."""

import json
import struct
import sys
from types import ModuleType, SimpleNamespace
from typing import get_args

import pytest
from PIL import Image
from tests.conftest import refused

from plausible.core.choices import LogTo
from plausible.core.errors import UsageError
from plausible.runs import Run, save
from plausible.runs.mirrors import Mirrors, check_mirrors, mirrors
from plausible.runs.mirrors import mirror as mirror_module
from plausible.tasks import fit, resume
from plausible.tasks.start import restart


def logged(folder):
    """{step: {"player/number": value}} of log.jsonl."""
    lines = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return {
        line["step"]: {
            f"{who}/{name}": value
            for who in ("vae", "probes")
            for name, value in line.get(who, {}).items()
        }
        for line in lines
    }


def events(folder):
    """Every event in the files of TensorBoard, read as records of length, checksum, message, checksum."""
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    found = []
    for path in (folder / "tensorboard").iterdir():
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            found.append(event_pb2.Event.FromString(content[12 : 12 + length]))
            content = content[16 + length :]
    return [(event.step, event.summary.value[0]) for event in found if event.summary.value]


def test_every_choice_of_the_command_line_is_a_mirror():
    assert set(get_args(LogTo)) == set(mirrors)


def test_tensorboard_shows_every_line_once_also_after_a_kill(tmp_path):
    folder = tmp_path / "run"
    fit("vae", "digits", steps=25, width=4, latent=2, out=folder, log_to=["tensorboard"])
    first = [path.name for path in (folder / "tensorboard").iterdir()]
    restart(Run(folder), steps=45)  # goes on, logs beyond its save, and is killed
    mirrors = Mirrors(Run(folder), ["tensorboard"])
    mirrors.line({"step": 30, "vae": {"loss": 7.0}})
    mirrors.tell()
    resume(folder, steps=45)  # where it was mirrored to before
    known = logged(folder)
    said = {}
    for step, value in events(folder):
        assert (step, value.tag) not in said
        said[step, value.tag] = value.simple_value
    losses = {step: number for (step, tag), number in said.items() if tag == "vae/loss"}
    assert losses == pytest.approx({step: line["vae/loss"] for step, line in known.items()})
    assert max(known) == 44
    assert len(said) == sum(map(len, known.values()))
    assert [path.name for path in (folder / "tensorboard").iterdir()] != first


def test_a_run_that_was_not_mirrored_is_shown_from_its_first_round(tmp_path):
    folder = tmp_path / "run"
    fit("vae", "digits", steps=15, width=4, latent=2, out=folder)
    assert not (folder / "mirrors.json").exists()
    (folder / "frames").mkdir()
    Image.new("L", (4, 4), 99).save(folder / "frames" / "00000011.png")
    resume(folder, steps=25, log_to=["tensorboard"])
    said = events(folder)
    assert {step for step, value in said if value.tag == "vae/loss"} == set(logged(folder))
    (picture,) = [(step, value.image) for step, value in said if value.tag == "samples"]
    assert picture[0] == 10
    assert (picture[1].width, picture[1].height) == (4, 4)


def test_trackio_is_told_every_line_once_also_after_a_kill(tmp_path):
    pytest.importorskip("trackio")
    from trackio.sqlite_storage import SQLiteStorage

    folder = tmp_path / "run"
    fit("vae", "digits", steps=15, width=4, latent=2, out=folder, log_to=["trackio"])
    _, training = restart(Run(folder), steps=25)
    list(training)
    mirrors = Mirrors(Run(folder), ["trackio"])
    mirrors.tell()
    mirrors.line({"step": 20, "vae": {"loss": 7.0}})  # which is played again after the kill
    mirrors.close()
    resume(folder, steps=25)
    name = json.loads((folder / "mirrors.json").read_text())["name"]
    rows = SQLiteStorage.get_logs("plausible", name)
    assert [row["step"] for row in rows if "vae/loss" in row] == list(logged(folder))


class FakeWandb(ModuleType):
    """What is called of wandb: it keeps what it is told, and refuses rounds that are over."""

    def __init__(self, broken=False):
        super().__init__("wandb")
        self.told, self.inits, self.broken, self.finished = {}, [], broken, 0
        self.Image = lambda path: f"picture {path}"

    def init(self, **how):
        self.inits.append(how)
        step = max(self.told, default=-1) + 1
        return SimpleNamespace(
            step=step, log=self.log, finish=self.finish, url="https://x/y", dir="/x/files"
        )

    def log(self, numbers, step):
        if self.broken:
            raise ConnectionError("nobody answers")
        assert step >= max(self.told, default=0), "wandb takes no rounds that are over"
        now = self.told.setdefault(step, {})
        assert not now.keys() & numbers.keys(), "said twice"
        now.update(numbers)

    def finish(self):
        self.finished += 1


def test_wandb_goes_on_under_the_same_number(tmp_path, monkeypatch):
    fake = FakeWandb()
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.setattr(mirror_module, "find_spec", lambda name: name == "wandb")
    folder = tmp_path / "run"
    fit("vae", "digits", steps=15, width=4, latent=2, out=folder, log_to=["wandb"])
    resume(folder, steps=25)
    assert fake.told == logged(folder)
    first, second = fake.inits
    assert first["id"] == second["id"]
    assert first["resume"] == "allow"
    assert first["config"]["model"] == "vae"
    assert fake.finished == 2


def test_a_mirror_that_fails_is_said_once_and_stops_nothing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "wandb", FakeWandb(broken=True))
    monkeypatch.setattr(mirror_module, "find_spec", lambda name: True)
    found, folder = [], tmp_path / "run"
    with_two = ["wandb", "tensorboard"]
    trained = fit(
        "vae", "digits", steps=25, width=4, latent=2, out=folder, log_to=with_two, on_finding=found.append
    )  # fmt: skip
    assert trained.finished
    (said,) = [each.claim for each in found if each.phenomenon == "not mirrored"]
    assert said.startswith("wandb is told nothing more (nobody answers)")
    assert {step for step, value in events(folder)} == set(logged(folder))


def test_what_is_not_installed_is_said_with_what_is(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mirror_module, "find_spec", lambda name: None if name == "wandb" else True)
    said = "--log-to wandb needs wandb, which is not installed: pip install wandb; installed for it here: tensorboard, trackio"
    assert said in refused(capsys, "train", "vae", "--log-to", "wandb", "tensorboard")
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match="unknown mirror 'mlflow'"):
        check_mirrors(["mlflow"])


def test_without_a_mirror_nothing_is_imported(tmp_path, monkeypatch):
    for kind in mirrors.values():
        monkeypatch.setitem(sys.modules, kind.package, None)  # whose import fails
    fit("vae", "digits", steps=3, width=4, latent=2, out=tmp_path / "run")


def test_a_rollback_is_shown_as_the_log_has_it(tmp_path):
    folder = tmp_path / "run"
    fit("vae", "digits", steps=15, width=4, latent=2, out=folder)
    run, training = restart(Run(folder), steps=25)
    mirrors = Mirrors(run, ["tensorboard"])
    mirrors.tell()
    mirrors.line({"step": 20, "vae": {"loss": 7.0}})
    mirrors.tell()
    mirrors.rewind()  # the log has no round 20
    mirrors.tell()
    mirrors.close()
    assert {step for step, _ in events(folder)} == set(logged(folder))
    save(run, training)
