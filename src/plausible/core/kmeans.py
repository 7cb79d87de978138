"""k-means: first centres far from each other, and the rounds that move them.

Sources: Arthur and Vassilvitskii 2007, doi:10.5555/1283383.1283494 (k-means++); Lloyd 1982,
doi:10.1109/TIT.1982.1056489.
"""

import torch
from torch import Generator, Tensor

from plausible.core.distances import Form, squared_distances


def kmeans_plus_plus(
    points: Tensor,
    count: int,
    generator: Generator,
    *,
    first: int | None = None,
    floor: float = 0.0,
    form: Form = "cdist",
) -> Tensor:
    """``count`` of the points (N, d), each next one drawn in proportion to its squared distance.

    To the nearest of those drawn before.  Fewer where there are fewer different points.

    first  the row of the first one; None draws it.
    floor  added to every squared distance: with more than 0 a point may be drawn again, so that
           ``count`` are found in any case.
    form   of the squared distances.
    """
    if first is None:
        first = int(torch.randint(len(points), (1,), generator=generator))
    rows = [first]
    nearest = squared_distances(points, points[rows], form)[:, 0]  # (N,)
    for _ in range(count - 1):
        chances = nearest.cpu() + floor
        if chances.sum() <= 0:
            break  # fewer different points than centres
        rows.append(int(torch.multinomial(chances, 1, generator=generator)))
        newest = squared_distances(points, points[rows[-1:]], form)[:, 0]
        nearest = torch.minimum(nearest, newest)
    return points[rows]  # (count, d)


def lloyd(points: Tensor, centres: Tensor, rounds: int, form: Form = "cdist") -> Tensor:
    """Each centre (K, d) moved to the mean of the points (N, d) nearest to it, until none moves.

    At most so many rounds; a centre that is nearest to no point stays where it is.
    """
    for _ in range(rounds):
        mine = squared_distances(points, centres, form).argmin(1)  # (N, K) -> (N,)
        total = torch.zeros_like(centres).index_add_(0, mine, points)
        number = torch.bincount(mine, minlength=len(centres))[:, None]  # (K, 1)
        moved = torch.where(number > 0, total / number.clamp(min=1), centres)
        if torch.equal(moved, centres):
            break
        centres = moved
    return centres
