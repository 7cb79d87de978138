"""What the commands do once their flags are read: this module may import torch."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from torch import Tensor

import plausible.models  # noqa: F401  # fills the registry
from plausible import cli, display, figures, judging, parallel, runs
from plausible.core.model import Generative, Latent, models
from plausible.core.registry import Refused
from plausible.core.space import Batch
from plausible.data.load import load
from plausible.data.options import Options, known
from plausible.data.part import Data
from plausible.evaluation.latent import great_circle
from plausible.flags import order as flags_of
from plausible.training import Training, train

_PICTURED = 64


def place(device: cli.Device) -> torch.device:
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
    device: cli.Device,
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
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("a classifier of the real data learns to judge", total=1.0)
        measures = judging.measure(
            model, data, progress=lambda spent: progress.update(task, completed=spent)
        )
    run.write("measures.json", json.dumps(measures.to_dict(), indent=2) + "\n")
    console.print(display.measures_table(measures, f"{measures.samples:,} samples by class"))
    if isinstance(model, Generative):
        console.print(f"samples drawn in {path}", highlight=False, soft_wrap=True)


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


def sample(
    folder: Path,
    out: str,
    n: int,
    label: str | None,
    seed: int,
    device: cli.Device,
    console: Console,
) -> None:
    """plausible sample FOLDER: n draws as a grid, as arrays or as single images."""
    run = runs.Run(folder)
    model = run.model(place(device))
    if not isinstance(model, Generative):
        raise Refused(f"{folder} is a {model.name}, p(y | x), which has no samples to draw")
    y = None if label is None else _label(run, label)
    drawn = model.sample(n, y, generator=torch.Generator().manual_seed(seed)).to("cpu")
    path = Path(out)
    if out.endswith("/"):
        _write_folder(path, model, drawn)
    elif out.lower().endswith(".npz"):
        _write_bytes(path, _arrays(model, drawn))
    else:
        _write_bytes(path, figures.png(figures.picture(model.space, drawn.x)))
    console.print(f"{n:,} samples in {out}", highlight=False, soft_wrap=True)


def interpolate(
    folder: Path,
    out: str,
    size: tuple[int, int],
    label: str | None,
    seed: int,
    device: cli.Device,
    console: Console,
) -> None:
    """plausible interpolate FOLDER: x along great circles between draws of z."""
    run, (rows, columns) = runs.Run(folder), size
    model = run.model(place(device))
    if not isinstance(model, Latent):
        raise Refused(f"{folder} is a {model.name}, which has no latent z to walk in")
    assert isinstance(model, Generative)
    generator = torch.Generator().manual_seed(seed)
    start, end = model.latent(2 * rows, generator).chunk(2)  # (rows, d) each
    walk = great_circle(start, end, columns)  # (rows, columns, d)
    y = model.labels(rows, None if label is None else _label(run, label), generator)
    labels = None if y is None else y.repeat_interleave(columns)  # (rows,) -> (rows * columns,)
    x = _decode(model, walk.flatten(0, 1), labels)  # (rows * columns, *shape)
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


@torch.no_grad()
def _decode(model: Any, z: Tensor, y: Tensor | None) -> Tensor:
    device = model.offset.device
    parts = []
    for rows in torch.arange(len(z)).split(256):
        labels = None if y is None else y[rows].to(device)
        parts.append(model.decode(z[rows].to(device), labels).cpu())
    return model.space.quantise(torch.cat(parts))


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
