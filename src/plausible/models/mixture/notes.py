"""What a mixture says of itself, in sentences."""

from collections.abc import Mapping

from plausible.core.memory import GIB

_SOFTER = 0.01  # a larger --variance-floor, which a note shows


def chosen(tried: Mapping[int, float], k: int) -> tuple[str, ...]:
    """Which number it was and why, in a sentence; nothing where none was tried, {K: log p of examples left out}."""
    if not tried:
        return ()
    said = ", ".join(f"{k}: {nats:,.2f}" for k, nats in tried.items())
    return (
        f"{k} component{'s' * (k > 1)}, the fewest by which examples that were left out are as probable "
        f"as by any number (log p(x), exact, in nats: {said}); --components chooses another",
    )


def narrow_columns(narrow: int, columns: int, least: float, whole: bool) -> tuple[str, ...]:
    """What columns that vary less than the floor do to log p, and the flag that softens it.

    whole  units are those of all classes.
    """
    if not narrow:
        return ()
    far = "a standard deviation of all classes" if whole else "1"
    most, less = (f"{0.5 / floor:,.0f}" for floor in (least, _SOFTER))
    softer = f" (--variance-floor {_SOFTER}: {less})" * (least < _SOFTER)
    return (
        f"{narrow} of {columns} columns hardly vary: each that is {far} off lowers log p by up to {most} nats{softer}",
    )


def too_large(k: int, columns: int, needed: float, free: float) -> str:
    """k covariances need more bytes to learn than are free."""
    return (
        f"{k:,} Gaussian{'s' * (k != 1)} in {columns:,} columns need {needed / GIB:,.1f} GiB of memory to learn, because "
        f"each has a covariance of {columns:,} x {columns:,} numbers, and {free / GIB:,.1f} GiB are free: "
        f"choose fewer columns{' or --components' * (k > 1)}, or a model without covariances, such as vae"
    )
