"""The commands and their flags, without torch.

Commands are dataclasses whose fields are flags.  torch is imported only inside them, so that help,
lists and wrong paths answer at once.
"""

from typing import Any

from plausible.cli.menu.asking import Asking, Classify, Score
from plausible.cli.menu.drawing import Complete, Interpolate, Reconstruct, Sample
from plausible.cli.menu.judging import Diagnose, Evaluate
from plausible.cli.menu.learning import Data, Models, Resume, Train
from plausible.cli.menu.terminal import Device, console
from plausible.cli.menu.theory import Claims
from plausible.core.registry import Registry

__all__ = [
    "Asking",
    "Claims",
    "Classify",
    "Complete",
    "Data",
    "Device",
    "Diagnose",
    "Evaluate",
    "Interpolate",
    "Models",
    "Reconstruct",
    "Resume",
    "Sample",
    "Score",
    "Train",
    "console",
    "menu",
]

menu: Registry[type[Any]] = Registry("command")
"""Every command by name, in the order in which they are listed."""

for _command in (
    *(Models, Train, Resume, Data),
    *(Sample, Interpolate, Reconstruct, Complete),
    *(Evaluate, Diagnose, Classify, Score),
    Claims,
):
    menu(_command)
