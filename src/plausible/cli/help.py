"""The help of a command, from the dataclass that its flags are read into: what matters first, all of it when asked.

``--help`` shows the flags that a command calls ``usual`` (without such a list all but those that seldom matter),
``--help-all`` every one.  Types are words (PATH, NUMBER), and where there is nothing to say there is no default.
"""

import ast
import functools
import inspect
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tyro
from rich.text import Text
from tyro.conf import OmitArgPrefixes, Positional

from plausible.cli.console import console
from plausible.core.errors import UsageError

_ARGUMENT = type(tyro.conf.arg(help=""))
_POSITIONAL, _UNPREFIXED = (get_args(form[int])[1] for form in (Positional, OmitArgPrefixes))
_SELDOM = ("seed", "device", "overwrite", "watch", "on_failure", "json", "log_to")
_WIDEST = 100  # characters of a line
_MARGIN = 26  # characters before a sentence, where the flag leaves as much
_WORDS = {
    "data": "NAME|PATH", "source": "NAME|PATH", "heldout": "NAME|PATH", "outliers": "NAME|PATH",
    "samples": "PATH", "against": "PATH", "twin": "RUN", "pretrained": "NAME|PATH", "size": "NUMBER|WxH", "label": "NAME", "hub_config": "NAME", "hub_split": "NAME", "drop": "NAME ...",
    "data_name": "NAME", "out": "PATH", "between": "PATH PATH", "mask": "PATH", "map": "PATH", "chain": "PATH", "solver": "NAME", "names": "CLAIM ...",
}  # fmt: skip
"""What stands for the value of a flag that is text, by its name."""
_OTHERS_SAY = {
    "epochs": "steps", "iterations": "steps", "rounds": "steps", "time": "minutes", "output": "out", "dataset": "data",
    "batch-size": "batch", "learning-rate": "lr", "gpu": "device", "image-size": "size", "resolution": "size",
    "num-samples": "n", "samples": "n", "class": "label", "classes": "label", "force": "overwrite", "quiet": "no-evaluate",
}  # fmt: skip
"""What other tools call a flag."""
_MADE = "types"  # the module of a dataclass that was made while the program runs: its helps are annotations


@dataclass(frozen=True)
class Flag:
    """A flag or an argument of a command.

    name      of the field.
    spelled   as it is typed, with a word for its value: "--minutes NUMBER".
    sentence  its help, and its default where there is one.
    known     all ways to type it, without a value; none of an argument.
    group     the title it stands under.
    needed    whether the command cannot do without it.
    """

    name: str
    spelled: str
    sentence: str
    known: tuple[str, ...]
    group: str
    needed: bool


def flags_of(kind: type[Any], group: str = "") -> Iterator[Flag]:
    """Every flag of a dataclass and of those in it, under the ``titles`` {field: title} that they may have."""
    hints, helps = get_type_hints(kind, include_extras=True), field_help(kind)
    titles: dict[str, str] = {"preparation": "data", **getattr(kind, "titles", {})}
    for each in sorted(
        fields(kind), key=lambda each: bool(each.kw_only)
    ):  # those of every command last
        hint, notes = _parts(hints[each.name])
        if is_dataclass(hint) and isinstance(hint, type):
            yield from flags_of(hint, titles.get(each.name, each.name))
        else:
            title = titles.get(each.name, group)
            yield _flag(each, hint, notes, helps.get(each.name, ""), title)


def _flag(each: "Field[Any]", hint: Any, notes: Sequence[Any], help: str, group: str) -> Flag:
    asked: Any = next((note for note in notes if isinstance(note, _ARGUMENT)), None)
    help = (asked and asked.help) or help
    dashed = (asked and asked.name) or each.name.replace("_", "-")
    word = (asked and asked.metavar) or _word(each.name, hint)
    default = None if each.default is MISSING else each.default
    if each.default_factory is not MISSING:
        default = each.default_factory()
    needed = each.default is MISSING and each.default_factory is MISSING
    if _POSITIONAL in notes:
        word = word if needed or word.startswith("[") else f"[{word}]"
        return Flag(each.name, word, help, (), group, needed)
    if hint is bool:
        both = f"--{dashed}", f"--no-{dashed}"
        spelled = ", ".join(both) if default else both[0]
        help += " (on by default)" * bool(default)
        return Flag(each.name, spelled, help, both, group, False)
    known = (*((asked and asked.aliases) or ()), f"--{dashed}")
    said = " ".join(map(str, default)) if isinstance(default, tuple) else default
    help += "" if said is None or said == "" else f" (default: {said})"
    help += " (needed)" * needed
    return Flag(each.name, f"{', '.join(known)} {word}", help, known, group, needed)


def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type without what is annotated, and that."""
    if get_origin(hint) is Annotated:
        inside, *notes = get_args(hint)
        deeper, more = _parts(inside)
        return deeper, (*more, *notes)
    return hint, ()


def _word(name: str, hint: Any) -> str:
    """What stands for a value of a type: NUMBER, PATH, the choices, several of these."""
    hint, _ = _parts(hint)
    if name in _WORDS and not (get_origin(hint) is Literal or hint in (int, float, Path)):
        return _WORDS[name]
    origin, inside = get_origin(hint), [part for part in get_args(hint) if part is not NoneType]
    if origin is Literal:
        return "|".join(str(choice) for choice in inside if choice is not None)
    if origin in (Union, UnionType):
        return "|".join(dict.fromkeys(_word("", part) for part in inside))
    if origin is tuple:
        several = inside[-1] is Ellipsis
        return f"{_word('', inside[0])} ..." if several else " ".join(_word("", p) for p in inside)
    return {int: "NUMBER", float: "NUMBER", Path: "PATH"}.get(hint, "TEXT")


def field_help(kind: type[Any]) -> dict[str, str]:
    """{field: the string below it} of a dataclass and those it inherits from, read from the source."""
    helps: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if hasattr(base, "__dataclass_fields__") and base.__module__ != _MADE:
            helps |= _own_help(base)
    return helps


@functools.cache
def _own_help(base: type[Any]) -> dict[str, str]:
    """What ``field_help`` reads below the fields of one class, once: to find a class all of its file is parsed."""
    try:
        source = inspect.getsource(base)
    except (OSError, TypeError):  # typed into a console
        return {}
    (body,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(body, ast.ClassDef)
    return {
        declared.target.id: " ".join(str(below.value.value).split())
        for declared, below in zip(body.body, body.body[1:], strict=False)
        if isinstance(declared, ast.AnnAssign)
        and isinstance(declared.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
    }


def usual_flags(kind: type[Any]) -> list[Flag]:
    """The flags that ``--help`` shows, in their order: those a command calls usual, or all but what seldom matters."""
    flags = list(flags_of(kind))
    usual = getattr(kind, "usual", None)
    if usual is None:
        return [flag for flag in flags if not flag.group and flag.name not in _SELDOM]
    arguments = [flag for flag in flags if not flag.known and flag.name not in usual]
    return arguments + [flag for name in usual for flag in flags if flag.name == name]


def help_text(kind: type[Any], program: str, everything: bool = False) -> Text:
    """What the command does, how it is typed, its flags, and examples."""
    flags = list(flags_of(kind))
    shown = flags if everything else usual_flags(kind)
    about, _, examples = inspect.cleandoc(kind.__doc__ or "").partition("Example: ")
    needed = [flag.spelled for flag in flags if not flag.known or flag.needed]
    text = Text(f"{about.strip()}\n\nusage: {' '.join([program, *needed])} [flags]\n")
    for title in dict.fromkeys(flag.group for flag in shown):
        text.append(f"\n{title or 'flags'}\n", "bold")
        for flag in shown:
            if flag.group == title:
                _append(text, flag)
    more = len(flags) - len(shown)
    if more:
        text.append(f"\n{program} --help-all lists the other {more}.\n")
    if hasattr(kind, "listing"):  # of what there is to choose from
        text.append(f"\n{kind.listing()}\n")
    if examples:
        text.append("\nExample: ", "bold").append(examples.strip() + "\n")
    return text


def _append(text: Text, flag: Flag) -> None:
    """A flag and its sentence beside it, or below where it is long."""
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    lines = textwrap.wrap(flag.sentence, max(width - _MARGIN, 30), break_on_hyphens=False)
    text.append(f"  {flag.spelled}", "cyan")
    room = _MARGIN - 2 - len(flag.spelled)
    first = " " * room if room > 1 else "\n" + " " * _MARGIN
    text.append(first + ("\n" + " " * _MARGIN).join(lines) + "\n")


def show_help(kind: type[Any], program: str, everything: bool = False) -> None:
    """Print it."""
    console.print(help_text(kind, program, everything), soft_wrap=True, highlight=False, end="")


def check_flags(kind: type[Any], args: Sequence[str], program: str) -> None:
    """UsageError for a flag that there is not, with the nearest that there is."""
    known = {spelled for flag in flags_of(kind) for spelled in flag.known}
    for word in args:
        name = word.partition("=")[0].replace("_", "-")
        if word == "--":
            return
        if name in known or not _like_a_flag(word):
            continue
        plain = name.strip("-")
        asked = f"--{_OTHERS_SAY.get(plain, plain)}"
        near = [asked] if asked in known else get_close_matches(name, sorted(known), n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; {program} --help-all lists all"
        raise UsageError(f"{program} has no flag {name}{hint}")


def _like_a_flag(word: str) -> bool:
    return word.startswith("--") or (word.startswith("-") and word[1:2].isalpha())
