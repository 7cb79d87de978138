"""Draw samples: of a class, typical or varied, by more or fewer steps, as far as the model knows of such."""

from dataclasses import dataclass
from typing import Any

from PIL import Image

from plausible.app.controls import ANY
from plausible.app.pictures import points, temporary
from plausible.app.workplace import Workplace
from plausible.core.errors import UsageError
from plausible.tasks import sample, save_samples, weights_used
from plausible.tasks.mark import mark_of


@dataclass(frozen=True)
class Draw:
    """What is asked for: as the arguments of ``tasks.sample``, where None is what the model does by itself."""

    n: int = 64
    seed: float | None = 0
    label: str = ANY
    truncated: bool = False
    truncation: float = 1.0
    mean: bool = False
    steps: float | None = None
    solver: str | None = None
    guidance: float | None = None
    weights: Any = "best"


@dataclass(frozen=True)
class Drawn:
    """Samples as a picture and as a file of arrays or a table, and sentences about them."""

    picture: Image.Image
    file: str
    notes: tuple[str, ...]


def draw(work: Workplace, name: str | None, asked: Draw) -> Drawn:
    """Samples of a run; UsageError for more than the page may ask for, or what the model cannot do."""
    n = int(asked.n)
    if not 1 <= n <= work.limits.max_samples:
        raise UsageError(f"ask for 1 to {work.limits.max_samples} samples (--max-samples), not {n}")
    trained = work.open(name)
    batch = sample(
        trained,
        n,
        None if asked.label == ANY else asked.label,
        truncation=asked.truncation if asked.truncated else None,
        mean=asked.mean,
        sampling_steps=None if asked.steps is None else int(asked.steps),
        solver=asked.solver or None,
        guidance=asked.guidance,
        weights=asked.weights,
        seed=int(asked.seed or 0),
    )
    space = trained.model.space
    file = temporary(b"", "samples.npz" if space.is_image else "samples.csv")
    save_samples(batch, space, file, trained)
    which = weights_used(trained, asked.weights)
    return Drawn(
        points(trained, batch.x, batch.y, mark=mark_of(trained, int(asked.seed or 0))),
        file,
        _notes(which, asked),
    )


def _notes(which: str, asked: Draw) -> tuple[str, ...]:
    """Which weights drew, and where the draws are none of p(x)."""
    notes = [f"by {which}"] if which else []
    if asked.truncated:
        notes.append("truncated samples are no draws of p(x): they are more typical, and vary less")
    if asked.mean:
        notes.append("means are no draws of p(x): the noise of p(x | z) is left out")
    if asked.guidance not in (None, 1):
        notes.append(
            "guided samples are no draws of p(x | y): they are more typical, and vary less"
        )
    return tuple(notes)
