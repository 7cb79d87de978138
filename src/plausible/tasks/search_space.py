"""What a sweep tries: for each choice of a model the values it may take, from the bounds that its Config declares.

A choice between names or of true and false is tried in all its values.  A number is tried between its bounds where
both are near, otherwise around its default by a factor, on a logarithmic scale.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from plausible.core.bounds import Bounds, check_value, flag
from plausible.core.choices import USUAL
from plausible.core.errors import UsageError, unknown
from plausible.core.model import Model
from plausible.core.registry import Registry
from plausible.tasks.commands import SIZES, size_of

_FACTOR: Mapping[type, float] = {float: 10.0, int: 4.0}  # around a default
_WIDE = 100.0  # bounds so many times apart say little about what is worth trying
_MARGIN = 0.05  # of an interval, that is left out at an end which does not belong to it
_STEP = 16  # widths are multiples of it, or of a smaller power of 2 where the default is
_WITHOUT_DEFAULT = {"latent": (2, 128), "layers": (1, 4), "blocks": (1, 4), "components": (1, 32)}
_ALSO = {"learning_rate": "lr", "batch_size": "batch"}  # what other programs call a choice
_TRIED = ("components", "hidden", "width", "smoothing", "latent", "lr", "batch")  # if nobody says


@dataclass(frozen=True)
class Dimension:
    """One choice and what it may be.

    values     of names, or of true and false; otherwise it is a number from low to high.
    whole      whether that is a whole number, a multiple of ``step``.
    log        whether it is tried on a logarithmic scale.
    default    what it is where nobody chooses; None where that is none of these.
    """

    name: str
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False
    step: int = 1
    default: Any = None

    def __str__(self) -> str:
        if self.values:
            return f"{flag(self.name)} {', '.join(map(str, self.values))}"
        return f"{flag(self.name)} {self.low:g} to {self.high:g}{', logarithmic' * self.log}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for sweep.json."""
        return {**asdict(self), "values": list(self.values)}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> "Dimension":
        """The dimension that ``to_dict`` wrote."""
        return cls(**{**kept, "values": tuple(kept["values"])})

    def suggest(self, trial: Any) -> Any:
        """A value that a trial of optuna chooses."""
        if self.values:
            return trial.suggest_categorical(self.name, self.values)
        if not self.whole:
            return trial.suggest_float(self.name, self.low, self.high, log=self.log)
        raw = trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return max(int(self.low), round(raw / self.step) * self.step)


def search_space(model: Model, asked: str = "") -> tuple[Dimension, ...]:
    """What to try of a model as it is by default.

    asked  names with commas between, each with a range or with names behind it if one likes: "lr,width=16:64,loss=hinge|minimax".
           By default the numbers among what most people change.
    Raises UsageError for an unknown name, or one for which nobody can say what to try.
    """
    words = [word.strip() for word in asked.split(",") if word.strip()]
    if words:
        return tuple(_asked(model, word) for word in words)
    config = model.config
    tried = [name for name in _TRIED if name != "batch" or model.iterates]  # a fit has none
    found = [_of_field(model, name) for name in tried if hasattr(config, name)]
    if not any(found):
        found = [_of_field(model, name) for name in vars(config) if name not in USUAL]
    space = tuple(each for each in found if each is not None and not each.values)
    if not space:
        raise UsageError(
            f"a {model.name} has no number to try: say what with --search, such as {_example(model)}"
        )
    return space


def _asked(model: Model, word: str) -> Dimension:
    """One word of what was asked for."""
    name, _, given = word.partition("=")
    name = name.strip().lstrip("-").replace("-", "_")
    name = _ALSO.get(name, name)
    known = list(vars(model.config))
    if name not in known:
        raise UsageError(unknown(f"choice of {model.name}", name, known))
    if given:
        return _given(model, name, given)
    found = _of_field(model, name)
    if found is None:
        raise UsageError(f"--search {name} needs values to try: {name}=LOW:HIGH, or {name}=A|B")
    return found


def _given(model: Model, name: str, given: str) -> Dimension:
    """A range or names, as they were typed; UsageError where the field may not be so."""
    hint = _hints(model)[name]
    kind = _number(hint)
    ends = given.split(":")
    try:
        if kind is not None and len(ends) == 2:
            low, high = map(kind, ends)
            for end in (low, high):
                check_value(end, hint, flag(name))
            if not 0 < high - low < math.inf:
                raise UsageError(f"--search {name}={given} needs a low below its high")
            log = low > 0 and high / low >= 10
            return Dimension(name, (), low, high, kind is int, log, 1, _default(model, name))
        values = tuple(_value(hint, each) for each in given.split("|"))
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"--search {name}={given} is neither LOW:HIGH nor values with | between"
        ) from None
    for value in values:
        check_value(value, hint, flag(name))
    return Dimension(name, values, default=_default(model, name))


def _value(hint: Any, word: str) -> Any:
    """A word as a value of a field: a number, true or false, or a name."""
    kind = _number(hint)
    if kind is not None:
        return kind(word)
    return {"true": True, "false": False}.get(word, word)


def _of_field(model: Model, name: str) -> Dimension | None:
    """What is tried of a field without being told; None where nobody can say."""
    hint, default = _hints(model)[name], _default(model, name)
    names = _names(hint)
    if names:
        return Dimension(name, names, default=default if default in names else None)
    kind = _number(hint)
    if kind is None:
        return None
    low, high = _interval(hint)
    span = high - low
    if span < math.inf and (low == 0 or high / low <= _WIDE) and kind is float:
        return Dimension(name, (), low, high, default=default)
    if default is None or default <= 0:
        if name not in _WITHOUT_DEFAULT:
            return None
        ends: tuple[float, float] = _WITHOUT_DEFAULT[name]
    else:
        ends = default / _FACTOR[kind], default * _FACTOR[kind]
    low, high = max(low, ends[0]), min(high, ends[1])
    if kind is int:
        step = _step(name, default)
        low, high = max(step, math.ceil(low)), math.floor(high)
        return Dimension(name, (), low, high, True, True, step, default) if low < high else None
    return Dimension(name, (), low, high, False, True, 1, default) if low < high else None


def _default(model: Model, name: str) -> Any:
    """What a field is by default; of a width that is left to the data as many as those decided."""
    value = getattr(model.config, name)
    if value is None and name in SIZES:
        value = getattr(model.decided, name, None) or size_of(model, name)
    return value


def _step(name: str, default: int | None) -> int:
    """Of what widths are multiples, so that groups of channels come out even."""
    step = 1
    while name in SIZES and default and step < _STEP and default % (8 * step) == 0:
        step *= 2
    return step if name != "components" else 1


def _interval(hint: Any) -> tuple[float, float]:
    """The ends between which a number is tried by its bounds; infinite where it has none."""
    low, high = -math.inf, math.inf
    for each in _notes(hint):
        if isinstance(each, Bounds):
            low = max(low, _end(each.at_least, each.above, -math.inf))
            high = min(high, _end(each.at_most, each.below, math.inf))
            span = high - low
            if span < math.inf:
                low += _MARGIN * span * (each.above is not None)
                high -= _MARGIN * span * (each.below is not None)
    return low, high


def _end(closed: float | None, open_: float | None, otherwise: float) -> float:
    return closed if closed is not None else open_ if open_ is not None else otherwise


def _names(hint: Any) -> tuple[Any, ...]:
    """The names, or true and false, that a field chooses from; none of a number."""
    for note in _notes(hint):
        if isinstance(note, Registry):
            return tuple(note)
    for part in _parts(hint):
        if part is bool:
            return (True, False)
        if get_origin(part) is Literal:
            return get_args(part)
    return ()


def _number(hint: Any) -> type[int] | type[float] | None:
    """The type of a single number; None of a tuple, a name or a switch."""
    kinds: set[Any] = set(_parts(hint))
    if kinds == {int}:
        return int
    return float if kinds in ({float}, {int, float}) else None


def _parts(hint: Any) -> list[Any]:
    """The types that a field may have, without what annotates them, and without None."""
    if get_origin(hint) is Annotated:
        return _parts(get_args(hint)[0])
    if get_origin(hint) in (Literal, tuple):
        return [hint]
    inside = get_args(hint)
    return (
        [p for each in inside for p in _parts(each)] if inside else [hint] * (hint is not NoneType)
    )


def _notes(hint: Any) -> list[Any]:
    """What annotates a type; nothing of the entries of a tuple."""
    if get_origin(hint) is tuple:
        return []
    if get_origin(hint) is Annotated:
        inside, *notes = get_args(hint)
        return [*notes, *_notes(inside)]
    return [note for part in get_args(hint) for note in _notes(part)]


def _hints(model: Model) -> dict[str, Any]:
    return get_type_hints(type(model.config), include_extras=True)


def _example(model: Model) -> str:
    names: Sequence[str] = [name for name in vars(model.config) if _names(_hints(model)[name])]
    return names[0] if names else "NAME=LOW:HIGH"
