"""Is a run what was written?  Every file by its checksum, and what can be made whole again."""

import json
from dataclasses import dataclass
from pathlib import Path

import safetensors

from plausible.core import notebook
from plausible.core.errors import UsageError
from plausible.runs import Run
from plausible.runs.checksums import CHECKSUMS, Condition, condition, noted
from plausible.runs.checksums import write_noted as write
from plausible.runs.saving import CONFIG

_WEIGHTS = ("last.safetensors", "weights.safetensors")


@dataclass(frozen=True)
class Checked:
    """What became of the files of a run.

    files     {name: its condition} of every file that is read again.
    repaired  {name: what it was made from}.
    """

    folder: Path
    files: dict[str, Condition]
    repaired: dict[str, str]

    @property
    def whole(self) -> bool:
        """Whether no file is damaged or missing."""
        return not any(
            found in (Condition.DAMAGED, Condition.MISSING) for found in self.files.values()
        )

    @property
    def sentence(self) -> str:
        """What is wrong, or that nothing is."""
        wrong = [
            f"{name} is {found}"
            for name, found in self.files.items()
            if found in (Condition.DAMAGED, Condition.MISSING)
        ]
        if wrong:
            return f"{self.folder}: {', '.join(wrong)}"
        unknown = [name for name, found in self.files.items() if found is Condition.UNKNOWN]
        if len(unknown) == len(self.files):
            return f"{self.folder} is of before there were checksums: nothing can be said"
        return f"{self.folder}: every file is what was written"

    def __repr__(self) -> str:
        return f"Checked {self.sentence}"

    def _repr_html_(self) -> str:
        return notebook.table(("file", ""), self.files.items())


def check(run: Run | str | Path, *, repair: bool = False) -> Checked:
    """Hold every file of a run against the checksum of when it was written.

    repair  makes config.json again from the copy that the weights hold, and takes the last weights for the best
            where those are damaged; what is still not whole is said.
    Raises UsageError for a folder that is no run.
    """
    folder = run.folder if isinstance(run, Run) else Path(run)
    if not any((folder / name).exists() for name in ("config.json", CHECKSUMS, *_WEIGHTS)):
        raise UsageError(f"{folder} is not a run: it holds neither config.json nor weights")
    repaired = _repaired(folder) if repair else {}
    return Checked(folder, _conditions(folder), repaired)


def _conditions(folder: Path) -> dict[str, Condition]:
    there = [path.name for path in folder.iterdir() if path.suffix in (".safetensors", ".pt")]
    needed = ["config.json", "weights.safetensors"]
    names = dict.fromkeys([*needed, *sorted(noted(folder)), *sorted(there)])
    return {name: condition(folder / name) for name in names}


def _repaired(folder: Path) -> dict[str, str]:
    made: dict[str, str] = {}
    bad = (Condition.DAMAGED, Condition.MISSING)
    found = {name: condition(folder / name) for name in ("config.json", *_WEIGHTS)}
    best, last = folder / "weights.safetensors", folder / "last.safetensors"
    if found[best.name] in bad and found[last.name] is Condition.WHOLE:
        write(best, last.read_bytes())
        made[best.name] = last.name
    if found["config.json"] in bad:
        for name in _WEIGHTS:
            config = _config_in(folder / name)
            if config is not None:
                write(folder / "config.json", config)
                made["config.json"] = name
                break
    return made


def _config_in(path: Path) -> str | None:
    """The copy of config.json that whole weights hold; None where there is none."""
    if condition(path) is not Condition.WHOLE:
        return None
    try:
        with safetensors.safe_open(path, "pt") as file:
            kept = (file.metadata() or {}).get(CONFIG)
        return None if kept is None else json.dumps(json.loads(kept), indent=2) + "\n"
    except (ValueError, safetensors.SafetensorError):  # written whole, and by another program
        return None
