"""What is installed: one version, everything that is needed, nothing else, and never another torch."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import plausible

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def loaded(name):
    """A file of .ci, which lies in no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DIST = loaded("dist")


def test_the_version_stands_in_pyproject_alone():
    assert plausible.__version__ == PROJECT["version"]
    assert "version" not in PROJECT.get("dynamic", [])
    set_here = re.compile(r"^\s*(__version__|version) *[:=] *[\"']?\d", re.MULTILINE)
    for path in [*ROOT.glob("src/**/*.py"), ROOT / "CITATION.cff"]:
        assert not set_here.search(path.read_text("utf-8")), path


@pytest.mark.parametrize("extra", ["", *PROJECT["optional-dependencies"]])
def test_nothing_that_is_installed_pins_or_caps_torch(extra):
    listed = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    for requirement in map(Requirement, listed):
        bounds = {specifier.operator for specifier in requirement.specifier}
        assert bounds <= {">="}, f"{requirement} would replace what is there"
        # torchvision and torchaudio each want one torch
        assert not re.match(r"torch(vision|audio|text|data)$", requirement.name), requirement
        assert requirement.url is None, requirement


def test_the_installed_metadata_say_the_same_of_torch():
    of_torch = [r for r in map(Requirement, requires("plausible")) if r.name == "torch"]
    assert [str(r.specifier) for r in of_torch] == [">=2.6"]


def test_the_citation_file_has_what_its_schema_needs():
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    # of https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema.json
    required = {"authors", "cff-version", "message", "title"}
    known = required | {"abstract", "keywords", "license", "type", "url", "repository-code", "date-released", "doi"}  # fmt: skip
    assert required <= found.keys() <= known
    assert (found["cff-version"], found["type"], found["title"]) == ("1.2.0", "software", PROJECT["name"])  # fmt: skip
    assert found["license"] == PROJECT["license"]
    assert all(author.keys() <= {"name", "website", "email"} and author["name"] for author in found["authors"])  # fmt: skip
    assert len(set(found["keywords"])) == len(found["keywords"])
    assert all(isinstance(words, str) for words in (*found["keywords"], found["abstract"]))
    assert " ".join(found["abstract"].split()) == PROJECT["description"]


def test_every_lowest_version_is_in_the_constraints_once():
    asked = [sys.executable, str(ROOT / ".ci" / "lowest.py"), "torch==2.13.0"]
    lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    lowest = {name: version for name, _, version in (line.partition("==") for line in lines)}
    assert len(lowest) == len(lines)
    listed = chain(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for requirement in map(Requirement, listed):
        if requirement.name not in ("plausible", "torch"):
            (bound,) = requirement.specifier
            assert lowest[requirement.name] == bound.version, requirement
    assert lowest["torch"] == "2.13.0"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda names: [*names, "tests/test_a.py"], "tests/test_a.py must not be in it"),
        (lambda names: [*names, "plausible/results/a.json"], "results/a.json must not be"),
        (lambda names: [n for n in names if n != "plausible/py.typed"], "py.typed is missing"),
        (lambda names: [n for n in names if not n.endswith("LICENSE")], "licence is missing"),
        (lambda names: [n for n in names if not n.endswith("run/made.html")], "made.html is"),
    ],
)
def test_what_is_wrong_with_a_wheel_is_seen(change, said):
    names = [n.removeprefix("src/") for n in DIST.tracked() if n.startswith("src/plausible/")]
    names.append("plausible-0.1.0.dist-info/licenses/LICENSE")
    assert not DIST.wrong_with(names)
    (sentence,) = DIST.wrong_with(change(names))
    assert said in sentence


@pytest.mark.scheduled  # make dist does it before each release
def test_the_wheel_that_is_built_holds_the_package_and_nothing_else(tmp_path):
    sdist, wheel = DIST.built(tmp_path)
    assert not DIST.wrong_with(DIST.files_of(wheel))
    assert sdist.name == f"plausible-{PROJECT['version']}.tar.gz"
