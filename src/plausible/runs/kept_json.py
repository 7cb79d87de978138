"""What a file of JSON must hold, said where it is read: one that somebody has edited is refused by the name of the place."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Any

from plausible.core.errors import UsageError

Shape = Any
"""A type; a tuple of shapes, any of which will do; [shape] of all of a list; {key: shape} of an object, "key?" where it may be missing."""

NUMBER = (int, float)
_WORDS: Mapping[Any, str] = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false", dict: "an object", list: "a list",
    NoneType: "null",
}  # fmt: skip


def read_json(path: Path, content: bytes | None = None, advice: str = "") -> Any:
    """What a file holds; UsageError with the line where it is no JSON, or no text.

    content  what was read of it already.
    advice   what to do about it.
    """
    more = advice and f"; {advice}"
    try:
        return json.loads(path.read_bytes() if content is None else content)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path} is no JSON in line {error.lineno}: {error.msg}{more}") from error
    except (ValueError, RecursionError) as error:  # bytes that are no text, lists a thousand deep
        raise UsageError(f"{path} is no JSON: {error}{more}") from error


def check_shape(path: Path, value: Any, shape: Shape, advice: str = "") -> Any:
    """The same value; UsageError, naming the place, where it is not of this shape."""
    wrong = mismatch(value, shape)
    if wrong:
        raise UsageError(f"{path} is not as it was written: {wrong}{advice and f'; {advice}'}")
    return value


@contextmanager
def as_kept(path: Path, place: str, advice: str) -> Iterator[None]:
    """What is made of a place of a file; UsageError, naming both, where nothing can be made of it."""
    try:
        yield
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
        if isinstance(error, UsageError) and str(path) in str(error):  # it is said already
            raise
        raise UsageError(f"{path} is not as it was written: {place}: {error}; {advice}") from error


def mismatch(value: Any, shape: Shape, place: str = "") -> str:
    """Where and how a value differs from a shape, in words; empty where it does not.

    >>> mismatch({"data": {"names": ["a", 5]}}, {"data": {"names": [str]}})
    'data.names[1] must be text, not a whole number'
    """
    if isinstance(shape, tuple):
        wrong = [mismatch(value, each, place) for each in shape]
        if not all(wrong):
            return ""
        deeper = [said for each, said in zip(shape, wrong, strict=True) if _like(value, each)]
        return deeper[0] if deeper else _unlike(value, shape, place)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _unlike(value, (list,), place)
        found = (mismatch(each, shape[0], f"{place}[{k}]") for k, each in enumerate(value))
        return next(filter(None, found), "")
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return _unlike(value, (dict,), place)
        return next(filter(None, (_entry(value, *each, place) for each in shape.items())), "")
    return "" if _is(value, shape) else _unlike(value, (shape,), place)


def _entry(value: Mapping[str, Any], key: str, shape: Shape, place: str) -> str:
    name = key.removesuffix("?")
    where = f"{place}.{name}" if place else name
    if name not in value:
        return "" if key.endswith("?") else f"{where} is missing"
    return mismatch(value[name], shape, where)


def _is(value: Any, kind: type) -> bool:
    """Whether a value is of a type, of which a bool is no number, and a whole number small enough to count with."""
    if kind is int:
        return type(value) is int and abs(value) < 2**63
    if kind is float:
        return type(value) is float or _is(value, int)
    return isinstance(value, kind)


def _like(value: Any, shape: Shape) -> bool:
    """Whether a value is at least of the same sort, so that what is wrong lies inside of it."""
    sort = type(shape) if isinstance(shape, dict | list) else shape
    return isinstance(shape, dict | list) and isinstance(value, sort)


def _unlike(value: Any, shapes: tuple[Shape, ...], place: str) -> str:
    must = " or ".join(
        dict.fromkeys(
            _WORDS[type(each) if isinstance(each, dict | list) else each] for each in shapes
        )
    )
    found = next((said for kind, said in _WORDS.items() if type(value) is kind), "something else")
    return f"{place or 'all of it'} must be {must}, not {found}"
