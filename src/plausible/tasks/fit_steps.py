"""A training to its end: logged, saved and monitored, and what is done when it fails."""

import math
import shlex
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from types import FrameType
from typing import Any

from plausible.core.choices import OnFailure
from plausible.core.errors import UsageError
from plausible.core.finding import Finding, Severity
from plausible.core.memory import out_of_memory
from plausible.diagnosis.monitor import Monitor
from plausible.diagnosis.not_finite import not_finite
from plausible.diagnosis.remedies import with_remedy
from plausible.runs import Run, Weights, discard_unsaved, save
from plausible.runs.lock import writer
from plausible.runs.log import read_history
from plausible.runs.logger import RunLogger
from plausible.runs.mirrors import Mirrors
from plausible.runs.saving import saved_state
from plausible.tasks.disk import Disk, reason
from plausible.tasks.training_pictures import TrainingPictures
from plausible.training import Step, Training

MEMORY = "memory"
"""What a finding is called that says that memory was not enough."""
_LOG_EVERY = 10  # rounds between two lines of log.jsonl
_SAVE_EVERY = 30.0  # seconds between two saves while training, at least
_SAVE_SHARE = 50  # ... and as many times what a save takes, so that saving costs at most 2%
_SLOWER = 0.5  # what a rollback does to the learning rates


class Failed(ArithmeticError):
    """The training was stopped because it failed: the sentence says how, and what to change."""


class Diverged(Failed):
    """A player's loss or gradient is NaN or infinite: the sentence says whose, which and when."""


def fit_steps(
    run: Run,
    training: Training[Any],
    monitor: Monitor | None = None,
    on_failure: OnFailure = "rollback",
    on_finding: Callable[[Finding], None] = lambda finding: None,
    pictures: TrainingPictures | None = None,
    mirrors: Mirrors | None = None,
) -> Iterator[Step]:
    """Train, log, probe and save: yields every step; returns early, saved, on Ctrl-C or SIGTERM.

    monitor     probes the model, and keeps the best weights; without it the last are kept.
    on_failure  what a loss or gradient that is not finite does: ``rollback`` goes back once to the last
                save, with half the learning rate, all others stop.  With ``stop`` a finding that is a
                failure stops too.
    on_finding  called with every finding that is new or worse than before.
    pictures    drawn at every probe, at every save and at the end, also that by Ctrl-C; None: none are.
    mirrors     told every line of the log and every picture.

    Raises ``Diverged``, after which the last save stays as it is, and ``Failed``, saved.  What is refused before
    anything was saved leaves no folder behind.
    """
    try:
        yield from _steps(
            run, training, monitor, on_failure, on_finding, pictures, mirrors or Mirrors()
        )
    except Diverged:
        if pictures is not None:
            pictures.finish()  # the curves up to there
        raise
    except (UsageError, MemoryError, RuntimeError):
        if training.world.leads:
            discard_unsaved(run)
        raise
    finally:
        training.pause()


def _steps(
    run: Run,
    training: Training[Any],
    monitor: Monitor | None,
    on_failure: OnFailure,
    on_finding: Callable[[Finding], None],
    pictures: TrainingPictures | None,
    mirrors: Mirrors,
) -> Iterator[Step]:
    saved, cost = -math.inf, 0.0  # the first round is saved at once: from then on it can resume
    world, step, again = training.world, None, on_failure == "rollback" and bool(training.weights)
    everywhere = training.device.type == "cpu"  # where reading a number makes nobody wait
    failures: list[Finding] = []
    disk = Disk(on_finding)
    with (
        _interruptible() as interrupted,
        writer(run.folder) if world.leads else nullcontext(lambda: None) as sign_of_life,
        RunLogger(run, training, monitor, on_finding, mirrors) as logger,
        closing(mirrors),
        _enough_memory(run, logger),
    ):
        parts = training.micro_batch
        for step in training:
            sign_of_life()
            if training.micro_batch != parts:
                parts = training.micro_batch
                logger.report([_split(training)])
            logger.observe(step)
            log = step.clock.step % _LOG_EVERY == 0
            probe = monitor is not None and monitor.should_probe(step)
            broken = _not_finite(step, training) if log or probe or everywhere else None
            if broken is not None:
                logger.report([broken])
                if not again or not (run.folder / "state.pt").exists():
                    raise Diverged(_sentence(broken))
                again = False
                logger.rewind(_roll_back(run, training), broken)
                continue
            if log or probe:
                with disk.tolerated():
                    news = logger.log(step, probe)
                    if on_failure == "stop":
                        failures = [found for found in news if found.severity is Severity.FAILURE]
            if probe and pictures is not None:
                with disk.tolerated():
                    _draw(pictures, mirrors, step)
            yield step
            now = time.perf_counter()
            due = now - saved > max(_SAVE_EVERY, _SAVE_SHARE * cost)
            wish = world.agree(3 if failures else 2 if interrupted() else 1 if due else 0)
            # off the CPU a round may be broken that nobody has read yet: it is not saved
            if wish and (everywhere or not world.agree(int(_is_broken(step, training)))):
                with disk.tolerated(tried=True) if wish == 1 else _must_be_saved(run):
                    save(run, training, _best(monitor), keep=monitor is not None)
                saved, cost = time.perf_counter(), time.perf_counter() - now
                # nothing was learned before the first save
                if pictures is not None and (wish > 1 or step.clock.step):
                    with disk.tolerated():
                        _draw(pictures, mirrors, step, always=wish > 1)
            if wish > 1 and pictures is not None:
                with disk.tolerated():
                    pictures.finish()
            if log or probe:
                mirrors.tell()
            if wish == 3:
                raise Failed("; ".join(map(_sentence, failures)))
            if wish == 2:
                return
        if step is not None:
            broken = None if logger.is_logged(step) else _not_finite(step, training)
            if broken is not None:
                logger.report([broken])
                raise Diverged(_sentence(broken))
            with disk.tolerated():
                logger.log_end(
                    step, monitor is not None
                )  # the time may have ended before it was due
        with _must_be_saved(run):
            save(run, training, _best(monitor), keep=monitor is not None)
        with disk.tolerated():
            logger.write_findings()
            if step is not None and pictures is not None:
                _draw(pictures, mirrors, step, always=True)
                pictures.finish()
        mirrors.tell()


def _draw(
    pictures: TrainingPictures, mirrors: Mirrors, step: Step, *, always: bool = False
) -> None:
    """samples.png after a round, which mirrors are shown."""
    before, steps = pictures.drawn, step.clock.step + 1
    pictures.draw(steps, always=always)
    if pictures.drawn == steps != before:
        mirrors.picture(step.clock.step, pictures.path)


def monitored(run: Run, training: Training[Any]) -> Monitor | None:
    """A monitor that knows what the run has logged; None for what is fitted at once, which has nothing to watch."""
    return Monitor(training, read_history(run.folder / "log.jsonl")) if training.weights else None


def _split(training: Training[Any]) -> Finding:
    """A batch is looked at in parts from now on, because memory was not enough for all of it."""
    size = training.micro_batch or training.batch
    claim = (
        f"the memory does not hold {min(2 * size, training.batch):,} examples at once: batches of {training.batch:,} go "
        f"on in parts of {size:,}, with the same mean gradient"
    )
    begin = f"--micro-batch {size} does so from the beginning"
    return Finding(MEMORY, Severity.NOTE, claim, remedy=begin)


@contextmanager
def _enough_memory(run: Run, logger: RunLogger) -> Iterator[None]:
    """``Failed`` where memory is at an end and something was saved; without a save it is refused like any request."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        sentence = out_of_memory(error)
        if sentence is None or not (run.folder / "state.pt").exists():
            raise
        logger.report([Finding(MEMORY, Severity.FAILURE, sentence)])
        raise Failed(sentence) from error


@contextmanager
def _must_be_saved(run: Run) -> Iterator[None]:
    """The last save of a training; ``Failed`` where it cannot be written, and the one before stays."""
    try:
        yield
    except OSError as error:
        raise Failed(
            f"{reason(error)}; make room, and plausible resume {shlex.quote(str(run.folder))} goes on from the save before"
        ) from error


def _sentence(failure: Finding) -> str:
    return f"{failure.claim}; {failure.remedy}" if failure.remedy else failure.claim


def _best(monitor: Monitor | None) -> Weights | None:
    if monitor is None or monitor.best is None:
        return None
    return Weights(monitor.best, monitor.best_steps)


def _not_finite(step: Step, training: Training[Any]) -> Finding | None:
    """What is not finite in this step, and what to do about it."""
    finding = not_finite(step, training)
    return None if finding is None else with_remedy(finding, training.raw, training.settings)


def _is_broken(step: Step, training: Training[Any]) -> bool:
    return not_finite(step, training) is not None


def _roll_back(run: Run, training: Training[Any]) -> int:
    """Put back the last save, with a smaller learning rate, and say at which step; every rank calls it."""
    state, seconds = saved_state(run), training.seconds
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
