"""Commands to try next, whole, so that they can be copied: of a run, and of a training like it."""

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import torch

from plausible.core.errors import UsageError
from plausible.core.finding import Severity
from plausible.core.model import Model
from plausible.core.refinement import RefinementConfig
from plausible.data.options import DEFAULTS
from plausible.data.source import NAMES
from plausible.models.per_class import PerClass
from plausible.tasks.compared import Plan
from plausible.tasks.course import Course
from plausible.training import Settings

Flags = dict[str, list[str]]
"""{"--width": ["64"]}; a switch has no words."""

SIZES = ("width", "hidden", "components")  # of a Config: what makes a model larger
_BY_THE_DATA = ("components",)  # of these: what the data choose where nobody says it
_FLAG = re.compile(r"(--[a-z][\w-]*)((?: (?!-)[\w.]+)*)")
BYTES = ["0.0", "255.0"]
_LARGEST = 1 << 13
IN_TRAINING = ("precision", "micro_batch", "simultaneous", "compile", "shard", "threads", "seed")


def resume_command(course: Course, times: int = 2) -> str:
    """Go on to so many times the rounds, or minutes, so far; to the end of its budget where that is not reached.

    Where it was far too short, to as many as it needs.
    """
    settings = course.settings
    if course.too_short and (settings.steps or 0) < course.needed:
        budget = f" --steps {course.needed}"
        if settings.minutes is not None:
            minutes = settings.minutes * course.needed / course.steps
            budget = f" --minutes {math.ceil(minutes) if minutes > 1 else round(minutes, 2):g}"
    elif course.unfinished:
        budget = ""
    elif settings.minutes is not None:
        budget = f" --minutes {times * settings.minutes:g}"
    else:
        budget = f" --steps {times * course.steps}"
    # of arrays in memory nobody knows where they are
    place = "" if course.source else " --data FOLDER"
    return f"plausible resume {shlex.quote(str(course.folder))}{budget}{place}"


def train_command(course: Course, changes: Flags | None = None) -> str:
    """Train as this run did, but for some flags; without any, a refined run is refined again."""
    if course.refinement is not None and not changes:
        return refine_command(course, course.refinement)
    flags: Flags = {"--data": [course.source or "FOLDER"], **(changes or {})}
    (source,) = flags["--data"]
    for flag, words in _flags(course).items():
        decided = source in NAMES or source != course.source or words == BYTES
        if flag == "--value-range" and decided:
            continue  # which will be decided again
        if flag == "--symmetries" and (source != course.source or not words):
            continue  # which are asked of the data again
        flags.setdefault(flag, words)
    words = [word for flag, values in flags.items() for word in (flag, *values)]
    return shlex.join(["plausible", "train", course.model.name, *words])


def refine_command(course: Course, refinement: RefinementConfig) -> str:
    """Refine the same start in the same way."""
    flags = changed(asdict(refinement), asdict(RefinementConfig())) | _budget(course)
    flags |= changed({"seed": course.settings.seed}, {"seed": 0})
    words = [word for flag, values in flags.items() for word in (flag, *values)]
    return shlex.join(["plausible", "refine", course.start, *words])


def other_command(course: Course, family: str) -> str:
    """Train a model of another family on the same data, shaped as these are, for as many minutes."""
    flags: Flags = {"--data": [course.source or "FOLDER"]}
    flags |= changed(asdict(course.options), asdict(DEFAULTS))
    flags.pop("--value-range", None)  # which will be decided again
    if course.settings.minutes is not None:
        flags["--minutes"] = [f"{course.settings.minutes:g}"]
    words = [word for flag, values in flags.items() for word in (flag, *values)]
    return shlex.join(["plausible", "train", family, *words])


def compare_command(plan: Plan) -> str:
    """Train and judge the same families on the same data again."""
    flags: Flags = {"--data": [plan.data or "FOLDER"]}
    flags |= changed(asdict(plan.options), asdict(DEFAULTS))
    if plan.data in NAMES or flags.get("--value-range") == BYTES:
        flags.pop("--value-range", None)  # which will be decided again
    budget, plain = asdict(plan), asdict(Plan((), ""))
    names = ("minutes", "steps", "seeds", "n")
    flags |= changed(*({name: values[name] for name in names} for values in (budget, plain)))
    words = [word for flag, values in flags.items() for word in (flag, *values)]
    return shlex.join(["plausible", "compare", *plan.models, *words])


def run_command(course: Course, name: str, *flags: str) -> str:
    """Another command on the same run."""
    place = [] if course.source or name == "sample" else ["--data", "FOLDER"]
    return shlex.join(["plausible", name, str(course.folder), *flags, *place])


def remedy(course: Course, *phenomena: str) -> tuple[Flags, str] | None:
    """The first that the family knows to help against any of these and the run does not do: its flag, and in words."""
    model = course.model
    for phenomenon in phenomena:
        for known in model.remedies.get(phenomenon, ()):
            advice = known.advice(model)
            found = _FLAG.match(advice)
            if found and known.least.rank <= Severity.WARNING.rank:
                return {found[1]: found[2].split()}, advice
    return None


def sized(course: Course, factor: float) -> tuple[Flags, str] | None:
    """A model so many times as wide: its flag, and the same in words with what it is now; None where it has no size."""
    single = _single(course.model)
    name = next((name for name in SIZES if hasattr(single.config, name)), None)
    now = None if name is None else size_of(single, name)
    if name is None or now is None:
        return None
    size = max(1, round(now * factor))
    return {f"--{name}": [str(size)]}, f"--{name} {size} (now {now})"


def size_of(model: Model, name: str) -> int | None:
    """The width, say, of a model: of its Config, or the one with which it has as many weights; None if none has."""
    given = getattr(model.config, name)
    if given is not None:
        return int(given)
    if name in _BY_THE_DATA:
        return None
    sizes = (_with_as_many_weights(model, name, step) for step in (2, 16))
    return next((size for size in sizes if size is not None), None)


def _with_as_many_weights(model: Model, name: str, step: int) -> int | None:
    """By bisection over multiples of ``step``."""
    wanted, low, high = _weights(model), 1, _LARGEST // step
    try:
        while low < high:
            middle = (low + high) // 2
            if _weights(_built(model, {name: step * middle})) < wanted:
                low = middle + 1
            else:
                high = middle
        return step * low if _weights(_built(model, {name: step * low})) == wanted else None
    except (UsageError, RuntimeError, ValueError):
        return None  # an architecture that is not made of every width


def _built(model: Model, changes: Mapping[str, Any]) -> Model:
    """The same kind of model with another Config, without memory for its weights."""
    with torch.device("meta"):
        return type(model)(model.space, replace(model.config, **changes))


def _weights(model: Model) -> int:
    return sum(param.numel() for param in model.parameters())


def _single(model: Model) -> Model:
    return model.models[0] if isinstance(model, PerClass) else model


def _flags(course: Course) -> Flags:
    """All that this run was told and that is not so by default."""
    config, settings = course.model.config, course.settings
    flags = changed(asdict(config), asdict(type(config)()))
    flags |= changed(asdict(course.options), asdict(DEFAULTS))
    flags |= _budget(course)
    training, plain = asdict(settings), asdict(Settings())
    flags |= changed(
        *({name: values[name] for name in IN_TRAINING} for values in (training, plain))
    )
    if isinstance(course.model, PerClass):
        flags["--per-class"] = []
    if course.processes > 1:
        flags["--processes"] = [str(course.processes)]
    return flags


def _budget(course: Course) -> Flags:
    """How long it was to be, where that is not so by default."""
    settings = course.settings
    if settings.minutes is not None:
        return {"--minutes": [f"{settings.minutes:g}"]}
    if settings.steps in (None, course.model.default_steps):
        return {}
    return {"--steps": [str(settings.steps)]}


def changed(values: Mapping[str, Any], plain: Mapping[str, Any]) -> Flags:
    """The flags of what differs, by the names that fields have."""
    flags: Flags = {}
    for name, value in values.items():
        if value == plain[name]:
            continue
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            flags[flag if value else f"--no-{flag[2:]}"] = []
        elif isinstance(value, list | tuple):
            flags[flag] = [str(word) for word in value]
        else:
            flags[flag] = [str(value)]
    return flags
