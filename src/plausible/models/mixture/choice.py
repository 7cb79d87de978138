"""How many Gaussians: the fewest by which examples that are left out are as probable as by any number."""

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

_TRIED = (1, 2, 3, 5, 8, 10, 20)
_FOLDS = 5  # parts of the examples, each of which is held out once to choose
_FEW = 1000  # examples beyond which one part alone is held out
_MOST = 4000  # examples that are looked at to choose
_WORSE = 2  # times in turn that more components do worse, after which no more are tried


def heldout_nats(
    n: int,
    seed: int,
    fits: Callable[[int], bool],
    left_out: Callable[[Tensor, Tensor, int], Tensor],
) -> dict[int, Tensor]:
    """{K: log p of examples left out}, from one Gaussian on until more of them do not help.

    By cross-validation of n examples, or of many by one part of them.

    fits      whether K Gaussians fit in memory.
    left_out  (rows, fold of these, K) -> log p of the fold by K Gaussians of the others, (m,).
    """
    rows = torch.randperm(n, generator=torch.Generator().manual_seed(seed))[:_MOST]
    folds = rows.chunk(min(_FOLDS, len(rows)))
    folds = folds if len(rows) <= _FEW else folds[:1]
    found: dict[int, Tensor] = {}
    best, worse = -math.inf, 0
    for k in _TRIED:
        too_many = 2 * k > len(rows) - len(folds[0]) or not fits(k)
        if k > 1 and (too_many or worse == _WORSE):
            break
        nats = torch.cat([left_out(rows, fold, k) for fold in folds])  # (m,)
        worse = 0 if nats.mean().item() > best else worse + 1
        best, found[k] = max(best, nats.mean().nan_to_num(-math.inf).item()), nats
    return found


def fewest(found: Mapping[int, Tensor]) -> int:
    """The smallest K by which examples are as probable as by the best, within the standard error of the difference."""
    best = max(found, key=lambda k: found[k].mean().nan_to_num(-math.inf).item())
    for k, nats in found.items():
        less = found[best] - nats  # (m,)
        if k == best or less.mean() <= less.std() / math.sqrt(len(less)):
            return k
    return best
