"""What "hub:user/name/config" stands for; without the package that reads it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from plausible.core.errors import UsageError

HUB = "hub:"
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]*"


@dataclass(frozen=True)
class HubName:
    """A data set of the hub, or a folder in one of its formats.

    place   user/name, or the whole path of a folder.
    config  which of several in it; None where none was named.
    local   whether it is a folder.
    """

    place: str
    config: str | None = None
    local: bool = False

    def __str__(self) -> str:
        return HUB + "/".join(filter(None, (self.place, self.config)))


def is_hub(source: str) -> bool:
    """Whether a source is one of the hub."""
    return source.startswith(HUB)


def hub_name(source: str) -> HubName:
    """The parts of "hub:user/name", "hub:user/name/config" or "hub:./folder".  UsageError: none of these.

    >>> hub_name("hub:user/name/plain")
    HubName(place='user/name', config='plain', local=False)
    """
    place = source.removeprefix(HUB)
    if place.startswith((".", "/", "~")):
        folder = Path(os.path.expanduser(place)).resolve()
        if not folder.is_dir():
            raise UsageError(f"{source}: there is no folder {folder}")
        return HubName(str(folder), local=True)
    found = re.fullmatch(rf"({_WORD}/{_WORD})(?:/({_WORD}))?", place)
    if found is None:
        raise UsageError(
            f"{source} is no data set of the hub: give it as hub:user/name, hub:user/name/config, or hub:./folder"
        )
    if Path(found[1]).is_dir():
        raise UsageError(
            f"{found[1]} is a folder here, too: give that as hub:./{found[1]}, or go elsewhere"
        )
    return HubName(found[1], found[2])
