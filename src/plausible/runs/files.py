"""Writing a file so that a killed process leaves the old one or the new one, and never half of one."""

import os
from pathlib import Path


def write(path: Path, content: bytes | str) -> Path:
    """Write a file so that it is there whole or not at all: temporary file, fsync, rename.

    OSError where that fails, on a full disk say; the old file is as it was then, and nothing is left beside it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    # of a dead process with this number, or a link that leads elsewhere
    temporary.unlink(missing_ok=True)
    try:
        with open(temporary, "xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if os.name == "nt":  # where a folder cannot be opened, and a rename is on the disk at once
        return path
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path
