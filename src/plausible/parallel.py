"""The ranks of one training: who I am among them, and the three things they do together."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class World:
    """Rank r of ``size`` processes that train one model on equal shards of every batch.

    A single process is a world of one, where everything below is free of cost.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this rank prints, saves and measures."""
        return self.rank == 0

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace every tensor by its mean over ranks, in place: one flat all-reduce.

        Shards are equal, so the mean of the ranks' means is the mean over the whole batch.
        """
        if self.size == 1:
            return
        flat = torch.cat([tensor.reshape(-1).float() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.size
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()

    def agree(self, value: float) -> float:
        """Rank 0's value, everywhere."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=_device())
        dist.broadcast(shared, src=0)
        return shared.item()

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of all ranks, of one shape, in rank order."""
        if self.size == 1:
            return [tensor]
        there = tensor.to(_device())
        parts = [torch.empty_like(there) for _ in range(self.size)]
        dist.all_gather(parts, there)
        return [part.cpu() for part in parts]

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Overwrite every tensor with rank 0's, so that all ranks start from the same weights."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)


def join(device: torch.device) -> World:
    """The world this process was launched into: torchrun's, or a world of one.

    NCCL between GPUs (one a rank), gloo between CPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return World()
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return World(dist.get_rank(), dist.get_world_size())


def leave() -> None:
    """End this process's part in its world, if it has one."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()


def _device() -> torch.device:
    nccl = dist.get_backend() == "nccl"
    return torch.device("cuda", torch.cuda.current_device()) if nccl else torch.device("cpu")
