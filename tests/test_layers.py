"""Imports run one way, read from the source by ast."""

import ast
from pathlib import Path

import pytest

import plausible

ROOT = Path(plausible.__file__).parent
# A module may import what stands on a lower line; what shares a line are siblings.
LAYERS = [
    ["core"],
    ["nn", "data", "parallel", "paths", "choices", "log"],
    ["models", "training", "evaluation", "bayes"],
    ["figures", "sklearn", "diagnosis"],
    ["runs"],
    ["notes"],
    ["following"],
    ["judging", "recognition"],
    ["claims"],
    ["display"],
    ["menu"],
    ["cli"],
    ["flags"],
    ["commands"],
]
LEVEL = {name: i for i, names in enumerate(LAYERS) for name in names}
FILES = sorted(ROOT.rglob("*.py"))


def top(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "plausible" and len(parts) > 1 else None


def imported(path: Path, *, only_at_import: bool = False) -> list[str]:
    """Modules a file imports; those for the type checker alone do not count."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    found = []
    for node in tree.body if only_at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_what_lies_below_it(path):
    name = path.relative_to(ROOT).with_suffix("").parts[0]
    if name in ("__init__", "__main__"):
        return
    for module in imported(path, only_at_import=True):
        other = top(module)
        if other is None or other == name:
            continue
        assert LEVEL[other] < LEVEL[name], f"{path.name} imports {module}, which is not below it"


def test_every_module_has_its_layer():
    names = {p.relative_to(ROOT).with_suffix("").parts[0] for p in FILES}
    assert names - {"__init__", "__main__"} == set(LEVEL)


def test_core_imports_torch_and_nothing_else_from_outside():
    allowed = {"torch", "plausible"}
    for path in (ROOT / "core").glob("*.py"):
        for module in imported(path):
            outside = module.split(".")[0]
            assert outside in allowed or outside in __import__("sys").stdlib_module_names, module


def test_evaluation_knows_no_family_of_models():
    for path in (ROOT / "evaluation").glob("*.py"):
        assert not any(module.startswith("plausible.models") for module in imported(path))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_is_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) < 400
    assert path.stem not in ("utils", "helpers", "manager", "common")
