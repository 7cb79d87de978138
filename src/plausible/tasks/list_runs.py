"""The runs in a folder: what each learned from, how far it came and what was found."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plausible.core.errors import UsageError
from plausible.runs import Run
from plausible.runs.checksums import CHECKSUMS
from plausible.runs.migrations import NewerRun, NotARun

_PLACES = (
    "",
    "*/",
    "*/*/",
)  # where runs are looked for: the folder itself, and two levels below it
QUIET = 600.0
"""Seconds without a save after which a training is taken for stopped."""


@dataclass(frozen=True)
class RunRow:
    """One run.

    progress  the share of its budget that it has used; None where nothing was saved.
    verdict   FAIL, PASS or INCONCLUSIVE; None where it was not judged.
    age       seconds since it was last saved.
    broken    why it cannot be read, if so.
    too_short  whether it was judged after a training too short for that.
    """

    folder: Path
    model: str
    data: str
    progress: float | None
    verdict: str | None
    age: float
    broken: str = ""
    too_short: bool = False

    @property
    def state(self) -> str:
        """In words: "finished", "stopped at 40%", or "at 40%" where it may still be going on."""
        if self.broken or self.progress is None:
            return self.broken or "nothing saved"
        if self.progress >= 1:
            return "finished"
        share = f"at {min(self.progress, 0.99):.0%}"
        return f"stopped {share}" if self.age > QUIET else share


def list_runs(folder: str | Path = "runs") -> list[RunRow]:
    """The runs in a folder and two levels below it, the last saved first.

    Raises UsageError for a folder that does not exist.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UsageError(f"{folder} {what}: give a folder with runs in it")
    return sorted(_rows(folder), key=lambda row: row.age)


def _rows(folder: Path) -> Iterator[RunRow]:
    for place in _PLACES:
        for path in folder.glob(f"{place}config.json"):
            row = _row(Run(path.parent), path)
            if row is not None:
                yield row


def _is_there(path: Path) -> bool:
    """Whether it can be looked at: a link that leads nowhere or to itself cannot."""
    try:
        path.stat()
    except OSError:
        return False
    return True


def _row(run: Run, path: Path) -> RunRow | None:
    """What is known of a run; None for a config.json of another program."""
    saved = [p for p in (*run.folder.glob("*.safetensors"), path) if "calibration" not in p.name]
    age = max(0.0, time.time() - max((p.stat().st_mtime for p in saved if _is_there(p)), default=0))
    try:
        config = run.config
    except NewerRun:
        return RunRow(run.folder, "", "", None, None, age, "of a newer plausible")
    except UsageError as error:
        ours = any(_is_there(path.with_name(name)) for name in ("weights.safetensors", CHECKSUMS))
        if isinstance(error, NotARun) and not ours:
            return None
        return RunRow(run.folder, "", "", None, None, age, "config.json cannot be read")
    model, data = config["model"], config["data"]["name"]
    try:
        return RunRow(
            run.folder, run.learned, data, run.progress, run.verdict, age, too_short=run.too_short
        )
    except Exception:  # whatever is wrong with its files, the others are listed
        return RunRow(run.folder, model, data, None, None, age, "cannot be read")
