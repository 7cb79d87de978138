"""Bayes' rule on top of any p(x | y), and the right to say "none of these"."""

from plausible.bayes.calibration import Tempered, temper
from plausible.bayes.classifier import BayesClassifier
from plausible.bayes.decision import REJECTED, decide
from plausible.bayes.novelty import Conformal, Evidence, novelties

__all__ = [
    "REJECTED",
    "BayesClassifier",
    "Conformal",
    "Evidence",
    "Tempered",
    "decide",
    "novelties",
    "temper",
]
