"""log p(x | y) of every class y of the same x: in one pass where a family does most of it once for all labels."""

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import torch
from torch import Generator, Tensor

from plausible.core.likelihood import LogProb

if TYPE_CHECKING:
    from plausible.core.model import Explicit


@runtime_checkable
class ClassesAtOnce(Protocol):
    """Says log p(x | y) of all classes together, because what takes long does not depend on the label."""

    def class_log_probs(
        self, x: Tensor, samples: int | None, generator: Generator | None
    ) -> list[LogProb]:
        """log p(x | y) of every class, (N,) each, in their order; x (N, *shape) in the units of ``_log_prob``."""
        ...


def each_class(
    model: "Explicit", x: Tensor, samples: int | None, generator: Generator | None
) -> list[LogProb]:
    """log p(x | y) of every class, at once or one after the other; x in the units of ``_log_prob``, on the device of the model."""
    if isinstance(model, ClassesAtOnce):
        return model.class_log_probs(x, samples, generator)
    labels = [torch.full((len(x),), k, device=x.device) for k in range(model.space.classes)]
    return [model._log_prob(x, y, samples, generator) for y in labels]


@torch.no_grad()
def log_probs_at_once(
    model: "Explicit",
    x: Tensor,
    *,
    samples: int | None = None,
    generator: Generator | None = None,
) -> list[LogProb] | None:
    """log p(x | y) of every class, (N,) each, of x (N, *shape) in data units; None of a model that says one class at a time."""
    if not isinstance(model, ClassesAtOnce):
        return None
    x = x.to(model.offset.device)
    with model.evaluating():
        if model.space.levels:
            return model.class_log_probs(x, samples, generator)
        stretched = model.scale.log().sum()
        said = model.class_log_probs(model.standardise(x), samples, generator)
    return [part - stretched for part in said]
