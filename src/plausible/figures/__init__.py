"""Pictures, as functions that return them."""

from plausible.figures.figures import *  # noqa: F403
