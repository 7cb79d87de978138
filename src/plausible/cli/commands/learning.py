"""plausible train and resume."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

import plausible.models  # noqa: F401  # fills the registry
from plausible import figures, runs
from plausible.cli import display
from plausible.cli.commands.evaluating import judged, keep
from plausible.cli.commands.files import chosen, place, read
from plausible.cli.flags import order as flags_of
from plausible.cli.main import parse
from plausible.cli.menu import Resume
from plausible.core.choices import OnFailure
from plausible.core.errors import UsageError
from plausible.core.model import Generative, models
from plausible.data.options import resolve_source
from plausible.diagnosis import Finding, History, Monitor
from plausible.tasks import evaluate as judging
from plausible.tasks.fit import Failed, follow
from plausible.training import Training, train
from plausible.training import distributed as parallel

_PICTURED = 64


def train_command(name: str, arguments: list[str], console: Console) -> None:
    """plausible train NAME FLAGS: load, build, train, measure."""
    kind = models[name]
    order = parse(flags_of(kind), arguments, f"plausible train {name}")
    resolve_source(order.data)
    config = kind.Config(**vars(order.model))
    folder = order.out or runs.default_folder(name, Path(order.data).stem)
    device = place(order.device)
    if not parallel.launched():
        if folder.exists():
            raise UsageError(
                f"{folder} exists, and a run is never overwritten: choose another --out"
            )
        if order.processes < 1:
            raise UsageError(f"--processes must be at least 1, not {order.processes}")
        if order.processes > 1:
            again = ["train", name, *arguments, "--out", str(folder)]
            sys.exit(parallel.launch(order.processes, again))
    world = parallel.join(device)
    data = read(order.data, order.options, console if world.leads else Console(quiet=True))
    model = runs.build(name, config, data.space, order.settings.seed, order.per_class).to(device)
    training = train(model, data.to(device), order.settings, world=world)
    run = runs.create(folder, training) if world.leads else runs.Run(folder)
    _play(run, training, order.watch, order.on_failure, console)


def resume(asked: Resume, console: Console) -> None:
    """plausible resume FOLDER: go on with as many processes as before, measure again."""
    folder = asked.run_folder
    run = runs.Run(folder)
    settings = run.settings
    if asked.steps is not None or asked.minutes is not None:
        settings = replace(settings, steps=asked.steps, minutes=asked.minutes)
    where = place(asked.device)
    if run.config["processes"] > 1 and not parallel.launched():
        sys.exit(parallel.launch(run.config["processes"], sys.argv[1:]))
    training = runs.resume(run, settings, where, parallel.join(where))
    if training.finished and (folder / "measures.json").exists():
        raise UsageError(
            f"{folder} has used its budget: give a larger total with --steps or --minutes"
        )
    _play(run, training, asked.watch, asked.on_failure, console)


def _play(
    run: runs.Run, training: Training[Any], watched: bool, on_failure: OnFailure, console: Console
) -> None:
    """Train while showing and watching it, then measure; on Ctrl-C say how to go on."""
    world = training.world
    if not world.leads:
        console = Console(quiet=True)
    weights = sum(param.numel() for param in training.raw.parameters())
    console.print(
        f"{training.raw.name}: {weights:,} weights, {len(training.data.train):,} training examples, "
        f"batch {training.batch}, on {training.device}; run {run.folder}",
        highlight=False,
        soft_wrap=True,
    )
    watch = None
    if watched and training.weights:  # what is fitted at once has nothing to watch
        watch = Monitor(training, History.read(run.folder / "log.jsonl"))

    told: list[Finding] = []

    def tell(finding: Finding) -> None:
        told.append(finding)
        console.print(display.alarm(finding), soft_wrap=True)

    steps = follow(run, training, watch, on_failure, tell)
    try:
        for _ in display.watch(steps, training.settings.steps, console):
            pass
    except Failed as failure:
        left = "holds the last save" if (run.folder / "state.pt").exists() else "holds nothing yet"
        what = "that failure" if told else str(failure)
        console.print(f"stopped by {what}; {run.folder} {left}", soft_wrap=True)
        sys.exit(3)
    finished = training.finished
    training.pause()
    parallel.leave()  # rank 0 measures alone, and the others end now
    if world.leads:
        took = display.duration(training.seconds)
        if finished:
            console.print(f"trained for {took}", highlight=False)
            _finish(run, training, console)
        else:
            console.print(
                f"stopped after {took} and saved; go on with: plausible resume {run.folder}",
                highlight=False,
                soft_wrap=True,
            )
    if not finished:
        sys.exit(130)


def _finish(run: runs.Run, training: Training[Any], console: Console) -> None:
    """The picture and the measures of a finished training, by the best weights it saved."""
    model, data = run.model(training.device), training.data
    told = chosen(run)
    if told:
        console.print(told, highlight=False, soft_wrap=True)
    if isinstance(model, Generative):
        x = model.sample(_PICTURED, generator=torch.Generator().manual_seed(0)).x
        behind = None if model.space.is_image else data.heldout.as_batch().x
        image = figures.picture(model.space, x, behind)
        path = run.write("samples.png", figures.png(image))
    if isinstance(model, Generative):
        console.print(f"samples drawn in {path}", highlight=False, soft_wrap=True)
    try:
        found = judged(lambda tell: judging.evaluate(model, data, progress=tell), console)
    except (
        UsageError
    ) as refusal:  # too few held-out examples, say: the training is done all the same
        console.print(f"not judged: {refusal}", highlight=False, soft_wrap=True)
        return
    keep(found, data, run.folder)
    console.print(display.report(found))
    console.print(
        f"all of it in {run.folder}; judge again with: plausible evaluate {run.folder}",
        highlight=False,
        soft_wrap=True,
    )
