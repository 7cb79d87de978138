"""A player at the table: the weights it moves, and what moves them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.choices import Compile
from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.reading import LOSS
from plausible.core.schedule import at
from plausible.core.space import Batch
from plausible.training.compiled import compiled
from plausible.training.distributed import World
from plausible.training.ema import weights
from plausible.training.sharded import Shards, local


@dataclass
class Seat:
    """A player, its weights, their optimizer, and its loss as it is computed: as it stands, compiled, or by shards."""

    player: Player
    params: list[Tensor]
    optimizer: torch.optim.Optimizer
    loss: Callable[[Batch, Clock], Loss]

    def average(self, scalars: Mapping[str, Tensor], world: World, shards: Shards | None) -> Tensor:
        """Make the gradient, and what was measured, those of the whole batch; the norm of the gradient, before it is limited."""
        for param in self.params:
            if param.grad is None:
                param.grad = torch.zeros_like(param)
        gradients = [param.grad for param in self.params if param.grad is not None]
        if shards is None:
            world.average([*gradients, *scalars.values()])
            norm = torch.nn.utils.get_total_norm(gradients)
        else:  # whose gradients are means already
            world.average([*scalars.values()])
            gradients = local(gradients)
            norm = shards.norm(gradients)
        if self.player.largest_gradient is not None:
            limit = (self.player.largest_gradient / norm.clamp(min=1e-12)).clamp(max=1.0)
            torch._foreach_mul_(gradients, limit)
        return norm


def seated(player: Player, how: Compile, device: torch.device, shards: Shards | None) -> Seat:
    """A player before its first move, its loss compiled or not, of a model whose weights ranks share or not."""
    loss = player.loss
    if shards is not None:
        loss = shards.loss(player)
    elif how != "off":
        loss = compiled(player, how, device)
    params = weights(player.module)
    betas = (at(player.betas[0], 0.0), at(player.betas[1], 0.0))
    optimizer = player.optimizer(params, at(player.lr, 0.0), betas)
    if shards is not None and isinstance(optimizer, torch.optim.SGD):
        raise UsageError(
            f"--shard cannot divide what moves the {player.name}, which learns by SGD: leave it out"
        )
    return Seat(player, params, optimizer, loss)


def scalars_of(loss: Loss, total: Tensor) -> Mapping[str, Tensor]:
    """What is logged of a loss: its sum, its terms where there are several, and what is only looked at."""
    terms = {name: term.detach().mean() for name, term in loss.terms.items()}
    watch = {name: value.detach() for name, value in loss.watch.items()}
    return {LOSS: total.detach(), **(terms if len(terms) > 1 else {}), **watch}
