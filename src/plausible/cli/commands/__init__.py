"""What the commands do once their flags are read: these modules may import torch."""

from plausible.cli.commands.asking import classify, score
from plausible.cli.commands.diagnosing import diagnose
from plausible.cli.commands.drawing import complete, describe, sample
from plausible.cli.commands.evaluating import evaluate
from plausible.cli.commands.inferring import interpolate, reconstruct
from plausible.cli.commands.learning import resume, train_command
from plausible.cli.commands.proving import prove

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
