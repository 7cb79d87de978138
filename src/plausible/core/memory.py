"""How much memory there is, and the sentence for when it is not enough."""

import os
import re
from pathlib import Path

GIB = 2**30
_WORDS = re.compile(
    r"out of memory|not enough memory|can't allocate memory|Cannot allocate memory|ALLOC_FAILED|bad_alloc"
)
_ASKED = re.compile(r"allocate ([\d.]+) ?(bytes|[KMGTPE]i?B)", re.IGNORECASE)
_UNITS = {"bytes": 1} | {prefix: 2 ** (10 * k) for k, prefix in enumerate("kmgtpe", 1)}
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


class NotEnoughMemory(MemoryError):
    """Memory is at an end, and the sentence says what would help."""


def available_memory() -> float:
    """Bytes that this process may still take; infinite where the system does not say.

    The least of what is free on the machine, what its container may have, and ``ulimit -v``.
    """
    pages = _read("/proc/self/statm").split()
    size, resident = (int(n) * os.sysconf("SC_PAGE_SIZE") for n in pages[:2]) if pages else (0, 0)
    free = [
        _free(),
        *(float(limit) - resident for path in _LIMITS if (limit := _read(path)).isdigit()),
    ]
    try:
        import resource  # which only POSIX has

        most = resource.getrlimit(resource.RLIMIT_AS)[0]
        free += [most - size] * (most != resource.RLIM_INFINITY)
    except ImportError:
        pass
    return max(0.0, min(free))


def out_of_memory(error: BaseException) -> str | None:
    """The sentence for an error of Python, numpy or torch that says that memory is at an end; else None.

    >>> out_of_memory(RuntimeError("can't allocate memory: you tried to allocate 11520000000 bytes."))
    'the memory is not enough: 10.7 GiB more were needed at once; choose a smaller model or batch, fewer columns, ...
    """
    said = str(error)
    if isinstance(error, NotEnoughMemory):
        return said
    by_name = type(error).__name__ == "OutOfMemoryError"  # of torch, which is not imported here
    by_words = isinstance(error, RuntimeError) and (by_name or _WORDS.search(said))
    if not isinstance(error, MemoryError) and not by_words:
        return None
    asked = _ASKED.search(said)
    needed = f": {_gib(asked)} more were needed at once" if asked else ""
    return (
        f"the memory is not enough{needed}; choose a smaller model or batch, fewer columns, smaller images, or "
        f"another --device"
    )


def _gib(asked: re.Match[str]) -> str:
    unit = asked[2].lower() if asked[2] == "bytes" else asked[2][0].lower()
    gib = float(asked[1].rstrip(".")) * _UNITS[unit] / GIB
    return f"{gib:,.1f} GiB" if gib >= 0.1 else f"{gib * 2**10:,.1f} MiB"


def _free() -> float:
    """Bytes that are free on the machine, or else all that it has."""
    if found := re.search(r"MemAvailable:\s*(\d+) kB", _read("/proc/meminfo")):
        return float(found[1]) * 2**10
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _read(path: str) -> str:
    """What a file of the system says; empty where there is none."""
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
