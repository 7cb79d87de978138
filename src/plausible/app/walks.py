"""Walks of a trained model: between picks of its z, along the principal directions of it, and by its Markov chain."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from plausible import figures
from plausible.app.controls import ANY
from plausible.app.pictures import as_image, points, row, temporary
from plausible.app.workplace import Workplace
from plausible.core.capabilities import Latent
from plausible.core.errors import UsageError
from plausible.tasks import (
    Trained,
    directions,
    latent_draws,
    latent_point,
    sample_chain,
    walk_between_draws,
)
from plausible.tasks.directions import BOUNDS, Explored
from plausible.tasks.mark import mark_of

PICKS, SLIDERS = 16, 6
REACH = 3.0
"""Standard deviations that a slider goes to either side."""
MOST_STEPS = 200
"""Of a chain that is watched."""
_COLUMNS, _DRAWS = 9, 32  # of what each direction does; of z over which they are found
_KEPT = 8  # directions of models that are kept


@dataclass(frozen=True)
class Place:
    """Where in z a walk begins: under which label and seed, and at which of the draws, counted from 1."""

    label: str = ANY
    seed: float | None = 0
    pick: float = 1

    @property
    def draws(self) -> dict[str, Any]:
        """As arguments of the tasks."""
        label = None if self.label == ANY else self.label
        return {"n": PICKS, "label": label, "seed": int(self.seed or 0)}

    @property
    def index(self) -> int:
        """The pick, counted from 0."""
        return int(self.pick) - 1


class Walks:
    """Walks through the z of the runs of a workplace; directions that were found are kept."""

    def __init__(self, work: Workplace):
        self._work = work
        self._found: OrderedDict[tuple[Trained, str], Explored] = OrderedDict()

    def picks(self, name: str | None, place: Place) -> list[tuple[Image.Image, str]]:
        """Images to pick from, each with its number."""
        return self.gallery(self._work.open(name), place)

    def gallery(self, trained: Trained, place: Place) -> list[tuple[Image.Image, str]]:
        """The same of a model that is open; vectors are not picked by how they look."""
        if not trained.model.space.is_image:
            return []
        drawn = latent_draws(trained, **place.draws)
        mark = mark_of(trained, int(place.seed or 0))
        tiles = [row(trained, drawn.x[k : k + 1], mark=mark) for k in range(PICKS)]
        return [(tile, str(k)) for k, tile in enumerate(tiles, 1)]

    def between(self, name: str | None, place: Place, last: float) -> Image.Image:
        """The way from one pick to another."""
        trained = self._work.open(name)
        x = walk_between_draws(trained, place.index, int(last) - 1, columns=16, **place.draws)
        return row(
            trained, x, "the way from one draw to the other", mark_of(trained, int(place.seed or 0))
        )

    def explored(
        self, name: str | None, label: str, progress: Any = lambda share: None
    ) -> Explored:
        """The principal directions of z, for one label or for all."""
        trained = self._work.open(name)
        key = trained, label
        if key not in self._found:
            self._found[key] = directions(
                trained,
                min(SLIDERS, size_of_z(trained)),
                _COLUMNS,
                None if label == ANY else label,
                draws=_DRAWS,
                progress=progress,
            )
        while len(self._found) > _KEPT:
            self._found.popitem(last=False)
        return self._found[key]

    def strips(
        self, name: str | None, label: str, progress: Any = lambda share: None
    ) -> Image.Image:
        """What each direction does by itself, and what truncation does."""
        trained, found = self._work.open(name), self.explored(name, label, progress)
        bounds = ["no bound" if bound is None else f"truncation {bound:g}" for bound in BOUNDS]
        shares = found.directions.shares.tolist()
        return as_image(
            figures.directions(trained.model.space, found.x, shares, found.truncation, bounds),
            mark_of(trained, 0),
        )

    def here(self, name: str | None, place: Place, amounts: list[float]) -> Image.Image:
        """x where the sliders stand, one a direction."""
        trained, found = self._work.open(name), self.explored(name, place.label)
        vectors = found.directions.vectors
        moves = amounts[: len(vectors)]  # a slider that is hidden stands for no direction
        x = latent_point(trained, vectors, moves, place.index, **place.draws)
        return row(trained, x, "where the sliders stand", mark_of(trained, int(place.seed or 0)))


def chain(
    work: Workplace, name: str | None, n: int, steps: int, seed: float | None, label: str
) -> str:
    """The walk of n chains as an animation: the path of a file."""
    n, steps = int(n), int(steps)
    if not 1 <= n <= work.limits.max_samples or not 1 <= steps <= MOST_STEPS:
        most = work.limits.max_samples
        raise UsageError(f"ask for 1 to {most} chains (--max-samples) of 1 to {MOST_STEPS} steps")
    trained = work.open(name)
    states = sample_chain(trained, n, steps, None if label == ANY else label, seed=int(seed or 0))
    frames = [points(trained, x).convert("RGB") for x in states]
    return temporary(
        figures.gif(frames, back=False, mark=mark_of(trained, int(seed or 0))), "walk.gif"
    )


def size_of_z(trained: Trained) -> int:
    """How many coordinates the z of a model has; UsageError without one."""
    if not isinstance(trained.model, Latent):
        raise UsageError(f"{trained.described}, which has no latent z to walk in")
    return trained.model.latent(1, torch.Generator().manual_seed(0)).shape[1]
