"""plausible evaluate."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from plausible import figures, runs
from plausible.cli import display
from plausible.cli.checks import writable
from plausible.cli.commands.files import place, progress, read, write_bytes
from plausible.cli.menu import Evaluate
from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError
from plausible.core.model import Explicit
from plausible.data.inputs import inputs
from plausible.data.load import against, joined, resplit
from plausible.data.options import NAMES, TOYS, Options
from plausible.data.part import Data, Part
from plausible.data.samples import samples
from plausible.evaluation.features import pretrained
from plausible.recognition.recogniser import Recogniser, outlying
from plausible.tasks import evaluate as judging


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

    def job(tell: judging.Progress) -> judging.Report:
        return judging.evaluate(
            source, data, n=asked.n, features=features, seed=asked.seed, progress=tell
        )

    other = None if asked.outliers is None else _others(asked, source, data, console)
    again = ", in the place of those before" if (folder / "measures.json").exists() else ""
    found = judged(job, console)
    if other is not None:
        name = Path(str(asked.outliers)).stem
        with progress(console) as bar:
            bar.add_task(f"looking at {name}", total=None)
            told = outlying(Recogniser(source, data), data.heldout, other, name, asked.n)
        found.measures.extend((measure, None) for measure in told)
    keep(found, data, folder)
    console.print(display.report(found))
    console.print(f"numbers and pictures in {folder}{again}", highlight=False, soft_wrap=True)
    if asked.strict and found.verdict is not None:
        sys.exit(found.verdict.exit_code)


def _foreign(asked: Evaluate, console: Console) -> tuple[Part, Data]:
    """Samples of another program and the data they imitate, with what was held out said."""
    assert asked.samples is not None
    assert asked.data is not None
    data = read(asked.data, asked.options, console)
    if asked.split is not None:
        data = resplit(data, asked.split)
    if asked.heldout is not None:
        data = against(data, read(asked.heldout, asked.options, console))
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


def judged(job: Callable[[judging.Progress], judging.Report], console: Console) -> judging.Report:
    """Run an evaluation while showing how far it is."""
    with progress(console) as bar:
        task = bar.add_task("reading", total=1.0)
        return job(lambda stage, share: bar.update(task, description=stage, completed=share))


def _others(asked: Evaluate, model: Any, data: Data, console: Console) -> Part:
    """The data of another kind, brought to the space of the model, which must be able to tell."""
    if not isinstance(model, Explicit | Classifier):
        raise UsageError(
            f"--outliers asks a model that says p(y | x) or p(x), and a {model.name} does not"
        )
    assert asked.outliers is not None
    space = data.space
    if asked.outliers not in NAMES:
        return inputs([asked.outliers], space, data.options).part
    shape = Options()
    if space.is_image and asked.outliers not in TOYS:
        channels, height, _ = space.shape
        shape = Options(height, channels, levels=space.levels)  # type: ignore[arg-type]
    other = read(asked.outliers, shape, console)
    if (other.space.shape, other.space.levels) != (space.shape, space.levels):
        raise UsageError(
            f"{asked.outliers} has the shape {' x '.join(map(str, other.space.shape))} and "
            f"{data.name} {' x '.join(map(str, space.shape))}: choose outliers of the same shape"
        )
    return other.heldout


def keep(found: judging.Report, data: Data, folder: Path) -> None:
    """measures.json and the pictures of an evaluation."""
    content = json.dumps(found.to_dict(), indent=2) + "\n"
    write_bytes(folder / "measures.json", content.encode())
    pictures = figures.evaluation(found.evalset) if found.evalset else {}
    if found.answers is not None:
        pictures |= figures.classification(found.answers)
    if found.classifier is not None and data.space.shape == (2,):
        pictures["boundary.png"] = figures.boundary(found.classifier, data.heldout)
    for name, image in pictures.items():
        write_bytes(folder / name, figures.png(image))
