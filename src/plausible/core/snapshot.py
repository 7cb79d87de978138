"""One moment of a training, as the probes of a family see it."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from plausible.core.model import Model
from plausible.core.space import Batch


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A model in training, and examples that stay the same from one probe to the next.

    raw         the model as it plays, in training mode; who would change it (batch norm does) puts it back.
    model       the one whose weights a run saves, in evaluation mode.
    players     {name: weights} of those who play.
    train       examples of the training part,
    validation  and of the validation part.
    """

    raw: Model
    model: Model
    players: Mapping[str, list[Tensor]]
    train: Batch
    validation: Batch

    def labels(self, batch: Batch) -> Tensor | None:
        """Those of a batch, where the model is told them."""
        return batch.y if self.raw.conditional else None
