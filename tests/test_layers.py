"""Imports run one way, without a circle, read from the source by ast: every one, also inside functions.

Each rule is a function from the folder of the package to the sentences of what breaks it, so that a violation
can be planted in a copy and seen.
"""

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import plausible

ROOT = Path(plausible.__file__).parent
# A module imports only from rooms that stand before its own, and from its own.
ROOMS = [
    "core",
    "data",
    "nn",
    "models",
    "training",
    "sampling",
    "evaluation",
    "recognition",
    "diagnosis",
    "runs",
    "figures",
    "tasks",
    "claims",
    "sklearn",
    "pages",
    "app",
    "cli",
]
KNOW_NO_FAMILY = ("core", "data", "nn", "training", "evaluation", "diagnosis")
NAMES_THAT_SAY_NOTHING = ("utils", "util", "helpers", "helper", "manager", "common", "misc")
AFTER_THE_FLAGS = ("plausible.cli.flags",)  # of a model, which is asked for them
LINES = 400  # of a file, which is read in one sitting
LOOSE = 2  # files beside the rooms

Rule = Callable[[Path], list[str]]
Graph = Mapping[str, set[str]]


class Import(NamedTuple):
    """That a module imports another: at once, when a function is called, or for the type checker alone."""

    by: str
    module: str
    when: str
    line: int

    def __str__(self) -> str:
        return f"{self.by}, line {self.line}, imports {self.module} ({self.when})"


def modules(root: Path) -> dict[str, Path]:
    """Every module of a package by its dotted name; a folder is its __init__."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path) -> list[Import]:
    """Every import of the package, of its own modules and of others."""
    known = modules(root)
    return [
        Import(name, _module(target, known), when, line)
        for name, path in known.items()
        for target, when, line in _read(path.read_text(), name, path.name == "__init__.py")
    ]


@cache
def _read(source: str, name: str, is_package: bool) -> list[tuple[str, str, int]]:
    """What a source imports, when, and in which line."""
    return [
        (target, when, node.lineno)
        for node, when in _statements(ast.parse(source), "at once")
        for target in _targets(node, name, is_package)
    ]


def _statements(node: ast.AST, when: str) -> Iterator[tuple[ast.stmt | ast.Call, str]]:
    """What imports below a node of the tree, and when it does."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom | ast.Call):
            yield child, when
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            yield from _statements(ast.Module(child.body, []), "for types")
            yield from _statements(ast.Module(child.orelse, []), when)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _statements(child, when if when == "for types" else "when called")
        else:
            yield from _statements(child, when)


def _targets(node: ast.stmt | ast.Call, name: str, is_package: bool) -> list[str]:
    """Dotted names of what a statement imports; import_module("...") is one too."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        parts = name.split(".")
        base = parts[: len(parts) - node.level + is_package] if node.level else []
        stem = ".".join([*base, *([node.module] if node.module else [])])
        return [f"{stem}.{alias.name}" for alias in node.names]
    assert isinstance(node, ast.Call)
    called = (
        node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    )
    first = node.args[0] if node.args else None
    if called in ("import_module", "__import__") and isinstance(first, ast.Constant):
        return [str(first.value)]
    return []


def _module(target: str, known: Mapping[str, Path]) -> str:
    """The module of a package that holds an imported name; of elsewhere the package: torch of torch.nn."""
    parts = target.split(".")
    prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    inside = next((prefix for prefix in prefixes if prefix in known), None)
    return inside or (target if parts[0] == ROOT.name else parts[0])


def room(module: str) -> str | None:
    """core of plausible.core.space; None of the package's front and of what is not of the package."""
    parts = module.split(".")
    return parts[1] if parts[0] == ROOT.name and len(parts) > 1 else None


def upward(root: Path) -> list[str]:
    """Imports of a room that does not stand before, whenever they are made; nobody imports the front."""
    level = {name: i for i, name in enumerate(ROOMS)}
    wrong = []
    for one in imports(root):
        here, there = room(one.by), room(one.module)
        if here in (None, "__main__") or one.module.split(".")[0] != ROOT.name:
            continue
        assert here is not None
        if there is None or level.get(there, len(ROOMS)) > level.get(here, -1):
            wrong.append(str(one))
    return wrong


def strangers(root: Path) -> list[str]:
    """Rooms that have no place in the order, and too many files beside the rooms."""
    names = {room(name) for name in modules(root)} - {None, "__main__"}
    loose = [p.name for p in root.glob("*.py") if p.stem not in ("__init__", "__main__")]
    return [
        *(f"{name} has no place in ROOMS" for name in sorted(map(str, names - set(ROOMS)))),
        *([f"more than {LOOSE} files beside the rooms: {loose}"] if len(loose) > LOOSE else []),
    ]


def circles_of_files(root: Path) -> list[str]:
    """Files that import each other, whenever; what is for the type checker alone runs never."""
    known = modules(root)
    graph: dict[str, set[str]] = {name: set() for name in known}
    for one in imports(root):
        if one.module in known and one.module != one.by and one.when != "for types":
            graph[one.by].add(one.module)
    return circles(graph)


def circles_of_rooms(root: Path) -> list[str]:
    """Rooms that import each other, for whatever reason."""
    graph: dict[str, set[str]] = {}
    for one in imports(root):
        here, there = room(one.by), room(one.module)
        if here and there and here != there:
            graph.setdefault(here, set()).add(there)
            graph.setdefault(there, set())
    return circles(graph)


def circles(graph: Graph) -> list[str]:
    """One circle through each node that lies on one: the shortest way from it back to it."""
    found, covered = [], set[str]()
    for start in graph:
        ways = [[start]]
        reached = set[str]()
        while ways and start not in covered:
            way = ways.pop(0)
            for after in sorted(graph[way[-1]] - reached):
                if after == start:
                    found.append(" -> ".join([*way, start]))
                    covered |= set(way)
                    break
                reached.add(after)
                ways.append([*way, after])
    return found


def core_from_outside(root: Path) -> list[str]:
    """What core imports beside torch and the standard library; a notebook's pictures are drawn by Pillow."""
    allowed = {"torch", ROOT.name, *sys.stdlib_module_names}
    pictures = (f"{ROOT.name}.core.notebook", "PIL", "when called")
    here = [one for one in imports(root) if room(one.by) == "core" and one[:3] != pictures]
    return [str(one) for one in here if one.module.split(".")[0] not in allowed]


def families_named(root: Path) -> list[str]:
    """Imports of a family of models where only capabilities are asked for."""
    here = [one for one in imports(root) if room(one.by) in KNOW_NO_FAMILY]
    return [str(one) for one in here if room(one.module) == "models"]


def torch_before_flags(root: Path) -> list[str]:
    """Imports of cli at module level that make the help wait: of torch, or of what imports it."""
    heavy = {"torch", "numpy", "scipy", "sklearn", "matplotlib", "PIL", "safetensors"}
    at_once: dict[str, set[str]] = {name: set() for name in modules(root)}
    for one in imports(root):
        if one.when == "at once":
            at_once[one.by].add(one.module)
    return [
        f"{way[0]} needs {way[-1]} before its flags are known: {' -> '.join(way)}"
        for name in at_once
        if room(name) == "cli" and name not in AFTER_THE_FLAGS
        for way in _ways(name, at_once)
        if way[-1] in heavy
    ]


def _ways(name: str, graph: Graph) -> Iterator[list[str]]:
    """A shortest way to everything that is imported with a module, the packages around it too."""
    ways, reached = [[name]], {name}
    for way in ways:
        yield way
        parts = way[-1].split(".")
        around = {".".join(parts[:n]) for n in range(1, len(parts))} & graph.keys()
        for after in sorted((graph.get(way[-1], set()) | around) - reached):
            reached.add(after)
            ways.append([*way, after])


def long_or_nameless(root: Path) -> list[str]:
    """Files that are not read in one sitting, or whose name says nothing."""
    return [
        *(
            f"{name} has {n} lines"
            for name, path in modules(root).items()
            if (n := len(path.read_text().splitlines())) >= LINES
        ),
        *(name for name in modules(root) if name.split(".")[-1] in NAMES_THAT_SAY_NOTHING),
    ]


RULES: list[Rule] = [
    upward,
    strangers,
    circles_of_files,
    circles_of_rooms,
    core_from_outside,
    families_named,
    torch_before_flags,
    long_or_nameless,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps(rule):
    wrong = rule(ROOT)
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def copied(tmp_path):
    """Three rooms of the package, in another place."""
    root = tmp_path / ROOT.name
    for name in ("core", "nn", "sampling"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "__init__.py").write_text("")
    return root


def plant(root: Path, **files: str) -> None:
    """Write files of a room: core_x is core/x.py."""
    for name, text in files.items():
        path = root / f"{name.replace('_', '/', 1)}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


UPWARD = "from plausible.nn.residual import Residual\n"
INSIDE = "def late():\n    if True:\n        from ..nn import residual\n    return residual\n"


@pytest.mark.parametrize(
    ("rule", "files", "words"),
    [
        (upward, {"core_new": UPWARD}, "core.new, line 1, imports plausible.nn.residual (at once)"),
        (upward, {"core_new": INSIDE}, "line 3, imports plausible.nn.residual (when called)"),
        (
            upward,
            {"core_new": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    " + UPWARD},
            "line 3, imports plausible.nn.residual (for types)",
        ),
        (
            upward,
            {"core_new": "def f():\n    import_module('plausible.nn')\n"},
            "imports plausible.nn",
        ),
        (
            upward,
            {"core_new": "import plausible\n"},
            "core.new, line 1, imports plausible (at once)",
        ),
        (upward, {"nn_new": "from plausible import GAN\n"}, "nn.new, line 1, imports plausible "),
        (
            circles_of_files,
            {"nn_one": "from . import two\n", "nn_two": "import plausible.nn.one\n"},
            "plausible.nn.one -> plausible.nn.two -> plausible.nn.one",
        ),
        (
            circles_of_files,
            {
                "nn_one": "from plausible.nn.two import x\n",
                "nn_two": "from .three import x\n",
                "nn_three": "def f():\n    from plausible.nn.one import y\n",
            },
            "plausible.nn.one -> plausible.nn.two -> plausible.nn.three -> plausible.nn.one",
        ),
        (
            circles_of_rooms,
            {"core_new": UPWARD, "nn_new": "from ..core import space\n"},
            "core -> nn",
        ),
        (strangers, {"attic_new": ""}, "attic has no place"),
        (strangers, {"one": "", "two": "", "three": ""}, "more than 2 files beside the rooms"),
        (core_from_outside, {"core_new": "def f():\n    import numpy\n"}, "imports numpy"),
        (
            families_named,
            {"models_gan": "", "nn_new": "def f():\n    from plausible.models.gan import GAN\n"},
            "nn.new, line 2, imports plausible.models.gan",
        ),
        (torch_before_flags, {"cli_new": "import torch\n"}, "plausible.cli.new -> torch"),
        (
            torch_before_flags,
            {"cli_new": "from plausible.core.space import Space\n"},
            "plausible.cli.new -> plausible.core.space -> torch",
        ),
        (long_or_nameless, {"nn_utils": ""}, "plausible.nn.utils"),
        (long_or_nameless, {"nn_new": "x = 1\n" * LINES}, "plausible.nn.new has 400 lines"),
    ],
)
def test_a_planted_violation_is_found(copied, rule, files, words):
    assert not rule(copied)
    plant(copied, **files)
    assert any(words in sentence for sentence in rule(copied)), rule(copied)


def test_what_is_allowed_is_not_called_wrong(copied):
    types = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from plausible.nn import two\n"
    )
    plant(copied, nn_one=types, nn_two="from plausible.nn import one\n")  # never runs in a circle
    plant(copied, nn_three="from plausible.core.space import Space\nimport scipy\n")
    plant(copied, cli_new="def f():\n    import torch\n    from plausible.nn import one\n")
    for rule in RULES:
        assert not rule(copied), rule.__name__


def test_help_is_answered_without_torch():
    code = "import sys; from plausible.cli.main import main; main(['--help']); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
