"""What a training has logged so far, as series: read while it runs, or from the folder afterwards."""

from array import array
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from plausible.runs.log import read_log

RECENT = 512  # rounds of which every number is kept
LOOK = "look"  # where a line of the log keeps what was looked at ...
TRACE = "trace"  # ... and numbers of every round since the line before


class History:
    """Lines of log.jsonl in the order of their steps, kept as columns: reading one costs no walk through the lines.

    A line is {step, images, spent, seconds, player: {what: number}}, and has ``look``: {what: number}
    where the model was looked at, and ``trace``: {what: [numbers of each round]}, of which the last 512 are kept.

    steps    rounds until its last line.
    players  the names of those who play.
    looks    {what: number} of every look.
    """

    def __init__(self, lines: Iterable[Mapping[str, Any]] = ()):
        self.steps = 0
        self.players: list[str] = []
        self.looks: list[Mapping[str, float | None]] = []
        self._rounds = 0.0  # of the budget as it is now
        # (step, value) one after the other
        self._columns: defaultdict[tuple[str, str], array[float]] = defaultdict(lambda: array("d"))
        self._traces: defaultdict[str, deque[tuple[int, float]]] = defaultdict(
            lambda: deque(maxlen=RECENT)
        )
        for line in lines:
            self.add(line)

    @classmethod
    def read(cls, path: Path) -> "History":
        """Of a file; empty if there is none, NotDefined if it is not a log.  A last line cut short is left out."""
        return cls(line for _, line in read_log(path))

    def add(self, line: Mapping[str, Any]) -> None:
        """One more line."""
        told = {who: seen for who, seen in line.items() if isinstance(seen, Mapping)}
        self.steps = line["step"] + 1
        if line["spent"]:
            self._rounds = line["step"] / line["spent"]
        for what, values in told.pop(TRACE, {}).items():
            self._traces[what].extend(enumerate(values, self.steps - len(values)))
        self.players = [who for who in told if who != LOOK]
        if LOOK in told:
            self.looks.append(told[LOOK])
        for who, seen in told.items():
            for what, value in seen.items():
                if isinstance(value, int | float):  # not None, which stands for what is not finite
                    self._columns[who, what].extend((line["step"], value))

    def series(self, who: str, what: str, since: float = 0.0) -> tuple[Tensor, Tensor]:
        """(steps, values), (n,) float64 each, of a player or of LOOK, from this share of the budget on.

        Lines without the number are left out.
        """
        column = self._columns.get((who, what))
        if not column:
            return torch.zeros(0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
        rows = torch.frombuffer(column, dtype=torch.float64).reshape(-1, 2).clone()  # (n, 2)
        rows = rows[rows[:, 0] >= self._first(since)]
        return rows[:, 0], rows[:, 1]

    def trace(self, what: str, since: float = 0.0) -> Tensor:
        """The values of the last rounds, at most 512, from this share of the budget on, (n,) float64."""
        first = self._first(since)
        found = [value for step, value in self._traces.get(what, ()) if step >= first]
        return torch.tensor(found, dtype=torch.float64)

    def last(self, count: int, *whats: str, since: float = 0.0) -> list[Tensor] | None:
        """The last ``count`` values of each thing looked at, (count,) float64; None if one has fewer."""
        found = [self.series(LOOK, what, since)[1][-count:] for what in whats]
        return found if all(len(values) == count for values in found) else None

    def _first(self, share: float) -> float:
        """The step at which this share of the budget, as it is now, was spent."""
        return round(share * self._rounds)
