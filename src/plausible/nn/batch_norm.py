"""Batch norm over the whole batch, of which each of several processes may hold a share."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from plausible.core.errors import UsageError
from plausible.core.ranks import mean_over_ranks, number_of_ranks


def check_batch_norm(model: nn.Module) -> None:
    """UsageError: layers that would normalise the share of a process, where the others normalise the whole batch."""
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not all(isinstance(m, BatchNorm2d | nn.SyncBatchNorm) for m in norms):
        raise UsageError(
            "several processes share a batch, and torch's batch norm sees the share of its own process alone: build the "
            "network with plausible.nn.batch_norm.BatchNorm2d, or train in one process"
        )


class BatchNorm2d(nn.BatchNorm2d):
    """torch's, whose mean and variance are those of all processes that train together, on any device.

    Source: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167.
    """

    def forward(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) -> the same shape, each channel with mean 0 and variance 1 before its scale and shift."""
        ranks = number_of_ranks()
        if ranks == 1 or not self.training:
            normal: Tensor = super().forward(x)
            return normal
        whole = x.float()
        mean = mean_over_ranks(whole.mean((0, 2, 3), keepdim=True))  # (1, C, 1, 1)
        centred = whole - mean
        variance = mean_over_ranks(centred.square().mean((0, 2, 3), keepdim=True))
        if self.track_running_stats:
            count = ranks * x.numel() / x.shape[1]
            self._remember(mean.flatten(), variance.flatten() * count / (count - 1))
        y = centred * (variance + self.eps).rsqrt()
        if self.affine:
            y = y * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return y.to(x.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, (C,) each, by torch's own rule."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        share = self.momentum
        if share is None:
            share = 1 / int(self.num_batches_tracked)
        self.running_mean.lerp_(mean.detach(), share)
        self.running_var.lerp_(variance.detach(), share)
