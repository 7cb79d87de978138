"""p(y | x_<k): what is known of the class when only the first rows of an image, or columns of a table, have been seen."""

from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Model
from plausible.core.synthesis import coordinate_nats_of

_PAIRS = 512  # of an input and a class at once


@dataclass(frozen=True, eq=False)
class Uncovered:
    """The posterior of one input as it is uncovered.

    posterior  p(y | the first k rows), k = 0 .. all, (rows + 1, classes): the first is the prior, the last p(y | x).
    after      the first k at which a class is as sure as was asked for, or all rows.
    share      of the input that has been seen by then.
    label      the most probable class then, and ``p`` how probable it is ...
    final      ... and the most probable one when everything has been seen.
    reached    whether a class has been as sure as that.
    """

    name: str
    posterior: Tensor
    after: int
    share: float
    label: int
    p: float
    final: int
    reached: bool


def uncovering(model: Model, x: Tensor, log_prior: Tensor | None = None) -> Tensor:
    """log p(y | x_<k) after k = 0, 1, ... rows of images, or columns of vectors: x (N, *shape) -> (N, rows + 1, classes).

    Exact, in one pass for each class: log p(x_<k | y) is the sum of the first log p(x_i | x_<i, y).
    log_prior  log p(y), (classes,); by default as the training part had it.
    Raises ``UsageError`` for a model that does not say x coordinate by coordinate in their order, or knows no classes.
    """
    if not isinstance(model, Explicit) or not model.conditional:
        raise UsageError(_no_order(model))
    classes = model.space.classes
    labels = torch.arange(classes, device=model.offset.device)
    prior = (model.log_prior if log_prior is None else log_prior).double().to(labels.device)
    parts = []
    for some in x.split(max(1, _PAIRS // classes)):
        y = labels.repeat(len(some))  # input by input
        said = coordinate_nats_of(model, some.repeat_interleave(classes, 0), y)
        if said is None or not said.in_order:
            raise UsageError(_no_order(model))
        rows = _by_rows(said.nats).unflatten(0, (len(some), classes))  # (n, classes, rows)
        seen = torch.cat([torch.zeros_like(rows[..., :1]), rows.cumsum(2)], 2)
        parts.append((seen + prior[:, None]).log_softmax(1).transpose(1, 2))
    return torch.cat(parts).cpu()


def stopped(names: tuple[str, ...], log_posterior: Tensor, until: float) -> tuple[Uncovered, ...]:
    """Where each of n inputs may stop to be looked at: at the first row after which a class has at least p = ``until``.

    log_posterior  of ``uncovering``, (n, rows + 1, classes).
    """
    if not 0 < until <= 1:
        raise UsageError(f"a class is sure at a probability above 0 and up to 1, not {until}")
    found = []
    for name, posterior in zip(names, log_posterior.exp(), strict=True):
        best, label = posterior.max(1)  # (rows + 1,)
        sure = (best >= until).nonzero()[:, 0]
        rows = len(best) - 1
        after = int(sure[0]) if len(sure) else rows
        found.append(
            Uncovered(
                name, posterior, after, after / rows, int(label[after]), float(best[after]),
                int(label[-1]), bool(len(sure)),
            )
        )  # fmt: skip
    return tuple(found)


def _by_rows(nats: Tensor) -> Tensor:
    """Nats of each row of images, of all channels and columns, or of each column of vectors: (P, *shape) -> (P, rows)."""
    return nats.sum((1, 3)) if nats.dim() == 4 else nats.flatten(1)


def _no_order(model: Model) -> str:
    return (
        f"to know p(y | the rows so far) exactly takes p(x | y) of a model that says x coordinate by coordinate in their "
        f"order, as an autoregressive one does, trained with classes, and this {model.name} is none"
    )
