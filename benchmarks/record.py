"""A result that can be checked: the rows, and everything needed to make them again."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

Rows = list[dict[str, Any]]


def parser(description: str) -> argparse.ArgumentParser:
    """Flags that every script takes."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--quick", action="store_true", help="the same code on less, under 60 s")
    made.add_argument("--seed", type=int, default=0)
    return made


def kept(script: str, *, quick: bool) -> Rows:
    """The rows that an earlier call has written, for a script that works in slices; [] at first."""
    out = _out(Path(script), quick)
    return json.loads(out.read_text())["rows"] if out.exists() else []


def kept_notes(script: str) -> str:
    """What an earlier call has noted; "" at first."""
    out = _out(Path(script), quick=False)
    return json.loads(out.read_text())["notes"] if out.exists() else ""


def record(
    script: str, rows: Rows, *, seed: int, quick: bool, notes: str = "", tree: Path | None = None
) -> None:
    """Print the rows as a table and write results/NAME.json beside the script.

    A quick result goes to NAME-quick.json, so that it never stands where a full one belongs.  ``tree`` is where the
    code lies whose commit is noted: by default here.
    """
    path = Path(script)
    table = Table(title=path.stem + (" (quick)" if quick else ""), title_justify="left")
    for name in rows[0]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(f"{v:.4g}" if isinstance(v, float) else str(v) for v in row.values()))
    # a file has no width of its own, and the one rich takes it to have is too small for our tables
    Console(width=None if sys.stdout.isatty() else 200).print(table)
    if notes:
        print(notes)
    content = {
        "script": f"{path.parent.name}/{path.name}",
        "command": " ".join(["python", "-m", f"{path.parent.name}.{path.stem}", *sys.argv[1:]]),
        "commit": _git("rev-parse", "HEAD", tree=tree),
        "uncommitted_changes": _changed(tree),
        "date": time.strftime("%Y-%m-%d"),
        "seed": seed,
        "quick": quick,
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY"),
            "GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT"),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("plausible", "torch", "numpy", "scikit-learn")},
        },
        "notes": notes,
        "rows": rows,
    }
    out = _out(path, quick)
    out.parent.mkdir(exist_ok=True)
    draft = out.with_suffix(".part")  # renamed when whole: a script killed here keeps its old rows
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(out)
    print(f"written to {out}")


def once(path: Path | None, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a file keeps of an earlier call, otherwise what ``make`` makes, which it then keeps; None: no file."""
    if path is not None and path.exists():
        return json.loads(path.read_text())
    found = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")  # renamed when whole
        draft.write_text(json.dumps(found))
        draft.replace(path)
    return found


def record_row(
    script: str, row: dict[str, Any], same: Sequence[str], order: str, *, seed: int, quick: bool
) -> None:
    """``record`` with this row in the place of the one of the same experiment, sorted by ``order``.

    The same experiment agrees in the columns ``same``, and to one minute in its minutes.
    """
    other = [
        old
        for old in ([] if quick else kept(script, quick=False))
        if any(old[key] != row[key] for key in same) or abs(old["minutes"] - row["minutes"]) > 1
    ]
    rows = sorted([*other, row], key=lambda r: (r.get("gpu", ""), r[order]))
    record(script, rows, seed=seed, quick=quick)


def commit() -> str:
    """The commit that a row of a script in slices was made at, with a + when it is not all of it."""
    return _git("rev-parse", "--short", "HEAD") + ("+" if _changed() else "")


def _changed(tree: Path | None = None) -> bool:
    # :/ from the root, because git takes paths from the folder it is called in; no results, which
    # each slice changes
    where = (":/src", ":/benchmarks/*.py", ":/experiments/*.py")
    return bool(_git("status", "--porcelain", "--untracked-files=no", "--", *where, tree=tree))


def _out(path: Path, quick: bool) -> Path:
    return path.parent / "results" / f"{path.stem}{'-quick' if quick else ''}.json"


def _git(*args: str, tree: Path | None = None) -> str:
    where = tree or Path(__file__).parent
    done = subprocess.run(["git", *args], capture_output=True, text=True, cwd=where)
    return done.stdout.strip()
