"""How plausible is an input: log p(x), its place among held-out data, a p-value."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from plausible.core.choices import Device, Novelty
from plausible.data.part import Data
from plausible.recognition.recogniser import Plausibility
from plausible.tasks.calibrate import calibrated
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.trained import TrainedLike, open_trained


@dataclass(frozen=True)
class Scores(Sequence[Plausibility]):
    """How plausible each input is, in their order.

    novelty  the score that the p-values are of.
    compared with how many validation examples an input is compared: no p-value is below 1 / (compared + 1).
    notes    sentences for people: what was done to the inputs, and what so few calibration data cannot say.
    """

    rows: tuple[Plausibility, ...]
    novelty: str
    compared: int
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Plausibility: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Plausibility, ...]: ...
    def __getitem__(self, index: int | slice) -> Plausibility | tuple[Plausibility, ...]:
        return self.rows[index]


def score(
    source: TrainedLike,
    inputs: InputLike,
    data: Data | str | Path | None = None,
    *,
    background: TrainedLike | None = None,
    novelty: Novelty | None = None,
    draws: int | None = None,
    seed: int = 0,
    device: Device = "auto",
) -> Scores:
    """log p(x) of each input with its sign, its place among held-out data, and a p-value.

    inputs  files, folders or x (N, *shape).
    The rest is that of ``calibrated``.
    """
    trained = open_trained(source, data, device=device)
    points = as_inputs(inputs, trained)
    recogniser = calibrated(
        trained, background=background, novelty=novelty, draws=draws, seed=seed, device=device
    )
    rows = recogniser.score(points.part, points.names)
    few = recogniser.too_few()
    notes = (*points.notes, few) if few else points.notes
    return Scores(tuple(rows), recogniser.novelty, recogniser.compared, notes)
