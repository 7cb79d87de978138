"""The game by which every model learns: when it is (``Clock``), what is minimised (``Loss``), who moves (``Player``)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from plausible.core.optimizers import Adam
from plausible.core.schedule import Schedule
from plausible.core.space import Batch


@dataclass(frozen=True)
class Clock:
    """When it is: what losses and schedules read.

    step    rounds of the game completed.
    images  training examples drawn so far, all ranks together (one batch a round).
    progress  share of the budget used, 0 to 1, the same meaning for steps and for minutes.
    update  updates the player about to move has made so far; lazy penalties count these.
    """

    step: int = 0
    images: int = 0
    progress: float = 0.0
    update: int = 0


@dataclass(frozen=True)
class Loss:
    """What a player minimises: the sum over terms of their means over examples.

    terms  {name: (N,)} per example, so that ranks and micro-batches average weighted by N.
    watch  {name: ()} only looked at.
    """

    terms: Mapping[str, Tensor]
    watch: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def total(self) -> Tensor:
        """sum_k mean_n terms[k][n], a scalar."""
        return torch.stack([term.mean() for term in self.terms.values()]).sum()


def adam(params: Iterable[Tensor], lr: float, betas: tuple[float, float]) -> torch.optim.Optimizer:
    """Adam without weight decay, one fused kernel (Kingma and Ba 2015, arxiv.org/abs/1412.6980)."""
    made: torch.optim.Optimizer = Adam(params, lr, betas, fused=True)
    return made


@dataclass
class Player:
    """One side of the game: the weights it moves, what it minimises and how it moves.

    updates  its updates in each round of the game (n_critic for a discriminator).
    lr, betas  of Adam; numbers or functions of the share of the budget spent.
    optimizer  made from (params, lr, betas); one without betas ignores them.
    ema      half-life in examples of the averaged weights; None: the raw weights are the average.
    project  called after each update to bring the weights back into their set (clipping, say).
    adapt    called every few rounds with a batch of the validation part.
    look     called before a loss that is compiled: what the loss asks of the host, where no compiler can follow it.
    shared   whose floating-point buffers adaptation moves: ranks keep them equal.
    own      whose buffers are each rank's own, such as chains: every rank saves its own.
    whole_batch  an example's loss depends on the others, so a batch cannot be split.
    label    it learns from the examples of this class only.
    largest_gradient  a gradient of a larger norm is scaled down to this one.
    """

    name: str
    module: nn.Module
    loss: Callable[[Batch, Clock], Loss]
    updates: int = 1
    lr: Schedule = 1e-3
    betas: tuple[Schedule, Schedule] = (0.9, 0.999)
    optimizer: Callable[..., torch.optim.Optimizer] = adam
    ema: Schedule | None = None
    project: Callable[[], None] | None = None
    adapt: Callable[[Batch, Clock], None] | None = None
    look: Callable[[Clock], None] | None = None
    shared: nn.Module | None = None
    own: nn.Module | None = None
    whole_batch: bool = False
    label: int | None = None
    largest_gradient: float | None = None
