"""trackio: a project on this machine, or wherever its own settings (TRACKIO_SPACE_ID) send it."""

import contextlib
import io
from importlib import import_module
from typing import ClassVar

from plausible.runs.mirrors.mirror import PROJECT, Mirrored, ProjectMirror, mirrors


@mirrors
class Trackio(ProjectMirror):
    """Its runs of the project "plausible"."""

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

    def close(self) -> None:
        """Nothing more comes."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._finish()
