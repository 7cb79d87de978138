"""A run of which one file is damaged gives the weights of before, bit for bit, or one line that says which file.

``benchmarks/fuzz.py`` and ``benchmarks/endurance.py`` ask the same of many more.
"""

import json
import shutil
import threading

import pytest
import torch
from benchmarks.damaged_runs import ask, damage, make
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import ask as typed

import plausible
from plausible.core.errors import UsageError
from plausible.runs import Run, checksums
from plausible.runs.checksums import Condition, condition, forget, noted, write_noted
from plausible.runs.logger import read_findings
from plausible.tasks import check, list_runs

SLOW = ("findings.json", "last.safetensors", "log.jsonl", "measures.json")
FILES = (
    "checksums.json", "config.json", "findings.json", "last.safetensors", "log.jsonl", "measures.json", "state.pt",
    "weights.safetensors",
)  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    return make(tmp_path_factory.mktemp("fuzz") / "run")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "run"


@pytest.fixture
def copy(kept, place):
    """A copy of the run, whole."""
    shutil.rmtree(place, ignore_errors=True)
    return shutil.copytree(kept.folder, place)


def test_every_file_that_is_read_again_is_damaged(kept):
    assert set(FILES) <= set(kept.files)
    assert {path.rsplit(".", 1)[1] for path in {*kept.files} - {*FILES}} <= {"png", "gif"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in FILES]
)
def test_one_thing_wrong_gives_the_same_weights_or_one_line(kept, place, name):
    examples = 10 if name == "config.json" else 6  # of whose values many are read by nobody

    @settings(max_examples=examples, derandomize=True, deadline=None, database=None)
    @given(random=st.randoms(use_true_random=False))
    def holds(random):
        harm = damage(random, kept, name)
        bad = {k: o for k, o in ask(kept, harm, place).items() if o.what in ("broken", "wrong")}
        assert not bad, (harm.wrong, bad)

    holds()


def test_last_weights_that_are_gone_are_not_the_best_ones(copy):
    (copy / "last.safetensors").unlink()
    with pytest.raises(UsageError, match=r"last.safetensors is missing"):
        Run(copy).model(which="last")
    assert check(copy).files["last.safetensors"] is Condition.MISSING
    assert Run(copy).model() is not None


def test_last_weights_that_are_the_best_ones_are_in_one_file(tmp_path):
    run = plausible.fit("vae", "ring", steps=2, out=tmp_path / "run", watch=False).run
    write_noted(run.folder / "last.safetensors", b"of before")
    forget(run.folder / "last.safetensors")
    assert "last.safetensors" not in noted(run.folder)
    assert run.model(which="last") is not None
    assert check(run).whole


@pytest.mark.parametrize("content", [b"[" * 100_000, b"[1]", b"null", b"9" * 5000, b"\xff"])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("checksums.json", Run.model),
        ("findings.json", read_findings),
        ("measures.json", lambda run: run.verdict),
    ],
)
def test_json_that_is_none_is_one_line(copy, name, read, content):
    (copy / name).write_bytes(content)
    with pytest.raises(UsageError, match=name) as refusal:
        read(Run(copy))
    assert str(refusal.value).isprintable()
    assert len(list_runs(copy)) == 1


@pytest.mark.parametrize(
    "name", ["1" * 400, "../config.json", "/etc/passwd", "", "..", "a\0b", "\ud800"]
)
def test_a_checksum_of_what_is_no_file_of_the_run_is_one_line(copy, name):
    known = json.loads((copy / "checksums.json").read_text())
    (copy / "checksums.json").write_text(json.dumps(known | {name: []}))
    with pytest.raises(UsageError, match=r"checksums.json is damaged"):
        check(copy)


def test_what_weights_note_that_is_no_number_is_one_line(copy):
    path = copy / "last.safetensors"
    path.write_bytes(path.read_bytes().replace(b'"steps":"2"', b'"steps":"x"'))
    with pytest.raises(UsageError, match=r"what it notes of its training"):
        _ = Run(copy).progress
    path.write_bytes(b"\0" * 9)
    with pytest.raises(UsageError, match=r"last.safetensors does not hold the weights"):
        _ = Run(copy).progress


def test_a_link_to_itself_leaves_the_list_of_runs_readable(copy):
    (copy / "last.safetensors").unlink()
    (copy / "last.safetensors").symlink_to("last.safetensors")
    assert condition(copy / "last.safetensors") is Condition.DAMAGED
    assert [row.folder for row in list_runs(copy)] == [copy]


def test_measures_that_were_written_are_those_that_are_read(copy):
    path = copy / "measures.json"
    path.write_text(path.read_text().replace("INCONCLUSIVE", "PASS"))
    with pytest.raises(UsageError, match=r"measures.json is damaged"):
        _ = Run(copy).verdict
    assert not check(copy).whole


def test_who_judges_a_run_does_not_forget_what_its_training_writes(tmp_path, monkeypatch):
    """Two threads note different files at once: neither loses the note of the other."""
    real = checksums._write

    def slowly(folder, known):
        threading.Event().wait(0.002)
        real(folder, known)

    monkeypatch.setattr(checksums, "_write", slowly)

    def writes(name):
        for k in range(10):
            write_noted(tmp_path / name, json.dumps(k))

    both = [threading.Thread(target=writes, args=(name,)) for name in ("state.json", "measures.json")]  # fmt: skip
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert condition(tmp_path / "state.json") is Condition.WHOLE
    assert condition(tmp_path / "measures.json") is Condition.WHOLE


def test_the_command_says_which_file_is_missing(copy, capsys):
    (copy / "state.pt").unlink()
    with pytest.raises(SystemExit) as end:
        typed("check", copy)
    assert end.value.code == 1
    assert "state.pt: missing" in capsys.readouterr().out
    assert torch.is_tensor(next(iter(Run(copy).weights().values())))
