"""log.jsonl: a line for every few rounds of a training."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plausible.core.errors import UsageError
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
_WEIGHTS = "weights of the "  # and the name of a player
MICRO_BATCH = "micro_batch"
"""Where a line of the log says how many examples are looked at at once, if memory was not enough for as many as asked."""
ALARMS = "alarms"
"""Where a line of the log keeps the names of what was raised at it."""


def read_log(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each whole line of a log, as it is written and what it says in today's words; none if there is no file.

    UsageError, by its number, where a line is not one of a log; a last one cut short is left out.
    """
    text = path.read_text(errors="replace") if path.exists() else ""
    for number, raw in enumerate(text.splitlines(keepends=True), 1):
        if raw.endswith("\n"):
            try:
                line = upgrade_line(json.loads(raw))
                step, progress = line["step"], line["progress"]
            except (ValueError, KeyError, TypeError, AttributeError):
                step = progress = None
            if not isinstance(step, int) or not isinstance(progress, int | float):
                raise UsageError(f"line {number} of {path} is not one of the log of a training")
            yield raw, line


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
