"""Do samples have values that the data never have?"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Generator, Tensor
from torch.nn.functional import avg_pool1d

from plausible.core.errors import NotDefined
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.verdict.defect import (
    NullSummary,
    PreparedTest,
    defect,
    detectable_excess,
    detectable_rate,
)
from plausible.evaluation.verdict.planting import Planted, some_of

_NEW = 1 / 5000  # chance of a value not seen before, up to which a coordinate has few values
_TRAIN = 10_000  # training examples looked at, at most
_COORDINATES = 4096  # of an image, evenly spaced
_KEPT = 1024  # coordinates in which most points have another value
_FEW = 1 / 16  # of the greys of an image are few, and so are two
_VISIBLE = 1 / 64  # of the range of an image, from which a difference of grey is seen
_LEVELS = 256  # on a grid of at most as many across its range a coordinate is discrete
_STEPS = (1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.005, 0.001)
_FEWEST = 10  # training examples that can show a grid
_ROUNDING = 1e-6  # of the largest value, which float32 may add


def new_value(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """This share of the samples has, where T has fewest values, one in the widest gap between (or beside) them."""
    step = -(-points.space.dims // _COORDINATES)
    known = train.values.flatten(1)[:_TRAIN, ::step]  # (n, J)
    ordered = known.double().sort(0).values
    several = (ordered.diff(dim=0) > 0).sum(0)  # (J,), one less than the values
    place = int(several.argmin())
    column = ordered[:, place].unique()
    if points.space.levels:
        ends = column.new_tensor([-1.0, points.space.levels])
        column = torch.cat([ends[:1], column, ends[1:]])
    elif len(column) == 1:
        column = torch.cat([column, column + column.abs().clamp(min=1)])
    widest = int(column.diff().argmax())
    low, high = column[widest], column[widest + 1]
    value = ((low + high) / 2).item()
    if points.space.levels:
        value = {-1.0: 0.0, float(points.space.levels): points.space.levels - 1.0}.get(
            low.item() if low < 0 else high.item(), round(value)
        )
    values = points.values.flatten(1).clone()
    values[:, place * step] = value
    return some_of(replace(points, values=values.view_as(points.values)), effect)


@defect(
    "values",
    0.03,
    "{effect} of the samples have, in the same coordinate, a value that the data (nearly) never have there",
    "in no coordinate do {margin} of the samples have a value that the data never have there",
    plant=new_value,
)
def values(evalset: EvaluationSet) -> PreparedTest:
    """max_j P_G(x_j not in V_j) - P_H(x_j not in V_j) over coordinates j with few values, V_j those of T.

    A coordinate has few where a fresh draw is new with a chance of at most 1/5000, by the values that T has once
    (Good 1953), as in 0/1 and in what never varies; or where all of T are whole numbers, or steps of a grid of
    at most 256 across their range, of which V_j has all.  A pixel has few where T has at most a sixteenth of the greys
    there, and a grey is new where the difference can be seen, 1/64.
    """
    rows = torch.randperm(len(evalset.train), generator=evalset.generator())[:_TRAIN]
    train = evalset.train.part.rows(rows)
    parts = (evalset.samples.part, evalset.heldout.part)
    new = _new_codes(train, parts) if evalset.space.levels else _new_numbers(train, parts)
    columns = list(new)
    if not columns:
        raise NotDefined("every coordinate has too many different values for one to be new")
    other = torch.stack(columns, 1).float()  # (N, J)
    other = other[:, other.sum(0).topk(min(_KEPT, other.shape[1])).indices]

    def shares(weights: Tensor) -> Tensor:
        return weights @ other / weights.sum(1, keepdim=True)  # (B, J)

    base_rate = other[len(parts[0]) :].mean(0).max().item()

    def detectable(null: NullSummary) -> float:
        return max(detectable_rate(null, base_rate), detectable_excess(null))

    return PreparedTest(lambda labels: (shares(labels.g) - shares(labels.h)).amax(1), detectable)


def _new_codes(train: Part, parts: tuple[Part, ...]) -> Iterator[Tensor]:
    """For each coordinate with few values, whether each of the points has another one there: (N,) bool."""
    levels = train.space.levels
    assert levels is not None
    step = -(-train.space.dims // _COORDINATES)
    learned, asked = (
        torch.cat([part.values.flatten(1)[:, ::step].long() for part in some]).T  # (J, n)
        for some in ((train,), parts)
    )
    counts = torch.zeros(len(learned), levels)
    counts.scatter_add_(1, learned, torch.ones(1, 1).expand(learned.shape))  # (J, L)
    like = int(_VISIBLE * (levels - 1))  # greys on either side that look the same
    around = avg_pool1d(counts[:, None], 2 * like + 1, 1, like)[:, 0] * (2 * like + 1)
    several, once = (counts > 0).sum(1), ((counts == 1) & (around < 1.5)).sum(1)  # (J,)
    few = (several <= max(_FEW * levels, 2)) & (once <= _NEW * len(train))
    new = (around < 0.5)[few].gather(1, asked[few])  # (J', N)
    yield from new


def _new_numbers(train: Part, parts: tuple[Part, ...]) -> Iterator[Tensor]:
    """The same of vectors, where numbers that rounding alone tells apart are the same."""
    asked = torch.cat([part.values for part in parts]).double().T.contiguous()  # (D, N)
    for known, points in zip(train.values.double().T, asked, strict=True):
        error = _ROUNDING * known.abs().max().clamp(min=1e-30).item()
        ordered = known.sort().values  # (n,)
        apart = torch.cat([ordered.diff() > error, ordered.new_ones(1, dtype=torch.bool)])
        ends = apart.nonzero()[:, 0]  # of runs of equal numbers
        once = (ends.diff(prepend=ends.new_tensor([-1])) == 1).sum().item()
        if once <= _NEW * len(known):
            place = torch.searchsorted(ordered, points).clamp(max=len(ordered) - 1)
            below, above = ordered[(place - 1).clamp(min=0)], ordered[place]
            yield torch.minimum((points - below).abs(), (points - above).abs()) > error
        elif (step := _grid(known, error)) is not None:
            yield _off_grid(points, step, error)


def _grid(known: Tensor, error: float) -> float | None:
    """The largest step whose multiples all of these numbers are, None where they have none."""
    span = (known.max() - known.min()).item()
    for step in _STEPS if len(known) >= _FEWEST else ():
        resolved = error < step / 20
        if (
            resolved
            and (step == 1 or span <= _LEVELS * step)
            and not _off_grid(known, step, error).any()
        ):
            return step
    return None


def _off_grid(numbers: Tensor, step: float, error: float) -> Tensor:
    return (numbers - step * (numbers / step).round()).abs() > 2 * error
