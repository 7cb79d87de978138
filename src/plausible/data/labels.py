"""Labels of any kind -> 0 .. K - 1 and the names they had."""

import numpy as np

from plausible.core.errors import UsageError


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

    Whole numbers (also as words) are ordered by value, other words by letters.
    UsageError: fractions, NaN, or something that is neither number nor word.
    """
    if labels.dtype.kind == "f":
        if not bool((np.isfinite(labels) & (labels == np.rint(labels))).all()):
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
    if values.dtype.kind == "U" and all(_is_whole(word) for word in values):
        order = np.argsort([int(word) for word in values], kind="stable")  # "10" after "9"
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        values, y = values[order], rank[y]
    return y.astype(np.int64), tuple(str(value) for value in values)


def _is_whole(word: str) -> bool:
    try:
        int(word)
    except ValueError:
        return False
    return True
