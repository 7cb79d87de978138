"""Defects as large as a person sees at once, and which tests name them rightly; ``referee`` plants them.

What is as large as a margin is planted by the generator that stands beside its test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from benchmarks.referee_data import BINARY, CONSTANT, WHOLE, Scene, glyphs
from torch import Generator, Tensor
from torch.nn.functional import pad

from plausible.data.glyphs import FONTS, INKS, Glyphs
from plausible.data.part import Part
from plausible.evaluation.saved_again import saved_again
from plausible.evaluation.verdict.blur import blurred
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.planting import (
    everywhere,
    left_out,
    sampled,
    some_of,
    with_x,
)

REAL = "real data"
MARGIN = "margin: "
_MORE = 6  # times as many fresh points where samples are left out

Make = Callable[[Scene, Generator], Part]
"""(real data, generator) -> samples, at most as many as fresh points."""


@dataclass(frozen=True)
class Case:
    """A defect.

    right  the tests that name it rightly: one of them has to.
    make   makes the samples.
    kinds  of data that can have it: "grey", "colour", "vectors", "glyphs".
    more   times n fresh points are needed.
    """

    right: frozenset[str]
    make: Make
    kinds: frozenset[str]
    more: int = 1


IMAGES, EVERY = ("grey", "colour", "glyphs"), ("grey", "colour", "glyphs", "vectors")
COLOUR, VECTORS, DRAWN = ("colour", "glyphs"), ("vectors",), ("glyphs",)
CASES: dict[str, Case] = {
    REAL: Case(frozenset(), lambda scene, generator: scene.fresh, frozenset(EVERY))
}
"""{what is planted: how}, the real data first."""


def case(
    name: str, *right: str, kinds: tuple[str, ...] = IMAGES, more: int = 1
) -> Callable[[Make], Make]:
    """Register a way to make samples."""

    def register(make: Make) -> Make:
        CASES[name] = Case(frozenset(right), make, frozenset(kinds), more)
        return make

    return register


def _planted(defect: str, effect: float, scene: Scene, generator: Generator) -> Part:
    """By the generator beside the test; copies of held-out data are of H."""
    plant = defects[defect].plant
    assert plant is not None
    real = scene.heldout if defect == "held-out copies" else scene.fresh
    planted = plant(real, scene.train, effect, generator)
    return sampled(planted, scene.fresh, generator)


def _changed(
    share: float, change: Callable[[Tensor], Tensor], scene: Scene, generator: Generator
) -> Part:
    """This share of the samples is changed: x (N, *shape) -> (N, *shape)."""
    fresh = scene.fresh
    return sampled(some_of(with_x(fresh, change(fresh.as_batch().x)), share), fresh, generator)


def _copied(
    share: float, change: Callable[[Tensor], Tensor], scene: Scene, generator: Generator
) -> Part:
    """This share of the samples are training examples, changed."""
    rows = torch.randint(len(scene.train), (len(scene.fresh),), generator=generator)
    return _changed(share, lambda _: change(scene.train.batch(rows).x), scene, generator)


def _kept(chance: Tensor, scene: Scene, generator: Generator) -> Part:
    """Each fresh point stays with its chance (N,)."""
    return sampled(left_out(scene.fresh, chance[None]), scene.fresh, generator)


def _tenths(y: Tensor, count: int, generator: Generator) -> Tensor:
    """Classes that hold between a twentieth and a fifth, at random; those nearest to a tenth where none does."""
    shares = torch.bincount(y) / len(y)
    near = ((shares >= 0.05) & (shares <= 0.2)).nonzero()[:, 0]
    if len(near) < count:
        near = (shares - 0.1).abs().argsort()[:count]
    return near[torch.randperm(len(near), generator=generator)[:count]]


AT_ONCE = frozenset({
    "one of ten classes dropped", "one sample is 5% of all", "5% garbage", "blur of 1 pixel", "noise of 0.05",
    "checkerboard of 16/255", "grid of period 4", "20% darker", "contrast x 1.3", "contrast x 0.7", "30% in other colours",
    "30% with quarters in another order", "30% with pixels of twice the size", "30% halves of two images",
    "5% with 0.5 where 0 or 1 is", "fractions where whole numbers are", "a constant that varies", "independent coordinates",
})  # fmt: skip
"""What a person sees in a sheet of 64 samples beside 64 real ones, or in 64 rows of a table, without counting.

``python -m benchmarks.referee --sheet "30% in other colours" --settings tiles`` draws such sheets.
"""

UNSEEN = frozenset({("tiles", "contrast x 1.3"), ("tiles", "30% in other colours")})
"""(data, defect) of these that nobody sees there: most pixels of sprites are black or white already, so that their
contrast rises by a third of that (--sheet says by how much), and they have all colours, so that others look as right."""

# --- which points there are


@case("one of ten classes dropped", "missing modes", kinds=EVERY, more=2)
def a_class_dropped(scene: Scene, generator: Generator) -> Part:
    dropped = _tenths(scene.fresh.y, 1, generator)
    return _kept((~torch.isin(scene.fresh.y, dropped)).float(), scene, generator)


@case("half of each class lost", "missing modes", "uneven modes", kinds=EVERY, more=3)
def half_of_each_class(scene: Scene, generator: Generator) -> Part:
    """One side of the first principal axis of each class."""
    fresh, kept = scene.fresh, torch.ones(len(scene.fresh))
    x = fresh.as_batch().x.flatten(1)
    for k in fresh.y.unique():
        mine = (fresh.y == k).nonzero()[:, 0]
        around = x[mine] - x[mine].mean(0)
        side = torch.pca_lowrank(around, q=min(4, *around.shape), center=False)[0][:, 0]
        kept[mine[side > side.median()]] = 0
    return _kept(kept, scene, generator)


@case("two of ten classes at half their share", "uneven modes", kinds=EVERY, more=2)
def two_at_half(scene: Scene, generator: Generator) -> Part:
    fewer = torch.isin(scene.fresh.y, _tenths(scene.fresh.y, 2, generator))
    return _kept(torch.where(fewer, 0.5, 1.0), scene, generator)


case("spread x 0.85", "too narrow", kinds=EVERY, more=_MORE)(partial(_planted, "too narrow", 0.15))
case("spread x 1.15", "too wide", kinds=EVERY, more=_MORE)(partial(_planted, "too wide", 0.15))


@case("one mode a point", "one mode a point", "duplicates", kinds=EVERY)
def one_mode_a_point(scene: Scene, generator: Generator) -> Part:
    """A class is its most typical example."""
    fresh = scene.fresh
    mine = torch.isin(fresh.y, _tenths(fresh.y, 1, generator))
    x = fresh.as_batch().x.flatten(1)
    away = (x - x[mine].mean(0)).norm(dim=1).masked_fill(~mine, torch.inf)
    rows = torch.where(mine, away.argmin(), torch.arange(len(fresh)))
    return fresh.rows(rows)


@case("one sample is 5% of all", "duplicates", kinds=EVERY)
def one_sample(scene: Scene, generator: Generator) -> Part:
    again = scene.fresh.rows(torch.zeros(len(scene.fresh), dtype=torch.int64))
    return sampled(some_of(again, 0.05), scene.fresh, generator)


def _again_under_noise(noise: float, scene: Scene, generator: Generator) -> Part:
    again = scene.fresh.rows(torch.zeros(len(scene.fresh), dtype=torch.int64))
    x = again.as_batch().x
    again = with_x(again, x + noise * torch.randn(x.shape, generator=generator))
    return sampled(some_of(again, 0.05), scene.fresh, generator)


for _level in (8, 16):
    case(f"one sample is 5%, under noise of {_level}/255", "duplicates")(
        partial(_again_under_noise, _level / 255)
    )


@case("every sample twice", "duplicates", kinds=EVERY)
def twice(scene: Scene, generator: Generator) -> Part:
    return scene.fresh.rows(torch.arange(scene.n) // 2)


# --- what was seen before

_UNCHANGED: Callable[[Tensor], Tensor] = lambda x: x  # noqa: E731
case("20% exact copies", "copies", kinds=EVERY)(partial(_copied, 0.2, _UNCHANGED))
case("10% training images mirrored", "copies")(partial(_copied, 0.1, lambda x: x.flip(3)))


@case("10% training images moved by a pixel", "copies")
def moved(scene: Scene, generator: Generator) -> Part:
    def change(x: Tensor) -> Tensor:
        return pad(x, (1, 0, 0, 0), mode="replicate")[..., :-1]

    return _copied(0.1, change, scene, generator)


case("10% training images saved as JPEG", "copies")(partial(_copied, 0.1, saved_again))


@case("the held-out file as samples", "held-out copies", kinds=EVERY)
def heldout_itself(scene: Scene, generator: Generator) -> Part:
    return scene.heldout.rows(torch.randperm(len(scene.heldout), generator=generator))


# --- what points look like

case("5% garbage", "garbage", kinds=EVERY)(partial(_planted, "garbage", 0.05))


def everywhere_as(
    name: str, *right: str
) -> Callable[[Callable[[Tensor, Generator], Tensor]], None]:
    """Register a change of every image: x (N, C, H, W) -> (N, C, H, W)."""

    def register(change: Callable[[Tensor, Generator], Tensor]) -> None:
        def make(scene: Scene, generator: Generator) -> Part:
            changed = with_x(scene.fresh, change(scene.fresh.as_batch().x, generator))
            return sampled(everywhere(changed), scene.fresh, generator)

        case(name, *right)(make)

    return register


def _board(x: Tensor) -> Tensor:
    height, width = x.shape[2:]
    return (torch.arange(height)[:, None] + torch.arange(width)) % 2 * 2.0 - 1  # (H, W)


def _lines(x: Tensor) -> Tensor:
    height, width = (torch.arange(side) % 4 == 0 for side in x.shape[2:])
    return (height[:, None] | width).float()  # (H, W)


def _contrast(x: Tensor, factor: float) -> Tensor:
    """About the mean of each image."""
    middle = x.mean((1, 2, 3), keepdim=True)
    return middle + factor * (x - middle)


everywhere_as("blur of 1 pixel", "blur or noise")(lambda x, _: blurred(x, 1.0))
everywhere_as("blur of 0.36 pixels", "blur or noise")(lambda x, _: blurred(x, 0.36))
everywhere_as("noise of 0.05", "blur or noise")(
    lambda x, generator: x + 0.05 * torch.randn(x.shape, generator=generator)
)
everywhere_as("checkerboard of 4/255", "regular pattern")(lambda x, _: x + 4 / 255 * _board(x))
everywhere_as("checkerboard of 16/255", "regular pattern")(lambda x, _: x + 16 / 255 * _board(x))
everywhere_as("grid of period 4", "regular pattern")(lambda x, _: x + 16 / 255 * _lines(x))
everywhere_as("20% darker", "brightness or contrast")(lambda x, _: 0.8 * x)
everywhere_as("10% darker", "brightness or contrast")(lambda x, _: 0.9 * x)
everywhere_as("contrast x 1.3", "brightness or contrast")(lambda x, _: _contrast(x, 1.3))
everywhere_as("contrast x 0.7", "brightness or contrast")(lambda x, _: _contrast(x, 0.7))
case("30% in other colours", "colour", kinds=COLOUR)(partial(_planted, "colour", 0.3))
case("30% with quarters in another order", "shape")(partial(_planted, "shape", 0.3))
case("30% with pixels of twice the size", "texture")(partial(_planted, "texture", 0.3))
case("30% halves of two images", "anything else", "shape")(partial(_planted, "anything else", 0.3))


# --- tables


def _column(place: int, share: float, change: Callable[[Tensor, Generator], Tensor], scene: Scene, generator: Generator) -> Part:  # fmt: skip
    def changed(x: Tensor) -> Tensor:
        x = x.clone()
        x[:, place] = change(x[:, place], generator)
        return x

    return _changed(share, changed, scene, generator)


case("5% with 0.5 where 0 or 1 is", "values", kinds=VECTORS)(
    partial(_column, BINARY, 0.05, lambda x, _: torch.full_like(x, 0.5))
)
case("fractions where whole numbers are", "values", kinds=VECTORS)(
    partial(_column, WHOLE, 1.0, lambda x, generator: x + torch.rand(x.shape, generator=generator) - 0.5)
)  # fmt: skip
case("a constant that varies", "values", kinds=VECTORS)(
    partial(_column, CONSTANT, 1.0, lambda x, generator: x + 0.1 * torch.randn(x.shape, generator=generator))
)  # fmt: skip


@case("independent coordinates", "anything else", "garbage", kinds=VECTORS)
def independent(scene: Scene, generator: Generator) -> Part:
    x = scene.fresh.as_batch().x
    orders = (torch.randperm(len(x), generator=generator) for _ in x.T)
    columns = [column[order] for column, order in zip(x.T, orders, strict=True)]
    return with_x(scene.fresh, torch.stack(columns, 1))


# --- factors of glyphs


def _drawn(kind: Glyphs, scene: Scene, generator: Generator) -> Part:
    return glyphs(scene.n, generator, kind)


def _shares(count: int, first: float) -> tuple[float, ...]:
    return (first, *[1.0] * (count - 1))


case("a font missing", "missing modes", "uneven modes", "shape", "anything else", kinds=DRAWN)(
    partial(_drawn, Glyphs(fonts=_shares(len(FONTS), 0)))
)
case("half the slant", "too narrow", "shape", "anything else", kinds=DRAWN)(
    partial(_drawn, Glyphs(slant=Glyphs.slant / 2))
)
case("one ink at half its share", "uneven modes", "colour", "anything else", kinds=DRAWN)(
    partial(_drawn, Glyphs(inks=_shares(len(INKS), 0.5)))
)
case("one font a glyph", "missing modes", "uneven modes", "shape", "anything else", kinds=DRAWN)(
    partial(_drawn, Glyphs(font_of_glyph=True))
)


# --- the margins

_LEFT_OUT = {"missing modes": 2, "uneven modes": 2, "too narrow": _MORE, "too wide": _MORE}
_OF_IMAGES = ("brightness or contrast", "blur or noise", "regular pattern")
for _name, _defect in defects.items():
    if _defect.plant is not None and _defect.aspect is None:  # a critic's would take long
        _kinds = IMAGES if _name in _OF_IMAGES else EVERY
        case(f"{MARGIN}{_name}", _name, kinds=_kinds, more=_LEFT_OUT.get(_name, 1))(
            partial(_planted, _name, _defect.margin)
        )
