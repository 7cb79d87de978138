"""The README's example is run, and what it names exists."""

import re
from pathlib import Path

import plausible
from plausible.core.model import models

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert "steps=1000" in code
    monkeypatch.chdir(tmp_path)
    exec(compile(code.replace("steps=1000", "steps=3"), "README.md", "exec"), {})
    assert "torch.Size([16, 1, 8, 8]) tensor([3, 3" in capsys.readouterr().out
    assert (tmp_path / "runs" / "threes" / "config.json").exists()


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
