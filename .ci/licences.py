"""docs/licences.md: what plausible is built on, each package with its licence, as what is installed here says it."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))[
    "project"
]
HEAD = """# Licences

plausible is under the MIT licence. What it is built on is not part of it: `pip` fetches each package from the index, under the
licence that its authors chose. The packages below are those that pyproject.toml names; `make sbom` lists every one that is
installed, with version and licence, as a CycloneDX file. `make licences` writes this page.
"""
PARTS = {"": "Always", "pretrained": "Extra `pretrained`", "onnx": "Extra `onnx`", "parquet": "Extra `parquet`", "hub": "Extra `hub`", "log": "Extra `log`", "sweep": "Extra `sweep`", "app": "Extra `app`", "docs": "Extra `docs`", "dev": "For development"}  # fmt: skip


def name_of(requirement: str) -> str:
    """torch of torch>=2.6."""
    return re.split(r"[\[<>=!~; ]", requirement)[0]


def needed(part: str) -> list[str]:
    """The names of the packages of a part of pyproject.toml, "" being what everybody has."""
    lines = PROJECT["optional-dependencies"][part] if part else PROJECT["dependencies"]
    return [name for name in map(name_of, lines) if name != "plausible"]


def licence(name: str) -> str:
    """What a package says of its licence, in a few words; a dash where it is not installed."""
    try:
        said = metadata(name)
    except PackageNotFoundError:
        return "-"
    classified = [
        line.rpartition(" :: ")[2]
        for line in said.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    known = [word for word in classified if word != "OSI Approved"]
    first = (said["License"] or "").strip().partition("\n")[0].replace("UNKNOWN", "")
    return said["License-Expression"] or ", ".join(known) or first or "its metadata do not say"


def main() -> None:
    """Print the page."""
    print(HEAD)
    print("| package | licence | needed |\n|---|---|---|")
    for part, when in PARTS.items():
        for name in needed(part):
            print(f"| [{name}](https://pypi.org/project/{name}/) | {licence(name)} | {when} |")


if __name__ == "__main__":
    main()
