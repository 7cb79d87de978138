"""The values that a field of a configuration may take, said where the field is declared."""

import math
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from plausible.core.errors import UsageError
from plausible.core.registry import Registry

_BITS = 128  # of a number, from which on its digits say nothing


@dataclass(frozen=True)
class Bounds:
    """An interval that annotates a number: ``Annotated[int, Bounds(at_least=1)]``.

    at_least, at_most  the ends, which belong to it.
    above, below       the ends, which do not.
    """

    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        """NaN lies in no interval."""
        return (
            (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        ) and value == value

    def __str__(self) -> str:
        """What a value must do: "be at least 1", "lie between 0 and 1"."""
        if self.at_least is not None and self.at_most is not None:
            return f"lie between {_end(self.at_least)} and {_end(self.at_most)}"
        ends = (
            ("at least", self.at_least),
            ("more than", self.above),
            ("at most", self.at_most),
            ("less than", self.below if self.below != math.inf else None),
        )
        said = (f"{word} {_end(end)}" for word, end in ends if end is not None)
        return "be " + " and ".join(said)


def _end(end: float) -> str:
    """An end of an interval: 0.5, 10,000."""
    return f"{end:,.0f}" if end == round(end) else f"{end:g}"


POSITIVE = Bounds(above=0)
"""More than 0: a learning rate, a half-life."""

COUNT = Bounds(at_least=1)
"""A number of things: units, steps, layers."""

SHARE = Bounds(at_least=0, at_most=1)
"""A part of a whole."""

BELOW_ONE = Bounds(at_least=0, below=1)
"""A part that is never the whole: the memory of a running mean, the rate of dropout."""

NON_NEGATIVE = Bounds(at_least=0)
"""The weight of a term that may be left out."""

FINITE = Bounds(above=0, below=math.inf)
"""More than 0, and a number one can compute with: a ridge, a tolerance."""

NATURAL = Bounds(at_least=0)
"""A whole number of at least 0: a seed."""

MINUTES = Bounds(above=0, at_most=5_256_000)
"""Of a training: at most ten years."""

DEPTH = Bounds(at_least=1, at_most=1000)
"""A number of layers or blocks one after the other, each of which is made."""

NO_DEPTH = Bounds(at_least=0, at_most=1000)
"""The same where there may be none."""

THREADS = Bounds(at_least=1, at_most=1024)
"""A number of threads, each of which is made."""

REPEATS = Bounds(at_least=1, at_most=10_000)
"""How often something is done within one step, during which nothing is saved and Ctrl-C waits."""

LARGEST = 3.4e38
"""About the largest number of single precision, in which everything is computed."""


def check_bounds(config: Any) -> None:
    """Refuse the first field of a dataclass whose value its annotation does not allow.

    A number lies in the interval of its ``Bounds`` and is one to compute with, a name is an entry of its
    ``Registry``.  None and what a ``Literal`` names are passed over, and of a tuple every entry is looked at.
    """
    hints = get_type_hints(type(config), include_extras=True)
    for field in fields(config):
        check_value(getattr(config, field.name), hints[field.name], flag(field.name))


def check_value(value: Any, hint: Any, name: str) -> None:
    """Refuse a value that its type with what annotates it does not allow; ``name`` is what the sentence calls it."""
    named = _named(hint)
    for entry in value if isinstance(value, tuple) else (value,):
        if entry is None or entry in named:
            continue
        for allowed in _allowed(hint):
            if isinstance(allowed, Registry):
                allowed[entry]  # which refuses an unknown name
            elif isinstance(entry, str) or entry not in allowed:
                either = f"be {' or '.join(named)} or " if named else ""
                raise UsageError(f"{name} must {either}{allowed}, not {_short(entry)}")
        check_number(entry, name)


def check_number(value: Any, name: str) -> None:
    """Refuse a number that is infinite or none, or larger than what computers count with; all else passes."""
    if isinstance(value, float) and not abs(value) <= LARGEST:
        what = "finite" if not math.isfinite(value) else f"less than {LARGEST:g}"
        raise UsageError(f"{name} must be a number that is {what}, not {value:g}")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise UsageError(f"{name} must be less than 2^63, not {_short(value)}")


def _short(value: Any) -> str:
    """A number as it was typed, or how long it is."""
    if isinstance(value, int) and value.bit_length() > _BITS:
        return f"one of {value.bit_length() // 3.33:.0f} digits"
    return str(value)


def flag(name: str) -> str:
    """What the command line calls a field: ``warm_up`` is --warm-up."""
    return f"--{name.replace('_', '-')}"


def _named(hint: Any) -> list[str]:
    """The words that a type has beside its numbers, also inside of unions and tuples."""
    inside = get_args(hint)
    if get_origin(hint) is Literal:
        return [word for word in inside if isinstance(word, str)]
    return [word for part in inside for word in _named(part)]


def _allowed(hint: Any) -> list["Bounds | Registry[Any]"]:
    """What an annotation allows, also inside of unions and tuples."""
    inside = [allowed for part in get_args(hint) for allowed in _allowed(part)]
    return [
        a for a in getattr(hint, "__metadata__", ()) if isinstance(a, Bounds | Registry)
    ] + inside
