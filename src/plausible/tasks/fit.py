"""Train to the end: log, saves, alarms and the best weights, all at once."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from plausible.core.choices import Compile, Device, LogTo, OnFailure, Precision, Threads
from plausible.core.finding import Finding
from plausible.data.options import DEFAULTS, Options
from plausible.runs import Run
from plausible.runs.mirrors import check_mirrors, mirrored
from plausible.tasks.fit_steps import fit_steps, monitored
from plausible.tasks.start import ModelLike, restart, start
from plausible.tasks.trained import Trained
from plausible.tasks.training_pictures import TrainingPictures
from plausible.training import Settings, Step, Training


def fit(
    model: ModelLike,
    data: Any = "digits",
    *,
    steps: int | None = None,
    minutes: float | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    preset: str | None = None,
    options: Options = DEFAULTS,
    per_class: bool = False,
    init: Run | str | Path | None = None,
    decoder: Run | str | Path | None = None,
    watch: bool = True,
    on_failure: OnFailure = "rollback",
    precision: Precision = "auto",
    micro_batch: int | None = None,
    simultaneous: bool = False,
    compile: Compile = "off",
    threads: Threads | None = None,
    device: Device = "auto",
    log_to: Sequence[LogTo] = (),
    on_step: Callable[[Step], None] = lambda step: None,
    on_finding: Callable[[Finding], None] = lambda finding: None,
    **choices: Any,
) -> Trained:
    """Learn p(data): what ``plausible train MODEL`` does before it evaluates, without a word.

    model       a name ("gan"), a class, or a model built for the space of the data.
    data        ``Data``, or whatever ``load`` takes: a name or path, an array, a DataFrame, a pair (x, y), ...
    steps, minutes  the budget; with neither what suits the model and the data.
    out         a folder to keep the run in with the pictures of its training, new or empty; by default nothing is
                left on the disk.
    preset      a published recipe by name; ``choices`` change it.
    options     how the data are shaped.
    init        a run of the same model, whose weights and choices it begins with, see ``start``.
    decoder     of a GAN a run whose decoder its generator begins as, see ``start``; with ``data=None`` on its data.
    watch       probes the model every 100 rounds (400 of diffusion), raises alarms, and keeps the best weights.
    on_failure  what a number that is not finite does, see ``fit_steps``.
    threads     of a processor that compute; "auto" times a few rounds with one, half and all of them, see ``with_threads``.
    log_to      where the log is mirrored to beside log.jsonl: "tensorboard", "trackio", "wandb".
    on_step, on_finding  called with every round, and with every finding that is new or worse than before.
    choices     fields of the model's Config, as the flags of the command line.
    Returns the model with its best weights, in evaluation mode; on Ctrl-C, too, with ``finished`` False.
    Raises ``Failed`` where the training was stopped by a failure.

    >>> digits = fit("naive-bayes", "digits")
    >>> digits.model.sample(3).x.shape
    torch.Size([3, 1, 8, 8])
    """
    check_mirrors(log_to)
    settings = Settings(
        steps, minutes, seed, precision, micro_batch, simultaneous, compile, threads=threads
    )
    with kept_in(out) as folder:
        run, training = start(
            model,
            data,
            preset=preset,
            options=options,
            settings=settings,
            per_class=per_class,
            init=init,
            decoder=decoder,
            out=folder,
            watch=watch,
            device=device,
            **choices,
        )
        return played(
            run, training, out is not None, watch, on_failure, on_step, on_finding, log_to
        )


def resume(
    run: Run | str | Path,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    data: str | Path | None = None,
    watch: bool = True,
    on_failure: OnFailure = "rollback",
    compile: Compile | None = None,
    threads: int | None = None,
    device: Device = "auto",
    log_to: Sequence[LogTo] | None = None,
    on_step: Callable[[Step], None] = lambda step: None,
    on_finding: Callable[[Finding], None] = lambda finding: None,
) -> Trained:
    """Go on with a run exactly where it was saved, to its own budget or a new total of steps or minutes.

    data    where its data are now, if that is not where they were.
    compile, threads  how it goes on computing, if not as before.
    log_to  where its log is mirrored to from now on, with all of it; by default where it was before.
    """
    check_mirrors(log_to or ())
    place = None if data is None else str(data)
    run, training = restart(
        run,
        steps=steps,
        minutes=minutes,
        data=place,
        compile=compile,
        threads=threads,
        device=device,
    )
    return played(run, training, True, watch, on_failure, on_step, on_finding, log_to)


def played(
    run: Run,
    training: Training[Any],
    keep: bool,
    watch: bool,
    on_failure: OnFailure,
    on_step: Callable[[Step], None],
    on_finding: Callable[[Finding], None],
    log_to: Sequence[LogTo] | None = None,
) -> Trained:
    """A training that has begun, to its end; ``keep``: with the pictures of it, and its run."""
    monitor = monitored(run, training) if watch else None
    pictures = TrainingPictures(run, training) if keep else None
    mirrors = mirrored(run, training, log_to, on_finding)
    for step in fit_steps(run, training, monitor, on_failure, on_finding, pictures, mirrors):
        on_step(step)
    finished, seconds = training.finished, training.seconds
    training.pause()
    return Trained(
        run.with_weights(training.averaged),
        run if keep else None,
        tuple(monitor.findings.values()) if monitor else (),
        seconds,
        finished,
        training.data,
    )


@contextmanager
def kept_in(out: str | Path | None) -> Iterator[Path]:
    """The folder of a run: the one asked for, or one that goes away."""
    if out is not None:
        yield Path(out)
        return
    with tempfile.TemporaryDirectory(prefix="plausible-") as folder:
        yield Path(folder) / "run"
