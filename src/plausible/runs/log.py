"""log.jsonl: a line for every few rounds of a training."""

import json
import math
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plausible.core.reading import CONSTANT_UNITS, GRADIENT_NORM
from plausible.diagnosis import (
    chain_mixing,
    discriminator,
    missing_modes,
    overfitting,
    posterior_collapse,
)
from plausible.diagnosis.frozen_player import WEIGHT_NORM
from plausible.diagnosis.history import PROBES, TRACE, History
from plausible.runs.kept_json import mismatch
from plausible.runs.shapes import LOG_LINE

# What lines were called before, {old: new}: keys of a line, of a player's numbers, and of what the probes said.
_LINE = {"look": PROBES, "spent": "progress"}
_PLAYER = {"gradient": GRADIENT_NORM}
_PROBES = {
    "D, learned": discriminator.D_TRAIN,
    "D, held out": discriminator.D_VALIDATION,
    "AUC, learned": discriminator.AUC_TRAIN,
    "AUC, held out": discriminator.AUC_VALIDATION,
    "multiplier": discriminator.LOGIT_GRADIENT,
    "slope": discriminator.SAMPLE_GRADIENT,
    "signal": discriminator.SIGNAL_TO_NOISE,
    "held-out loss": overfitting.VALIDATION_LOSS,
    "held-out error": overfitting.VALIDATION_ERROR,
    "KL": posterior_collapse.KL,
    "coordinates used": posterior_collapse.ACTIVE_UNITS,
    "coordinates": posterior_collapse.LATENT_DIMS,
    "worth of z": posterior_collapse.LATENT_GAIN,
    "its error": posterior_collapse.LATENT_GAIN_ERROR,
    "left of a chain": chain_mixing.AUTOCORRELATION,
    "distance": missing_modes.FRECHET_RATIO,
    "lost": missing_modes.MISSED_SHARE,
    "pairs": missing_modes.PAIRWISE_RATIO,
    "units that never change": CONSTANT_UNITS,
}
_NAMED = 5  # damaged lines in a sentence
_NUMBER = (float, type(None))
_WEIGHTS = "weights of the "  # and the name of a player
MICRO_BATCH = "micro_batch"
"""Where a line of the log says how many examples are looked at at once, if memory was not enough for as many as asked."""
ALARMS = "alarms"
"""Where a line of the log keeps the names of what was raised at it."""


class DamagedLog(UserWarning):
    """Lines of a log say nothing, because somebody or something has changed them."""


def read_log(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each whole line of a log, as it is written and what it says in today's words; none if there is no file.

    A last line cut short is left out.  So are others that are none of a log, with a warning (``DamagedLog``) that
    names them: what the rest says is as true without them.
    """
    text = path.read_text("utf-8", errors="replace") if path.exists() else ""
    whole, damaged = [], []
    for number, raw in enumerate(text.split("\n")[:-1], 1):
        line = _line(raw)
        if line is None:
            damaged.append(number)
        else:
            whole.append((f"{raw}\n", line))
    if damaged:
        warnings.warn(DamagedLog(_left_out(path, damaged)), stacklevel=2)
    yield from whole


def _line(raw: str) -> dict[str, Any] | None:
    """What a line says; None where it is not one of a log."""
    try:
        line = json.loads(raw)
        if not isinstance(line, dict):
            return None
        line = upgrade_line(line)
    except (ValueError, RecursionError):
        return None
    numbers = [values for values in line.values() if isinstance(values, dict)]
    said = [value for values in numbers for value in values.values()]
    traced = line.get(TRACE, {})
    if not isinstance(traced, dict) or mismatch(list(traced.values()), [[_NUMBER]]):
        return None
    others = [value for value in said if not isinstance(value, list)]
    wrong = mismatch(line, LOG_LINE) or mismatch(others, [_NUMBER])
    lists = sum(isinstance(value, list) for value in said) > len(traced)
    steady = not wrong and line["step"] >= 0 and math.isfinite(line["progress"])
    return line if steady and not lists else None


def _left_out(path: Path, damaged: list[int]) -> str:
    named = ", ".join(map(str, damaged[:_NAMED])) + ", ..." * (len(damaged) > _NAMED)
    plural = len(damaged) > 1
    return (
        f"line{'s' * plural} {named} of {path} {'are' if plural else 'is'} not of the log of a training, and left out; "
        f"the rest is read"
    )


def read_history(path: Path) -> History:
    """What a log says, as series; empty if there is no file."""
    return History(line for _, line in read_log(path))


def read_alarms(path: Path) -> list[tuple[int, str]]:
    """(step, phenomenon) of every alarm that was raised, or became worse; none if there is no file."""
    return [(line["step"], name) for _, line in read_log(path) for name in line.get(ALARMS, ())]


def flat_log(path: Path) -> dict[str, list[Any]]:
    """{column: its value in every line} of a log: step, progress, generator loss, probes ..., None where it has none."""
    lines = [_flat(line) for _, line in read_log(path)]
    columns = dict.fromkeys(name for line in lines for name in line)
    return {name: [line.get(name) for line in lines] for name in columns}


def _flat(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line without nesting: names one after the other; traces of rounds between lines are left out."""
    flat: dict[str, Any] = {}
    for key, value in line.items():
        if isinstance(value, Mapping):
            flat |= {f"{key} {name}": number for name, number in value.items() if key != TRACE}
        else:
            flat[key] = ", ".join(value) if key == ALARMS else value
    return flat


def upgrade_line(line: Mapping[str, Any]) -> dict[str, Any]:
    """A line as it is written today: those of runs made before may have other names for the same."""
    if "spent" not in line:
        return dict(line)
    new = {_LINE.get(key, key): value for key, value in line.items()}
    for key, values in new.items():
        if isinstance(values, Mapping) and key != TRACE:
            new[key] = {_renamed(name, key == PROBES): number for name, number in values.items()}
    return new


def _renamed(name: str, of_probe: bool) -> str:
    if of_probe and name.startswith(_WEIGHTS):
        return WEIGHT_NORM.of(name.removeprefix(_WEIGHTS))
    return (_PROBES if of_probe else _PLAYER).get(name, name)
