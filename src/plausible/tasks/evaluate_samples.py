"""Samples of any other program, judged against the data they imitate."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path

from plausible.core.choices import Extractor
from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data, Part
from plausible.data.samples import read_samples
from plausible.data.split import copy_notes, merge_parts, resplit, unsplit_notes, with_heldout
from plausible.evaluation.features import Features
from plausible.evaluation.report import Report
from plausible.evaluation.seal import place_of
from plausible.tasks.evaluate import StageProgress, evaluate


def evaluate_samples(
    samples: str | Path,
    data: Data | str | Path,
    *,
    options: Options = DEFAULTS,
    split: float | None = None,
    heldout: Data | str | Path | None = None,
    n: int = 5000,
    features: Extractor | Features = "auto",
    seed: int = 0,
    progress: StageProgress | None = None,
    on_notes: Callable[[tuple[str, ...]], None] = lambda notes: None,
) -> Report:
    """Judge the samples in a folder or file against the held-out part of ``data``.

    samples  a folder of images, or a .npz, .npy, .csv or IDX file, in the shape of the data; columns of a
             table are matched by name.
    options  how the data are shaped.
    split    the share of the data to hold out, 0 to 1; by default as for training.
    heldout  real data to hold them against, when ``data`` is what they were learned from.
    on_notes  called once, when everything is read, with what was decided: the ``notes`` of the report.
    The program that drew the samples must not have seen what they are held against; the notes say how many
    there are.  The rest is that of ``evaluate``.
    """
    part, real, notes = foreign_samples(
        samples, data, options=options, split=split, heldout=heldout, progress=progress
    )
    on_notes(notes)
    report = evaluate(part, real, n=n, features=features, seed=seed, progress=progress)
    assert report.seal is not None
    sealed = replace(
        report.seal,
        samples=place_of(samples),
        data=place_of(data.source if isinstance(data, Data) else data),
        heldout=place_of(heldout.source if isinstance(heldout, Data) else heldout),
        options=asdict(data.options if isinstance(data, Data) else options),
        split=split,
    )
    return replace(report, notes=notes, seal=sealed)


def foreign_samples(
    samples: str | Path,
    data: Data | str | Path,
    *,
    options: Options = DEFAULTS,
    split: float | None = None,
    heldout: Data | str | Path | None = None,
    progress: StageProgress | None = None,
) -> tuple[Part, Data, tuple[str, ...]]:
    """The samples as points of the space of the data, the data with what is held out, and notes on all of it."""
    if split is not None and heldout is not None:
        raise UsageError("--split and --heldout both say what is held out: give one of them")
    real = _loaded(data, options, progress)
    notes = list(unsplit_notes(real))
    if split is not None:
        real = resplit(real, split)
    if heldout is not None:
        other = _loaded(heldout, options, progress, real)
        name = other.name if isinstance(heldout, Data) else Path(heldout).name
        notes += _of(name, unsplit_notes(other))
        real = with_heldout(real, other)
        notes += [note for note in real.notes if note not in notes]
    else:  # the other program had no reason to set our validation part aside
        real = replace(real, train=merge_parts(real.train, real.validation))
    part, found = read_samples(
        str(samples),
        real.space,
        real.class_names,
        real.options,
        _counted(progress, str(samples)),
        real.columns,
        real.label_column,
    )
    notes += _of(Path(samples).name, found)
    notes += copy_notes(real.train, real.heldout)
    notes.append(
        f"{len(part):,} samples against {len(real.heldout):,} held-out items (sha256 "
        f"{real.heldout.hash[:16]}), which the program that drew them must never have seen; "
        f"it may have learned from the other {len(real.train):,}"
    )
    return part, real, tuple(notes)


def _loaded(
    data: Data | str | Path,
    options: Options,
    progress: StageProgress | None,
    like: Data | None = None,
) -> Data:
    if isinstance(data, Data):
        return data
    return load(str(data), options, _counted(progress, str(data)), like)


def _counted(progress: StageProgress | None, source: str) -> Callable[[int, int], None] | None:
    """The progress of an evaluation, told how many files of a source are read."""
    if progress is None:
        return None
    return lambda done, total: progress(f"reading {source}", done / total)


def _of(name: str, notes: Iterable[str]) -> list[str]:
    """Notes on what is not the data, each with its name."""
    return [note if f"{name}: " in note else f"{name}: {note}" for note in notes]
