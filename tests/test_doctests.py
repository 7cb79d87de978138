"""The examples in docstrings are run, each file's by itself."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import plausible

ROOT = Path(plausible.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if ">>> " in path.read_text()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    module = import_module(".".join(part for part in parts if part != "__init__"))
    done = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert done.attempted, "no example was found: is it in a docstring of this file?"
    assert not done.failed
