"""A published recipe as data: a configuration, where it was published, and what was measured there."""

import shlex
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from plausible.core.bounds import flag


@dataclass(frozen=True)
class Preset:
    """A configuration with its source.

    name       what the command line calls it.
    config     an instance of the family's Config.
    source     authors, year, link.
    published  the figure that was published and the data it was measured on; empty where there is none
               that this library could measure.
    note       what differs here from what was published.
    """

    name: str
    config: Any
    source: str
    published: str = ""
    note: str = ""


def flags(preset: Preset) -> str:
    """The flags that differ from the defaults of the Config, as they are typed, in the order of its fields."""
    config, words = preset.config, []
    default = type(config)()
    for field in fields(config):
        value = getattr(config, field.name)
        if value != getattr(default, field.name):
            words += _spelled(flag(field.name), value)
    return shlex.join(words)


def _spelled(name: str, value: Any) -> list[str]:
    """``--penalties`` alone for an empty tuple, ``--no-x`` for a False, ``--lr 2e-4`` for a number."""
    if isinstance(value, bool):
        return [name if value else name.replace("--", "--no-", 1)]
    return [name, *map(_word, value if isinstance(value, tuple) else (value,))]


def _word(value: Any) -> str:
    """A small number as 2e-4, any other as short as it can be read back."""
    if not isinstance(value, float):
        return str(value)
    if 0 < abs(value) < 1e-3:
        return f"{Decimal(repr(value)).normalize():e}"
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
