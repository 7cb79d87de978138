"""--json: what a command found as one JSON document on stdout, and all that it says meanwhile on stderr."""

import json
import math
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, TextIO

FLAG = "--json"


@dataclass(frozen=True)
class Document:
    """What is printed, whatever the command."""

    plausible: str
    """The version of plausible that printed it."""
    command: str
    """The command, such as check."""
    exit_code: int
    """The exit code."""
    error: str | None
    """Why there is no result, in a sentence; null where there is one."""
    result: Any
    """What was found, with the keys of the command below; null where it found nothing."""


class _Asked:
    """One command that is to answer by a document: to whom, and what it found so far."""

    def __init__(self, command: str, out: TextIO):
        from importlib.metadata import version  # which takes a while, and most commands do without

        self.document = Document(version("plausible"), command, 0, None, None)
        self._out, self.printed = out, os.environ.get("RANK", "0") != "0"  # rank 0 speaks for all

    def print(self) -> None:
        """The document, once."""
        if not self.printed:
            self.printed = True
            print(json.dumps(plain(self.document), indent=1, allow_nan=False), file=self._out)
            self._out.flush()


_asked: list[_Asked] = []  # one at most


def answer(found: Any, *, now: bool = False) -> None:
    """What a command found, printed at its end if that was asked for; ``now`` of one that goes on for long."""
    for asked in _asked:
        asked.document = replace(asked.document, result=found)
        if now:
            asked.print()


def answered() -> Any:
    """What the command has found so far; None where no document was asked for, or nothing was found."""
    return _asked[-1].document.result if _asked else None


def answered_elsewhere() -> None:
    """Another process prints the document: that of the first of several ranks."""
    for asked in _asked:
        asked.printed = True


def refuse(sentence: str) -> None:
    """Why a command found nothing, or not all; of several ranks the one that says so prints the document."""
    for asked in _asked:
        asked.document = replace(asked.document, error=sentence)
        if os.environ.get("RANK", "0") != "0":
            asked.printed = False


def is_asked(arguments: list[str]) -> bool:
    """Whether a document is asked for among what was typed."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return FLAG in before


def answer_by_document(command: str, run: Callable[[], None]) -> None:
    """Run a command so that stdout has nothing but its document; its exit code stays."""
    asked, code = _Asked(command, sys.stdout), 0
    _asked.append(asked)
    try:
        with redirect_stdout(sys.stderr):
            run()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise
    except BaseException:
        asked.printed = True  # a mistake of the program has its traceback and no document
        raise
    finally:
        _asked.remove(asked)
        asked.document = replace(asked.document, exit_code=code)
        asked.print()


def plain(value: Any) -> Any:
    """A value as JSON has it: dataclasses are objects, paths text, what is not finite null."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
