"""What a reader hands over, arrays as the source has them before labels, levels and split, or why it cannot."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Raw:
    """The content of a source.

    values     (N, C, H, W) uint8 codes for images; (N, D) float32 for vectors.
    levels     number of codes of an image; None for vectors.
    labels     (N,) integers or strings as the source has them, or None.
    heldout    how many of the last rows the source itself sets aside for testing.
    notes      sentences for people.
    columns    names of the D coordinates of vectors, where the source names them.
    label_column   name of the column that became the labels, where there is one.
    left_out   {column: why} of those of a table that are no coordinates.
    whole      the coordinates of vectors in which the source holds whole numbers alone.
    value_range    the numbers of the source that are black and white; None for vectors.
    sizes, modes, unreadable, ignored, marked   see Survey.
    """

    values: np.ndarray
    levels: int | None
    labels: np.ndarray | None = None
    heldout: int = 0
    notes: list[str] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    label_column: str | None = None
    left_out: dict[str, str] = field(default_factory=dict)
    whole: tuple[int, ...] = ()
    sizes: Counter[str] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    unreadable: tuple[tuple[str, str], ...] = ()
    ignored: Counter[str] = field(default_factory=Counter)
    value_range: tuple[float, float] | None = None
    marked: int = 0

    @property
    def is_image(self) -> bool:
        """True for codes (N, C, H, W)."""
        return self.levels is not None


def first_line(error: Exception) -> str:
    """The first line of what an error says, for the middle of a sentence."""
    return (str(error) or type(error).__name__).splitlines()[0].rstrip(".")
