"""Does an evaluation come out again?  Made anew from what its seal says, number by number."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.data.options import Options
from plausible.evaluation.report import Report
from plausible.evaluation.seal import Seal
from plausible.runs.kept_json import read_json
from plausible.runs.migrations import choices
from plausible.tasks.evaluate import StageProgress, evaluate
from plausible.tasks.evaluate_samples import evaluate_samples
from plausible.tasks.trained import open_trained

_CLOSE = 1e-6  # relative, which sums in another order may change


@dataclass(frozen=True)
class Verification:
    """What came out again, and what did not.

    inputs    those of "training part", "held-out part", "samples" that are not what was judged.
    numbers   {name: (as kept, as computed now)} of all that differ.
    compared  how many numbers were compared.
    versions  {package: (as kept, now)} of those that differ.
    report    the evaluation as it is now.
    """

    inputs: tuple[str, ...]
    numbers: Mapping[str, tuple[Any, Any]]
    compared: int
    versions: Mapping[str, tuple[str | None, str | None]]
    report: Report

    @property
    def holds(self) -> bool:
        """Whether everything came out again."""
        return not self.inputs and not self.numbers

    @property
    def exit_code(self) -> int:
        """0 where it holds, 1 where it does not."""
        return 0 if self.holds else 1

    @property
    def sentence(self) -> str:
        """What to say of it."""
        others = ", ".join(
            f"{name} {now} for {kept}" for name, (kept, now) in self.versions.items()
        )
        by = f" (by {others})" if others else ""
        if self.inputs:
            which = " and the ".join(self.inputs)
            verb = "are" if len(self.inputs) > 1 or self.inputs[0] == "samples" else "is"
            return f"not verified: the {which} {verb} not what was judged{by}"
        if self.numbers:
            name, (kept, now) = next(iter(self.numbers.items()))
            return (
                f"not verified: {len(self.numbers):,} of {self.compared:,} numbers differ, the first is {name}, "
                f"{kept} as kept and {now} now{by}"
            )
        return f"verified: all {self.compared:,} numbers come out again{by}"


def verify(
    measures: str | Path,
    *,
    samples: str | Path | None = None,
    data: str | Path | None = None,
    device: Device = "auto",
    progress: StageProgress | None = None,
    on_notes: Callable[[tuple[str, ...]], None] = lambda notes: None,
) -> Verification:
    """Evaluate again what a measures.json says was evaluated, and compare every number.

    measures  the file, or the folder that it is in.
    samples, data  where these are now, if not where they were.
    Raises UsageError where the file has no seal, or what was judged existed in memory alone.
    """
    place = Path(measures).expanduser()
    place = place / "measures.json" if place.is_dir() else place
    kept, sealed = _read(place)
    if sealed.features is None:
        raise UsageError(f"{place} was measured in features of one's own, which it does not hold")
    report = _again(place, sealed, samples, data, device, progress, on_notes)
    assert report.seal is not None
    now = json.loads(json.dumps(report.to_dict()))
    pairs = list(_numbers(kept, now))
    return Verification(
        tuple(name for name, value in sealed.hashes.items() if report.seal.hashes[name] != value),
        {name: (old, new) for name, old, new in pairs if not _same(old, new)},
        len(pairs),
        _differing(sealed.versions, report.seal.versions),
        report,
    )


def _again(
    place: Path,
    sealed: Seal,
    samples: str | Path | None,
    data: str | Path | None,
    device: Device,
    progress: StageProgress | None,
    on_notes: Callable[[tuple[str, ...]], None],
) -> Report:
    """The evaluation, made anew."""
    features: Any = sealed.features  # a name that was taken once
    if sealed.run is not None:
        here = place.parent  # where a run is, with its measures, that has moved
        folder = here if (here / "config.json").exists() else sealed.run
        trained = open_trained(folder, data, device=device)
        return evaluate(
            trained, n=sealed.n, features=features, outliers=sealed.outliers, seed=sealed.seed,
            progress=progress, on_notes=on_notes,
        )  # fmt: skip
    missing = [
        flag
        for flag, given, was in (("samples", samples, sealed.samples), ("data", data, sealed.data))
        if given is None and was is None
    ]
    if missing:
        raise UsageError(
            f"{place}: its {' and '.join(missing)} were in memory: give them as {' and '.join('--' + m for m in missing)}"
        )
    return evaluate_samples(
        samples or str(sealed.samples),
        data or str(sealed.data),
        options=choices(
            Options, sealed.options, place, "seal.options", sealed.versions.get("plausible")
        ),
        split=sealed.split,
        heldout=sealed.heldout,
        n=sealed.n,
        features=features,
        seed=sealed.seed,
        progress=progress,
        on_notes=on_notes,
    )


def _read(place: Path) -> tuple[dict[str, Any], Seal]:
    """What a sealed measures.json holds, and its seal; UsageError where it has none, or a damaged one."""
    if not place.exists():
        raise UsageError(f"{place} does not exist: give a measures.json, or the folder it is in")
    try:
        kept = read_json(place)
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {error.strerror}") from None
    if not isinstance(kept, dict) or not isinstance(kept.get("seal"), dict):
        raise UsageError(f"{place} has no seal that says what was judged: judge it once more")
    try:
        sealed = Seal(**kept["seal"])
        list(_numbers(kept, kept))
    except (TypeError, KeyError, AttributeError) as error:
        raise UsageError(f"{place} is damaged ({error}): judge it once more") from None
    return kept, sealed


def _numbers(kept: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(name, as kept, as computed now) of every measure and of every test."""
    for what, rows, numbers in (
        ("measures", lambda content: content["measures"], ("value",)),
        ("defects", lambda content: content["verdict"]["defects"], ("state", "effect", "p")),
    ):
        old, new = ({row["name"]: row for row in rows(content)} for content in (kept, now))
        for name in dict.fromkeys([*old, *new]):
            for number in numbers:
                pair = [side.get(name, {}).get(number) for side in (old, new)]
                if pair != [None, None]:
                    yield f"{name}, {number}" if what == "defects" else name, *pair


def _same(old: Any, new: Any) -> bool:
    """Whether two numbers, or words, are equal but for the order in which sums were taken."""
    if isinstance(old, float | int) and isinstance(new, float | int):
        return math.isclose(old, new, rel_tol=_CLOSE, abs_tol=1e-9)
    return bool(old == new)


def _differing(
    kept: Mapping[str, str], now: Mapping[str, str]
) -> dict[str, tuple[str | None, str | None]]:
    return {
        name: (kept.get(name), now.get(name))
        for name in (*kept, *(set(now) - set(kept)))
        if kept.get(name) != now.get(name)
    }
