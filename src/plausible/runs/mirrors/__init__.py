"""Where the log of a training is shown besides: one file a mirror, and log.jsonl stays the source.

``mirror``   what a mirror is, and which there are
``several``  of them at once, which never stop a training
"""

from plausible.runs.mirrors import tensorboard, trackio, wandb  # noqa: F401  # fills the registry
from plausible.runs.mirrors.mirror import check_mirrors, mirrors
from plausible.runs.mirrors.several import Mirrors, mirrored, mirrors_of

__all__ = ["Mirrors", "check_mirrors", "mirrored", "mirrors", "mirrors_of"]
