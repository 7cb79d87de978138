"""The theory, run: each claim a seeded experiment that ends in numbers with intervals; one claim a file.

optimal-discriminator   0.2 min  D* = p / (p + q), and the game is worth -log 4
saturating-gradient     0.2 min  which loss still teaches a generator that is far off
leading-discriminator   0.2 min  how far ahead D should be
orbit                   0.1 min  a game that orbits, and what makes it contract
mode-collapse           1.6 min  who drops modes
smooth-latent           0.8 min  how far x moves when z does
sharper-samples         1.7 min  who draws sharper images
sharpness-for-nats      1.1 min  what a game costs that sharpens
pixel-by-pixel          0.3 min  what drawing pixel by pixel costs
nonsense                0.1 min  what models say of nonsense
shortcut                0.1 min  what a shortcut costs
unseen-rows             0.1 min  what is known of an image of which a part has not been seen
change-of-variables     0.3 min  what a change of variables keeps
inverted-noise          0.9 min  what a flow makes of an outlier
maximum-likelihood      0.1 min  maximum likelihood
"""

from plausible.claims import (  # noqa: F401, I001  # registers them in the order of the course
    optimum,
    saturation,
    lead,
    orbit,
    collapse,
    smoothness,
    sharpness,
    refinement,
    raster,
    nonsense,
    shortcut,
    unseen,
    mass,
    inverted_noise,
    likelihood,
)
from plausible.claims.claim import Claimed, Figure, Measured, claims

__all__ = ["Claimed", "Figure", "Measured", "claims"]
