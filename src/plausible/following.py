"""Follow a training to its end: log it, save it, watch it, and act when it fails."""

import json
import math
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TextIO

import torch

from plausible.choices import OnFailure
from plausible.diagnosis import Finding, History, Severity, Watch
from plausible.diagnosis.history import LOOK
from plausible.runs import Run, Weights, cut_log, save
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
    watch: Watch | None = None,
    on_failure: OnFailure = "rollback",
    tell: Callable[[Finding], None] = lambda finding: None,
) -> Iterator[Step]:
    """Train, log, look and save: yields every step; returns early, saved, on Ctrl-C or SIGTERM.

    watch       looks at the model, and keeps the best weights; without it the last are kept.
    on_failure  what a loss or gradient that is not finite does: ``rollback`` goes back once to the last
                save, with half the learning rate, all others stop.  With ``stop`` a finding that is a
                failure stops too.
    tell        called with every finding that is new or worse than before.

    Raises ``Diverged`` and ``Failed``; the last save stays as it is.
    """
    saved, cost = -math.inf, 0.0  # the first round is saved at once: from then on it can resume
    world, step, again = training.world, None, on_failure == "rollback"
    everywhere = training.device.type == "cpu"  # where reading a number makes nobody wait
    grave: list[Finding] = []
    log = _appending(run, world.leads)
    try:
        with _interruptible() as interrupted:
            for step in training:
                if watch is not None and world.leads:
                    watch.follow(step)
                done = step.clock.step % _LOG_EVERY == 0
                look = watch is not None and watch.due(step)
                failure = _broken(step, training) if done or look or everywhere else None
                if failure is not None:
                    if not again or not (run.folder / "state.pt").exists():
                        raise Diverged(failure.claim + "; " + failure.remedy)
                    again = False
                    log.close()
                    _roll_back(run, training, watch)
                    log = _appending(run, world.leads)
                    if world.leads:
                        _keep(run, watch, tell, [failure])
                    continue
                if done or look:
                    line = _line(step, training.seconds)
                    if watch is not None and world.leads:
                        line |= watch.trace()
                        if look:
                            line[LOOK] = watch.look()
                    log.write(json.dumps(line) + "\n")
                    if watch is not None and world.leads:
                        news = watch.add(line)
                        _keep(run, watch, tell, news)
                        if on_failure == "stop":
                            grave = [one for one in news if one.severity is Severity.FAILURE]
                yield step
                now = time.perf_counter()
                due = now - saved > max(_SAVE_EVERY, _SAVE_SHARE * cost)
                wish = world.agree(3 if grave else 2 if interrupted() else 1 if due else 0)
                if wish:
                    save(run, training, _best(watch))
                    saved, cost = time.perf_counter(), time.perf_counter() - now
                if wish == 3:
                    raise Failed("; ".join(f"{one.claim}; {one.remedy}" for one in grave))
                if wish == 2:
                    return
            if step is not None and watch is None and step.clock.step % _LOG_EVERY:
                log.write(json.dumps(_line(step, training.seconds)) + "\n")
            save(run, training, _best(watch))
            if watch is not None and watch.findings and world.leads:
                _record(run, watch)
    finally:
        log.close()


def _best(watch: Watch | None) -> Weights | None:
    if watch is None or watch.best is None:
        return None
    return Weights(watch.best, watch.best_steps)


def _line(step: Step, seconds: float) -> dict[str, Any]:
    """A line of log.jsonl."""
    clock = {"step": step.clock.step, "images": step.clock.images, "spent": step.clock.spent}
    return {**clock, "seconds": round(seconds, 3), **step.values()}


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
                "not finite",
                Severity.FAILURE,
                f"the {what} of the {player} is {value.item()} at step {step.clock.step}: training has diverged",
                evidence,
                "where there is a --lr, try a lower one",
            )
    return None


def _bad(gradient: torch.Tensor | None) -> bool:
    return gradient is not None and not bool(gradient.isfinite().all())


def _roll_back(run: Run, training: Training[Any], watch: Watch | None) -> None:
    """Put back the last save, with a smaller learning rate; every rank calls it."""
    state = torch.load(run.folder / "state.pt", map_location="cpu", weights_only=True)
    seconds = training.seconds
    training.load_state_dict({**state, "seconds": seconds})  # the time is spent all the same
    training.scale_lr(_SLOWER)
    if training.world.leads:
        cut_log(run, state["steps"])
        if watch is not None:
            watch.restart(History.read(run.folder / "log.jsonl"))


def _keep(
    run: Run, watch: Watch | None, tell: Callable[[Finding], None], news: list[Finding]
) -> None:
    """Tell what is new, and write findings.json."""
    for finding in news:
        tell(finding)
    if watch is not None and news:
        for finding in news:
            watch.findings.setdefault(finding.check, finding)
        _record(run, watch)


def _record(run: Run, watch: Watch) -> None:
    content = [finding.to_dict() for finding in watch.findings.values()]
    run.write("findings.json", json.dumps(content, indent=2) + "\n")


def _appending(run: Run, leads: bool) -> TextIO:
    """log.jsonl, written line by line by rank 0 alone."""
    return open(run.folder / "log.jsonl" if leads else os.devnull, "a", buffering=1)


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
