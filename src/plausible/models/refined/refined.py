"""A trained model that goes on to learn by a game, and is otherwise of its family."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from plausible.core.capabilities import HeldOtherwise, Reparameterised
from plausible.core.game import Clock, Loss, Player
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
    drawing: tuple[str, ...]

    @classmethod
    def refusal(cls, model: Model) -> str:
        """Why a model cannot be refined so, as the end of a sentence; empty where it can."""
        raise NotImplementedError

    def begin(self, refinement: RefinementConfig) -> None:
        """Make what it plays against, once it is known which weights draw."""
        self.refinement, self.drawing = refinement, self._drawing()

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

    def drawing_and_rest(self) -> tuple[nn.ParameterList, nn.ParameterList]:
        """The weights that its samples depend on, and the others, those of an encoder."""
        own = {n: p for n, p in self.named_parameters() if not n.startswith(OPPONENT)}
        rest = set(own) - set(self.drawing)
        return nn.ParameterList(own[n] for n in self.drawing), nn.ParameterList(
            p for n, p in own.items() if n in rest
        )

    def encoder_player(self, rest: nn.ParameterList, lr: Schedule) -> Player:
        """What samples do not depend on learns by the own loss alone.

        It only says what the decoder knows: by another loss, or by none, the bound that it makes would fall behind, and nats
        be lost that the decoder still has.
        """
        return replace(self.own_player, name="encoder", module=rest, loss=self.own_loss, lr=lr)

    def own_loss(self, batch: Batch, clock: Clock) -> Loss:
        """The loss of its family, as it is at the end of a training, or what holds it beside a game."""
        at_the_end = replace(clock, progress=1.0)
        if isinstance(self, HeldOtherwise):
            return self.loss_beside_a_game(batch, at_the_end)
        return self.loss(batch, at_the_end)

    def _drawing(self) -> tuple[str, ...]:
        """The names of the weights that a sample depends on: all, but where its gradient says otherwise."""
        if not isinstance(self, Reparameterised):
            return tuple(name for name, _ in self.named_parameters())
        y = torch.zeros(2, dtype=torch.long) if self.conditional else None
        names, weights = zip(*self.named_parameters(), strict=True)
        with torch.random.fork_rng([]), self.evaluating(), torch.enable_grad():
            made = self.rsample(self._noise(2, None), y).sum()
            slopes = torch.autograd.grad(made, weights, allow_unused=True)
        return tuple(n for n, slope in zip(names, slopes, strict=True) if slope is not None)

    def _labels_of(self, batch: Batch) -> Tensor | None:
        return batch.y if self.conditional else None

    def _falling(self, lr: float) -> Schedule:
        """A learning rate that falls to 1% by a cosine."""
        return cosine(lr, lr / 100, begin=0.4)


def own_weights(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of the model, without its opponent's."""
    return {name: tensor for name, tensor in weights.items() if not name.startswith(OPPONENT)}
