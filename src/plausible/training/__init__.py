"""The one loop in which every model learns."""

from plausible.core.choices import Precision
from plausible.training.batch_order import BatchOrder
from plausible.training.ema import EMA
from plausible.training.loop import Step, Training, train
from plausible.training.settings import Settings

__all__ = ["EMA", "BatchOrder", "Precision", "Settings", "Step", "Training", "train"]
