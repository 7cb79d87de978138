"""Pictures of a training in the folder of its run, so that one sees it learn.

samples.png   samples from noise that stays the same, drawn anew every so often;
frames/       the same pictures by the number of rounds, at most 64 of them;
training.gif  those one after another, and training.png, the curves with the alarms: at the end.
"""

import time
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from plausible import figures
from plausible.core.device import seeded
from plausible.core.errors import NotDefined
from plausible.core.model import Generative
from plausible.core.space import Batch
from plausible.data.mark import Mark
from plausible.runs import Run
from plausible.runs.files import write
from plausible.runs.log import read_alarms, read_history
from plausible.runs.logger import unlogged_findings
from plausible.tasks.mark import mark_of
from plausible.training import Training

_SHARE = 0.02  # of the time that a training takes, for its pictures
_CREDIT = 1.0  # seconds that they may take before
_FRAMES = 64
_IMAGES, _POINTS = 64, 1000  # drawn without labels
_ROWS, _IN_ROW = 12, 8  # classes that are drawn, and images of each
_SECONDS = 10.0  # of the animation, at most ...
_PAUSE = 0.25  # ... and of a frame of it


class TrainingPictures:
    """The pictures of one training, which rank 0 draws; a model that draws no samples has only its curves.

    They change nothing of it, because their noise is their own, and cost at most 2% of its time (and a second).
    sampling_seconds  what one of the samples took at last; 0 before.
    drawn             the rounds after which samples.png was drawn at last; 0 before.
    """

    def __init__(self, run: Run, training: Training[Any]):
        self._run, self._training = run, training
        self._leads = training.world.leads
        self._spent, self._began = 0.0, time.perf_counter()
        self.drawn = 0
        self.sampling_seconds = 0.0

    @property
    def path(self) -> Path:
        """Where the picture is that is drawn anew all the time."""
        name = "samples.png" if isinstance(self._training.raw, Generative) else "training.png"
        return self._run.folder / name

    def draw(self, steps: int, *, always: bool = False) -> None:
        """samples.png and a frame after so many rounds, unless pictures have taken too long already."""
        model = self._training.averaged
        elapsed = time.perf_counter() - self._began
        late = self._spent > _CREDIT + _SHARE * elapsed
        if not self._leads or steps == self.drawn or (late and not always):
            return
        if not isinstance(model, Generative):
            return
        start = time.perf_counter()
        picture = self._picture(model, steps)
        if picture is not None:
            content = figures.png(picture, mark_of(model, 0))
            self._run.write("samples.png", content)
            self._keep_frame(steps, content)
            self.drawn = steps
        self._spent += time.perf_counter() - start

    def finish(self) -> None:
        """training.gif and training.png."""
        if not self._leads:
            return
        frames = self._frames()
        if len(frames) > 1:
            shown = [Image.open(path).convert("RGB") for path in frames]
            shown = [frame for frame in shown if frame.size == shown[-1].size]
            shown += shown[-1:] * (len(shown) // 4)  # the end is looked at for longer
            seconds = min(_PAUSE, _SECONDS / len(shown))
            self._run.write(
                "training.gif", figures.gif(shown, seconds, back=False, mark=self._mark())
            )
        path = self._run.folder / "log.jsonl"
        failed = [
            (float(finding.evidence["step"]), finding.phenomenon)
            for finding in unlogged_findings(self._run)
            if "step" in finding.evidence
        ]
        curves = figures.learning_curves(read_history(path), [*read_alarms(path), *failed])
        if curves is not None:
            self._run.write("training.png", figures.png(curves))

    def _picture(self, model: Generative, steps: int) -> figures.Picture | None:
        """Samples as they are now; None where they are not finite, or not defined yet."""
        start = time.perf_counter()
        try:
            drawn = draw_samples(model)
        except NotDefined:
            return None
        self.sampling_seconds = (time.perf_counter() - start) / len(drawn)
        if not drawn.x.isfinite().all():
            return None
        title = f"{len(drawn):,} samples after {steps:,} round{'s' * (steps != 1)}"
        return samples_picture(model, drawn, self._training.data, title)

    def _mark(self) -> Mark | None:
        """Of images; what has axes is not marked."""
        model = self._training.averaged
        return mark_of(model, 0) if model.space.is_image else None

    def _frames(self) -> list[Path]:
        """Those that are kept, in the order of their rounds."""
        return sorted((self._run.folder / "frames").glob("[0-9]*.png"))

    def _keep_frame(self, steps: int, content: bytes) -> None:
        """One more; where there are too many, the one goes that stands closest between two others."""
        folder = self._run.folder / "frames"
        folder.mkdir(exist_ok=True)
        write(folder / f"{steps:08}.png", content)
        for path in self._frames():
            if int(path.stem) > steps:  # of rounds that were taken back
                path.unlink()
        frames = self._frames()
        if len(frames) > _FRAMES:
            at = [int(path.stem) for path in frames]
            closest = min(range(1, len(at) - 1), key=lambda i: at[i + 1] - at[i - 1])
            frames[closest].unlink()


def draw_samples(model: Generative, n: int | None = None, *, seed: int = 0) -> Batch:
    """n samples for a picture, always of the same noise: by default 64 images or 1,000 points.

    Of a conditional model as many of each of its first 12 classes, in their order.
    """
    classes = min(model.space.classes, _ROWS) if model.conditional else 0
    images = _IN_ROW * classes or _IMAGES
    n = n or (images if model.space.is_image else _POINTS)
    y = torch.arange(n) * classes // n if classes else None  # (n,)
    with seeded(seed, model.offset.device):  # for whatever draws from the default generator
        generator = torch.Generator().manual_seed(seed)
        return model.sample(n, y, generator=generator)


def samples_picture(
    model: Generative, drawn: Batch, data: Any, title: str, patient: bool = False
) -> figures.Picture:
    """Samples of a model: images by class, or vectors over the held-out data, under a title.

    patient  draw a density that takes seconds below points of the plane, too.
    """
    images = model.space.is_image
    if images and model.conditional and model.space.classes > _ROWS:
        title += f", of {_ROWS} of {model.space.classes} classes"
    return figures.picture(
        model.space,
        drawn.x,
        None if images else data.heldout.as_batch().x,
        y=drawn.y,
        names=data.class_names,
        columns=data.columns,
        model=model,
        title=title,
        patient=patient,
    )
