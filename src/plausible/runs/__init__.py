"""A run is a folder: the only place where a model, its data and the loop meet.

``run``     open
``saving``  save a training, resume it
``checksums``  what was written, so that damage is seen
``migrations``  older formats, brought to today's
``folder``  create: the folder of a new one
``whereabouts``  where its data are, and whether they are what they were
``warm_start``   begin with the weights of another; ``go_on`` with all of its model, by another game
``log``     the lines of log.jsonl
``logger``  what a training writes down while it goes on
``files``   writing a file whole or not at all
"""

from plausible.runs.build import build
from plausible.runs.files import write
from plausible.runs.folder import create, default_folder, discard_unsaved
from plausible.runs.run import Run
from plausible.runs.saving import Weights, cut_log, resume, save
from plausible.runs.warm_start import Initial

__all__ = [
    "Initial",
    "Run",
    "Weights",
    "build",
    "create",
    "cut_log",
    "default_folder",
    "discard_unsaved",
    "resume",
    "save",
    "write",
]
