"""What a training has logged so far, as series: read while it runs, or from the folder afterwards."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from plausible.core.registry import Refused

LOOK = "look"  # where a line of the log keeps what was looked at ...
TRACE = "trace"  # ... and numbers of every round since the line before


class History:
    """Lines of log.jsonl in the order of their steps.

    A line is {step, images, spent, seconds, player: {what: number}}, and has ``look``: {what: number}
    where the model was looked at, and ``trace``: {what: [numbers of each round]}.
    """

    def __init__(self, lines: Sequence[Mapping[str, Any]] = ()):
        self.lines: list[Mapping[str, Any]] = list(lines)
        self._looks = [line for line in self.lines if LOOK in line]

    @classmethod
    def read(cls, path: Path) -> "History":
        """Of a file; empty if there is none, Refused if it is not a log.  A last line cut short is left out."""
        if not path.exists():
            return cls()
        try:
            whole = [
                line for line in path.read_text().splitlines(keepends=True) if line[-1] == "\n"
            ]
            return cls([json.loads(line) for line in whole])
        except ValueError as error:
            raise Refused(f"{path} is not the log of a training: {error}") from error

    def add(self, line: Mapping[str, Any]) -> None:
        """One more line."""
        self.lines.append(line)
        if LOOK in line:
            self._looks.append(line)

    @property
    def players(self) -> list[str]:
        """The names of those who play."""
        last = self.lines[-1] if self.lines else {}
        return [
            name
            for name, seen in last.items()
            if isinstance(seen, Mapping) and name not in (LOOK, TRACE)
        ]

    @property
    def looks(self) -> "History":
        """The lines at which the model was looked at."""
        return History(self._looks)

    def since(self, spent: float) -> "History":
        """The lines after this share of the budget."""
        return History([line for line in self.lines if line["spent"] >= spent])

    def series(self, who: str, what: str) -> tuple[Tensor, Tensor]:
        """(steps, values), (n,) float64 each, of a player or of LOOK; lines without the number are left out."""
        found = [
            (line["step"], line[who][what])
            for line in (self._looks if who == LOOK else self.lines)
            if line.get(who, {}).get(what) is not None
        ]
        both = torch.tensor(found, dtype=torch.float64).reshape(-1, 2)  # (n, 2)
        return both[:, 0], both[:, 1]

    def trace(self, what: str, most: int) -> Tensor:
        """The values of the last rounds, at most so many, (n,) float64."""
        found: list[float] = []
        for line in reversed(self.lines):
            if len(found) >= most:
                break
            found = [*line.get(TRACE, {}).get(what, []), *found]
        return torch.tensor(found[-most:], dtype=torch.float64)

    def last(self, what: str, count: int) -> Tensor | None:
        """The last ``count`` values of what was looked at, (count,) float64; None if there are fewer."""
        _, values = self.series(LOOK, what)
        return values[-count:] if len(values) >= count else None
