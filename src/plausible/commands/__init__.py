"""What the commands do once their flags are read: these modules may import torch."""

from plausible.commands.asking import classify, score
from plausible.commands.diagnosing import diagnose
from plausible.commands.drawing import complete, describe, sample
from plausible.commands.evaluating import evaluate
from plausible.commands.inferring import interpolate, reconstruct
from plausible.commands.learning import resume, train_command
from plausible.commands.proving import prove

__all__ = [
    "classify",
    "complete",
    "describe",
    "diagnose",
    "evaluate",
    "interpolate",
    "prove",
    "reconstruct",
    "resume",
    "sample",
    "score",
    "train_command",
]
