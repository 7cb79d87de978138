"""What helps a GAN that goes wrong, and when a run does it already."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from plausible.core.remedy import Remedy

if TYPE_CHECKING:
    from plausible.models.gan.config import GANConfig

_AUGMENTATIONS = ("color", "translation", "cutout")


def _bounded(config: "GANConfig") -> bool:
    return {"r1", "r2"} <= set(config.penalties)


def _slower_discriminator(config: "GANConfig") -> bool:
    return config.lr_discriminator is not None and config.lr_discriminator < config.lr


_RELATIVISTIC = Remedy(
    "the default --loss relativistic", lambda config: not config.loss.startswith("relativistic")
)
_PENALTIES = Remedy("--penalties r1 r2", lambda config: not _bounded(config))
_ONE_UPDATE = Remedy("--updates 1", lambda config: config.updates > 1)
_SLOWER_D = Remedy("a smaller --lr-discriminator")
_SAME_LR = Remedy(
    "the same --lr for both players, without --lr-discriminator",
    lambda config: config.lr_discriminator is not None,
)

REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "vanishing gradient": (
        _RELATIVISTIC,
        _PENALTIES,
        _ONE_UPDATE,
        Remedy(
            "a smaller --lr-discriminator",
            lambda config: (
                not any(
                    remedy.missing(config) for remedy in (_RELATIVISTIC, _PENALTIES, _ONE_UPDATE)
                )
            ),
        ),
    ),
    "starved generator": (
        _SLOWER_D,
        _ONE_UPDATE,
        _PENALTIES,
        Remedy("a larger --penalty-weight", lambda config: bool(config.penalties)),
    ),
    "discriminator overfitting": (
        Remedy(
            "--augment color translation cutout (images)",
            lambda config: (
                config.augment is not None and not set(_AUGMENTATIONS) <= set(config.augment)
            ),
        ),
        Remedy("a smaller --width"),
    ),
    "mode collapse": (
        _RELATIVISTIC,
        _PENALTIES,
        _SAME_LR,
        Remedy("the default --lr", lambda config: config.lr != type(config)().lr),
    ),
    "oscillation": (_PENALTIES,),
    "divergence": (_PENALTIES,),
    "frozen player": (
        Remedy("the same --lr for both players, without --lr-discriminator", _slower_discriminator),
    ),
}
"""{phenomenon: what helps}."""
