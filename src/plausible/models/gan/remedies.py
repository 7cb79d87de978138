"""What helps a GAN that goes wrong, from what to what, and when a run does it already."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from plausible.core.remedy import Remedy, change, smaller
from plausible.models.gan.losses import RELATIVE
from plausible.nn.networks import channels

if TYPE_CHECKING:
    from plausible.models.gan.gan import GAN

_AUGMENTATIONS = ("color", "translation", "cutout")
_WIDTHS = {
    "mlp": 256,
    "dcgan": 64,
    "resnet": 64,
    "r3gan": 128,
    "antialiased": 16,
    "palette": 16,
}  # by default; that of conv depends on the image


def width(gan: "GAN") -> int:
    """The width that the run has."""
    return gan.config.width or _WIDTHS.get(gan.architecture) or channels(gan.space.shape)[0]


def _narrower(gan: "GAN", now: int) -> int | None:
    step = 16 if gan.config.architecture == "r3gan" else 1  # a multiple of which it has to be
    return now // 2 // step * step or None


def _lr_discriminator(gan: "GAN") -> float:
    return gan.config.lr_discriminator or gan.config.lr


def _heavier(gan: "GAN", now: float) -> float | None:
    return 2 * now or None if gan.config.penalties else None


_RELATIVISTIC = change("loss", lambda gan, now: None if now in RELATIVE else "relativistic")
_PENALTIES = change(
    "penalties", lambda gan, now: None if {"r1", "r2"} <= set(now) else ("r1", "r2")
)
_ONE_UPDATE = change("updates", lambda gan, now: 1)
_SLOWER_D = smaller("lr_discriminator", _lr_discriminator)
_SAME_LR = change("lr_discriminator", lambda gan, now: gan.config.lr, _lr_discriminator)

REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "vanishing gradient": (
        _RELATIVISTIC,
        _PENALTIES,
        _ONE_UPDATE,
        Remedy(
            lambda gan: (
                ""
                if any(known.advice(gan) for known in (_RELATIVISTIC, _PENALTIES, _ONE_UPDATE))
                else _SLOWER_D.advice(gan)
            )
        ),
    ),
    "starved generator": (
        _SLOWER_D,
        _ONE_UPDATE,
        _PENALTIES,
        change("penalty_weight", _heavier),
        change("penalty_weight_end", _heavier),
    ),
    "discriminator overfitting": (
        change(
            "augment",
            lambda gan, now: (
                None if now is None or set(_AUGMENTATIONS) <= set(now) else _AUGMENTATIONS
            ),
        ),
        change("width", _narrower, width),
    ),
    "missing modes": (
        _RELATIVISTIC,
        _PENALTIES,
        _SAME_LR,
        change("lr", lambda gan, now: type(gan.config)().lr),
    ),
    "garbage": (_RELATIVISTIC, _PENALTIES),
    "oscillation": (_PENALTIES,),
    "divergence": (_PENALTIES,),
    "frozen player": (
        change(
            "lr_discriminator",
            lambda gan, now: gan.config.lr if now < gan.config.lr else None,
            _lr_discriminator,
        ),
    ),
}
"""{phenomenon: what helps}."""
