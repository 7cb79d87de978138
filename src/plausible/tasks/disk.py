"""What is written while a training goes on: a disk that is full stops no training, and is said once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from plausible.core.finding import Finding, Severity

NOT_SAVED = "not saved"


class Disk:
    """Writes that may fail: the first failure is reported, and the first that works again.

    on_finding  called with both.
    """

    def __init__(self, on_finding: Callable[[Finding], None]):
        self._on_finding, self._failing = on_finding, False

    @contextmanager
    def tolerated(self, *, tried: bool = False) -> Iterator[None]:
        """What is written inside may fail; ``tried`` where it is the save, whose success says that all is well again."""
        try:
            yield
        except OSError as error:
            if not self._failing:
                claim = f"{reason(error)}: the training goes on, and is saved again as soon as there is room"
                self._on_finding(Finding(NOT_SAVED, Severity.WARNING, claim))
            self._failing = True
        else:
            if tried and self._failing:
                self._failing = False
                self._on_finding(Finding(NOT_SAVED, Severity.NOTE, "the training is saved again"))


def reason(error: OSError) -> str:
    """Which file, and what is wrong with it: "runs/a/state.pt cannot be written (No space left on device)"."""
    what = f"{error.filename} cannot be written" if error.filename else "a file cannot be written"
    return f"{what} ({error.strerror or error})"
