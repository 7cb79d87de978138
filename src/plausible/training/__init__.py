"""The one loop in which every model learns."""

from plausible.training.batch_order import BatchOrder
from plausible.training.ema import EMA
from plausible.training.loop import Precision, Settings, Step, Training, train

__all__ = ["EMA", "BatchOrder", "Precision", "Settings", "Step", "Training", "train"]
