"""The data that ``referee`` plants defects into, and how each set is seen."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from benchmarks.sets import source
from torch import Generator, Tensor, nn

import plausible
from plausible.core.space import Space
from plausible.data.glyphs import Glyphs
from plausible.data.load import from_arrays
from plausible.data.options import Options
from plausible.data.part import Data, Part
from plausible.data.split import merge_parts
from plausible.data.toys import toys
from plausible.evaluation.embedding import Embedding
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.metrics.memorisation import with_train_distances
from plausible.tasks.eyes import effects_of, eyes_of, power_of

MODES = 10
WHOLE, BINARY, CONSTANT = 16, 18, 19  # columns of the table; 16 and 17 hold whole numbers
_TRAIN = 3000  # training examples in a repetition, at most
_SHARE = 0.4  # of a small set that is its training part
_SPLITS = 6  # times n that a set holds of what nothing learned from, or all of it is split


@dataclass(frozen=True)
class Scene:
    """One repetition: disjoint random parts of real data.

    train, heldout  T and H.
    fresh           what samples are made of; no part knows it.
    n               of H, and of the samples where they are as many.
    rows            of T and H among all that is split, where the set is finite.
    Labels are there where they are known, also where the eyes are not told.
    """

    train: Part
    heldout: Part
    fresh: Part
    n: int
    rows: tuple[Tensor, Tensor] | None = None


Split = Callable[[int, int, Generator], Scene]
"""(n, fresh points where there are as many, generator) -> T, H and fresh points."""


@dataclass(frozen=True)
class Setting:
    """A data set as a user has it, from which the eyes are made, and how a repetition takes its parts.

    pool  all that is split, where that is finite.
    """

    data: Data
    split: Split
    pool: Part | None = None


@dataclass(frozen=True)
class Referee:
    """Whoever judges samples of one setting at one n: made once.

    pool   of the setting, as it is seen.
    power  {defect: how often its margin was found in these data}, as an evaluation has it.
    shown  {defect: how large a difference its margin makes in these data}, as a comparison has it.
    """

    setting: Setting
    embedding: Embedding
    pool: Embedded | None
    power: dict[str, float]
    shown: dict[str, float]

    def evalset(self, scene: Scene, samples: Part, seed: int) -> EvaluationSet:
        """T, H and samples as an evaluation sees them, with labels where a user has them."""
        eyes = self.embedding
        if scene.rows is None or self.pool is None:
            train, heldout = (
                eyes.embed(self._known(scene.train)),
                eyes.embed(self._known(scene.heldout)),
            )
        else:
            train, heldout = (self.pool[rows] for rows in scene.rows)
        if eyes.labelled:
            assert train.part.y is not None
            train = replace(train, modes=train.part.y)
        return with_train_distances(
            EvaluationSet(
                scene.train.space, train, heldout, eyes.embed(replace(samples, y=None)),
                eyes.names, eyes.labelled, eyes.extract, eyes.feature_description, seed=seed,
            )
        )  # fmt: skip

    def _known(self, part: Part) -> Part:
        return part if self.setting.data.space.classes else replace(part, y=None)


@cache
def setting(name: str) -> Setting:
    """Read once in a process.  Raises ``UsageError`` where the files are not here."""
    return SETTINGS[name]()


@cache
def referee(name: str, n: int) -> Referee:
    """Whoever judges samples of a set by name."""
    return referee_of(setting(name), n)


def referee_of(where: Setting, n: int) -> Referee:
    """The eyes that an evaluation would make, and what they see."""
    told = lambda stage, share: None  # noqa: E731
    eyes = eyes_of(where.data, n, "auto", 0, told)
    pool = None if where.pool is None else eyes.embedding.embed(where.pool)
    blind = Referee(where, eyes.embedding, pool, {}, {})
    scene = where.split(n, n, torch.Generator().manual_seed(0))
    # what is planted into must not lie in T, as it may where everything is split anew
    scene = replace(scene, train=where.data.train.rows(slice(0, _TRAIN)), rows=None)
    evalset = blind.evalset(scene, scene.fresh.rows(slice(0, n)), 0)
    planted = (where.data, evalset, eyes, told)
    return replace(blind, power=power_of(*planted), shown=effects_of(*planted))


def split_anew(data: Data, largest: int = 1000) -> Setting:
    """Of what no eyes learned from where that is much, otherwise of everything.

    H and fresh points are drawn alike in any case, so that real data are never accused for it.
    """
    pool = merge_parts(data.validation, data.heldout)
    if len(pool) < _TRAIN + _SPLITS / 2 * largest:
        pool = merge_parts(data.train, pool)

    def split(n: int, fresh: int, generator: Generator) -> Scene:
        order = torch.randperm(len(pool), generator=generator)
        few = min(_TRAIN, int(_SHARE * len(pool)))
        train, heldout, rest = order[:few], order[few : few + n], order[few + n : few + n + fresh]
        return Scene(*map(pool.rows, (train, heldout, rest)), n, (train, heldout))

    return Setting(data, split, pool)


def drawn_anew(draw: Callable[[int, Generator], Part]) -> Split:
    """Of a distribution that never runs out."""

    def split(n: int, fresh: int, generator: Generator) -> Scene:
        return Scene(*(draw(count, generator) for count in (_TRAIN, n, fresh)), n)

    return split


def table(n: int, generator: Generator) -> Part:
    """Ten modes in 16 dimensions, on which two whole numbers and a 0/1 depend, and a constant: (n, 20)."""
    fixed = torch.Generator().manual_seed(987_654_321)
    centres = 6 * nn.functional.normalize(torch.randn(MODES, WHOLE, generator=fixed), dim=1)
    rates, shares = 2 + 10 * torch.rand(MODES, 2, generator=fixed), torch.linspace(0.1, 0.9, MODES)
    y = torch.randint(MODES, (n,), generator=generator)
    columns = [
        centres[y] + torch.randn(n, WHOLE, generator=generator),
        torch.poisson(rates[y], generator=generator),
        (torch.rand(n, generator=generator) < shares[y]).float()[:, None],
        torch.ones(n, 1),
    ]
    return Part(torch.cat(columns, 1), y, Space((CONSTANT + 1,)))


def glyphs(n: int, generator: Generator, kind: Glyphs | None = None) -> Part:
    """Digits in colour, 32 x 32."""
    seed = int(torch.randint(2**31, (1,), generator=generator))
    x, factors = (kind or Glyphs()).sample(n, 32, 3, seed)
    return Part(x, factors.glyph, Space((3, 32, 32), 256, 10))


def ring(n: int, generator: Generator) -> Part:
    """Eight Gaussians on a circle."""
    toy = toys["ring"]()
    batch = toy.sample(n, generator)
    return Part(batch.x, batch.y, toy.space)


def _folder(name: str) -> Setting:
    """People's own pictures, which lie beside MNIST."""
    data = plausible.load(source(name), Options(size=32))
    return split_anew(data)


def _known(name: str, largest: int = 1000) -> Setting:
    return split_anew(plausible.load(name), largest)


def _of_sklearn(name: str) -> Setting:
    from sklearn import datasets

    found = getattr(datasets, f"load_{name}")()
    data = from_arrays(np.asarray(found.data), np.asarray(found.target), name=name)
    return split_anew(data)


def _drawn(source: str, draw: Callable[[int, Generator], Part]) -> Setting:
    return Setting(plausible.load(source), drawn_anew(draw))


def _table() -> Setting:
    x: Tensor = table(10_000, torch.Generator().manual_seed(0)).values
    return Setting(from_arrays(x, name="table"), drawn_anew(table))


SETTINGS: dict[str, Callable[[], Setting]] = {
    "tiles": lambda: _folder("tiles"),
    "signs": lambda: _folder("signs"),
    "fashion-mnist": lambda: _known("fashion-mnist", 3000),
    "glyphs": lambda: _drawn("glyphs", glyphs),
    "table": _table,
    "mnist": lambda: _known("mnist"),
    "digits": lambda: _known("digits"),
    "ring": lambda: _drawn("ring", ring),
    "iris": lambda: _of_sklearn("iris"),
    "wine": lambda: _of_sklearn("wine"),
    "breast cancer": lambda: _of_sklearn("breast_cancer"),
}
