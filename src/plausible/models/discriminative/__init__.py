"""Discriminative models, p(y | x): the contrast that opens the subject.

They spread their probability over the known labels whatever they are shown.
"""

from plausible.models.discriminative.convnet import ConvNet
from plausible.models.discriminative.linear import Linear
from plausible.models.discriminative.logistic import Logistic

__all__ = ["ConvNet", "Linear", "Logistic"]
