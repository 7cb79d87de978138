"""Writing a file so that a killed process leaves the old one or the new one, and never half of one."""

import os
from pathlib import Path


def write(path: Path, content: bytes | str) -> Path:
    """Write a file so that it is there whole or not at all: temporary file, fsync, rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(temporary, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return path
