"""What helps a variational autoencoder that goes wrong, and when a run does it already."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from plausible.core.finding import Severity
from plausible.core.remedy import Remedy

if TYPE_CHECKING:
    from plausible.models.vae.config import VAEConfig


def _has_kl_term(config: "VAEConfig") -> bool:
    return (config.importance or 1) == 1


def _has_width(config: "VAEConfig") -> bool:
    return config.architecture != "linear"


REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "posterior collapse": (
        Remedy("--beta 1", lambda config: config.beta > 1),
        Remedy("--warm-up 0.3", lambda config: config.warm_up < 0.3),
        Remedy(
            "--free-bits that allow all coordinates of z about 3 nats together (0.06 each of 50)",
            lambda config: _has_kl_term(config) and not config.free_bits,
        ),
        Remedy("a smaller --lr", least=Severity.FAILURE),
    ),
    "bound gap": (
        Remedy("a larger --importance, such as 5", lambda config: not config.free_bits),
        Remedy("a larger --width", _has_width),
    ),
    "overfitting": (
        Remedy("a smaller --width", _has_width),
        Remedy("a smaller --latent", lambda config: not _has_width(config)),
    ),
}
"""{phenomenon: what helps}."""
