"""The README's example is run, and what it names exists."""

import re
from pathlib import Path

import plausible
from plausible.core.model import models

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_python_examples_run(tmp_path, monkeypatch, capsys):
    notebook, by_hand = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for code in (notebook, by_hand):
        assert "steps=1000" in code
        exec(compile(code.replace("steps=1000", "steps=3"), "README.md", "exec"), {})
        if code is notebook:
            assert not list(tmp_path.iterdir())
    assert "torch.Size([16, 1, 8, 8]) tensor([3, 3" in capsys.readouterr().out
    assert (tmp_path / "runs" / "threes" / "config.json").exists()


def test_the_notebook_table_names_commands_and_tasks_that_exist():
    table = README[README.index("| on the command line | in a notebook |") :].split("\n\n")[0]
    rows = [row.split(" | ") for row in table.splitlines()[2:]]
    assert {re.search(r"plausible (\w+)", row[0]).group(1) for row in rows} >= {
        "train", "resume", "data", "sample", "evaluate", "diagnose", "interpolate", "reconstruct",
        "complete", "score", "classify",
    }  # fmt: skip
    for row in rows:
        for task in re.findall(r"(\w+)\(run|(\w+)\(\"", row[1]):
            assert hasattr(plausible.tasks, task[0] or task[1]), row


def test_every_public_name_exists_and_has_a_docstring():
    for name in plausible.__all__:
        assert getattr(plausible, name).__doc__, name
    assert set(plausible.__all__) == set(dir(plausible))


def test_the_taxonomy_table_lists_every_model():
    table = README[README.index("## The taxonomy") :]
    assert set(re.findall(r"^\| `([\w-]+)`", table, re.MULTILINE)) >= set(models)


def test_links_lead_to_files():
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert link.startswith("http") or (ROOT / link).exists(), link
