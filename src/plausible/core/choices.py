"""What people choose by name in several layers; without torch, so that menus can show it."""

from typing import Literal

OnFailure = Literal["warn", "stop", "rollback"]
"""What a training does when it fails, see ``following``."""

Which = Literal["best", "last"]
"""The weights of a run: the best by what was looked at, or the last."""
