"""The theory, run: each claim a seeded experiment that ends in numbers with intervals; one claim a file.

``optimum``      D* = p / (p + q), and the game is worth -log 4
``saturation``   which loss still teaches a generator that is far off
``lead``         how far ahead D should be
``orbit``        a game that orbits, and what makes it contract
``collapse``     who drops modes
``smoothness``   how far x moves when z does
``sharpness``    who draws sharper images
``raster``       what drawing pixel by pixel costs
``nonsense``     what models say of nonsense
``likelihood``   maximum likelihood
"""

from plausible.claims import (  # noqa: F401, I001  # registers them in the order of the course
    optimum,
    saturation,
    lead,
    orbit,
    collapse,
    smoothness,
    sharpness,
    raster,
    nonsense,
    likelihood,
)
from plausible.claims.claim import Claimed, Figure, Measured, claims

__all__ = ["Claimed", "Figure", "Measured", "claims"]
