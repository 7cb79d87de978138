"""plausible data, sample and complete: pictures and files of points of a space."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from plausible import figures, runs
from plausible.cli.commands.files import (
    chosen,
    class_of,
    place,
    progress,
    raster,
    read,
    write_bytes,
)
from plausible.cli.menu import Complete, Sample
from plausible.core.capabilities import Chain, Latent
from plausible.core.errors import UsageError
from plausible.core.model import Generative, truncated
from plausible.core.space import Batch
from plausible.data.inputs import inputs
from plausible.data.options import Options
from plausible.sampling.chains import walk
from plausible.sampling.latent import decoded

_PICTURED = 64


def describe(
    source: str, options: Options, picture: Path | None, overwrite: bool, console: Console
) -> None:
    """plausible data SOURCE: survey, notes, split, and a picture of some items."""
    data = read(source, options, console)
    picture = picture or Path(f"{data.name}-data.png")
    if picture.exists() and not overwrite:
        raise UsageError(f"{picture} exists: choose another --picture, or add --overwrite")
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
    model = run.model(place(asked.device), asked.weights)
    if not isinstance(model, Generative):
        raise UsageError(f"{run.folder} is a {model.name}, p(y | x), which has no samples to draw")
    told = chosen(run, asked.weights)
    if told:
        console.print(told, highlight=False, soft_wrap=True)
    y = None if asked.label is None else class_of(run, asked.label)
    generator = torch.Generator().manual_seed(asked.seed)
    if asked.chain is not None:
        _write_walk(model, asked, y, generator)
        console.print(
            f"{asked.n:,} chains of {asked.steps:,} steps in {asked.chain}",
            highlight=False,
            soft_wrap=True,
        )
        return
    assert asked.out is not None
    if asked.mean:
        drawn = _means(model, asked, y, generator)
    else:
        drawn = model.sample(asked.n, y, truncation=asked.truncation, generator=generator).to("cpu")
    path = Path(asked.out)
    if asked.out.endswith("/"):
        _write_folder(path, model, drawn)
    elif asked.out.lower().endswith(".npz"):
        write_bytes(path, _arrays(model, drawn))
    else:
        write_bytes(path, figures.png(figures.picture(model.space, drawn.x)))
    console.print(f"{asked.n:,} samples in {asked.out}", highlight=False, soft_wrap=True)


def complete(asked: Complete, console: Console) -> None:
    """plausible complete RUN PATH...: several ends for each image, beside the image itself."""
    run = runs.Run(asked.run_folder)
    model = run.model(place(asked.device))
    drawing = raster(model, "plausible complete")
    assert isinstance(model, Generative)
    space, given = model.space, inputs(asked.paths, run.space, run.options)
    height = space.shape[1]
    if not 0 <= asked.rows < height:
        raise UsageError(f"--rows must lie between 0 and {height - 1}, not {asked.rows}")
    y = None if asked.label is None else class_of(run, asked.label)
    x = given.part.as_batch().x  # (N, C, H, W)
    known = torch.zeros(space.shape[1:], dtype=torch.bool)
    known[: asked.rows] = True
    generator = torch.Generator().manual_seed(asked.seed)
    with progress(console) as bar:
        bar.add_task("drawing", total=None)
        many = x.repeat_interleave(asked.n, 0)  # (N, ...) -> (N n, ...)
        drawn = drawing.complete(many, known, y, generator=generator).to("cpu")
    if asked.out.lower().endswith(".npz"):
        write_bytes(Path(asked.out), _arrays(model, drawn))
    else:
        half = torch.where(known, x, torch.full_like(x, 0.5))
        ends = drawn.x.unflatten(0, (len(x), asked.n))  # (N, n, ...)
        sheet = torch.cat([x[:, None], half[:, None], ends], 1).flatten(0, 1)
        write_bytes(Path(asked.out), figures.png(figures.grid(sheet, asked.n + 2)))
    console.print(
        f"{asked.n} ends for each of {len(x):,} images in {asked.out}",
        highlight=False,
        soft_wrap=True,
    )


@torch.no_grad()
def _means(model: Generative, asked: Sample, y: int | None, generator: torch.Generator) -> Batch:
    """E[x | z] of drawn z in the place of draws of x, on the levels of the space."""
    if not isinstance(model, Latent):
        raise UsageError(f"--mean is of models with a z ~ N(0, I), and a {model.name} has none")
    labels = model.labels(asked.n, y, generator)
    z = model.latent(asked.n, generator)
    z = z if asked.truncation is None else truncated(z, asked.truncation)
    return Batch(decoded(model, z, labels), labels)


def _write_walk(
    model: Generative, asked: Sample, y: int | None, generator: torch.Generator
) -> None:
    """The states of chains from their beginning on, one frame a step."""
    if not isinstance(model, Chain):
        raise UsageError(
            f"--chain is of models with a Markov chain (rbm, gsn), and a {model.name} has none"
        )
    if not model.space.is_image:
        raise UsageError("an animation needs images")
    way, _ = walk(model, asked.n, asked.steps, generator, y)  # (steps, n, *shape)
    assert asked.chain is not None
    write_bytes(Path(asked.chain), figures.gif([figures.grid(x) for x in way], back=False))


def _arrays(model: Generative, drawn: Batch) -> bytes:
    """x (N, C, H, W) uint8 levels, or (N, D) float32, with y and levels where there are any."""
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
        raise UsageError(
            "only images can be written one by one: choose a name ending in .npz or .png"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be created: {error.strerror}") from error
    width = len(str(len(drawn) - 1))
    for i, image in enumerate(figures.images(drawn.x)):
        image.save(folder / f"{i:0{width}}.png")
