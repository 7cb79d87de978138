"""plausible interpolate and reconstruct: from an input to its z, and back."""

import io
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from plausible import figures, runs
from plausible.cli.commands.files import class_of, described, place, progress, write_bytes
from plausible.cli.menu import Interpolate, Reconstruct
from plausible.core.capabilities import Autoencoder, Latent, Variational
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Model
from plausible.data.inputs import inputs
from plausible.recognition import BayesClassifier
from plausible.sampling.latent import decoded, great_circle, walks

_CHUNK = 64
_COLUMNS = 16  # inputs side by side


def interpolate(asked: Interpolate, console: Console) -> None:
    """plausible interpolate RUN: x along great circles between draws of z, or between two inputs."""
    run, columns = runs.Run(asked.run_folder), asked.columns
    model = run.model(place(asked.device))
    if not isinstance(model, Latent):
        raise UsageError(f"{run.folder} is {described(model)}, which has no latent z to walk in")
    y = None if asked.label is None else class_of(run, asked.label)
    if asked.between is None:
        generator = torch.Generator().manual_seed(asked.seed)
        rows, x = asked.rows, walks(model, asked.rows, columns, y, generator)
    else:
        ends = inputs(asked.between, run.space, run.options).part.as_batch().x
        rows, x = 1, _between(model, ends, y, columns)
    if asked.out.lower().endswith(".gif"):
        frames = x.unflatten(0, (rows, columns)).transpose(0, 1)  # (columns, rows, *shape)
        if not run.space.is_image:
            raise UsageError("an animation needs images: choose a name ending in .png")
        content = figures.gif([figures.grid(frame) for frame in frames])
    elif run.space.is_image:
        content = figures.png(figures.grid(x, columns))
    else:
        content = figures.png(figures.cloud(x))
    write_bytes(Path(asked.out), content)
    walked = f"{rows} walks" if rows > 1 else "a walk"
    console.print(f"{walked} of {columns} points in {asked.out}", highlight=False, soft_wrap=True)


def _between(model: Model, ends: Tensor, y: int | None, columns: int) -> Tensor:
    """x along the great circle between the z of two inputs (2, *shape): (columns, *shape).

    A conditional model that is told no label takes the most probable one of each end, and changes from
    the first to the second half-way.
    """
    if not isinstance(model, Variational):
        raise UsageError(
            f"--between needs a model that can encode (vae), and this is {described(model)}"
        )
    if len(ends) != 2:
        raise UsageError(f"--between needs two inputs, and these files hold {len(ends):,}")
    assert isinstance(model, Explicit)
    labels = _labels(model, ends, y)
    z = model.encode(ends, labels, mean=True).cpu()  # (2, d)
    way = great_circle(z[:1], z[1:], columns)[0]  # (columns, d)
    half = (torch.arange(columns) >= columns / 2).long()
    return decoded(model, way, None if labels is None else labels[half])


def _labels(model: Explicit, x: Tensor, y: int | None) -> Tensor | None:
    """The label that is told, for all x, or of each x (N, ...) the most probable; None without labels."""
    if y is not None or not model.conditional:
        return model.labels(len(x), y)
    generator = torch.Generator().manual_seed(0)
    return BayesClassifier(model).log_posterior(x, generator).argmax(1).cpu()


def reconstruct(asked: Reconstruct, console: Console) -> None:
    """plausible reconstruct RUN PATH...: inputs above, below each what comes back from its code."""
    run = runs.Run(asked.run_folder)
    model = run.model(place(asked.device))
    if not isinstance(model, Autoencoder):
        raise UsageError(
            f"{run.folder} is {described(model)}, which keeps no code of an input: choose a run of vae or "
            f"vq-vae, --conditional rather than --per-class"
        )
    assert isinstance(model, Explicit)
    y = None if asked.label is None else class_of(run, asked.label)
    part = inputs(asked.paths, run.space, run.options).part
    parts = []
    with progress(console) as bar:
        bar.add_task("there and back", total=None)
        for rows in torch.arange(len(part)).split(_CHUNK):
            some = part.batch(rows).x
            parts.append(model.reconstruct(some, _labels(model, some, y)).cpu())
    back, x = torch.cat(parts), part.as_batch().x  # (N, *shape)
    if asked.out.lower().endswith(".npz"):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, x=back.numpy())
        content = buffer.getvalue()
    elif run.space.is_image:
        content = figures.png(figures.pairs(x, back, _COLUMNS))
    else:
        content = figures.png(figures.cloud(back, x))
    write_bytes(Path(asked.out), content)
    apart = (back - x).square().mean().sqrt().item()
    console.print(
        f"{len(x):,} inputs and what comes back of them in {asked.out}; they differ by {apart:.3g} a "
        f"coordinate (root mean square)",
        highlight=False,
        soft_wrap=True,
    )
