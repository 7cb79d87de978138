"""Numbers that change while a budget is spent, so that a run of any length decays at its own end."""

import math
from collections.abc import Callable

Schedule = float | Callable[[float], float]
"""A number, or a function of ``progress`` (the share of the budget used, 0 to 1)."""


def at(schedule: Schedule, progress: float) -> float:
    """The value of a schedule when the share ``progress`` of the budget is used."""
    return schedule(progress) if callable(schedule) else schedule


def cosine(start: float, end: float, *, begin: float = 0.0, until: float = 1.0) -> Schedule:
    """start up to ``begin``, half a cosine down (or up) to ``end`` at ``until``, then constant.

    start + (end - start) (1 - cos(pi u)) / 2 with u = (progress - begin) / (until - begin) in [0, 1].
    Source: Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983.
    """
    if start == end:
        return start

    def value(progress: float) -> float:
        u = min(max((progress - begin) / max(until - begin, 1e-9), 0.0), 1.0)
        return start + (end - start) * (1 - math.cos(math.pi * u)) / 2

    return value
