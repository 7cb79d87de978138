"""Trainings that are begun, watched and stopped in the app, without a browser."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from plausible.app.train_form import (
    ENOUGH,
    MINUTES,
    ROUNDS,
    Wish,
    begin,
    budget_flags,
    choice,
    look,
    train_flags,
)
from plausible.app.trainings import Trainings
from plausible.app.watching import seen, view
from plausible.core.errors import UsageError

HOSTILE = "<img src=x onerror=alert(1)>"


def test_the_form_becomes_flags_that_the_command_line_takes(empty):
    form = choice(empty, "digits", " 16 ", "static", None, "a, b")
    found = look(choice(empty, "digits"))
    gan, bayes = found.family("gan"), found.family("naive-bayes")
    wish = Wish("gan", ROUNDS, 30, by_class=True, seed=3, judge=False)
    assert train_flags(form, gan, wish) == [
        "--data", "digits", "--size", "16", "--binarise", "static", "--drop", "a", "b", "--steps", "30",
        "--conditional", "--seed", "3", "--no-evaluate",
    ]  # fmt: skip
    assert train_flags(found.choice, bayes, Wish("naive-bayes", ROUNDS, 30, by_class=True)) == [
        "--data", "digits", "--seed", "0",
    ]  # fmt: skip
    assert budget_flags(MINUTES, 0.5) == ["--minutes", "0.5"]
    assert budget_flags(ENOUGH, None) == []
    for amount in (None, 0, -1, 2.5):
        with pytest.raises(UsageError, match="number of rounds"):
            budget_flags(ROUNDS, amount)
    with pytest.raises(UsageError, match="reads like a flag"):
        train_flags(choice(empty, "digits", label="--init"), gan, Wish("gan"))


def test_a_training_begins_only_on_what_was_looked_at(empty):
    found = look(choice(empty, "digits"))
    with pytest.raises(UsageError, match="look at the data first"):
        begin(empty, None, found.choice, Wish("gan"))
    with pytest.raises(UsageError, match="look at the data first"):
        begin(empty, found, choice(empty, "ring"), Wish("gan"))
    for family in ("rbm", "nonsense", None):
        with pytest.raises(UsageError, match="choose a family"):
            begin(empty, found, found.choice, Wish(family))
    for name in ("../up", ".hidden", "a b", "-x"):
        with pytest.raises(UsageError, match="cannot name a run"):
            begin(empty, found, found.choice, Wish("gan", name=name))
    assert not Path("runs").exists()


@pytest.fixture
def slow(monkeypatch, tmp_path):
    """Trainings whose program waits to be stopped, in the place of plausible."""
    program = """
import signal, sys, time

def save(number, frame):
    print("saved", flush=True)
    sys.exit()

signal.signal(signal.SIGTERM, save)
print("begun", *sys.argv[3:], flush=True)
time.sleep(60)
"""
    path = tmp_path / "program.py"
    path.write_text(program)
    launcher = tmp_path / "python"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{path}" "$@"\n')
    launcher.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(launcher))
    return Trainings(tmp_path / "runs", 2)


def wait_for(holds, seconds=20):
    end = time.time() + seconds
    while not holds():
        assert time.time() < end
        time.sleep(0.05)


def test_a_training_is_a_process_of_its_own_that_another_app_knows_and_stops(slow):
    words = slow.start("one", "gan", ["--data", "digits"])
    assert words[:3] == ["plausible", "train", "gan"]
    wait_for(lambda: "begun" in slow.said("one"))
    pid = int((slow.folder / ".app" / "one.pid").read_text())
    assert os.getsid(pid) == pid != os.getsid(0)  # no Ctrl-C for the app reaches it
    tomorrow = Trainings(slow.folder, 2)
    assert tomorrow.alive("one")
    assert tomorrow.going_on() == ["one"]
    with pytest.raises(UsageError, match="is being trained already"):
        tomorrow.start("one", "gan", [])
    tomorrow.stop("one")
    wait_for(lambda: not slow.alive("one"))
    assert not tomorrow.alive("one")
    assert "saved" in tomorrow.said("one")
    with pytest.raises(UsageError, match="is going on"):
        slow.stop("one")


def test_more_trainings_than_allowed_are_refused(slow):
    slow.start("a", "gan", [])
    slow.start("b", "gan", [])
    with pytest.raises(UsageError, match="a and b are being trained, and --max-trainings allows 2"):
        slow.start("c", "gan", [])
    for name in ("a", "b"):
        os.kill(int((slow.folder / ".app" / f"{name}.pid").read_text()), signal.SIGKILL)
    wait_for(lambda: not slow.going_on())
    (slow.folder / "full").mkdir()
    (slow.folder / "full" / "file").touch()
    with pytest.raises(UsageError, match="never overwritten"):
        slow.start("full", "gan", [])
    with pytest.raises(UsageError, match="nothing to go on with"):
        slow.resume("full")


def test_what_a_training_came_to_is_seen(work, empty, runs):
    shown = view(work, "gan")
    assert "gan of digits: round 2" in shown.head
    assert not shown.alive
    assert shown.resumable
    assert "finished" in shown.head
    assert not shown.judged
    before = seen(work, "gan")
    assert before == seen(work, "gan") != seen(work, "rbm")
    (empty.folder / ".app").mkdir(parents=True)
    (empty.folder / ".app" / "x.txt").write_text(f"reading\nplausible: {HOSTILE} is refused\n")
    failed = view(empty, "x")
    assert "is refused" in failed.head
    assert HOSTILE not in failed.head + failed.printed
    assert not failed.resumable
