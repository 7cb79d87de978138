"""The one loop in which every model learns."""

from plausible.training.average import Average
from plausible.training.loop import Precision, Settings, Step, Training, train
from plausible.training.order import Order

__all__ = ["Average", "Order", "Precision", "Settings", "Step", "Training", "train"]
