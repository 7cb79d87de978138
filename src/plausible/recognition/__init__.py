"""Which class is it, how sure, how plausible, or none of these.

``bayes``        Bayes' rule on top of any p(x | y)
``class_likelihoods``  every class by the same draws, with the errors of their differences
``sequential``   classes ruled out after a few draws
``prior_shift``  another p(y) than that of the training part, given or estimated
``calibration``  a posterior that means what it says: one temperature
``rejection``    Chow's rule: answer, or say that the answer would be a guess
``novelty``      scores that are large for what is implausible
``familiarity``  how far an image is from the training part, in features of its ``patches``
``tails``        how surprising a value is among others, also beyond them
``inverted_noise``  whether the z that an invertible model makes of x is noise
``conformal``    the p-value of a score
``code_length``  what an image costs in a standard lossless code
``roc``          how well a score tells what is of the right kind from what is not
``outputs``      what a model says of inputs, and ``calibration_set`` of data that it did not learn from
``explanation``  what each class makes of an input, and which coordinates decide
``uncovering``   the posterior of the first rows of an input
``answer``       what is said of one input
``recogniser``   a trained model that answers, calibrated on the validation part of its data
"""

from plausible.recognition.bayes import BayesClassifier
from plausible.recognition.calibration import Tempered, temper
from plausible.recognition.conformal import Conformal
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.rejection import REJECTED, decide

__all__ = [
    "REJECTED",
    "BayesClassifier",
    "Conformal",
    "NoveltyInput",
    "Tempered",
    "decide",
    "novelties",
    "temper",
]
