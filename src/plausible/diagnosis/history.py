"""What a training has logged so far, as series: read while it runs, or from the folder afterwards."""

from array import array
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from plausible.core.reading import Reading, need_reading

TRACE_LENGTH = 512  # rounds of which every number is kept
PROBES = "probes"  # where a line of the log keeps what the probes said ...
TRACE = "trace"  # ... and numbers of every round since the line before


class History:
    """Lines of log.jsonl in the order of their steps, kept as columns: reading one costs no walk through the lines.

    A line is {step, images, progress, seconds, player: {reading: number}}, and has ``probes``:
    {reading: number} where the model was probed, and ``trace``: {reading: [numbers of each round]}, of which
    the last 512 are kept.

    steps    rounds until its last line.
    players  the names of those who play.
    probed   {reading: number} of every time that the model was probed.
    """

    def __init__(self, lines: Iterable[Mapping[str, Any]] = ()):
        self.steps = 0
        self.players: list[str] = []
        self.probed: list[Mapping[str, float | None]] = []
        self._rounds = 0.0  # of the budget as it is now
        # (step, value) one after the other
        self._columns: defaultdict[tuple[str, str], array[float]] = defaultdict(lambda: array("d"))
        self._traces: defaultdict[str, deque[tuple[int, float]]] = defaultdict(
            lambda: deque(maxlen=TRACE_LENGTH)
        )
        for line in lines:
            self.append(line)

    def append(self, line: Mapping[str, Any]) -> None:
        """One more line."""
        numbers = {who: values for who, values in line.items() if isinstance(values, Mapping)}
        self.steps = line["step"] + 1
        if line["progress"]:
            self._rounds = line["step"] / line["progress"]
        for name, rounds in numbers.pop(TRACE, {}).items():
            self._traces[name].extend(enumerate(rounds, self.steps - len(rounds)))
        self.players = [who for who in numbers if who != PROBES]
        if PROBES in numbers:
            self.probed.append(numbers[PROBES])
        for who, values in numbers.items():
            for name, value in values.items():
                if isinstance(value, int | float):  # not None, which stands for what is not finite
                    self._columns[who, name].extend((line["step"], value))

    def series(self, reading: Reading, since: float = 0.0) -> tuple[Tensor, Tensor]:
        """(steps, values) of a probe, (n,) float64 each, from this share of the budget on.

        Lines without the number are left out.
        """
        return self.series_of(PROBES, reading, since)

    def series_of(self, player: str, reading: Reading, since: float = 0.0) -> tuple[Tensor, Tensor]:
        """The same of what a player's loss or gradient said."""
        need_reading(reading)
        column = self._columns.get((player, reading))
        if not column:
            return torch.zeros(0, dtype=torch.float64), torch.zeros(0, dtype=torch.float64)
        rows = torch.frombuffer(column, dtype=torch.float64).reshape(-1, 2).clone()  # (n, 2)
        rows = rows[rows[:, 0] >= self._first(since)]
        return rows[:, 0], rows[:, 1]

    def trace(self, reading: Reading, since: float = 0.0) -> Tensor:
        """The values of the last rounds, at most 512, from this share of the budget on, (n,) float64."""
        need_reading(reading)
        first = self._first(since)
        values = [value for step, value in self._traces.get(reading, ()) if step >= first]
        return torch.tensor(values, dtype=torch.float64)

    def last(self, count: int, *readings: Reading, since: float = 0.0) -> list[Tensor] | None:
        """The last ``count`` values of each reading of a probe, (count,) float64; None if one has fewer."""
        values = [self.series(reading, since)[1][-count:] for reading in readings]
        return values if all(len(each) == count for each in values) else None

    def _first(self, share: float) -> float:
        """The step at which this share of the budget, as it is now, was spent."""
        return round(share * self._rounds)
