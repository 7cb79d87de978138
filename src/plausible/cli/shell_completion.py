"""Completion of commands, models and flags by the shell: a script that the shell reads by itself."""

import os
from dataclasses import make_dataclass
from pathlib import Path
from typing import Annotated, Any, Union

import tyro
from tyro.conf import OmitSubcommandPrefixes

from plausible.cli.command import commands
from plausible.core.errors import UsageError, unknown

_SHELLS = ("bash", "zsh", "fish")


def install(shell: str | None = None) -> str:
    """Write the script of a shell, by default of the one in use, where it looks for it: a sentence that says where.

    UsageError for a shell that is none of bash, zsh and fish.
    """
    shell = shell or Path(os.environ.get("SHELL", "")).name
    if shell not in _SHELLS:
        raise UsageError(
            f"{unknown('shell', shell, list(_SHELLS))}: plausible --install-completion bash"
        )
    path = _place(shell)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_script(shell, path)
    then = "a new shell completes commands and flags with Tab"
    if shell == "zsh":
        then += f", once ~/.zshrc says: fpath+={path.parent}; autoload -Uz compinit && compinit"
    return f"completion for {shell} is written to {path}; {then}"


def write_script(shell: str, path: Path) -> None:
    """The script of a shell, for every command, and the flags of every model."""
    try:
        tyro.cli(
            _everything(), prog="plausible", args=["--tyro-write-completion", shell, str(path)]
        )
    except SystemExit as end:
        if end.code not in (0, None):
            raise UsageError(f"no completion could be made for {shell}") from None
    except AssertionError as error:  # of a version of tyro that does not know the shell
        raise UsageError(f"this version of tyro makes no completion for {shell}") from error


def _place(shell: str) -> Path:
    """Where a shell looks for it."""
    home = Path.home()
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return {
        "bash": data / "bash-completion" / "completions" / "plausible",
        "zsh": home / ".zfunc" / "_plausible",
        "fish": config / "fish" / "completions" / "plausible.fish",
    }[shell]


def _everything() -> Any:
    """All commands as one, ``train`` being one of its models."""
    import plausible.models  # noqa: F401  # fills the registry
    from plausible.cli.flags import train_flags
    from plausible.cli.train import Train
    from plausible.core.model import models

    learn = _one_of({name: train_flags(kind) for name, kind in models.items()})
    train = make_dataclass("TrainModel", [("model", learn)])
    train.__doc__ = Train.__doc__
    known = {name: train if kind is Train else kind for name, kind in commands.items()}
    unprefixed: Any = OmitSubcommandPrefixes
    return unprefixed[_one_of(known)]


def _one_of(kinds: dict[str, Any]) -> Any:
    """A choice between dataclasses by name."""
    each = tuple(
        Annotated[kind, tyro.conf.subcommand(name, prefix_name=False)]
        for name, kind in kinds.items()
    )
    return Union.__getitem__(each)
