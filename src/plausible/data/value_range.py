"""Which numbers are black and white in a source of images, and grey values as codes of levels."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.mapped import blocks, by_blocks, empty, is_mapped

ValueRange = tuple[float, float]
"""(black, white)."""

DEEP_BITS = (10, 12, 14, 16)  # of cameras, scanners and microscopes, stored in 16 bits or as floats
HALF_LEVEL = 0.5 / 255  # what rounding to 256 levels cannot tell from black or white
BLOCK = 1024  # items that are in float64 at once
HOW = "--value-range BLACK WHITE says which values are black and white"


class Extent(NamedTuple):
    """What decides how numbers are read: smallest, largest, whether all are whole, and their type."""

    low: float
    high: float
    whole: bool
    type: np.dtype

    @property
    def words(self) -> str:
        """ "fractions from 0.1 to 254.9", for the middle of a sentence."""
        return (
            f"{'whole numbers' if self.whole else 'fractions'} from {self.low:g} to {self.high:g}"
        )


def extent(array: np.ndarray) -> Extent:
    """The extent of all numbers of an array; 0 to 0 where it is empty."""
    if is_mapped(array) and len(array) > BLOCK:
        return joint_extent(extent(np.asarray(block)) for block in blocks(array))
    whole = array.dtype.kind != "f" or bool((array == np.rint(array)).all())
    low, high = (array.min(), array.max()) if array.size else (0, 0)
    return Extent(float(low), float(high), whole, array.dtype)


def joint_extent(extents: Iterable[Extent]) -> Extent:
    """The extent of several arrays together."""
    lows, highs, wholes, types = zip(*extents, strict=True)
    return Extent(min(lows), max(highs), all(wholes), np.result_type(*types))


def decide_range(found: Extent, source: str, like: ValueRange | None = None) -> ValueRange:
    """(black, white): ``like`` where the values can be of that range, else what leaves no doubt.

    0 to 1, -1 to 1, 0 to 255, or the fewest of 10, 12, 14 and 16 bits.  Values that rounding to a level
    brings to black or white may lie beyond them.
    UsageError: values that could be of more than one of these, or of none.
    """
    own = _own_range(found)
    if like is not None and _holds(like, found) and not _is_plainly(own, found, like):
        return like
    if own is None:
        way = (
            f"not all lie from {like[0]:g} to {like[1]:g}, as asked for or in the data"
            if like
            else HOW
        )
        raise UsageError(f"{source} holds images of type {found.type} {_doubt(found)}; {way}")
    return own


def _own_range(found: Extent) -> ValueRange | None:
    low, high = found.low, found.high
    if found.whole and low >= 0 and high <= 1:
        return 0, 1
    if found.type.kind == "f":
        if low >= -HALF_LEVEL and high <= 1 + HALF_LEVEL:
            return 0, 1
        if -1 - 2 * HALF_LEVEL <= low < -0.5 - HALF_LEVEL and high <= 1 + 2 * HALF_LEVEL:
            return -1, 1
    if low < -0.5 or (high < 128 and not found.whole):
        return None
    if high <= 255.5:
        return 0, 255
    if 512 <= high <= 65535.5:
        return 0, next(2**bits - 1 for bits in DEEP_BITS if high <= 2**bits - 0.5)
    return None


def _holds(like: ValueRange, found: Extent) -> bool:
    """Whether all values lie in the range, and their type has its white."""
    black, white = like
    if found.type.kind in "iu" and white > np.iinfo(found.type).max:
        return False
    slack = HALF_LEVEL * (white - black)
    return black - slack <= found.low and found.high <= white + slack


def _is_plainly(own: ValueRange | None, found: Extent, like: ValueRange) -> bool:
    """Whether values from 0 to 1 or -1 to 1 are no others: only 0 and 1, or fractions where ``like`` has whole
    codes, or black where ``like`` has its middle and never below.
    """
    black, white = like
    coded = black == 0 and white > 1 and white == round(white)
    if own == (0, 1):
        return found.whole or coded or (black < 0 and found.low < HALF_LEVEL)
    return own == (-1, 1) and coded


def _doubt(found: Extent) -> str:
    """Why no range is clear, with the range that was found."""
    low, high = found.low, found.high
    reach = f"from {low:g} to {high:g}"
    if found.type.kind == "f" and -0.5 - HALF_LEVEL <= low < 0 and high <= 1 + 2 * HALF_LEVEL:
        return f"{reach}, which lie below 0 and do not reach -1: clip them to 0 to 1 if they go just beyond"
    if not found.whole and low >= -0.5 and high < 128:
        return f"{reach}, fractions that are too bright for 0 to 1 and too dark for 0 to 255"
    if low >= -0.5 and high < 512:
        return f"{reach}; expected 0 to 255, or more than 511 as the brightest of 10 to 16 bits"
    return f"{reach}; expected 0 to 255, 0 to 1, -1 to 1, or 10 to 16 bits up to 65535"


def count_levels(found: Extent, chosen: ValueRange) -> int:
    """white + 1 for whole codes 0 to white below 256, and otherwise 256."""
    black, white = chosen
    codes = found.whole and black == 0 and white <= 255 and white == round(white)
    return int(white) + 1 if codes else 256


def to_codes(array: np.ndarray, chosen: ValueRange, levels: int) -> np.ndarray:
    """Codes round((v - black) / (white - black) (levels - 1)), cut to 0 .. levels - 1, uint8."""
    black, white = chosen
    if (black, white) == (0, levels - 1) and array.dtype.kind in "biu":
        return by_blocks(lambda block: block.clip(0, levels - 1).astype(np.uint8, order="C"), array)
    scale = (levels - 1) / (white - black)
    codes = empty(array.shape) if is_mapped(array) else np.empty(array.shape, np.uint8)
    for i in range(0, len(array), BLOCK):
        grey = (array[i : i + BLOCK].astype(np.float64) - black) * scale
        codes[i : i + BLOCK] = np.rint(grey).clip(0, levels - 1)
    return codes


def explain(
    found: Extent, chosen: ValueRange, levels: int, like: ValueRange | None = None
) -> str | None:
    """What reading these values so does to them, as a note; None where it changes nothing.

    like  what was asked for, or what the data have beside which they are read.
    """
    black, white = chosen
    bits = next((bits for bits in DEEP_BITS if chosen == (0, 2**bits - 1)), None)
    cut = " and cut" if found.low < black or found.high > white else ""
    how = f" ({HOW})" if like is None else ""
    dark = f"; the brightest is {found.high:g}{how}" if found.high < (black + white) / 2 else ""
    if found.type.kind == "b":
        return None
    if levels == 2:
        return "every pixel is 0 or 1, so the images have 2 levels"
    if levels < 256:
        return f"whole numbers 0 to {levels - 1} are codes of {levels} levels"
    if bits:
        if like not in (None, chosen):
            how = f", because not all lie from {like[0]:g} to {like[1]:g}"
        return (
            f"{bits}-bit images are reduced to 8 bits, 256 levels: {white:,g} is white and the brightest "
            f"is {found.high:,.6g}{how}"
        )
    if chosen == (0, 255) and found.whole:
        if found.high < 128:
            return (
                f"the brightest of 256 levels is {found.high:g}: if these are codes of fewer levels, save "
                f"them in a .npz as x together with levels{how}"
            )
        deep = found.type == np.uint16
        return f"16 bits hold no more than {found.high:g}, so 255 is white{how}" if deep else None
    if chosen == (-1, 1):
        return f"pixels from -1 to 1 are mapped to 0 to 1 and rounded{cut} to 256 levels{dark}"
    if chosen == (0, 1):
        return f"pixels between 0 and 1 are rounded{cut} to 256 levels{dark}"
    if chosen == (0, 255):
        return f"{found.words} are rounded{cut} to the 256 levels 0 to 255{dark}"
    return (
        f"{found.words} are rounded{cut} to 256 levels, {black:g} black and {white:g} white{dark}"
    )
