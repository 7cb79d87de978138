"""TensorBoard: event files in the folder of the run, written anew from the log whenever a training goes on."""

import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from plausible.runs.mirrors.mirror import Mirror, Mirrored, mirrors

FOLDER = "tensorboard"
"""Of the event files, in the run."""


@mirrors
class TensorBoard(Mirror):
    """Event files, which are what the log is and nothing else: those of an earlier session go when theirs are written."""

    name: ClassVar[str] = "tensorboard"
    package: ClassVar[str] = "tensorboardX"
    install: ClassVar[str] = "pip install 'plausible[log]'"

    def __init__(self, run: Mirrored):
        folder = run.folder / FOLDER
        folder.mkdir(exist_ok=True)
        self._folder, self._began = folder, run.began
        self._before = list(folder.glob("*tfevents*"))
        self._summary = import_module("tensorboardX.summary")
        self._event: Any = import_module("tensorboardX.proto.event_pb2").Event
        # not its SummaryWriter, whose thread dies of a full disk unheard, and then whoever writes waits for ever
        writer = import_module("tensorboardX.event_file_writer").EventsWriter
        own = f".{time.time_ns()}"  # or two of one second have one name
        self._writer = writer(str(folder / "events"), own)

    @property
    def where(self) -> str:
        """How one looks at it."""
        return f"tensorboard --logdir {self._folder}"

    def line(self, step: int, numbers: Mapping[str, float], seconds: float) -> None:
        """Numbers of a round."""
        for name, value in numbers.items():
            self._write(self._summary.scalar(name, value), step, seconds)

    def picture(self, step: int, path: Path, seconds: float) -> None:
        """Samples after a round."""
        pixels = np.asarray(Image.open(path).convert("RGB"))  # (h, w, 3)
        self._write(self._summary.image("samples", pixels, dataformats="HWC"), step, seconds)

    def settle(self) -> None:
        """Written, and in the place of the files of earlier sessions."""
        self._writer.flush()
        for path in self._before:
            path.unlink(missing_ok=True)
        self._before = []

    def close(self) -> None:
        """Nothing more comes."""
        self.settle()
        self._writer.close()

    def _write(self, summary: Any, step: int, seconds: float) -> None:
        event = self._event(summary=summary, step=step, wall_time=self._began + seconds)
        self._writer.write_event(event)
