"""A player's loss as compiled code: forwards, with the derivatives that it takes itself, and backwards.

torch.compile does it at the first rounds, which takes a minute or so; what it cannot follow it leaves as it is.  Random numbers
are drawn by the code that it makes, so a seed that is compiled draws others than one that is not.
"""

import os
import shutil
import warnings
from collections.abc import Callable
from importlib.util import find_spec

import torch

from plausible.core.choices import Compile
from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.space import Batch

BACKEND = "inductor"
"""By what torch.compile makes code."""
_COMPILERS = ("g++", "clang++", "cl")


class NoGraphs(UserWarning):
    """What was asked for is of GPUs alone."""


def begin_compiling(how: Compile, device: torch.device) -> None:
    """Forget what was compiled before, of which torch keeps a few; UsageError where there is nothing to compile with."""
    if BACKEND == "inductor":
        _check(device)
    if how == "graphs" and device.type != "cuda":
        warnings.warn(
            NoGraphs(
                "--compile graphs has no effect on a processor beyond --compile on: graphs of kernels are a GPU's"
            ),
            stacklevel=2,
        )
    torch._dynamo.reset()


def compiled(player: Player, how: Compile, device: torch.device) -> Callable[[Batch, Clock], Loss]:
    """The loss of a player, compiled at its first call, and in ``graphs`` replayed as a CUDA graph."""
    graphs = how == "graphs" and device.type == "cuda"
    step = torch.compile(player.loss, backend=BACKEND, mode="reduce-overhead" if graphs else None)

    def loss(batch: Batch, clock: Clock) -> Loss:
        if player.look is not None:
            player.look(clock)
        if graphs:
            torch.compiler.cudagraph_mark_step_begin()
        found: Loss = step(batch, clock)
        return found

    return loss


def keep_gradients(params: list[torch.Tensor]) -> None:
    """Gradients in memory of their own: that of a CUDA graph is written over when it is replayed."""
    for param in params:
        if param.grad is not None:
            param.grad = param.grad.clone()


def _check(device: torch.device) -> None:
    if device.type == "cuda" and find_spec("triton") is None:
        raise UsageError(
            "--compile needs triton on a GPU, which is not installed: leave it out, or resume with --compile off"
        )
    known = (os.environ.get("CXX", ""), *_COMPILERS)
    if device.type == "cpu" and not any(shutil.which(name) for name in known if name):
        raise UsageError(
            "--compile needs a C++ compiler on a processor, and there is no g++ or clang++ here: leave it out, or resume with --compile off"
        )
