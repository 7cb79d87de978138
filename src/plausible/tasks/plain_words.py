"""A verdict and each kind of defect in plain words: what a person would say of it, and what it usually comes from.

In the order of how bad a person would find it; a defect that is not here comes after all of these.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class PlainWords:
    """What is said of one kind of defect.

    wrong  where it fails; {effect} stands for the number, {items} for images or points, {direction} for
           that of the test.
    right  what is good where it passes, as a part of a sentence; empty where that would say nothing.
    cause  what it usually comes from.
    seen   whether a critic finds it, who then sees more than that.
    """

    wrong: str
    right: str
    cause: str
    seen: bool = False


HEADS: Mapping[str, str] = {
    "FAIL": "not there yet",
    "PASS": "it learned the distribution, as far as this can see",
    "INCONCLUSIVE": "nothing wrong was found, and not all could be decided",
}
"""{state of a verdict: all of it in a few words}."""

PLAIN_WORDS: Mapping[str, PlainWords] = {
    "held-out copies": PlainWords(
        "About {effect} of the samples are the very {items} that they are judged by, or near copies of them",
        "",
        "the program that drew them has seen the held-out {items}",
    ),
    "copies": PlainWords(
        "About {effect} of the samples are near copies of {items} it learned from",
        "nothing was copied",
        "too many rounds on too few {items}, or too large a model for them",
    ),
    "garbage": PlainWords(
        "About {effect} of the samples are like nothing in the data",
        "there is no garbage",
        "too short a training, or a model that bridges the gaps between kinds",
    ),
    "missing modes": PlainWords(
        "Kinds that make up {effect} of the data are (nearly) missing among the samples",
        "no kind is missing",
        "mode collapse in a GAN, or too short a training",
    ),
    "one mode a point": PlainWords(
        "In one kind the samples are nearly all the same: they vary {effect} less than the data",
        "",
        "mode collapse in a GAN",
    ),
    "duplicates": PlainWords(
        "About {effect} of the samples repeat another sample",
        "no sample repeats another",
        "mode collapse, or a chain that hardly moves from one sample to the next",
    ),
    "regular pattern": PlainWords(
        "The samples bear a regular pattern, a grid or stripes, that the data do not have",
        "there are no grid and no stripes",
        "layers that put an image together out of blocks, early in a training",
    ),
    "blur or noise": PlainWords(
        "The samples are {direction}: the contrast of neighbouring pixels is off by {effect}",
        "sharpness is right",
        "too short a training, or a model that draws each pixel by itself",
    ),
    "texture": PlainWords(
        "The fine detail is wrong: a critic tells at least {effect} of the samples from real {items} by it alone",
        "fine detail is right",
        "too short a training, or too small a model",
        True,
    ),
    "shape": PlainWords(
        "The shapes are wrong: a critic tells at least {effect} of the samples from real {items} by them alone",
        "shapes are right",
        "too short a training, or too small a model",
        True,
    ),
    "colour": PlainWords(
        "The colours are wrong: a critic tells at least {effect} of the samples from real {items} by them alone",
        "colours are right",
        "too short a training, or values that were converted on the way",
        True,
    ),
    "too narrow": PlainWords(
        "The samples vary too little: they stay {effect} closer to the middle of their kind than the data do",
        "",
        "truncated noise, a mode collapse that begins, or too short a training",
    ),
    "too wide": PlainWords(
        "The samples stray {effect} farther from the middle of their kind than the data do",
        "",
        "too short a training, or a model that spreads what it does not know",
    ),
    "brightness or contrast": PlainWords(
        "Brightness or contrast is off by {effect}",
        "brightness and contrast are right",
        "values that were converted on the way, or too short a training",
    ),
    "uneven modes": PlainWords(
        "Some kinds come too often and others too seldom, by {effect}",
        "each kind comes about as often as it should",
        "a mode collapse that begins, or too short a training",
    ),
    "values": PlainWords(
        "About {effect} of the samples have, in the same place, a value that the data never have there",
        "values are those of the data",
        "rounding, or a model of continuous numbers where the data have few values",
    ),
    "anything else": PlainWords(
        "No defect that has a name, but a critic tells at least {effect} of the samples from real {items}",
        "a critic hardly tells samples from real {items}",
        "many small faults at once",
    ),
}
"""{defect: its words}, the worst first."""

CRITIC = "anything else"
"""What a critic finds is explained by a defect that has a name, where there is one."""
