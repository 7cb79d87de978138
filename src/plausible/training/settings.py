"""How to train, whatever the model."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from plausible.core.bounds import COUNT, MINUTES, check_bounds
from plausible.core.choices import Compile, Precision, Threads
from plausible.core.errors import UsageError

_FOR_PLAYERS: dict[str, Any] = {"micro_batch": None, "simultaneous": False, "compile": "off", "shard": False}  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How to train, whatever the model: a budget of steps or minutes, and the rest.

    With neither, the budget is the model's ``default_steps``.
    """

    steps: Annotated[int, COUNT] | None = None
    """Rounds of the game to play; by default what suits the model and the data."""
    minutes: Annotated[float, MINUTES] | None = None
    """Wall-clock minutes to play, instead of a number of steps."""
    seed: int = 0
    """Of the first weights, the data order and all noise."""
    precision: Precision = "auto"
    """bf16: automatic mixed precision; tf32: a GPU multiplies numbers of float32 by their first 10 binary digits; auto: bf16 where
    the family learns as well by it and, under --minutes, a few rounds are 10% faster."""
    micro_batch: Annotated[int, COUNT] | None = None
    """Split every batch into parts of this size: the same mean gradient in less memory."""
    simultaneous: bool = False
    """All players compute their gradients before any of them moves."""
    compile: Compile = "off"
    """Compile what each player computes in a round, and with graphs let a GPU replay it as one."""
    shard: bool = False
    """Of several processes each keeps a part of the weights, gradients and moments."""
    threads: Threads | None = None
    """Of a processor, that compute in each process; by default as many as torch has; auto: those that win a race, see ``tasks.threads``."""

    def __post_init__(self) -> None:
        if self.steps is not None and self.minutes is not None:
            raise UsageError("give --steps or --minutes, not both")
        check_bounds(self)
        if not 0 <= self.seed < 2**63:
            raise UsageError(f"--seed must be at least 0 and below 2^63, not {self.seed}")

    def progress(self, steps: int, seconds: float) -> float:
        """The share of the budget used after so many rounds and seconds, at most 1."""
        used = steps / self.steps if self.steps else seconds / (60 * (self.minutes or 1))
        return min(used, 1.0)

    @property
    def of_players(self) -> bool:
        """Whether anything here is of players, which a model that is fitted to all examples at once has not."""
        rounded = self.precision not in ("auto", "float32")
        return rounded or self != replace(self, **_FOR_PLAYERS)
