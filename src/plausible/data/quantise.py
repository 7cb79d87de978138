"""Fewer (or more) grey levels, and black and white."""

import numpy as np
import torch

from plausible.core.errors import UsageError

SEED = 20_250_101  # of the one draw of static binarisation


def requantise(codes: np.ndarray, old: int, new: int) -> np.ndarray:
    """Codes of ``old`` levels as codes of ``new`` ones: round(code (new - 1) / (old - 1)), uint8.

    Ties go to the even code, as in ``Space.quantise``.  UsageError: new outside 2 to 256.
    """
    if not 2 <= new <= 256:
        raise UsageError(f"levels must lie between 2 and 256, not {new}")
    if old == new:
        return codes
    codes_of = np.rint(np.arange(old) * (new - 1) / (old - 1)).astype(np.uint8)  # (old,)
    return codes_of[codes]


def draw(codes: np.ndarray, levels: int) -> np.ndarray:
    """Each pixel 1 with its grey value as probability, drawn once with a fixed seed, uint8."""
    generator = torch.Generator().manual_seed(SEED)
    drawn = np.empty(codes.shape, np.uint8)
    for i in range(0, len(codes), 4096):  # in blocks: the uniforms need four times the memory
        greys = torch.from_numpy(codes[i : i + 4096]).float().div_(levels - 1)
        drawn[i : i + 4096] = (torch.rand(greys.shape, generator=generator) < greys).numpy()
    return drawn
