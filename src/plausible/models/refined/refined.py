"""A trained model that goes on to learn by a game, and is otherwise of its family."""

from collections.abc import Mapping

from torch import Tensor, nn

from plausible.core.game import Player
from plausible.core.model import Generative, Model
from plausible.core.refinement import RefinementConfig
from plausible.core.schedule import Schedule, cosine
from plausible.core.space import Batch

OPPONENT = "opponent."
"""What the names of weights begin with that are not the model's own: of its frozen start, or of a discriminator."""


class Refined(Generative):
    """A model of any family, the first base of a class whose second is that of the family.

    Its weights have the names they have in its family, so that they are opened as a model of it; those of its
    ``opponent`` are beside them.  A subclass says which games it can play, and lists the players.
    """

    refinement: RefinementConfig
    opponent: nn.Module

    @classmethod
    def refusal(cls, model: Model) -> str:
        """Why a model cannot be refined so, as the end of a sentence; empty where it can."""
        raise NotImplementedError

    def begin(self, refinement: RefinementConfig) -> None:
        """Make what it plays against."""
        self.refinement = refinement

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of the start."""
        self.load_state_dict({**self.state_dict(), **weights})

    @property
    def batch(self) -> int:
        """The number of training examples in one update."""
        return self.refinement.batch or super().batch

    @property
    def default_steps(self) -> int:
        """A quarter of what its family takes."""
        return max(1, super().default_steps // 4)

    @property
    def own_player(self) -> Player:
        """The one that its family would have."""
        (player,) = super().players()
        return player

    def _labels_of(self, batch: Batch) -> Tensor | None:
        return batch.y if self.conditional else None

    def _falling(self, lr: float) -> Schedule:
        """A learning rate that falls to 1% by a cosine."""
        return cosine(lr, lr / 100, begin=0.4)


def own_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of the model, without its opponent's."""
    return {name: tensor for name, tensor in weights.items() if not name.startswith(OPPONENT)}
