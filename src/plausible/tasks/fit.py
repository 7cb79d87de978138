"""Follow a training to its end: log it, save it, watch it, and act when it fails."""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import torch

from plausible.core.choices import OnFailure
from plausible.diagnosis import Finding, Monitor, Severity
from plausible.runs import Run, Weights, save
from plausible.runs.logger import NOT_FINITE, RunLogger
from plausible.training import Step, Training

_LOG_EVERY = 10  # rounds between two lines of log.jsonl
_SAVE_EVERY = 30.0  # seconds between two saves while training, at least
_SAVE_SHARE = 50  # ... and as many times what a save takes, so that saving costs at most 2%
_SLOWER = 0.5  # what a rollback does to the learning rates


class Failed(ArithmeticError):
    """The training was stopped because it failed: the sentence says how, and what to change."""


class Diverged(Failed):
    """A player's loss or gradient is NaN or infinite: the sentence says whose, which and when."""


def follow(
    run: Run,
    training: Training[Any],
    watch: Monitor | None = None,
    on_failure: OnFailure = "rollback",
    tell: Callable[[Finding], None] = lambda finding: None,
) -> Iterator[Step]:
    """Train, log, look and save: yields every step; returns early, saved, on Ctrl-C or SIGTERM.

    watch       looks at the model, and keeps the best weights; without it the last are kept.
    on_failure  what a loss or gradient that is not finite does: ``rollback`` goes back once to the last
                save, with half the learning rate, all others stop.  With ``stop`` a finding that is a
                failure stops too.
    tell        called with every finding that is new or worse than before.

    Raises ``Diverged``, after which the last save stays as it is, and ``Failed``, saved.
    """
    saved, cost = -math.inf, 0.0  # the first round is saved at once: from then on it can resume
    world, step, again = training.world, None, on_failure == "rollback" and bool(training.weights)
    everywhere = training.device.type == "cpu"  # where reading a number makes nobody wait
    grave: list[Finding] = []
    with _interruptible() as interrupted, RunLogger(run, training, watch, tell) as notes:
        for step in training:
            notes.follow(step)
            done, look = step.clock.step % _LOG_EVERY == 0, watch is not None and watch.due(step)
            failure = _broken(step, training) if done or look or everywhere else None
            if failure is not None:
                notes.keep([failure])
                if not again or not (run.folder / "state.pt").exists():
                    raise Diverged(_sentence(failure))
                again = False
                notes.restart(_roll_back(run, training), failure)
                continue
            if done or look:
                news = notes.note(step, look)
                if on_failure == "stop":
                    grave = [one for one in news if one.severity is Severity.FAILURE]
            yield step
            now = time.perf_counter()
            due = now - saved > max(_SAVE_EVERY, _SAVE_SHARE * cost)
            wish = world.agree(3 if grave else 2 if interrupted() else 1 if due else 0)
            # off the CPU a round may be broken that nobody has read yet: it is not saved
            if wish and (everywhere or not world.agree(int(_broken(step, training) is not None))):
                save(run, training, _best(watch), keep=watch is not None)
                saved, cost = time.perf_counter(), time.perf_counter() - now
            if wish == 3:
                raise Failed("; ".join(map(_sentence, grave)))
            if wish == 2:
                return
        if step is not None and notes.behind(step):  # the last, or the time ended before it was due
            failure = _broken(step, training)
            if failure is not None:
                notes.keep([failure])
                raise Diverged(_sentence(failure))
            notes.note(step, watch is not None)
        save(run, training, _best(watch), keep=watch is not None)
        notes.record()


def _sentence(failure: Finding) -> str:
    return f"{failure.claim}; {failure.remedy}"


def _best(watch: Monitor | None) -> Weights | None:
    if watch is None or watch.best is None:
        return None
    return Weights(watch.best, watch.best_steps)


def _broken(step: Step, training: Training[Any]) -> Finding | None:
    """What is not finite: a value of this step, and the weights whose gradient is not."""
    for player, seen in step.seen.items():
        for what, value in seen.items():
            if math.isfinite(value.item()):
                continue
            moved = {id(weight) for weight in training.weights.get(player, ())}
            named = training.raw.named_parameters()
            names = [name for name, p in named if id(p) in moved and _bad(p.grad)]
            evidence: dict[str, float | str] = {
                "step": step.clock.step,
                "player": player,
                what: str(value.item()),
            }
            if names:
                evidence["gradients that are not finite"] = (
                    f"{len(names)}, first that of {names[0]}"
                )
            return Finding(
                NOT_FINITE,
                Severity.FAILURE,
                f"the {what} of the {player} is {value.item()} at step {step.clock.step}: training has diverged",
                evidence,
                "where there is a --lr, try a lower one",
            )
    return None


def _bad(gradient: torch.Tensor | None) -> bool:
    return gradient is not None and not bool(gradient.isfinite().all())


def _roll_back(run: Run, training: Training[Any]) -> int:
    """Put back the last save, with a smaller learning rate, and say at which step; every rank calls it."""
    state = torch.load(run.folder / "state.pt", map_location="cpu", weights_only=True)
    seconds = training.seconds
    training.load_state_dict({**state, "seconds": seconds})  # the time is spent all the same
    training.scale_lr(_SLOWER)
    return int(state["steps"])


@contextmanager
def _interruptible() -> Iterator[Any]:
    """Turn the first Ctrl-C or SIGTERM into a wish to stop; the second acts as usual."""
    asked: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(number, before[number])

    try:
        for number in (int(signal.SIGINT), int(signal.SIGTERM)):
            before[number] = signal.getsignal(number)
            signal.signal(number, note)
    except ValueError:  # not the main thread: the caller stops by leaving the loop
        before.clear()
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
