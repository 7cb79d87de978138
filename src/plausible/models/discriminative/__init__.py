"""Discriminative models, p(y | x): the contrast that opens the subject.

They spread their probability over the known labels whatever they are shown.
"""

from plausible.models.discriminative.convnet import ConvNet
from plausible.models.discriminative.linear import LinearRegression
from plausible.models.discriminative.logistic import LogisticRegression

__all__ = ["ConvNet", "LinearRegression", "LogisticRegression"]
