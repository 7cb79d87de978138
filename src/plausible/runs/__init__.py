"""A run is a folder: the only place where a model, its data and the loop meet.

``run``     create, save, resume, open
``log``     the lines of log.jsonl
``logger``  what a training writes down while it goes on
``files``   writing a file whole or not at all
"""

from plausible.runs.files import write
from plausible.runs.run import Run, Weights, build, create, cut_log, default_folder, resume, save

__all__ = [
    "Run",
    "Weights",
    "build",
    "create",
    "cut_log",
    "default_folder",
    "resume",
    "save",
    "write",
]
