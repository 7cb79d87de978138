"""What a command is: a dataclass whose fields are flags, in a file of its own."""

from dataclasses import dataclass
from typing import Any, ClassVar

from plausible.cli.arguments import Json
from plausible.core.registry import Registry

commands: Registry[type[Any]] = Registry("command")
"""Every command by name, in the order in which they are listed."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What every command has.

    answers  the dataclass of what it found, which --json prints.
    """

    answers: ClassVar[type[Any]]
    json: Json = False
