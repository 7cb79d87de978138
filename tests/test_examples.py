"""The commands of examples/ do what they say: a generator that got worse is refused, one that did not is taken."""

import re
import shlex
from pathlib import Path

import pytest
from tests.conftest import ask

import plausible

PAGE = (Path(__file__).parent.parent / "examples" / "ci.md").read_text()
JUDGE = re.search(r"^plausible (evaluate runs/new --against .*)$", PAGE, re.MULTILINE)[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("components", "n", "code"),
    [  # so many are needed for a yes, whose exit code test_paired.py has, too
        (1, 300, 1),
        pytest.param(6, 1300, 0, marks=pytest.mark.scheduled),
    ],
    ids=["worse", "as good"],
)
def test_a_generator_that_got_worse_is_refused(tmp_path, monkeypatch, components, n, code):
    monkeypatch.chdir(tmp_path)
    plausible.fit("mixture", "moons", components=6, out="runs/released")
    plausible.fit("mixture", "moons", components=components, seed=1, out="runs/new")
    with pytest.raises(SystemExit) as end:
        ask(*shlex.split(JUDGE), "--n", n, "--seed", 1)
    assert end.value.code == code
