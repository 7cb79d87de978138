"""Every command of README.md and docs/ is one that the command line takes; the script that runs them shortens them."""

import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

import plausible.cli.listing  # noqa: F401  # fills the registry of commands
from plausible.cli.command import commands
from plausible.cli.flags import train_flags
from plausible.cli.parser import parse
from plausible.core.model import models

ROOT = Path(__file__).parent.parent
_SPEC = importlib.util.spec_from_file_location("doc_commands", ROOT / ".ci" / "doc_commands.py")
script = importlib.util.module_from_spec(_SPEC)
sys.modules["doc_commands"] = script
_SPEC.loader.exec_module(script)


def lines(page):
    return [line for block in script.blocks(page.read_text("utf-8")) for line in block]


@pytest.mark.slow
@pytest.mark.parametrize("page", script.pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_is_one_that_the_command_line_takes(page):
    for line in lines(page):
        if not line.why:
            _, name, *words = script.shortened(shlex.split(line.text))
            kind = train_flags(models[words.pop(0)]) if name == "train" else commands[name]
            parse(kind, words, f"plausible {name}")


def test_the_readme_has_commands_and_what_is_skipped_is_another_program():
    found = lines(ROOT / "README.md")
    assert len([line for line in found if not line.why]) > 25
    assert {line.text.split()[0] for line in found if line.why} <= {
        "make", "python3", "python", ".", "pip", ".venv/bin/pip",
    }  # fmt: skip


def test_one_rule_shortens():
    def short(text, **more):
        return shlex.join(script.shortened(shlex.split(text), **more))

    assert (
        short("plausible train gan --minutes 30") == "plausible train gan --steps 3 --no-evaluate"
    )
    assert short("plausible resume r --steps 9") == "plausible resume r --steps 5 --no-evaluate"
    further = short("plausible resume r --processes 1", resumed=1)
    assert further == "plausible resume r --processes 1 --steps 7 --no-evaluate"
    assert short("plausible sample r -n 1000") == "plausible sample r -n 64"
    assert short("plausible evaluate r") == "plausible evaluate r -n 64"


def test_a_run_that_the_page_has_not_made_is_trained_first(tmp_path):
    text, first = script.named_runs("plausible diagnose runs/vae-mnist-...", tmp_path)
    assert shlex.join(first[0]).startswith("plausible train vae --data mnist --out runs/vae-mnist-")
    (tmp_path / "runs" / "vae-mnist-2").mkdir(parents=True)
    text, first = script.named_runs("plausible diagnose runs/vae-mnist-...", tmp_path)
    assert (text, first) == ("plausible diagnose runs/vae-mnist-2", [])
