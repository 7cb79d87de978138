"""What the commands do once their flags are read: this module may import torch."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import plausible.models  # noqa: F401  # fills the registry
from plausible import cli, display, figures, judging, parallel, runs
from plausible.core.model import Generative, Latent, models
from plausible.core.registry import Refused
from plausible.core.space import Batch
from plausible.data.load import against, joined, load, resplit
from plausible.data.options import Options, known
from plausible.data.part import Data, Part
from plausible.data.samples import samples
from plausible.evaluation.features import pretrained
from plausible.evaluation.latent import walks
from plausible.flags import order as flags_of
from plausible.menu import Device, Evaluate, Sample, writable
from plausible.training import Training, train

_PICTURED = 64


def place(device: Device) -> torch.device:
    """The torch device of a name; Refused when this machine has none such."""
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device == "auto":
        device = "cuda" if there["cuda"] else "cpu"
    if not there[device]:
        names = ", ".join(name for name, here in there.items() if here)
        raise Refused(f"this machine has no device {device}: choose from {names}")
    if device == "cuda":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device(device)


def train_command(name: str, arguments: list[str], console: Console) -> None:
    """plausible train NAME FLAGS: load, build, train, measure."""
    kind = models[name]
    order = cli.parse(flags_of(kind), arguments, f"plausible train {name}")
    known(order.data)
    config = kind.Config(**vars(order.model))
    folder = order.out or runs.default_folder(name, Path(order.data).stem)
    device = place(order.device)
    if not parallel.launched():
        if folder.exists():
            raise Refused(f"{folder} exists, and a run is never overwritten: choose another --out")
        if order.processes < 1:
            raise Refused(f"--processes must be at least 1, not {order.processes}")
        if order.processes > 1:
            again = ["train", name, *arguments, "--out", str(folder)]
            sys.exit(parallel.launch(order.processes, again))
    world = parallel.join(device)
    data = _load(order.data, order.options, console if world.leads else Console(quiet=True))
    model = runs.build(name, config, data.space, order.settings.seed).to(device)
    training = train(model, data.to(device), order.settings, world=world)
    run = runs.create(folder, training) if world.leads else runs.Run(folder)
    _play(run, training, console)


def resume(
    folder: Path,
    steps: int | None,
    minutes: float | None,
    device: Device,
    console: Console,
) -> None:
    """plausible resume FOLDER: go on with as many processes as before, measure again."""
    run = runs.Run(folder)
    settings = run.settings
    if steps is not None or minutes is not None:
        settings = replace(settings, steps=steps, minutes=minutes)
    where = place(device)
    if run.config["processes"] > 1 and not parallel.launched():
        sys.exit(parallel.launch(run.config["processes"], sys.argv[1:]))
    training = runs.resume(run, settings, where, parallel.join(where))
    if training.clock.spent >= 1 and (folder / "measures.json").exists():
        raise Refused(
            f"{folder} has used its budget: give a larger total with --steps or --minutes"
        )
    _play(run, training, console)


def _play(run: runs.Run, training: Training[Any], console: Console) -> None:
    """Train while showing it, then measure; on Ctrl-C say how to go on."""
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
    try:
        for _ in display.watch(runs.follow(run, training), training.settings.steps, console):
            pass
    except runs.Diverged as failure:
        console.print(f"{failure}; {run.folder} holds the last save", soft_wrap=True)
        sys.exit(3)
    finished = training.clock.spent >= 1
    training.pause()
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
    parallel.leave()
    if not finished:
        sys.exit(130)


def _finish(run: runs.Run, training: Training[Any], console: Console) -> None:
    """The picture and the measures of a finished training, from the weights it saved."""
    model, data = training.averaged, training.data
    if isinstance(model, Generative):
        x = model.sample(_PICTURED, generator=torch.Generator().manual_seed(0)).x
        behind = None if model.space.is_image else data.heldout.everything().x
        image = figures.picture(model.space, x, behind)
        path = run.write("samples.png", figures.png(image))
    if isinstance(model, Generative):
        console.print(f"samples drawn in {path}", highlight=False, soft_wrap=True)
    try:
        found = _judged(lambda tell: judging.evaluate(model, data, progress=tell), console)
    except Refused as refusal:  # too few held-out examples, say: the training is done all the same
        console.print(f"not judged: {refusal}", highlight=False, soft_wrap=True)
        return
    _keep(found, run.folder)
    console.print(display.report(found))
    console.print(
        f"all of it in {run.folder}; judge again with: plausible evaluate {run.folder}",
        highlight=False,
        soft_wrap=True,
    )


def evaluate(asked: Evaluate, console: Console) -> None:
    """plausible evaluate: judge a run, or samples of another program; with --strict the exit code."""
    features = asked.features if asked.pretrained is None else pretrained(asked.pretrained)
    source: Any
    if asked.run_folder is not None:
        run = runs.Run(asked.run_folder)
        source, data, folder = run.model(place(asked.device)), run.data(), asked.out or run.folder
    else:
        assert asked.samples is not None
        source, data = _foreign(asked, console)
        folder = asked.out or Path(f"{Path(os.path.abspath(asked.samples)).stem}-evaluation")
        writable(folder, asked.overwrite)

    def judged(tell: judging.Progress) -> judging.Report:
        return judging.evaluate(
            source, data, n=asked.n, features=features, seed=asked.seed, progress=tell
        )

    again = ", in the place of those before" if (folder / "measures.json").exists() else ""
    found = _judged(judged, console)
    _keep(found, folder)
    console.print(display.report(found))
    console.print(f"numbers and pictures in {folder}{again}", highlight=False, soft_wrap=True)
    if asked.strict and found.verdict is not None:
        sys.exit(found.verdict.exit_code)


def _foreign(asked: Evaluate, console: Console) -> tuple[Part, Data]:
    """Samples of another program and the data they imitate, with what was held out said."""
    assert asked.samples is not None
    assert asked.data is not None
    data = _load(asked.data, asked.options, console)
    if asked.split is not None:
        data = resplit(data, asked.split)
    if asked.heldout is not None:
        data = against(data, _load(asked.heldout, asked.options, console))
    else:  # the other program had no reason to set our validation part aside
        data = replace(data, train=joined(data.train, data.validation))
    part, notes = samples(asked.samples, data.space, data.class_names, asked.options)
    notes.append(
        f"{len(part):,} samples against {len(data.heldout):,} held-out items (sha256 "
        f"{data.heldout.hash[:16]}), which the program that drew them must never have seen"
    )
    for note in notes:
        console.print(f"* {note}", highlight=False, soft_wrap=True)
    return part, data


def _judged(job: Callable[[judging.Progress], judging.Report], console: Console) -> judging.Report:
    """Run an evaluation while showing how far it is."""
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("reading", total=1.0)
        return job(lambda stage, share: bar.update(task, description=stage, completed=share))


def _keep(found: judging.Report, folder: Path) -> None:
    """measures.json and the pictures of an evaluation."""
    content = json.dumps(found.to_dict(), indent=2) + "\n"
    _write_bytes(folder / "measures.json", content.encode())
    for name, image in figures.evaluation(found.study).items() if found.study else ():
        _write_bytes(folder / name, figures.png(image))


def describe(
    source: str, options: Options, picture: Path | None, overwrite: bool, console: Console
) -> None:
    """plausible data SOURCE: survey, notes, split, and a picture of some items."""
    data = _load(source, options, console)
    picture = picture or Path(f"{data.name}-data.png")
    if picture.exists() and not overwrite:
        raise Refused(f"{picture} exists: choose another --picture, or add --overwrite")
    space = data.space
    table = Table(
        title=f"{source}: {data.survey.count:,} items", title_justify="left", title_style="bold"
    )
    table.add_column("what")
    table.add_column("found")
    table.add_row("shape", " x ".join(map(str, space.shape)))
    table.add_row("levels", str(space.levels or "continuous"))
    for name, found in (
        ("classes", data.survey.classes),
        ("sizes", data.survey.sizes),
        ("modes", data.survey.modes),
    ):
        if found:
            table.add_row(name, ", ".join(f"{k}: {v:,}" for k, v in found.items()))
    if data.survey.offenders:
        shown = [f"{file}: {reason}" for file, reason in data.survey.offenders[:10]]
        table.add_row(f"skipped ({len(data.survey.offenders)})", "\n".join(shown))
    if data.survey.ignored:
        table.add_row("not images", f"{data.survey.ignored:,} files ignored")
    for part, rows in (
        ("training", data.train),
        ("validation", data.validation),
        ("held out", data.heldout),
    ):
        table.add_row(part, f"{len(rows):,} items, sha256 {rows.hash[:16]}")
    console.print(table, highlight=False)
    for note in data.notes:
        console.print(f"* {note}", highlight=False, soft_wrap=True)
    x = data.train.batch(
        torch.arange(min(len(data.train), _PICTURED if space.is_image else 5000))
    ).x
    runs.write(picture, figures.png(figures.picture(space, x)))
    console.print(f"some items drawn in {picture}", highlight=False, soft_wrap=True)


def sample(asked: Sample, console: Console) -> None:
    """plausible sample RUN: n draws as a grid, as arrays or as single images."""
    run = runs.Run(asked.run_folder)
    model = run.model(place(asked.device))
    if not isinstance(model, Generative):
        raise Refused(f"{run.folder} is a {model.name}, p(y | x), which has no samples to draw")
    y = None if asked.label is None else _label(run, asked.label)
    generator = torch.Generator().manual_seed(asked.seed)
    drawn = model.sample(asked.n, y, truncation=asked.truncation, generator=generator).to("cpu")
    path = Path(asked.out)
    if asked.out.endswith("/"):
        _write_folder(path, model, drawn)
    elif asked.out.lower().endswith(".npz"):
        _write_bytes(path, _arrays(model, drawn))
    else:
        _write_bytes(path, figures.png(figures.picture(model.space, drawn.x)))
    console.print(f"{asked.n:,} samples in {asked.out}", highlight=False, soft_wrap=True)


def interpolate(
    folder: Path,
    out: str,
    size: tuple[int, int],
    label: str | None,
    seed: int,
    device: Device,
    console: Console,
) -> None:
    """plausible interpolate FOLDER: x along great circles between draws of z."""
    run, (rows, columns) = runs.Run(folder), size
    model = run.model(place(device))
    if not isinstance(model, Latent):
        raise Refused(f"{folder} is a {model.name}, which has no latent z to walk in")
    generator = torch.Generator().manual_seed(seed)
    y = None if label is None else _label(run, label)
    x = walks(model, rows, columns, y, generator)  # (rows * columns, *shape)
    if out.lower().endswith(".gif"):
        frames = x.unflatten(0, (rows, columns)).transpose(0, 1)  # (columns, rows, *shape)
        if not model.space.is_image:
            raise Refused("an animation needs images: choose a name ending in .png")
        content = figures.gif([figures.grid(frame) for frame in frames])
    elif model.space.is_image:
        content = figures.png(figures.grid(x, columns))
    else:
        content = figures.png(figures.cloud(x))
    _write_bytes(Path(out), content)
    console.print(f"{rows} walks of {columns} points in {out}", highlight=False, soft_wrap=True)


def _label(run: runs.Run, label: str) -> int:
    """A class by name or by number; Refused with the choices."""
    names = run.class_names or tuple(str(k) for k in range(run.space.classes))
    if label in names:
        return names.index(label)
    if label.isdigit() and int(label) < len(names):
        return int(label)
    if not names:
        raise Refused(f"{run.folder} was trained on data without labels, so --label says nothing")
    raise Refused(f"--label {label} is out of range: choose from {', '.join(names)}")


def _arrays(model: Generative, drawn: Batch) -> bytes:
    """x (N, C, H, W) uint8 levels, or (N, D) float32, with y and levels where there are any."""
    import io

    import numpy as np

    space = model.space
    arrays: dict[str, Any] = {"x": (space.codes(drawn.x) if space.levels else drawn.x).numpy()}
    if space.levels:
        arrays["levels"] = np.asarray(space.levels)
    if drawn.y is not None:
        arrays["y"] = drawn.y.numpy()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _write_folder(folder: Path, model: Generative, drawn: Batch) -> None:
    if not model.space.is_image:
        raise Refused("only images can be written one by one: choose a name ending in .npz or .png")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(f"{folder} cannot be created: {error.strerror}") from error
    width = len(str(len(drawn) - 1))
    for i, image in enumerate(figures.images(drawn.x)):
        image.save(folder / f"{i:0{width}}.png")


def _write_bytes(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        runs.write(path, content)
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}") from error


def _load(source: str, options: Options, console: Console) -> Data:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"reading {source}", total=None)
        return load(
            source,
            options,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
