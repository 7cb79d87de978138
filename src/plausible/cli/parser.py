"""From what was typed to the flags of a command, or one sentence."""

import contextlib
import io
from typing import TypeVar

import tyro

from plausible.core.errors import UsageError

C = TypeVar("C")


def parse(kind: type[C], args: list[str], program: str) -> C:
    """The flags as an instance of a dataclass; UsageError with one sentence when they are wrong."""
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            return tyro.cli(kind, args=args, prog=program)
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise UsageError(_sentence(errors.getvalue(), program)) from None


def _sentence(box: str, program: str) -> str:
    """The first block of a boxed message of the parser, as one line."""
    lines = [line.strip("│╭╮╰╯─ ") for line in box.splitlines()]
    words = [line for line in lines[1:] if line]
    rule = next((i for i, line in enumerate(box.splitlines()[1:]) if set(line) <= set("│─ ")), None)
    if rule is not None:
        words = [line for line in lines[1 : rule + 1] if line]
    return f"{' '.join(words)}; see {program} --help"
