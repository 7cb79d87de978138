"""The keys of what --json prints, from the dataclasses that it is made of."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from docs.quoted_tables import table
from docs.results import markdown

import plausible.cli.listing  # noqa: F401  # fills the registry of commands
from plausible.cli.answer import Document
from plausible.cli.command import commands
from plausible.cli.help import field_help

_WORDS = {str: "text", Path: "text", int: "whole number", float: "number", bool: "true or false", NoneType: "null", Any: "object"}  # fmt: skip


@table
def json_documents() -> str:
    parts = [_section("Every document", Document)]
    of: dict[type, list[str]] = {}
    for name, command in commands.items():
        of.setdefault(command.answers, []).append(name)
    for kind, names in of.items():
        parts.append(_section(f"`result` of {_listed(names)}", kind))
        parts += [_section(f"`{inner.__name__}`", inner, 4) for inner in _inside(kind)]
    return "\n\n".join(parts)


def type_in_words(hint: Any) -> str:
    """A type as JSON has it."""
    if is_dataclass(hint):
        return f"`{hint.__name__}`"
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(type_in_words, inside)))
    if origin is tuple:
        return f"list of {type_in_words(inside[0])}"
    return "object" if origin is not None and issubclass(origin, Mapping) else _WORDS[hint]


def _section(title: str, kind: type[Any], level: int = 3) -> str:
    hints, helps = get_type_hints(kind), field_help(kind)
    rows = [
        (f"`{each.name}`", type_in_words(hints[each.name]), helps[each.name].rstrip("."))
        for each in fields(kind)
    ]
    return f"{'#' * level} {title}\n\n{markdown(('key', 'is', 'which'), rows)}".strip()


def _inside(kind: type[Any]) -> list[type[Any]]:
    """The dataclasses that a dataclass holds lists of."""
    return [
        part
        for hint in get_type_hints(kind).values()
        for part in get_args(hint)
        if is_dataclass(part)
    ]


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"`{names[0]}`"
    return ", ".join(f"`{name}`" for name in names[:-1]) + f" and `{names[-1]}`"
