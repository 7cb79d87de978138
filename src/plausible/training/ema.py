"""The weights that a model's methods use: averaged over the recent past of training."""

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor

from plausible.core.game import Clock, Player
from plausible.core.model import Model
from plausible.core.schedule import at

M = TypeVar("M", bound=Model)
_RAMP = 0.05  # the averaged weights look back over at most this share of the training so far


class EMA(Generic[M]):
    """The model with weights averaged over the recent past: an exponential moving average.

    w' <- w' + (1 - d)(w - w') with d = 2^(-b / h): b examples a round, half-life h the player's
    ``ema``, but at most 5% of the examples so far, so that a short run is not held back by weights
    it has long left.  Players without ``ema``, and all buffers, are copied as they are.
    Source of the ramp: Karras et al. 2020, https://arxiv.org/abs/2006.06676, appendix.
    """

    def __init__(self, model: M, players: list[Player]):
        self._model = copy.deepcopy(model).requires_grad_(False).eval()
        self.follow(model, players)

    def follow(self, model: M, players: list[Player]) -> None:
        """Average the weights that the model has now, where they are not those that it was made with."""
        names = {id(p): name for name, p in model.named_parameters()}
        mine: dict[str, Tensor] = dict(self._model.named_parameters())
        self._moving = [
            (player.ema, [mine[names[id(p)]] for p in raw], raw)
            for player in players
            if player.ema is not None
            for raw in [weights(player.module)]
        ]
        averaged = {id(p) for _, params, _ in self._moving for p in params}
        self._copied = [
            (to, source)
            for to, source in zip(tensors(self._model), tensors(model), strict=True)
            if id(to) not in averaged
        ]

    @torch.no_grad()
    def update(self, clock: Clock, examples: int) -> None:
        """Move towards the weights after a round that saw so many ``examples``."""
        for ema, params, raw in self._moving:
            halflife = min(at(ema, clock.progress), _RAMP * (clock.images + examples))
            torch._foreach_lerp_(params, raw, 1 - 0.5 ** (examples / max(halflife, 1e-9)))

    def update_once(self, model: M, players: list[Player], clock: Clock, examples: int) -> None:
        """``update`` by weights that are there for a while only: nothing of them is kept."""
        self.follow(model, players)
        self.update(clock, examples)
        self._copy()
        self.let_go()

    def let_go(self) -> None:
        """Keep no weights of the model, which then are read by ``update_once`` alone; its buffers stay."""
        self._moving = []
        self._copied = [
            pair for pair in self._copied if not isinstance(pair[1], torch.nn.Parameter)
        ]

    @torch.no_grad()
    def _copy(self) -> None:
        for to, source in self._copied:
            to.copy_(source)

    @property
    def model(self) -> M:
        """The averaged model, in evaluation mode, with what is not averaged brought up to date."""
        self._copy()
        return self._model


def tensors(module: torch.nn.Module) -> list[Tensor]:
    """All parameters and buffers, in the order in which the module has them."""
    return [*module.parameters(), *module.buffers()]


def weights(module: torch.nn.Module) -> list[Tensor]:
    """The parameters that gradients move."""
    return [param for param in module.parameters() if param.requires_grad]
