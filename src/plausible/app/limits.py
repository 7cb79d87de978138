"""How much a page may ask of this machine, torch-free: the command line makes its flags of it."""

from dataclasses import dataclass

from plausible.core.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """How much a page may ask of this machine."""

    max_samples: int = 256
    """The most samples, chains or comparison points in hundreds that one press of a button may ask for."""
    max_upload: int = 20
    """The most megabytes that a file may have that is handed over in the page."""
    max_trainings: int = 2
    """The most trainings that go on at once; more are refused until one ends."""
    max_waiting: int = 16
    """The most requests that wait for the model; more are refused until some are answered."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {value}")


AS_USUAL = Limits()
