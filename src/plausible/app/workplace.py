"""Where the app works: the folder of its runs, what may be read, the trainings, and the models that are open."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from plausible.app.limits import Limits
from plausible.app.trainings import Trainings
from plausible.core.errors import UsageError
from plausible.data.source import NAMES, resolve_source
from plausible.runs.lock import OWNER
from plausible.tasks import RunRow, Trained, list_runs, open_trained

_OPEN = 4  # models that are kept in memory
_WEIGHTS = ("weights.safetensors", "config.json")


@dataclass
class Workplace:
    """What all pages share.

    folder  where the runs lie.
    chosen  the run that is shown first, by its name; empty: the one that was saved last.
    host    the address that the page is served at: beyond this machine less may be read.
    """

    folder: Path
    chosen: str = ""
    host: str = "127.0.0.1"
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.trainings = Trainings(self.folder, self.limits.max_trainings)
        self._open: OrderedDict[tuple[str, float], Trained] = OrderedDict()
        self._lock = Lock()

    def rows(self) -> list[RunRow]:
        """The runs, the last saved first."""
        return list_runs(self.folder) if self.folder.is_dir() else []

    def names(self) -> list[str]:
        """The names of the runs: those that are being trained and have no file yet, then the last saved first."""
        known = [self.name_of(row.folder) for row in self.rows()]
        beginning = [name for name in self.trainings.going_on() if name not in known]
        return [*beginning, *known]

    def name_of(self, folder: Path) -> str:
        """What the run in a folder is called in the page: its path from the folder of the runs."""
        return folder.relative_to(self.folder).as_posix()

    def run(self, name: str | None) -> Path:
        """The folder of a run by its name; UsageError for what is no run here, or lies elsewhere."""
        if not name:
            raise UsageError("choose a run first")
        place = self.folder / name
        inside = place.resolve().is_relative_to(self.folder.resolve())
        if not inside or not (place / "config.json").is_file():
            raise UsageError(f"there is no run {name} in {self.folder}")
        return place

    def ready(self, name: str | None) -> bool:
        """Whether a run has weights that can be asked."""
        return bool(name) and (self.folder / str(name) / _WEIGHTS[0]).is_file()

    def learns_elsewhere(self, name: str) -> bool:
        """Whether a program that was not started here trains this run, as far as its folder knows."""
        return (self.folder / name / OWNER).exists() and not self.trainings.alive(name)

    def open(self, name: str | None) -> Trained:
        """The model of a run by its best weights, from memory where they are still those."""
        place = self.run(name)
        weights = place / _WEIGHTS[0]
        key = str(place), weights.stat().st_mtime if weights.exists() else 0.0
        with self._lock:
            if key in self._open:
                self._open.move_to_end(key)
                return self._open[key]
        opened = open_trained(place)
        with self._lock:
            self._open[key] = opened
            while len(self._open) > _OPEN:
                self._open.popitem(last=False)
        return opened

    @property
    def local(self) -> bool:
        """Whether nobody but the users of this machine reaches the page."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def source(self, source: str | None) -> str:
        """A data set by name or path, as a command takes it.

        UsageError: none, or what may not be read: a page that others reach reads only names, and what lies in the
        current folder.
        """
        if not (source or "").strip():
            raise UsageError(
                "say which data: a name, such as digits, or the path of a folder or file"
            )
        found = resolve_source(str(source).strip())
        if found.spec.startswith("-"):
            raise UsageError(f"{source} reads like a flag: give it as ./{source}")
        if not (self.local or found.spec in NAMES or _below(found.path, Path.cwd())):
            raise UsageError(
                f"{source} lies outside of {Path.cwd()}, and a page that others reach reads nothing else"
            )
        return found.spec


def _below(path: Path | None, folder: Path) -> bool:
    return path is not None and path.expanduser().resolve().is_relative_to(folder.resolve())
