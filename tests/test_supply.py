"""What is installed is pinned by hash and listed with its licence."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ("requirements-dev.lock", "requirements-torch.lock")
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)( ; [^\\]*)? \\$")


def loaded():
    """.ci/licences.py, which lies in no package."""
    spec = importlib.util.spec_from_file_location("licences", ROOT / ".ci" / "licences.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LICENCES = loaded()


def pinned():
    """{name: versions} of the lock files."""
    found = {}
    for file in LOCKS:
        for line in (ROOT / file).read_text().splitlines():
            if match := PINNED.match(line):
                found.setdefault(match[1], set()).add(match[2])
    return found


@pytest.mark.parametrize("part", LICENCES.PARTS)
def test_every_dependency_is_listed_with_a_licence_and_locked(part):
    page = (ROOT / "docs" / "licences.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| \[([\w.-]+)\]\(\S+\) \| ([^|]+) \|", page, re.M))
    for name in LICENCES.needed(part):
        assert rows.get(name, "").strip() not in ("", "-"), f"{name}: make licences"
        assert name in pinned(), f"{name}: make lock"


def test_every_part_of_the_project_has_a_place_on_the_page():
    assert set(LICENCES.PARTS) == {"", *PROJECT["optional-dependencies"]}


@pytest.mark.parametrize("file", LOCKS)
def test_every_locked_version_has_a_hash_and_nothing_comes_from_this_machine(file):
    lines = (ROOT / file).read_text().splitlines()
    named = [i for i, line in enumerate(lines) if line[:1].isalnum()]
    assert len(named) > 10
    for i in named:
        assert PINNED.match(lines[i]), lines[i]
        assert re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}( \\)?", lines[i + 1]), lines[i]
    assert not [line for line in lines if "file:" in line or "://" in line or line.startswith("-")]


def test_the_locks_have_the_versions_of_the_constraints():
    locked = pinned()
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        name, _, version = line.partition("==")
        if version and name in locked:
            assert version in locked[name], f"{name}: make lock"


def test_every_dependency_has_a_version_in_the_constraints():
    extras = PROJECT["optional-dependencies"].values()
    named = {Requirement(each).name for part in [PROJECT["dependencies"], *extras] for each in part}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned_here = {line.split("==")[0] for line in lines if "==" in line}
    assert named - pinned_here == {PROJECT["name"]}
