"""What every command needs: where to compute, what to read, how to write."""

import os
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from plausible import runs
from plausible.cli.menu import Device
from plausible.core.capabilities import Autoregressive
from plausible.core.choices import Which
from plausible.core.errors import UsageError
from plausible.core.model import Model
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.part import Data
from plausible.models.per_class import PerClass


def place(device: Device) -> torch.device:
    """The torch device of a name; UsageError when this machine has none such."""
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device == "auto":
        device = "cuda" if there["cuda"] else "cpu"
    if not there[device]:
        names = ", ".join(name for name, here in there.items() if here)
        raise UsageError(f"this machine has no device {device}: choose from {names}")
    if device == "cuda":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device(device)


def progress(console: Console) -> Progress:
    """A bar that goes away; nothing at all where there is no terminal."""
    return Progress(console=console, transient=True, disable=not console.is_terminal)


def read(source: str, options: Options, console: Console) -> Data:
    """The data set of a name or path, with a progress bar."""
    with progress(console) as bar:
        task = bar.add_task(f"reading {source}", total=None)
        return load(
            source,
            options,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )


def chosen(run: runs.Run, which: Which = "best") -> str:
    """A sentence on which weights are used, empty where there is no choice."""
    best, last = run.steps("best"), run.steps("last")
    if best is None or last is None or best == last:
        return ""
    if which == "last":
        return f"the last weights, after {last:,} steps; the best are those after {best:,}"
    return f"the best weights, after {best:,} of {last:,} steps"


def class_of(run: runs.Run, label: str) -> int:
    """A class by name or by number; UsageError with the choices."""
    names = run.class_names or tuple(str(k) for k in range(run.space.classes))
    if label in names:
        return names.index(label)
    if label.isdigit() and int(label) < len(names):
        return int(label)
    if not names:
        raise UsageError(
            f"{run.folder} was trained on data without labels, so --label says nothing"
        )
    raise UsageError(f"--label {label} is out of range: choose from {', '.join(names)}")


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, with the folders it needs; UsageError where that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        runs.write(path, content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def raster(model: Model, asked: str) -> Autoregressive:
    """The model as one that draws pixel by pixel; UsageError, naming what was asked for, if it is not."""
    if isinstance(model, Autoregressive):
        return model
    raise UsageError(
        f"{asked} needs a model that draws pixel by pixel (pixelcnn, pixelrnn; --conditional rather than "
        f"--per-class), and this is {described(model)}"
    )


def described(model: Model) -> str:
    """A model in words: "a vae", or "one vae for each class"."""
    return f"one {model.name} for each class" if isinstance(model, PerClass) else f"a {model.name}"
