"""How a run was made and judged, so that it can be made again: facts, configuration, commands, versions, hashes."""

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from plausible.data.options import DEFAULTS
from plausible.evaluation.report import Report
from plausible.runs import Run
from plausible.runs.go_on import start_of
from plausible.runs.log import read_log
from plausible.runs.warm_start import initial_of
from plausible.tasks.advise import Next
from plausible.tasks.commands import train_command
from plausible.tasks.course import Course, items_of
from plausible.tasks.headline import command
from plausible.tasks.sample import weights_used
from plausible.tasks.trained import Trained

_UNITS = (("hours", 3600), ("minutes", 60))


@dataclass(frozen=True)
class Provenance:
    """Where a run comes from.

    facts     {what: value} of the model, its data and its training, and how it was judged.
    choices   {name: value} of its whole configuration.
    commands  with which it is made, judged and used again.
    versions  {package: version} by which it was judged.
    hashes    {part of the data, or samples: sha256}.
    """

    facts: Mapping[str, str]
    choices: Mapping[str, str]
    commands: tuple[Next, ...]
    versions: Mapping[str, str]
    hashes: Mapping[str, str]


def provenance(
    run: Run, trained: Trained | None, course: Course | None, judged: Report | None
) -> Provenance:
    """All that a run and its measures.json know of where they come from."""
    sealed = None if judged is None else judged.seal
    return Provenance(
        _facts(run, trained, course, judged),
        _choices(run),
        _commands(run, course, judged),
        {} if sealed is None else dict(sealed.versions),
        _hashes(run, judged),
    )


def _facts(
    run: Run, trained: Trained | None, course: Course | None, judged: Report | None
) -> dict[str, str]:
    kept, initial = run.config["data"], start_of(run) or initial_of(run)
    found = {
        "model": _model(run, trained),
        "data": f"{kept['name']}: {shape_in_words(run)}",
        "read from": kept["source"] or "memory",
        "split": _split(course),
        "training": _training(run),
        "weights": "" if trained is None else weights_used(trained),
        "begun with": "" if initial is None else str(initial),
        "seed": str(run.settings.seed),
        "judged": "" if judged is None else judged_when(run, judged),
        "folder": str(run.folder),
    }
    return {name: value for name, value in found.items() if value}


def _model(run: Run, trained: Trained | None) -> str:
    name = f"{run.config['model']}, one for each class" if run.per_class else run.config["model"]
    if trained is None:
        return str(name)
    weights = sum(param.numel() for param in trained.model.parameters())
    return f"{name}, {weights:,} weights"


def shape_in_words(run: Run) -> str:
    """What its examples are: images of so many pixels, or vectors."""
    space = run.space
    classes = f", {space.classes} classes" if space.classes else ""
    if not space.is_image:
        return f"vectors of {space.dims} number{'s' * (space.dims != 1)}{classes}"
    channels, height, width = space.shape
    return f"images of {width} x {height} pixels, {channels} channel{'s' * (channels != 1)}, {space.levels} levels{classes}"


def _split(course: Course | None) -> str:
    if course is None or not course.train:
        return ""
    held = f"{course.validation:,} for validation, {course.heldout:,} held out to judge by"
    return f"{course.train:,} {course.items} to learn from, {held}"


def _training(run: Run) -> str:
    """How long it was, as its log has it."""
    steps = seconds = 0.0
    for _, line in read_log(run.folder / "log.jsonl"):
        steps, seconds = line["step"] + 1, float(line.get("seconds", 0.0))
    if not steps:
        return ""
    played = f"{steps:,.0f} round{'s' * (steps != 1)}"
    budget = f" of {run.settings.steps:,}" if run.settings.steps else ""
    minutes = f", of a budget of {run.settings.minutes:g} minutes" if run.settings.minutes else ""
    return f"{played}{budget}, {_duration(seconds)}{minutes}"


def _duration(seconds: float) -> str:
    for name, length in _UNITS:
        if seconds >= 2 * length:
            return f"{seconds / length:,.1f} {name}"
    return f"{seconds:,.1f} seconds"


def judged_when(run: Run, judged: Report) -> str:
    """When, by how much, and from which seed."""
    when = datetime.fromtimestamp((run.folder / "measures.json").stat().st_mtime, UTC)
    parts = [f"{when:%Y-%m-%d %H:%M} UTC"]
    if judged.verdict is not None:
        items = items_of(run.space)
        parts.append(f"{judged.verdict.n:,} samples beside as many held-out {items}")
    if judged.seal is not None:
        parts.append(f"seed {judged.seal.seed}")
    return ", ".join(parts)


def _choices(run: Run) -> dict[str, str]:
    """Every choice by the flag that makes it, but for how data were shaped where that was left to the program."""
    options: dict[str, Any] = {**asdict(DEFAULTS), **run.config["data"]["options"]}
    changed = {
        name: value for name, value in options.items() if value != asdict(DEFAULTS).get(name)
    }
    training = {name: value for name, value in run.config["training"].items() if value is not None}
    values = {**run.config["config"], **training, **changed}
    game = {f"refine {name}": value for name, value in (run.config.get("refinement") or {}).items()}
    return {_flag(name): _written(value) for name, value in {**values, **game}.items()}


def _flag(name: str) -> str:
    """A choice as it is typed, after the command that it is of where that is said."""
    *of, last = name.replace("_", "-").split()
    return " ".join([*of, f"--{last}"])


def _written(value: Any) -> str:
    if value is None:
        return "by default"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _commands(run: Run, course: Course | None, judged: Report | None) -> tuple[Next, ...]:
    made = []
    if course is not None and not run.config["own_networks"]:
        made.append(Next("train another like it", train_command(course)))
    if judged is not None and judged.seal is not None and judged.seal.run is not None:
        again = shlex.join(["plausible", "evaluate", "--verify", str(run.folder)])
        made.append(Next("judge it again and compare every number", again))
    return (*made, Next("write this page again", command(run.folder, "report", "--overwrite")))


def data_hashes(run: Run) -> dict[str, str]:
    """{part of its data: sha256}."""
    names = {"train": "training part", "validation": "validation part", "heldout": "held-out part"}
    return {names.get(part, part): digest for part, digest in run.hashes.items()}


def _hashes(run: Run, judged: Report | None) -> dict[str, str]:
    """Of the data, and of the samples that were judged."""
    hashes = data_hashes(run)
    if judged is not None and judged.seal is not None:
        hashes["samples that were judged"] = judged.seal.hashes.get("samples", "")
        compared = judged.seal.hashes.get("held-out part", "")
        if compared != hashes.get("held-out part"):
            hashes["held-out examples they were compared with"] = compared
    return {name: digest for name, digest in hashes.items() if digest}
