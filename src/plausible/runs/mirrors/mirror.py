"""A mirror shows the log of a training somewhere else: what it must offer, and the registry of those there are."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from plausible.core.errors import UsageError
from plausible.core.registry import Registry

mirrors: Registry[type["Mirror"]] = Registry("mirror")
"""Every place that a log can be mirrored to, by name."""

PROJECT = "plausible"
"""Under which name mirrors gather runs, where they gather them."""


@dataclass(frozen=True)
class Mirrored:
    """The run that is shown.

    folder  its folder.
    name    the name that it has there, which no other run has.
    config  what its config.json holds.
    began   when its training would have begun if it had not been interrupted, in seconds since 1970.
    """

    folder: Path
    name: str
    config: Mapping[str, Any]
    began: float


class Mirror(ABC):
    """One place where a log is shown; whatever it raises ends the mirror and not the training.

    package  what must be installed.
    install  how that is done.
    first    the first round that it does not know yet, when it is opened.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    install: ClassVar[str]
    first: int = 0

    @abstractmethod
    def __init__(self, run: Mirrored):
        """Open it for a run that may be known there already."""

    @property
    @abstractmethod
    def where(self) -> str:
        """How one looks at it, in words."""

    @abstractmethod
    def line(self, step: int, numbers: Mapping[str, float], seconds: float) -> None:
        """Numbers of a round by name, after so many seconds of training."""

    @abstractmethod
    def picture(self, step: int, path: Path, seconds: float) -> None:
        """Samples drawn after a round, as a PNG."""

    def settle(self) -> None:  # noqa: B027  # most have nothing to do
        """Have all that was said where it is read."""

    @abstractmethod
    def close(self) -> None:
        """Nothing more will be said by this process."""


class ProjectMirror(Mirror):
    """A run of the project "plausible" of a tracker whose runs take ``log({name: value}, step)``.

    What the tracker knows already is not said again.
    """

    _run: Any
    _image: Callable[[str], Any]
    """What makes a picture of a path."""

    def line(self, step: int, numbers: Mapping[str, float], seconds: float) -> None:
        """Numbers of a round."""
        self._run.log(dict(numbers), step=step)

    def picture(self, step: int, path: Path, seconds: float) -> None:
        """Samples after a round."""
        self._run.log({"samples": self._image(str(path))}, step=step)


def check_mirrors(names: Sequence[str]) -> None:
    """UsageError for a mirror that there is not, or whose package is not installed, with those that are."""
    for name in names:
        kind = mirrors[name]
        if find_spec(kind.package) is None:
            there = [each for each, other in mirrors.items() if find_spec(other.package)]
            others = f"; installed for it here: {', '.join(there)}" if there else ""
            raise UsageError(
                f"--log-to {name} needs {kind.package}, which is not installed: {kind.install}{others}"
            )
