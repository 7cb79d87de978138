"""plausible watch: what stands in a terminal of any size, when it ends, and that it leaves the training alone."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from tests.conftest import ask, refused

from plausible.cli import watch as command
from plausible.cli.command import commands
from plausible.cli.encoding import _PLAIN
from plausible.core.finding import Finding, Severity
from plausible.tasks import watch
from plausible.tasks.watch import Raised, State

KEPT = Path(__file__).parent.parent / "runs" / "kept"
FOUND = [
    Raised(Finding("missing modes", Severity.WARNING, "kinds of data are hardly drawn", {"share": 0.3}, "use --batch 128 " * 9), 201),
    Raised(Finding("garbage", Severity.FAILURE, "samples lie where no real data are"), 251),
    Raised(Finding("oscillation", Severity.FINE, "no circles"), 261),
    Raised(Finding("frozen player", Severity.WARNING, "the generator does not move"), 271),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A run that is written to just now, of which 60 of 4,000 rounds were played."""
    place = Path(shutil.copytree(KEPT / "gan", tmp_path / "gan"))
    (place / "findings.json").unlink()
    (place / "measures.json").unlink()
    budget(place, 4000)
    for path in place.iterdir():
        os.utime(path)
    return place


def budget(place, steps):
    config = json.loads((place / "config.json").read_text())
    config["training"]["steps"] = steps
    (place / "config.json").write_text(json.dumps(config))


def printed(seen, width, height=None, **choices):
    """The rows that a terminal of this width shows."""
    record = Console(width=width, height=height or 100, record=True, force_terminal=True, file=open(os.devnull, "w"))  # noqa: SIM115 # fmt: skip
    record.print(command.state(seen, width, height, **choices))
    return record.export_text().splitlines()


def terminal(monkeypatch, width=80, height=24):
    """A terminal in the place of the output, and what it shows in the end."""
    record = Console(width=width, height=height, record=True, force_terminal=True, file=open(os.devnull, "w"))  # noqa: SIM115 # fmt: skip
    monkeypatch.setattr(command, "console", record)
    return record


def test_in_a_pipe_the_state_is_printed_once(folder, capsys):
    ask("watch", folder)
    said = capsys.readouterr().out
    assert "gan of digits" in said
    assert "round 60 of 4,000, 2%," in said
    assert "rounds/s, about " in said
    assert "samples real" in said
    assert "all curves from round 1 to 60" in said
    assert any(0x2800 < ord(sign) < 0x2900 for sign in said)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 30), (40, 20)])
def test_what_changes_fits_into_the_terminal(folder, width, height):
    seen = replace(watch(folder), raised=FOUND)
    rows = printed(seen, width - command._ECHO, height, short=True)
    assert len(rows) < height
    assert max(map(len, rows)) <= width
    text = "\n".join(rows)
    assert "1 earlier, which --once shows" in text
    assert "round 251, garbage" in text
    assert "not found any more" in text or width < 60
    assert "round 201" not in text
    assert "how real the discriminator" in text or height < 24 or width < 64
    assert "loss" in text


def test_what_stays_shows_all_that_was_found_with_what_to_do(folder):
    text = " ".join(printed(replace(watch(folder), raised=FOUND), 80))
    assert "round 201, missing modes: warning: kinds of data are hardly drawn (share: 0.3)" in text
    assert text.count("use --batch 128") == 9
    assert "earlier" not in text


def test_a_terminal_is_followed_until_the_training_is_finished(folder, monkeypatch):
    record, waited = terminal(monkeypatch), []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 3:
            budget(folder, 60)

    monkeypatch.setattr(command.time, "sleep", sleep)
    ask("watch", folder)
    text = record.export_text()
    assert len(waited) == 3
    assert min(waited) >= 1.0
    assert "round 60 of 4,000" in text
    assert "round 60, finished in 1 s, not judged" in text


def test_once_ends_at_once_in_a_terminal_too(folder, monkeypatch):
    record = terminal(monkeypatch)
    monkeypatch.setattr(command.time, "sleep", lambda seconds: pytest.fail("it waits"))
    ask("watch", folder, "--once")
    assert "round 60 of 4,000" in record.export_text()


def test_ctrl_c_leaves_the_training_alone(folder, monkeypatch):
    def interrupted(seconds):
        raise KeyboardInterrupt

    record = terminal(monkeypatch)
    monkeypatch.setattr(command.time, "sleep", interrupted)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    ask("watch", folder)  # without SystemExit, which is exit code 0
    assert "round 60 of 4,000" in record.export_text()
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_one_that_was_stopped_says_how_to_go_on_and_one_that_has_not_begun_that(folder):
    seen = watch(folder)
    stopped = " ".join(printed(replace(seen, state=State.STOPPED, age=7300.0), 200))
    assert f"stopped: nothing new for 2 h; plausible resume {folder} goes on" in stopped
    new = replace(seen, state=State.NOT_BEGUN, rounds=0, progress=0.0, values={}, curves=[])
    assert "not begun: nothing is logged yet" in printed(new, 80)
    assert "nothing new for 50 s" in " ".join(printed(replace(seen, age=50.0), 200))
    assert "judged FAIL" in " ".join(printed(replace(seen, state=State.FINISHED, verdict="FAIL"), 80))  # fmt: skip


def test_a_folder_without_a_run_is_refused(tmp_path, capsys):
    assert "does not exist" in refused(capsys, "watch", tmp_path / "nowhere")
    assert "is not a run" in refused(capsys, "watch", tmp_path)
    assert list(commands)[list(commands).index("resume") + 1] == "watch"


def test_without_braille_dots_become_points():
    signs = "".join(map(chr, range(0x2800, 0x2900))).translate(_PLAIN)
    assert set(signs) == set(" '.:")
    assert "⠀⠉⣀⣿".translate(_PLAIN) == " '.:"
