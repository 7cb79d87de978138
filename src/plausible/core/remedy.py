"""What a family knows to do about a phenomenon, from what to what, and when a run does it already."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plausible.core.finding import Severity


@dataclass(frozen=True)
class Remedy:
    """One change of a run that helps.

    advice  of a model, or of the ``Settings`` of a training: the flag to give with its value, and the value now;
            empty where the run does so already, or has no such choice.
    least   how severe a finding must be to be worth it.
    """

    advice: Callable[[Any], str]
    least: Severity = Severity.WARNING


def change(
    name: str,
    to: Callable[[Any, Any], Any],
    now: Callable[[Any], Any] | None = None,
    least: Severity = Severity.WARNING,
    note: str = "",
) -> Remedy:
    """Another value of a field of the model's Config, or of the Settings.

    to    (model, the value now) -> the value that helps; None where the run does so already.
    now   model -> the value now, where a field that is None stands for one.
    note  what else to know.

    >>> from types import SimpleNamespace
    >>> warm_up = change("warm_up", lambda model, now: 0.3 if now < 0.3 else None)
    >>> warm_up.advice(SimpleNamespace(config=SimpleNamespace(warm_up=0.1)))
    '--warm-up 0.3 (now 0.1)'
    """

    def advice(asked: Any) -> str:
        if not hasattr(_choices(asked), name):
            return ""
        has = now(asked) if now else getattr(_choices(asked), name)
        new = to(asked, has)
        if new is None or new == has:
            return ""
        before = _flag(name, has) if isinstance(has, bool) else _said(has)
        return f"{_flag(name, new)} (now {before}{f'; {note}' if note else ''})"

    return Remedy(advice, least)


def words(text: str, applies: Callable[[Any], bool] = lambda model: True) -> Remedy:
    """What no flag does."""
    return Remedy(lambda model: text if applies(model) else "")


def smaller(
    name: str, now: Callable[[Any], Any] | None = None, least: Severity = Severity.WARNING
) -> Remedy:
    """Half of a number, or its default where that is less than half."""
    return change(name, lambda model, has: _less(has, _default(model, name)), now, least)


def larger(
    name: str, now: Callable[[Any], Any] | None = None, least: Severity = Severity.WARNING
) -> Remedy:
    """Twice a number, or its default where that is more than twice."""
    return change(name, lambda model, has: _more(has, _default(model, name)), now, least)


def _less(has: Any, default: Any) -> Any:
    if has is None:
        return None
    half = has // 2 if isinstance(has, int) else has / 2
    return min(half, default or half) or None


def _more(has: Any, default: Any) -> Any:
    return None if has is None else max(2 * has, default or 0) or None


def _choices(asked: Any) -> Any:
    return getattr(asked, "config", asked)


def _default(asked: Any, name: str) -> Any:
    return getattr(type(_choices(asked))(), name, None)


def _flag(name: str, value: Any) -> str:
    """As the command line takes it."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {_said(value)}"


def _said(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return str(value)
