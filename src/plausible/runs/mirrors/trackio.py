"""trackio: a project on this machine, or wherever its own settings (TRACKIO_SPACE_ID) send it."""

import contextlib
import io
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import ClassVar

from plausible.runs.mirrors.mirror import PROJECT, Mirror, Mirrored, mirrors


@mirrors
class Trackio(Mirror):
    """A run of the project "plausible"; what it knows already is not said again."""

    name: ClassVar[str] = "trackio"
    package: ClassVar[str] = "trackio"
    install: ClassVar[str] = "pip install trackio"

    def __init__(self, run: Mirrored):
        trackio = import_module("trackio")
        self._image, self._finish = trackio.Image, trackio.finish
        with contextlib.redirect_stdout(io.StringIO()):  # it prints how to look at it, each time
            self._run = trackio.init(
                PROJECT, run.name, config=dict(run.config), resume="allow", embed=False,
                auto_log_cpu=False, auto_log_gpu=False,
            )  # fmt: skip
        self.first = self._run._next_step

    @property
    def where(self) -> str:
        """How one looks at it."""
        return f"trackio show --project {PROJECT}"

    def line(self, step: int, numbers: Mapping[str, float], seconds: float) -> None:
        """Numbers of a round."""
        self._run.log(dict(numbers), step=step)

    def picture(self, step: int, path: Path, seconds: float) -> None:
        """Samples after a round."""
        self._run.log({"samples": self._image(path)}, step=step)

    def close(self) -> None:
        """Nothing more comes."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._finish()
