"""What the commands do once their flags are read: these modules may import torch."""

from plausible.commands.asking import classify, score
from plausible.commands.drawing import complete, describe, interpolate, sample
from plausible.commands.evaluating import evaluate
from plausible.commands.learning import resume, train_command

__all__ = [
    "classify",
    "complete",
    "describe",
    "evaluate",
    "interpolate",
    "resume",
    "sample",
    "score",
    "train_command",
]
