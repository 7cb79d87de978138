"""Labels of any kind -> 0 .. K - 1 and the names they had."""

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import numpy as np

from plausible.core.errors import UsageError
from plausible.data.options import NO_CLASS

_DIGITS = 18  # of the largest number that is written out


def as_labels(labels: np.ndarray, count: int, name: str, items: str) -> np.ndarray:
    """(N,) or (N, 1) -> (N,).  UsageError: another shape or another count than the items."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]  # (N, 1) -> (N,)
    if labels.ndim != 1:
        raise UsageError(
            f"{name} has shape {labels.shape}; labels are one number or word an item, (N,)"
        )
    if len(labels) != count:
        raise UsageError(f"{name} has {len(labels):,} labels for the {count:,} items of {items}")
    return labels


def encode_labels(labels: np.ndarray, source: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(N,) whole numbers or words -> ((N,) int64 in 0 .. K - 1, the K names in order).

    Numbers (also as words) come first, ordered by value, then other words by letters.  A whole number that
    is written with a decimal point, or beside numbers alone with an exponent, is named and counts as without:
    "2.0" is "2"; "007" stays another class than "7".
    UsageError: fractions, NaN, or something that is neither number nor word.

    >>> y, names = encode_labels(np.array(["10.0", "9", "007", "7.0", "1e1"]), "here")
    >>> names, y.tolist()
    (('007', '7', '9', '10'), [3, 2, 0, 1, 3])
    """
    if labels.dtype.kind == "f":
        exact = np.abs(labels) < 2.0**63  # which NaN is not
        if not bool((exact & (labels == np.rint(labels))).all()):
            raise UsageError(
                f"labels of {source} must be whole numbers or words, not fractions or NaN"
            )
        labels = labels.astype(np.int64)
    elif labels.dtype.kind == "b":
        labels = labels.astype(np.int64)
    elif labels.dtype.kind == "S":
        labels = np.char.decode(labels, "utf-8", "replace")
    elif labels.dtype.kind not in "iuU":
        raise UsageError(f"labels of {source} must be whole numbers or words, not {labels.dtype}")
    values, y = np.unique(labels, return_inverse=True)
    words = [str(value) for value in values]
    numeric = all(_value(word) is not None for word in words)
    named = [_plain(word, numeric) for word in words]
    names = sorted(dict.fromkeys(named), key=_place)
    places = {name: k for k, name in enumerate(names)}
    return np.array([places[name] for name in named], np.int64)[y], tuple(names)


def class_number(label: str | int | None, names: Sequence[str], who: str) -> int | None:
    """A class by name -> its number, or by number where the names are words; None stays.

    UsageError with the choices: so also for 0 of classes 1, 2, 3, which would mean another by its place.
    """
    if label is None:
        return None
    label = str(label)
    if label in names:
        return list(names).index(label)
    words = not any(known.lstrip("+-").isdigit() for known in names)
    if words and label.isdigit() and int(label) < len(names):
        return int(label)
    if not names:
        raise UsageError(f"{who} was trained on data without labels, so --label says nothing")
    raise UsageError(f"--label {label} is out of range: choose from {', '.join(names)}")


def check_classes(y: np.ndarray, source: str) -> str | None:
    """A sentence where some classes of y (N,) have one item alone.  UsageError: all have."""
    counts = np.unique(y, return_counts=True)[1]  # (N,) -> (K,)
    single = int((counts == 1).sum())
    none = f"--label {NO_CLASS} says that there is no class"
    if single == len(y):
        raise UsageError(
            f"each of the {single:,} items of {source} has a class of its own, and of single items nothing can "
            f"be learned: {none}"
        )
    have = "have" if single > 1 else "has"
    words = f"{single:,} of {len(counts):,} classes {have} one item alone, of which nothing can be learned ({none})"
    return words if single else None


def _value(word: str) -> Decimal | None:
    """The number that a word is, exactly."""
    try:
        value = Decimal(word)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _plain(word: str, numeric: bool) -> str:
    """A whole number as it is written without a decimal point or, where all are numbers, an exponent."""
    if point := re.fullmatch(r"([+-]?\d+)\.0*", word):
        return "0" if word.startswith("-") and not point[1].strip("-0") else point[1]
    value = _value(word) if numeric and re.search("[.eE]", word) else None
    if value is None or abs(value) >= 10**_DIGITS or value != value.to_integral_value():
        return word
    return str(int(value))


def _place(name: str) -> tuple[bool, Decimal, str]:
    """What names are ordered by: numbers by value, then words by letters."""
    value = _value(name)
    return value is None, value or Decimal(0), name
