"""Which of two generators is better, in what, and is the difference real?"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from plausible.core.choices import Device, Extractor
from plausible.core.device import resolve_device, seeded
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Generative
from plausible.core.space import Batch
from plausible.data.load import load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data, Part
from plausible.evaluation.features import Features
from plausible.evaluation.metrics.likelihood import askable, log_prob_of
from plausible.evaluation.paired import Comparison, compare_defects
from plausible.tasks.embed import embed
from plausible.tasks.evaluate_samples import foreign_samples
from plausible.tasks.eyes import StageProgress, effects_of
from plausible.tasks.trained import Trained, TrainedLike, open_trained

Sampler = TrainedLike | Batch | Part | Tensor
"""A run or a model, which draws; the path of samples of another program; or points of the data's space."""


def evaluate_against(
    source: Sampler,
    against: Sampler,
    data: Data | str | Path | None = None,
    *,
    options: Options = DEFAULTS,
    split: float | None = None,
    heldout: Data | str | Path | None = None,
    n: int = 5000,
    features: Extractor | Features = "auto",
    seed: int = 0,
    device: Device = "auto",
    progress: StageProgress | None = None,
    on_notes: Callable[[tuple[str, ...]], None] = lambda notes: None,
) -> Comparison:
    """Judge two generators by the same held-out data, defect by defect, by paired tests; see ``compare_defects``.

    source, against  A and B: each a run, a model, samples of another program in a folder or file, or points.
    data      what both learned from; a run knows its own, and two runs must have the same held-out part.
    options, split, heldout  of data that no run knows, as for ``evaluate_samples``.
    n         the most samples of each; as many are taken of both.
    features  as for ``evaluate``; the eyes are those of the data, and the same for both.
    on_notes  called once with what was decided about samples of other programs.
    The same seed gives the same answer.  Raises ``UsageError`` for runs that learned from other data.
    """
    report_progress = progress or (lambda stage, share: None)
    if n < 2:
        raise UsageError(f"a comparison needs at least 2 samples of each, not {n}")
    where = resolve_device(device)
    opened = [_opened(one, data, where) for one in (source, against)]
    runs = [one for one in opened if isinstance(one, Trained)]
    if runs:
        imitated = _common_data(runs)
    elif data is None:
        raise UsageError("samples of other programs need the data that they imitate")
    elif isinstance(data, Data):
        imitated = data
    else:  # once for both
        said = f"reading {data}"
        imitated = load(data, options, lambda done, of: report_progress(said, done / of))
    real: Data | None = imitated if runs else None  # of other programs, what none of them has seen
    notes: list[str] = []
    points: list[Generative | Batch | Part] = []
    for one in opened:
        if isinstance(one, Trained):
            if not isinstance(one.model, Generative):
                raise UsageError(f"{one.described}, which draws no samples to be compared")
            points.append(one.model)
        elif isinstance(one, Path):
            part, merged, told = foreign_samples(
                one,
                imitated,
                options=options,
                split=None if runs else split,  # a run knows what it held out
                heldout=None if runs else heldout,
                progress=progress,
            )
            notes += [note for note in told if note not in notes]
            real = real or merged
            points.append(part)
        else:
            points.append(one)
    real = real or imitated
    on_notes(tuple(notes))
    with seeded(seed):  # for whatever draws from the default generator
        evalset, eyes = embed(points, real.to("cpu"), n, features, seed, report_progress)
        count = len(evalset.samples) // 2
        evalset = replace(evalset, heldout=evalset.heldout[slice(0, count)])
        shown = effects_of(real, evalset, eyes, report_progress)
        results = compare_defects(evalset, report_progress, shown=shown)
        report_progress("asking both for log p of the held-out data", 1.0)
        difference, how = log_prob_difference(points, evalset.heldout.part, seed)
    return Comparison(
        _names(source, against),
        count,
        len(evalset.heldout),
        results,
        difference,
        how,
        evalset.feature_description,
        tuple(notes),
    )


def _opened(
    source: Sampler, data: Data | str | Path | None, device: torch.device
) -> Trained | Path | Batch | Part:
    """A model with its data, the path of samples, or points."""
    if isinstance(source, Tensor):
        return Batch(source.float())
    if isinstance(source, Batch | Part):
        return source
    if isinstance(source, str | Path) and not (Path(source) / "config.json").exists():
        return Path(source)
    return open_trained(source, data, device=device)


def _common_data(runs: list[Trained]) -> Data:
    """The data of all of them; UsageError where their held-out parts differ, or one has learned from the other's."""
    first, *others = runs
    for other in others:
        if other.data.hashes["heldout"] != first.data.hashes["heldout"]:
            raise UsageError(
                f"{first.described} and {other.described} hold out other data: two generators can be compared only "
                "where neither has seen what both are held against; train both on the same --data"
            )
    return first.data


def log_prob_difference(
    points: Sequence[object], heldout: Part, seed: int
) -> tuple[tuple[float, float] | None, str]:
    """Mean of log p_A - log p_B over held-out data in nats and its standard error; and how both are known."""
    models = [one for one in points if isinstance(one, Explicit)]
    if len(models) < 2:
        return None, "not both of them say log p(x)"
    part = askable(heldout, *models)
    first, second = (log_prob_of(m, part, torch.Generator().manual_seed(seed)) for m in models)
    if not (first.nats.isfinite().all() and second.nats.isfinite().all()):
        return None, "some held-out examples have a log-probability that is not finite"
    mean = (first - second).mean()
    assert mean.stderr is not None
    words = {"=": "exact", "≥": "bounded from below", "≤": "bounded from above"}
    known = [words.get(one.kind.sign, "estimated") for one in (first, second)]
    how = f"both {known[0]}" if known[0] == known[1] else f"A's {known[0]}, B's {known[1]}"
    return (mean.nats.item(), mean.stderr.item()), how


def _names(*sources: Sampler) -> tuple[str, str]:
    """What people call both: their paths, or A and B."""
    names = []
    for letter, source in zip("AB", sources, strict=True):
        run = source.run if isinstance(source, Trained) else None
        place = source if isinstance(source, str | Path) else getattr(run or source, "folder", None)
        names.append(letter if place is None else str(place))
    first, second = names
    return (first, second) if first != second else (f"{first} (A)", f"{second} (B)")
