"""What the files of benchmarks/results and experiments/results hold, and how it is written."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

Row = dict[str, Any]


def rows(name: str) -> list[Row]:
    """The rows of benchmarks/results/NAME.json, or experiments/results/NAME.json."""
    return result(name)["rows"]


def notes(name: str) -> str:
    """What the table of a result does not say."""
    return result(name)["notes"]


def result(name: str) -> dict[str, Any]:
    """A result with the command, commit and machine that made it: "benchmarks/vae"."""
    folder, stem = name.split("/")
    return json.loads((ROOT / folder / "results" / f"{stem}.json").read_text())


def the(all_rows: Iterable[Row], **columns: Any) -> Row:
    """The one row with these values, a column's name with _ where it has a space."""
    wanted = {name.replace("_", " "): value for name, value in columns.items()}
    (row,) = (r for r in all_rows if all(r[name] == value for name, value in wanted.items()))
    return row


def markdown(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    cells = [[cell.replace("|", r"\|") for cell in line] for line in (header, *lines)]
    drawn = ["|" + "|".join(f" {cell} " if cell else " " for cell in line) + "|" for line in cells]
    return "\n".join([drawn[0], "|" + "---|" * len(header), *drawn[1:]]) + "\n"


def fixed(value: Any, digits: int) -> str:
    """A number with so many digits behind the point and thousands apart; nothing for nothing."""
    return "" if value == "" else f"{value:,.{digits}f}"


def with_error(value: Any, error: Any, digits: int) -> str:
    """9.4 ± 1.0; nothing for nothing."""
    return "" if value == "" else f"{value:.{digits}f} ± {error:.{digits}f}"


def percent(value: Any, digits: int = 0) -> str:
    """A share in hundredths."""
    return "" if value == "" else f"{value:.{digits}%}"
