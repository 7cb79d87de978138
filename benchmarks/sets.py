"""Where the data sets of benchmarks and experiments are."""

from plausible.data.source import resolve_source

FOLDERS = ("tiles", "signs")
"""People's own pictures, which lie beside MNIST."""


def source(name: str) -> str:
    """What ``plausible.load`` takes for a set: its name, or the path of a folder of pictures beside MNIST."""
    return str(resolve_source("mnist").path.parent / name) if name in FOLDERS else name
