"""Symbolic links in a folder of data: a folder that somebody else packed reads nothing from elsewhere unasked."""

import os
from pathlib import Path

from plausible.core.errors import UsageError


def check_link(path: Path, root: Path, follow: bool) -> None:
    """UsageError: a path below root is a link that leads out of it, and ``follow`` is False.

    What is no link, and a link to nowhere or to itself inside, pass.
    """
    if follow or not path.is_symlink():
        return
    target = Path(os.path.realpath(path))  # which never fails, also where links go in circles
    if not target.is_relative_to(os.path.realpath(root)):
        raise UsageError(
            f"{path} is a link that leads out of {root}, to {target}: it is read with --follow-links, or where it is "
            f"named itself"
        )
