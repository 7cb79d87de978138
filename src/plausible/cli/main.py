"""The command line: ``plausible COMMAND ...``; one sentence and exit code 2 when it cannot be done."""

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import Any, TypeVar

import tyro

from plausible.cli.menu import Train, console, menu
from plausible.core.errors import UsageError
from plausible.data.options import resolve_source

C = TypeVar("C")


def main(args: list[str] | None = None) -> None:
    """Run the command line; exits with 2 and one sentence when the request cannot be met."""
    if "RANK" not in os.environ:
        _answer(sys.argv[1:] if args is None else args)
        return
    # A rank ends without closing Python, which a thread of the collectives can turn into SIGABRT.
    code: Any = 0
    try:
        _answer(sys.argv[1:] if args is None else args)
    except SystemExit as end:
        code = end.code or 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _answer(args: list[str]) -> None:
    """Run a command; whatever stops it becomes a sentence and an exit code."""
    # Threads that wait for each other by spinning stand still when another program wants their core;
    # those that sleep at once are slow on an idle machine.  GNU's OpenMP reads this with torch.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    try:
        _run(args)
    except UsageError as refusal:
        _stop(str(refusal), 2)
    except KeyboardInterrupt:
        _stop("interrupted", 130)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left; nothing is wrong
        sys.exit(141)


def _run(args: list[str]) -> None:
    if not args or args[0] in ("-h", "--help"):
        print(_overview())
        return
    if args[0] == "--version":
        from importlib.metadata import version

        print(version("plausible"))
        return
    command = menu[args[0]]
    if command is Train:
        _train(args[1:])
    else:
        parse(command, args[1:], f"plausible {args[0]}").run()


def _train(args: list[str]) -> None:
    if not args or args[0] in ("-h", "--help"):
        print(f"{_overview_of(Train)}\n\nMODEL is one of:\n{_taxonomy()}\n")
        print("plausible train MODEL --help lists the flags of a model.")
        if not args:
            raise UsageError("plausible train needs a MODEL, such as gan")
        return
    name, flags = args[0], args[1:]
    source = _flag(flags, "--data")
    if source is not None:
        resolve_source(source)
    from plausible.cli import commands

    commands.train_command(name, flags, console)


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


def _overview() -> str:
    lines = [f"  {name:12} {_first(kind)}" for name, kind in menu.items()]
    return "\n".join(
        [
            "plausible learns a distribution from your data, samples it and judges the result.",
            "",
            "usage: plausible COMMAND [flags]     plausible COMMAND --help",
            "",
            *lines,
            "",
            "Example: plausible train gan",
        ]
    )


def _overview_of(kind: type[Any]) -> str:
    return (kind.__doc__ or "").replace("\n    ", "\n").strip()


def _first(kind: type[Any]) -> str:
    return (kind.__doc__ or "").splitlines()[0]


def _taxonomy() -> str:
    """The tree in the docstring of plausible.models, read without importing it (and torch)."""
    import ast

    text = (Path(__file__).parent.parent / "models" / "__init__.py").read_text()
    tree = ast.get_docstring(ast.parse(text)) or ""
    return tree.split("\n\n", 1)[1]


def _flag(args: list[str], name: str) -> str | None:
    """The value of a flag, before the parser that knows all flags can be imported."""
    for i, word in enumerate(args):
        if word == name and i + 1 < len(args):
            return args[i + 1]
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _stop(sentence: str, code: int) -> None:
    if os.environ.get("RANK", "0") == "0":  # of several processes, the first one speaks
        print(f"plausible: {sentence}", file=sys.stderr)
    sys.exit(code)
