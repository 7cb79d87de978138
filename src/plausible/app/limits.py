"""How much a page may ask of this machine, torch-free, because they are flags of the command line."""

from dataclasses import dataclass

from plausible.core.errors import UsageError


@dataclass(frozen=True)
class Limits:
    """How much a page may ask of this machine.

    max_samples    samples that are drawn, or chains that walk, at once.
    max_upload     megabytes of a request, and so of a file that is handed over.
    max_trainings  that go on at once.
    max_waiting    requests that wait for the model.
    """

    max_samples: int = 256
    max_upload: int = 20
    max_trainings: int = 2
    max_waiting: int = 16

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {value}")


AS_USUAL = Limits()
