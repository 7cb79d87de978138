"""``plausible train --config FILE``: the flags of a file, before those that are typed."""

import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plausible.core.errors import UsageError

if TYPE_CHECKING:
    from plausible.runs import Run

Flags = dict[str, list[str]]
_EITHER = {"--steps": "--minutes", "--minutes": "--steps"}
_BY_THE_DATA = ("--value-range", "--symmetries")  # what other data decide anew


def with_file(file: Path, arguments: Sequence[str]) -> "tuple[str, list[str], Run | None]":
    """The model and the flags of a file with those typed in their place, and the run whose config.json it is.

    UsageError: no such file, a key that is no flag, or another model than the one that is typed.
    """
    model, flags, run = _read(file)
    typed = _without(arguments, "--config")
    named = typed[0] if typed and not typed[0].startswith("-") else None
    if named is None and model is None:
        raise UsageError(f'{file} names no model: give one, or write model = "gan" in it')
    if named is not None and model not in (None, named):
        raise UsageError(f"{file} is for a {model}, and {named} was asked for: leave one out")
    name = str(named or model)
    words = typed[1:] if named is not None else typed
    given = {_plain(word) for word in words if word.startswith("-")}
    if "preset" in given:
        raise UsageError("--preset and --config both say what to begin with: give one of them")
    _check_keys(file, name, flags)
    dropped = [_EITHER[flag] for flag in _EITHER if _plain(flag) in given]
    if "data" in given:
        dropped += _BY_THE_DATA
    kept = [
        word
        for flag, values in flags.items()
        if _plain(flag) not in given and flag not in dropped
        for word in (flag, *values)
    ]
    return name, [*words, *kept], run


def _read(file: Path) -> "tuple[str | None, Flags, Run | None]":
    """The model that a file names, its flags, and the run that it is of, if it is of one."""
    if file.is_dir():
        file = file / "config.json"
    if not file.is_file():
        raise UsageError(f"--config {file} does not exist: give a config.json of a run, or a .toml")
    if file.suffix.lower() == ".toml":
        return _of_toml(file)
    if file.name != "config.json":
        raise UsageError(
            f"--config {file} must be a config.json in the folder of a run, or a .toml"
        )
    from plausible.runs import Run
    from plausible.tasks.repeat import flags_of_run

    run = Run(file.parent)
    return run.config["model"], flags_of_run(run), run


def _of_toml(file: Path) -> tuple[str | None, Flags, None]:
    """Keys are flags without their dashes, and ``model``."""
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is no TOML: {error}") from error
    model = content.pop("model", None)
    if not isinstance(model, str | None):
        raise UsageError(f'model in {file} must be a name, such as "gan"')
    return model, dict(_words(file, key, value) for key, value in content.items()), None


def _words(file: Path, key: str, value: Any) -> tuple[str, list[str]]:
    """A key and its value as one types them."""
    dashed = key.replace("_", "-")
    if isinstance(value, Mapping):
        raise UsageError(
            f"{file} has a table [{key}]: write its keys at the top, as they are flags"
        )
    if isinstance(value, bool):
        return f"--{dashed}" if value else f"--no-{dashed}", []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str | int | float) for each in values):
        raise UsageError(
            f"{key} in {file} must be a number, a text, true, false or a list of these"
        )
    return f"--{dashed}", [str(each) for each in values]


def _check_keys(file: Path, name: str, flags: Flags) -> None:
    """UsageError for a key that is no flag of this model, with the nearest that there is."""
    import plausible.models  # noqa: F401  # fills the registry
    from plausible.cli.flags import train_flags
    from plausible.cli.help import flags_of
    from plausible.core.model import models

    known = {way for flag in flags_of(train_flags(models[name])) for way in flag.known}
    known -= {"--config", "--no-config"}
    for flag in flags:
        if flag not in known:
            key = _plain(flag)
            near = get_close_matches(key, sorted({_plain(each) for each in known}), n=1)
            hint = (
                f"did you mean {near[0]}?"
                if near
                else f"plausible train {name} --help-all lists all"
            )
            raise UsageError(f"{file} has a key {key}, which is no flag of a {name}; {hint}")


def _plain(flag: str) -> str:
    """A flag as a key: steps of --steps and of --steps=3, watch of --no-watch."""
    return flag.partition("=")[0].replace("_", "-").lstrip("-").removeprefix("no-")


def _without(arguments: Sequence[str], flag: str) -> list[str]:
    """Words without a flag and its value."""
    kept = list(arguments)
    at = next(i for i, word in enumerate(kept) if word == flag or word.startswith(f"{flag}="))
    del kept[at : at + (1 if "=" in kept[at] else 2)]
    return kept
