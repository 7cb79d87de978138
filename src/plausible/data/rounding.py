"""What float32, in which vectors are kept, does to numbers of more digits than it has."""

from collections.abc import Sequence

import numpy as np

from plausible.core.errors import UsageError

_CELLS = 2**21  # looked at; of a larger array every k-th row
_NOTED = 0.99  # share of the different values of a column that must stay different without a word
_ROWS = 0.5  # share of the different rows below which a density would be one of rounding
_FEW = 10  # rows that say nothing about a share
_BITS = 44  # of a float64 that count: what differs in the others was equal before it was computed


def check_rounding(
    array: np.ndarray,
    values: np.ndarray,
    file: str,
    columns: Sequence[str] = (),
    notes: list[str] | None = None,
) -> None:
    """Note which columns of ``array`` (N, D) have values that are different there and equal as ``values``.

    values  the same as float32.
    columns  their names; by default they are numbered.
    UsageError: fewer than half of the different rows are still different.
    """
    if not array.size or np.can_cast(array.dtype, np.float32):
        return
    step = -(-array.size // _CELLS)
    array, values = array[::step], values[::step]
    merged = {}
    for j in np.flatnonzero(_is_rounded(array, values).any(0)):
        before, after = len(np.unique(_exact(array[:, j]))), len(np.unique(values[:, j]))
        if after < _NOTED * before:
            merged[int(j)] = f"{before:,} different values become {after:,}"
    if not merged:
        return
    exact = np.stack([_exact(column) for column in array.T], 1)  # (N, D)
    before, after = len(np.unique(exact, axis=0)), len(np.unique(values, axis=0))
    named = {j: repr(columns[j]) if columns else str(j + 1) for j in merged}
    listed = ", ".join(f"{named[j]} ({words})" for j, words in list(merged.items())[:3])
    listed += f" and {len(merged) - 3} more" * (len(merged) > 3)
    first = next(iter(merged))
    offset = float(f"{float(np.median(array[:, first])):.3g}")
    rows = f"of one row in {step}, " if step > 1 else ""
    sentence = (
        f"{file}: float32, in which numbers are kept, has too few digits for column {listed}; {rows}"
        f"{before:,} different rows become {after:,}: subtract an offset, as {offset:,.10g} from column {named[first]}"
    )
    if before >= _FEW and after < _ROWS * before:
        raise UsageError(sentence)
    if notes is not None:
        notes.append(sentence)


def _is_rounded(array: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(N, D) booleans: whether float32 may have changed a number."""
    if array.dtype.kind in "iu":  # those beyond 2^53 cannot even be compared to it
        rounded: np.ndarray = (array > 2**24) | (array < -(2**24))
        return rounded
    return np.asarray(array != values)


def _exact(column: np.ndarray) -> np.ndarray:
    """Numbers (N,) that are equal where those of a column are, but for errors of computing them."""
    if column.dtype.kind in "iu":
        return column
    fraction, exponent = np.frexp(column.astype(np.float64))
    return np.ldexp(np.rint(fraction * 2.0**_BITS), exponent - _BITS)
