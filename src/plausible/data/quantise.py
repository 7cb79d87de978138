"""Fewer (or more) grey levels, and black and white."""

import numpy as np
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.mapped import by_blocks, empty, is_mapped
from plausible.data.options import Options

SEED = 20_250_101  # of the one draw of static binarisation
DRAWN_ONCE = "each pixel is drawn once, 1 with its grey value as probability"


def requantise(codes: np.ndarray, old: int, new: int) -> np.ndarray:
    """Codes of ``old`` levels as codes of ``new`` ones: round(code (new - 1) / (old - 1)), uint8.

    Ties go to the even code, as in ``Space.quantise``.  UsageError: new outside 2 to 256.
    """
    if not 2 <= new <= 256:
        raise UsageError(f"levels must lie between 2 and 256, not {new}")
    if old == new:
        return codes
    codes_of = np.rint(np.arange(old) * (new - 1) / (old - 1)).astype(np.uint8)  # (old,)
    return by_blocks(lambda block: codes_of[block], codes)


def binarise(codes: np.ndarray, levels: int) -> np.ndarray:
    """Each pixel 1 with its grey value as probability, drawn once with a fixed seed, uint8."""
    generator = torch.Generator().manual_seed(SEED)
    drawn = empty(codes.shape) if is_mapped(codes) else np.empty(codes.shape, np.uint8)
    for i in range(0, len(codes), 4096):  # in blocks: the uniforms need four times the memory
        greys = torch.from_numpy(codes[i : i + 4096]).float().div_(levels - 1)
        drawn[i : i + 4096] = (torch.rand(greys.shape, generator=generator) < greys).numpy()
    return drawn


def match_levels(
    values: np.ndarray, levels: int | None, space: Space, options: Options, notes: list[str]
) -> np.ndarray:
    """Codes of so many levels as codes of the space; vectors as they are."""
    if not levels or not space.levels or levels == space.levels:
        return values
    if options.binarise in ("static", "dynamic"):
        notes.append(DRAWN_ONCE)
        return binarise(values, levels)
    notes.append(f"{levels} grey levels are rounded to the {space.levels} of the data")
    return requantise(values, levels, space.levels)
