"""A model that says log p is its own discriminator: it learns to tell data from samples of its frozen start."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import torch
from torch import Tensor

from plausible.core.game import Clock, Loss, Player
from plausible.core.model import Explicit, Generative, Model
from plausible.core.refinement import RefinementConfig
from plausible.core.space import Batch
from plausible.models.gan.losses import losses
from plausible.models.refined.refined import Refined

LR = 5e-5


class _ReferenceSamples:
    """Samples of the frozen start, drawn when they are first asked for; copies of a model share them."""

    def __init__(self, count: int):
        self._count = count
        self._drawn: Batch | None = None

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def batch(self, n: int, reference: Generative) -> Batch:
        """n of them, with replacement."""
        if self._drawn is None:
            self._drawn = reference.sample(self._count, generator=torch.Generator().manual_seed(0))
        rows = torch.randint(self._count, (n,)).to(self._drawn.x.device)
        y = self._drawn.y
        return Batch(self._drawn.x[rows], None if y is None else y[rows])


class LikelihoodRatio(Refined, Explicit):
    """min_p E_data softplus(-r) + E_start softplus(r), r(x) = beta (log p(x) - log p_start(x)).

    The loss of a GAN's discriminator, whose logit is the log of a ratio of densities.  The best discriminator between data and
    samples of the start is log p_data - log p_start, so that at beta = 1 the best p is p_data.  Where the model
    bounds log p, the bound stands in for it, by one draw of noise that is the same for both.

    Source: Zheng et al. 2025 (direct discriminative optimization), https://arxiv.org/abs/2503.01103.
    """

    opponent: Explicit

    @classmethod
    def refusal(cls, model: Model) -> str:
        """It needs log p with its gradient."""
        if isinstance(model, Explicit) and model.log_prob_has_gradient:
            return ""
        if isinstance(model, Explicit):
            return "its log p(x) is known by an estimate that cannot be learned through"
        return "it does not say log p(x)"

    def begin(self, refinement: RefinementConfig) -> None:
        """A frozen copy, and room for its samples."""
        super().begin(refinement)
        self.opponent = copy.deepcopy(self).requires_grad_(False)
        self.reference_samples = _ReferenceSamples(refinement.reference_samples)

    def begin_with(self, weights: dict[str, Tensor]) -> None:  # type: ignore[override]
        """Take the weights of the start, and freeze them in its place."""
        super().begin_with(weights)
        self.opponent.load_state_dict(weights)

    def players(self) -> Sequence[Player]:
        """The weights that draw, with another loss than in its family, and those that do not where there are any."""
        own, name = self.own_player, self.refinement.loss
        lr, (drawing, rest) = self._falling(self.refinement.lr or LR), self.drawing_and_rest()
        whole = name == "relativistic-average"
        found = [replace(own, module=drawing, loss=self.ratio_loss, lr=lr, whole_batch=whole)]
        return [*found, self.encoder_player(rest, lr)] if len(rest) else found

    def ratio_loss(self, batch: Batch, clock: Clock) -> Loss:
        """Of a batch of data and as many samples of the start."""
        n, drawn = len(batch), self.reference_samples.batch(len(batch), self.opponent)
        ratio = self.log_ratio(_joined(batch, drawn, self.conditional))  # (2 N,)
        logits = (self.refinement.beta * ratio).split(n)
        costs = losses[self.refinement.loss or "minimax"](*logits)
        watch = {"log ratio of data": ratio[:n].mean(), "log ratio of the start's samples": ratio[n:].mean()}  # fmt: skip
        return Loss({"game": costs.discriminator}, watch)

    def log_ratio(self, batch: Batch) -> Tensor:
        """log p(x | y) - log p_start(x | y) in nats, by the same noise, with the gradient of the first: (N,)."""
        seed = int(torch.randint(2**62, ()))
        now = self._nats_of(self, batch, seed)
        with torch.no_grad():
            before = self._nats_of(self.opponent, batch, seed)
        return (now - before).float()

    def _nats_of(self, model: Explicit, batch: Batch, seed: int) -> Tensor:
        x = batch.x if self.space.levels else self.standardise(batch.x)
        generator = torch.Generator().manual_seed(seed)
        # without dropout, and in float32: it is a small difference of large numbers
        with model.evaluating(), torch.autocast(x.device.type, enabled=False):
            return model._log_prob(x, batch.y, 1, generator).nats


def _joined(batch: Batch, drawn: Batch, labelled: bool) -> Batch:
    """Data, then as many samples of the start."""
    x = torch.cat([batch.x, drawn.x.to(batch.x)])  # (2 N, *shape)
    if not labelled:
        return Batch(x)
    assert batch.y is not None
    assert drawn.y is not None
    return Batch(x, torch.cat([batch.y, drawn.y.to(batch.y)]))
