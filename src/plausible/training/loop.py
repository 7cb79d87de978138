"""The one loop: every family learns here, as players that move in turn.

    for player, params, optimizer in seats:
        for _ in range(player.updates):
            loss = player.loss(next batch, clock)
            loss.total.backward(inputs=params)      # a player moves only its own weights
            optimizer.step(); player.project()

A model with a ``fit`` of its own (closed form, EM, a quasi-Newton method) takes its steps in the place
of those rounds.  ``train`` returns an iterator that ends with its budget; whoever iterates prints, saves and stops earlier,
on Ctrl-C or a failure, as ``tasks.fit_steps`` does.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor

from plausible.core.device import has_fast_bf16, has_tf32
from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss
from plausible.core.model import Model
from plausible.core.ranks import together
from plausible.core.reading import GRADIENT_NORM
from plausible.core.schedule import at
from plausible.core.space import Batch
from plausible.nn.batch_norm import check_batch_norm
from plausible.training.batch_order import BatchOrder
from plausible.training.compiled import begin_compiling, keep_gradients
from plausible.training.computing import computing
from plausible.training.distributed import World
from plausible.training.ema import EMA, tensors
from plausible.training.micro_batches import MicroBatches, check_memory
from plausible.training.random_state import random_state, set_random_state
from plausible.training.read_ahead import ReadAhead
from plausible.training.seat import Seat, scalars_of, seated
from plausible.training.settings import Settings
from plausible.training.sharded import Shards, check_shards, divided_state, local, whole_state

if TYPE_CHECKING:
    from plausible.data.part import Data

M = TypeVar("M", bound=Model)
_ADAPT_EVERY = 4  # rounds between two calls of Player.adapt


@dataclass(frozen=True)
class Step:
    """One finished round: when it was, and what was measured, {player: {name: scalar tensor}}.

    Tensors stay on the device, because reading one would make the CPU wait; ``values`` reads them.
    """

    clock: Clock
    scalars: Mapping[str, Mapping[str, Tensor]]

    def values(self) -> dict[str, dict[str, float]]:
        """The same as floats."""
        return {who: {k: v.item() for k, v in what.items()} for who, what in self.scalars.items()}


class Training(Iterator[Step], Generic[M]):
    """A training under way: an iterator of ``Step`` whose state can be saved and put back.

    Made by ``train``.  Iterating again after a pause goes on where it stopped; the time between is
    not counted against a budget of minutes.
    """

    def __init__(
        self,
        model: M,
        data: "Data",
        settings: Settings,
        *,
        world: World | None = None,
    ):
        self.world = world or World()
        if settings.steps is None and settings.minutes is None:
            settings = replace(settings, steps=model.default_steps)
        self.raw, self.data, self.settings = model, data, settings
        if self.world.size > 1:
            check_batch_norm(model)
        self.device, seed = model.offset.device, settings.seed
        auto = model.learns_in_bf16 and has_fast_bf16(self.device)
        self.bf16 = auto if settings.precision == "auto" else settings.precision == "bf16"
        self._computing = computing(settings)
        with self._computing:
            model.setup(data.train)
        self.world.broadcast(tensors(model))
        self._fit, self._converged = model.fit(data.train), False
        if self._fit is not None and settings.of_players:
            raise UsageError(
                f"a {model.name} is fitted to all examples at once: --precision, --micro-batch, --simultaneous, --compile "
                f"and --shard are not for it"
            )
        if settings.precision == "tf32" and not has_tf32(self.device):
            raise UsageError(
                f"--precision tf32 is for GPUs of compute capability 8.0 or later, and this training is on {self.device}: leave it out"
            )
        self.batch = model.batch if self._fit is None else len(data.train)
        players = list(model.players()) if self._fit is None else []
        if players:
            check_memory(model, model.batch)
        self._parts = MicroBatches(settings.micro_batch, self.device)
        if settings.simultaneous and any(player.updates != 1 for player in players):
            raise UsageError("simultaneous updates need every player to move once a round")
        if settings.micro_batch and any(player.whole_batch for player in players):
            raise UsageError(
                "--micro-batch splits a batch, and here what an example costs depends on the whole of it"
            )
        self._average = EMA(model, players)
        self._shards: Shards | None = None
        if check_shards(players, self.world, settings):
            self._shards = Shards(model, self.world)
            self._average.let_go()
        elif settings.compile != "off" and players:
            begin_compiling(settings.compile, self.device)
        self._seats = [
            seated(player, settings.compile, self.device, self._shards) for player in players
        ]
        self._own = [tensor for p in players if p.own is not None for tensor in p.own.buffers()]
        device, one, batch = data.train.values.device, self.world, model.batch
        order = BatchOrder(len(data.train), batch, seed, one, device)
        self._batches = ReadAhead(data.train, order)
        self._checks = BatchOrder(len(data.validation), batch, seed + 1, one, device)
        self._of_class: dict[int, ReadAhead] = {}
        for label in {player.label for player in players if player.label is not None}:
            assert data.train.y is not None
            among = (data.train.y == label).nonzero()[:, 0]  # (n,)
            order = BatchOrder(len(among), batch, seed, one, device, among)
            self._of_class[label] = ReadAhead(data.train, order)
        self._steps = self._draws = 0
        self._seconds, self._lr_factor = 0.0, 1.0
        self._since: float | None = None
        # The same on every rank up to here; from now on each draws its own noise.
        torch.manual_seed(seed + self.world.rank)

    @property
    def averaged(self) -> M:
        """The model whose weights a run saves: averaged where players ask for it."""
        return self._average.model

    @property
    def weights(self) -> dict[str, list[Tensor]]:
        """{player: the weights it moves}; of those that ranks share, the parts of this one."""
        return {seat.player.name: local(seat.params) for seat in self._seats}

    def played(self) -> tuple[M, dict[str, list[Tensor]]]:
        """The model as it plays, and its ``weights``, for one rank to look at; where ranks share them, as they are averaged."""
        if self._shards is None:
            return self.raw, self.weights
        averaged = self.averaged
        pairs = zip(self.raw.parameters(), averaged.parameters(), strict=True)
        alike: dict[Tensor, Tensor] = dict(pairs)
        return averaged, {s.player.name: [alike[p] for p in s.params] for s in self._seats}

    @property
    def micro_batch(self) -> int | None:
        """Examples that are looked at at once: as asked, or fewer where memory was not enough; None: whole batches."""
        return self._parts.size

    @property
    def clock(self) -> Clock:
        """The time at the start of the coming round."""
        progress = self.settings.progress(self._steps, self.seconds)
        if self.settings.minutes is not None:
            progress = self.world.agree(progress)
        return Clock(self._steps, self._steps * self.batch, progress)

    @property
    def finished(self) -> bool:
        """Whether the budget is spent or there is nothing more to learn."""
        return self._converged or self.clock.progress >= 1

    @property
    def seconds(self) -> float:
        """Wall-clock time spent training, all sessions of a resumed run together."""
        running = 0.0 if self._since is None else time.perf_counter() - self._since
        return self._seconds + running

    @property
    def threads(self) -> int:
        """On how many threads of a processor it computes."""
        return self._computing.threads

    def pause(self) -> None:
        """Stop counting time until the next step, and give back what torch knows once for the process."""
        self._seconds, self._since = self.seconds, None
        self._computing.end()

    def scale_lr(self, factor: float) -> None:
        """Multiply every player's learning rate from now on."""
        self._lr_factor *= factor

    def __iter__(self) -> "Training[M]":
        return self

    def __next__(self) -> Step:
        if self._since is None:
            self._since = time.perf_counter()
        self._computing.begin()
        if self._seats and self._shards is None:
            self._parts.prepare(self.raw, self.data.train, self.batch // self.world.size)
        clock = self.clock
        scalars = None
        if not self._converged and clock.progress < 1:
            with together(self.world):
                scalars = self._round(clock) if self._fit is None else self._fitted()
        if scalars is None:
            self.pause()
            raise StopIteration
        self._average_weights(clock)
        self._steps += 1
        return Step(clock, scalars)

    def _average_weights(self, clock: Clock) -> None:
        if self._shards is None:
            self._average.update(clock, self.batch)
            return
        players = [seat.player for seat in self._seats]
        with self._shards.whole():
            self._average.update_once(self.raw, players, clock, self.batch)

    def _fitted(self) -> dict[str, Mapping[str, Tensor]] | None:
        """One step of a model's own method; None when it has converged."""
        assert self._fit is not None
        with torch.no_grad():
            scalars = next(self._fit, None)
        self._converged = scalars is None
        return None if scalars is None else {self.raw.name: scalars}

    def _round(self, clock: Clock) -> dict[str, Mapping[str, Tensor]]:
        """One round of the game."""
        if not self.raw.training:  # a walk over all its modules
            self.raw.train()
        scalars: dict[str, Mapping[str, Tensor]] = {}
        for seat in self._seats:
            for update in range(seat.player.updates):
                now = replace(clock, update=clock.step * seat.player.updates + update)
                scalars[seat.player.name] = self._backward(seat, now)
                if not self.settings.simultaneous:
                    self._move(seat, clock)
        if self.settings.simultaneous:
            for seat in self._seats:
                self._move(seat, clock)
        for seat in self._seats:
            if seat.player.adapt and clock.step % _ADAPT_EVERY == 0:
                rows = self._checks.rows(clock.step // _ADAPT_EVERY)
                shared = seat.player.shared
                both = [] if shared is None else list(shared.buffers())
                self.world.average(both)  # what each rank has seen since, so that all adapt alike
                seat.player.adapt(self.data.validation.batch(rows), clock)
                self.world.average(both)
        return scalars

    def _backward(self, seat: Seat, clock: Clock) -> dict[str, Tensor]:
        """Leave the gradient of one player's loss on a fresh batch in its ``.grad``."""
        if seat.player.label is None:
            batch = self._batches.batch(self._draws)
            self._draws += 1
        else:
            batch = self._of_class[seat.player.label].batch(clock.update)
        scalars = self._parts.fitting(
            seat.player, len(batch), lambda size: self._in_parts(seat, batch, size, clock)
        )
        return scalars | {GRADIENT_NORM: seat.average(scalars, self.world, self._shards)}

    def _in_parts(self, seat: Seat, batch: Batch, size: int, clock: Clock) -> dict[str, Tensor]:
        """The gradient of the mean loss, of so many examples at once, and what was measured."""
        sharded = self._shards is not None
        for param in self.raw.parameters() if sharded else seat.params:
            param.grad = None
        scalars: dict[str, Tensor] = {}
        for start in range(0, len(batch), size):
            part = batch[start : start + size]
            share = len(part) / len(batch)
            loss = self._loss(seat, part, clock)
            total = loss.total
            # of shards the leaves are weights that are there for this step only
            (total if share == 1 else total * share).backward(inputs=None if sharded else seat.params)  # fmt: skip
            if self.settings.compile == "graphs":
                keep_gradients(seat.params)
            for name, value in scalars_of(loss, total).items():
                scalars[name] = value * share + scalars[name] if name in scalars else value * share
        return scalars

    def _loss(self, seat: Seat, batch: Batch, clock: Clock) -> Loss:
        cast: AbstractContextManager[Any] = nullcontext()
        if self.bf16:
            cast = torch.autocast(self.device.type, torch.bfloat16)
        with cast:
            return seat.loss(batch, clock)

    def _move(self, seat: Seat, clock: Clock) -> None:
        player, progress = seat.player, clock.progress
        for group in seat.optimizer.param_groups:
            group["lr"] = at(player.lr, progress) * self._lr_factor
            if "betas" in group:
                group["betas"] = (at(player.betas[0], progress), at(player.betas[1], progress))
        seat.optimizer.step()
        if player.project:
            player.project()

    def state_dict(self) -> dict[str, Any]:
        """Everything that decides how training goes on: tensors and plain numbers only.

        Every rank must call it, because it collects the random state of all of them.
        """
        return {
            "steps": self._steps,
            "draws": self._draws,
            "seconds": self.seconds,
            "lr_factor": self._lr_factor,
            "converged": self._converged,
            "raw": (self._shards or self.raw).state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizers": [whole_state(seat.optimizer.state_dict()) for seat in self._seats],
            "random": self.world.gather(random_state(self.device)),
            "own": [self.world.gather(tensor) for tensor in self._own],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where ``state_dict`` was taken: exactly so with as many ranks.

        Another number of ranks gets the same batches, in other shares.  A rank that was not there draws noise of its
        own, and its chains begin where those of another are.
        """
        self._steps, self._draws = state["steps"], state["draws"]
        self._seconds, self._lr_factor, self._since = state["seconds"], state["lr_factor"], None
        self._converged = state["converged"]
        if self._fit is not None:  # its memory is what it did so far: it does it again
            with self._computing:
                for _ in range(self._steps):
                    self._fitted()
        (self._shards or self.raw).load_state_dict(state["raw"])
        self._average.model.load_state_dict(state["averaged"])
        for seat, saved in zip(self._seats, state["optimizers"], strict=True):
            if self._shards is not None:
                saved = divided_state(saved, seat.params)
            seat.optimizer.load_state_dict(saved)
        before = len(state["random"])
        for tensor, ranks in zip(self._own, state["own"], strict=True):
            tensor.copy_(ranks[self.world.rank % before])
        if self.world.rank < before:
            set_random_state(state["random"][self.world.rank], self.device)
        else:
            later = self.settings.seed * 1_000_003 + self._steps
            torch.manual_seed((later * 4_099 + self.world.rank) % 2**63)


def train(
    model: M, data: "Data", settings: Settings | None = None, *, world: World | None = None
) -> Training[M]:
    """Learn p(data.train) with ``model``: an iterator of ``Step`` until the budget is spent.

    The model and the data must be on the same device.  Without ``settings`` the budget is what suits the model.
    ``world``: the ranks that train together (``distributed.join``); by default this process alone.

    >>> import plausible
    >>> data = plausible.load("digits")
    >>> for step in train(plausible.ConvNet(data), data, Settings(steps=2, seed=0)):
    ...     print(step.clock.step, *step.values())
    0 classifier
    1 classifier
    """
    return Training(model, data, settings or Settings(), world=world)
