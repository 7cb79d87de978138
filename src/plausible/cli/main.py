"""The command line: ``plausible COMMAND ...``; one sentence and exit code 2 when it cannot be done."""

import gc
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import plausible.cli.listing  # noqa: F401  # fills the registry of commands
from plausible.cli.answer import answer_by_document, answered_elsewhere, is_asked, refuse
from plausible.cli.command import commands
from plausible.cli.encoding import degrade
from plausible.cli.help import show_help
from plausible.cli.parser import parse
from plausible.cli.train import Train
from plausible.core.errors import NotDefined, UsageError


def main(args: list[str] | None = None) -> None:
    """Run the command line; exits with 2 and one sentence when the request cannot be met."""
    degrade(sys.stdout, sys.stderr)
    # What is imported stays: to look for garbage in it at each 700 objects takes a tenth of the time to start.
    gc.set_threshold(10_000)
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
    """Run a command, whose document alone is printed on stdout where that is asked for."""
    if args and args[0] in commands and is_asked(args):
        try:
            answer_by_document(args[0], lambda: _spoken(args))
        except BrokenPipeError:
            _unread()
    else:
        _spoken(args)


def _unread() -> NoReturn:
    """The reader of our output left; nothing is wrong."""
    os.dup2(
        os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
    )  # where Python flushes at its end
    sys.exit(141)


def _spoken(args: list[str]) -> None:
    """Run a command; whatever stops it becomes a sentence and an exit code."""
    # Threads that wait for each other by spinning stand still when another program wants their core;
    # those that sleep at once are slow on an idle machine.  GNU's OpenMP reads this with torch.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _say_once(warnings.showwarning)
            _run(args)
    except (UsageError, NotDefined) as refusal:
        _stop(str(refusal), 2)
    except KeyboardInterrupt:
        _stop("interrupted", 130)
    except BrokenPipeError:
        _unread()
    except OSError as error:  # a folder that is gone, a full disk, no permission
        place = f"{error.filename}: " if error.filename else ""
        _stop(f"{place}{error.strerror or error}", 2)
    except (MemoryError, RuntimeError) as error:
        from plausible.core.memory import out_of_memory

        if "RANK" in os.environ:
            from plausible.training.distributed import ALONE, LAUNCHER, WITHOUT, lost_contact

            if lost_contact(error):  # who launched this process knows what happened, and says it
                _stop(WITHOUT, ALONE, aloud=LAUNCHER not in os.environ)
        if (sentence := out_of_memory(error)) is None:
            raise
        _stop(sentence, 2)


def _run(args: list[str]) -> None:
    if args[:1] == ["help"]:
        args = [*args[1:], "--help"]
    if not args or args[0] in ("-h", "--help", "--help-all"):
        print(_overview())
        return
    if args[0] == "--version":
        from importlib.metadata import version

        print(version("plausible"))
        return
    if args[0] == "--install-completion":
        from plausible.cli.shell_completion import install

        print(install(*args[1:2]))
        return
    name, *flags = args
    if name in ("completion", "completions"):  # what other programs call it
        raise UsageError(
            "completion of commands and flags is installed by plausible --install-completion [bash|zsh|fish]"
        )
    command, program = commands[name], f"plausible {name}"
    try:
        if command is Train:  # its flags are those of the model
            Train(flags).run()
        else:
            parse(command, flags, program).run()
    except UsageError:
        if not flags and command is not Train:  # what it needs, to who asks for nothing
            show_help(command, program)
        raise


def _say_once(usual: Callable[..., None]) -> Callable[..., None]:
    """How a warning is shown: those of ours as one sentence, once; all others as usual."""
    said: set[str] = set()

    def show(message: Warning | str, *where: Any, **more: Any) -> None:
        if not type(message).__module__.startswith("plausible."):
            usual(message, *where, **more)
        elif str(message) not in said:
            said.add(str(message))
            print(f"plausible: {message}", file=sys.stderr)

    return show


def _overview() -> str:
    lines = [
        f"  {name:12} {(kind.__doc__ or '').splitlines()[0]}" for name, kind in commands.items()
    ]
    return "\n".join(
        [
            "plausible learns a distribution from your data, samples it and judges the result.",
            "",
            "usage: plausible COMMAND [flags]     plausible help COMMAND",
            "",
            *lines,
            "",
            "plausible --version, and --install-completion [bash|zsh|fish] to complete commands and flags with Tab.",
            "",
            "Example: plausible train gan",
        ]
    )


def _stop(sentence: str, code: int, *, aloud: bool = True) -> None:
    if _speaks():
        refuse(sentence)
        if aloud:
            print(f"plausible: {sentence}", file=sys.stderr)
    else:
        answered_elsewhere()
    sys.exit(code)


def _speaks() -> bool:
    """Whether this process says why it ends: of several that do the same, the first to come to it."""
    if "RANK" not in os.environ:
        return True
    from plausible.training.distributed import first_to_speak

    return first_to_speak()
