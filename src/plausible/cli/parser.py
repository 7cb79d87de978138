"""From what was typed to the flags of a command, its help, or one sentence."""

import contextlib
import io
import re
import sys
from dataclasses import fields, is_dataclass
from itertools import groupby
from typing import Any, TypeVar, get_args, get_type_hints

import tyro

from plausible.cli.help import check_flags, flags_of, show_help
from plausible.core.bounds import check_value, flag
from plausible.core.errors import UsageError, unknown

C = TypeVar("C")
_NO_VALUE = re.compile(
    r"Error parsing (-\S+): (?:no type matching .* could be instantiated from \[(.*?)\]"
    r"|(?:invalid literal for int\(\) with base 10|could not convert string to float): (.*))"
)
_TOO_FEW = re.compile(r"Missing value for argument '(\S+)'")
_NO_CHOICE = re.compile(r"invalid choice '(.*)' for argument '(\S+)'\. Expected one of \((.*)\)")
_UNKNOWN = re.compile(r"Unrecognized options: (.*)")
_OUR_OWN = re.compile(r"Error parsing [a-z_]+: (.*)")  # of a check of several flags together


def parse(kind: type[C], args: list[str], program: str) -> C:
    """The flags as an instance of a dataclass; UsageError with one sentence when they are wrong.

    Prints the help and exits with 0 where that is asked for.
    """
    for word in args:
        if word in ("-h", "--help", "--help-all"):
            show_help(kind, program, everything=word == "--help-all")
            sys.exit(0)
    check_flags(kind, args, program)
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            made = tyro.cli(kind, args=args, prog=program)
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise UsageError(_sentence(kind, _first_block(errors.getvalue()), program)) from None
    _check_values(made)
    return made


def _check_values(made: Any) -> None:
    """UsageError for a number that a flag does not allow, or that no computer can count with."""
    hints = get_type_hints(type(made), include_extras=True)
    for each in fields(made):
        value, hint = getattr(made, each.name), hints[each.name]
        if is_dataclass(value):
            _check_values(value)
        else:
            check_value(value, hint, _typed(each.name, hint))


def _typed(name: str, hint: Any) -> str:
    """What is typed for a field: -n for one that has so short a name."""
    short = [way for note in get_args(hint) for way in getattr(note, "aliases", None) or ()]
    return short[0] if short else flag(name)


def _first_block(box: str) -> str:
    """What stands under the title of a boxed message of the parser, up to the next rule, as one line.

    Where boxes cannot be drawn there is a rule below the title, too.
    """
    lines = [line.strip("│╭╮╰╯|+ ") for line in box.splitlines()[1:]]
    blocks = groupby(lines, key=lambda line: set(line) <= {"─", "-"} and bool(line))
    words = next((list(block) for is_rule, block in blocks if not is_rule), [])
    return " ".join(word for word in words if word).removesuffix(".")


def _sentence(kind: type[Any], said: str, program: str) -> str:
    """What the parser says, in our words."""
    flags = list(flags_of(kind))
    values = {way: flag.spelled.partition(" ")[2] for flag in flags for way in flag.known}
    if found := _NO_VALUE.match(said):
        said = f"{found[1]} takes {values.get(found[1], 'a number')}, not {found[2] or found[3]}"
    elif found := _TOO_FEW.match(said):
        said = f"{found[1]} needs a value: {values.get(found[1], 'a number')}"
    elif found := _NO_CHOICE.match(said):
        return unknown(found[2], found[1], re.findall(r"'(.*?)'", found[3]))
    elif found := _UNKNOWN.match(said):
        said = f"{program} takes no {found[1]}"
    elif found := _OUR_OWN.match(said):
        return found[1]
    elif said.startswith("Missing"):
        words = set(said.split())
        needed = [
            flag.spelled for flag in flags if flag.needed and words & {flag.spelled, *flag.known}
        ]
        said = f"{program} needs {', '.join(needed) or 'more'}"
    return f"{said}; see {program} --help"
