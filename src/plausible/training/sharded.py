"""Weights, gradients and moments of which each rank keeps a part, and has all while a step lasts (FSDP2).

Source: Zhao et al. 2023, https://arxiv.org/abs/2304.11277; Rajbhandari et al. 2020, https://arxiv.org/abs/1910.02054.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.model import Model
from plausible.core.space import Batch
from plausible.training.distributed import World

Terms = tuple[Mapping[str, Tensor], Mapping[str, Tensor]]


class _Step(nn.Module):
    """A whole step as the forward pass of one module, by which FSDP knows when weights are needed."""

    def __init__(self, model: Model):
        super().__init__()
        self.model = model

    def forward(self, player: Player, batch: Batch, clock: Clock) -> Terms:
        """Terms and what is watched of a player's loss."""
        loss = player.loss(batch, clock)
        return dict(loss.terms), dict(loss.watch)


class Shards:
    """A model whose weights are divided among ranks; what uses them outside of a loss does so in ``whole``."""

    def __init__(self, model: Model, world: World):
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        self.model, self.world = model, world
        for param in model.parameters():
            param.data = param.data.contiguous()  # FSDP knows no other order
        self._step: Any = _Step(model)
        fully_shard(self._step, mesh=init_device_mesh(model.offset.device.type, (world.size,)))

    def loss(self, player: Player) -> Callable[[Batch, Clock], Loss]:
        """A player's loss by all the weights, of which its gradient then is the mean over ranks, a part on each."""

        def gathered(batch: Batch, clock: Clock) -> Loss:
            return Loss(*self._step(player, batch, clock))

        return gathered

    @contextmanager
    def whole(self) -> Iterator[None]:
        """All weights on every rank for a while; what is written into them is lost.  All ranks must ask."""
        self._step.unshard()
        try:
            yield
        finally:
            self._step.reshard()

    def norm(self, gradients: Sequence[Tensor]) -> Tensor:
        """The norm of a gradient of which each rank has these parts."""
        square = torch.nn.utils.get_total_norm(gradients).square()
        self.world.add_up(square)
        return square.sqrt()

    def state_dict(self) -> dict[str, Tensor]:
        """That of the model, whole, as it is without shards.  All ranks must ask."""
        whole: dict[str, Tensor] = whole_state(self.model.state_dict())
        return whole

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """The parts of this rank from a whole state."""
        for name, kept in self.model.state_dict().items():
            kept.copy_(_part_as(kept, state[name]))


def check_shards(players: Sequence[Player], world: World, settings: Any) -> bool:
    """Whether weights are divided among ranks; UsageError where they cannot be."""
    if not settings.shard or world.size == 1:
        return False
    if settings.compile != "off":
        raise UsageError("--shard and --compile are not for one training: leave one of them out")
    if settings.simultaneous and len(players) > 1:
        raise UsageError(
            "--shard makes the gradients of one player at a time, and --simultaneous keeps those of all: leave one out"
        )
    return True


def local(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Of each tensor the part on this rank; tensors that are not divided as they are."""
    return [getattr(tensor, "to_local", lambda tensor=tensor: tensor)() for tensor in tensors]


def whole_state(state: Any) -> Any:
    """The state of an optimizer with all its tensors whole.  All ranks must ask."""
    return _each(state, lambda value: value.full_tensor() if hasattr(value, "full_tensor") else value)  # fmt: skip


def divided_state(state: dict[str, Any], params: Sequence[Tensor]) -> dict[str, Any]:
    """The state of an optimizer of which this rank has the parts that it has of the weights."""

    def of(index: int, kept: Any) -> Any:
        param = params[index]
        return _each(kept, lambda value: _part_as(param, value) if value.shape == param.shape else value)  # fmt: skip

    return {**state, "state": {index: of(index, kept) for index, kept in state["state"].items()}}


def _each(state: Any, change: Callable[[Tensor], Tensor]) -> Any:
    from torch.utils._pytree import tree_map_only

    return tree_map_only(Tensor, change, state)


def _part_as(like: Tensor, whole: Tensor) -> Tensor:
    """A whole tensor divided as another one is."""
    from torch.distributed.tensor import DTensor, distribute_tensor

    if not isinstance(like, DTensor):
        return whole
    return distribute_tensor(whole.to(like.device), like.device_mesh, like.placements)
