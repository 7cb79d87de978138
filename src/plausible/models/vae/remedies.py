"""What helps a variational autoencoder that goes wrong, from what to what, and when a run does it already."""

from collections.abc import Mapping, Sequence
from typing import Any

from plausible.core.finding import Severity
from plausible.core.remedy import Remedy, change, larger, smaller
from plausible.models.vae.architectures import default
from plausible.nn.networks import channels

_FREE = 3.0  # nats of KL that all coordinates of z have for nothing, together
_FEW = 5  # draws of z


def width(vae: Any) -> int | None:
    """The width that the run has; None where the architecture has none."""
    kind = vae.config.architecture or default(vae.space)
    units = 512 if vae.space.dims > 256 else 128
    defaults = {"mlp": units, "residual": 64, "linear": None}
    return vae.config.width or (
        defaults[kind] if kind in defaults else channels(vae.space.shape)[0]
    )


def importance(vae: Any) -> int:
    """The draws of z for each example that the run takes."""
    config = vae.config
    return config.importance or (1 if vae.space.is_image or config.free_bits else _FEW)


def _latent_of_linear(vae: Any) -> int | None:
    linear = vae.config.architecture == "linear"
    return (vae.config.latent or max(1, vae.space.dims // 2)) if linear else None


def _free_bits(vae: Any, now: float) -> float | None:
    """3 nats over all coordinates; only a bound with a KL term has them."""
    if now or (vae.config.importance or 1) > 1:
        return None
    one = getattr(vae, "each", (vae,))[0]  # of a model for each class
    return float(f"{_FREE / one.dims:.2g}")


def _more_draws(vae: Any, now: int) -> int | None:
    """Free bits do not go with them, nor does dropout with some architectures."""
    return None if vae.config.free_bits or vae.config.dropout else max(_FEW, 2 * now)


REMEDIES: Mapping[str, Sequence[Remedy]] = {
    "posterior collapse": (
        change("beta", lambda vae, now: 1.0 if now > 1 else None),
        change("warm_up", lambda vae, now: 0.3 if now < 0.3 else None),
        change("free_bits", _free_bits),
        smaller("lr", least=Severity.FAILURE),
    ),
    "bound gap": (change("importance", _more_draws, importance), larger("width", width)),
    "overfitting": (smaller("width", width), smaller("latent", _latent_of_linear)),
}
"""{phenomenon: what helps}."""
