"""Samples of any other program, judged against the data they imitate."""

from dataclasses import replace
from pathlib import Path

from plausible.core.choices import Extractor
from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data, Part
from plausible.data.samples import read_samples
from plausible.data.split import merge_parts, resplit, with_heldout
from plausible.evaluation.features import Features
from plausible.evaluation.report import Report
from plausible.tasks.evaluate import Progress, evaluate


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
    progress: Progress | None = None,
) -> Report:
    """Judge the samples in a folder or file against the held-out part of ``data``.

    samples  a folder of images, or a .npz, .npy, .csv or IDX file, in the shape of the data.
    options  how the data are shaped.
    split    the share of the data to hold out, 0 to 1; by default as for training.
    heldout  real data to hold them against, when ``data`` is what they were learned from.
    The program that drew the samples must not have seen what they are held against; ``notes`` of the report
    say how many there are.  The rest is that of ``evaluate``.
    """
    part, real, notes = foreign_samples(
        samples, data, options=options, split=split, heldout=heldout
    )
    report = evaluate(part, real, n=n, features=features, seed=seed, progress=progress)
    return replace(report, notes=notes)


def foreign_samples(
    samples: str | Path,
    data: Data | str | Path,
    *,
    options: Options = DEFAULTS,
    split: float | None = None,
    heldout: Data | str | Path | None = None,
) -> tuple[Part, Data, tuple[str, ...]]:
    """The samples as points of the space of the data, the data with what is held out, and notes on both."""
    if split is not None and heldout is not None:
        raise UsageError("--split and --heldout both say what is held out: give one of them")
    real = _loaded(data, options)
    if split is not None:
        real = resplit(real, split)
    if heldout is not None:
        real = with_heldout(real, _loaded(heldout, options))
    else:  # the other program had no reason to set our validation part aside
        real = replace(real, train=merge_parts(real.train, real.validation))
    part, notes = read_samples(str(samples), real.space, real.class_names, options)
    notes.append(
        f"{len(part):,} samples against {len(real.heldout):,} held-out items (sha256 "
        f"{real.heldout.hash[:16]}), which the program that drew them must never have seen"
    )
    return part, real, tuple(notes)


def _loaded(data: Data | str | Path, options: Options) -> Data:
    return load(str(data), options) if isinstance(data, str | Path) else data
