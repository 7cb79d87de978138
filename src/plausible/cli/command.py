"""What a command is: a dataclass whose fields are flags, in a file of its own."""

from typing import Any

from plausible.core.registry import Registry

commands: Registry[type[Any]] = Registry("command")
"""Every command by name, in the order in which they are listed."""
