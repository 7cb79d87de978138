"""The measures of an evaluation by the question that they answer, as a person would ask it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from plausible.evaluation.measure import Measure
from plausible.evaluation.report import Measures

QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "How far are samples from real data, all in all?": (
        "Frechet distance", "Frechet, n -> infinity", "kernel distance (KID)", "MMD^2", "1-NN accuracy",
        "classifier accuracy", "total variation", "updates at",
    ),
    "Does each sample look like real data?": ("precision", "density"),
    "Is everything there that the data have?": (
        "recall", "coverage", "reverse KL", "missing mass", "modes", "NDB/K", "asked class",
    ),
    "How varied are the samples?": ("support", "neighbour distance", "vendi score", "duplicate share"),
    "Are samples copies of what it learned from?": ("copied fraction", "near duplicates"),
    "Is the fine detail right?": ("laplacian sharpness", "power spectrum", "high frequencies", "colour detail"),
    "What does z do?": ("path length ratio", "active units", "KL(q || p)"),
    "How probable does it find new data?": ("log likelihood", "bits per dimension", "parzen window"),
    "Do its chains mix?": ("split R-hat", "autocorrelation time", "modes per 1,000 steps"),
    "Does it name the right class, and does it know when?": (
        "accuracy", "log loss", "calibration error", "risk over coverage",
    ),
    "Does it tell other data from its own?": ("AUROC", "accepted of"),
}  # fmt: skip
"""{question: what the measures that answer it are called, or how their names begin}."""

OTHERS = "What else was measured"


class Question(NamedTuple):
    """A question, and the measures that answer it: each with the same of real data where that is defined."""

    words: str
    rows: tuple[tuple[Measure, Measure | None], ...]


def by_question(measures: Measures) -> tuple[Question, ...]:
    """The measures that have a number, under the question they answer; each is in one place."""
    asked: dict[str, list[tuple[Measure, Measure | None]]] = {}
    for measure, real in measures:
        if measure.value is not None:
            asked.setdefault(question_of(measure.name), []).append((measure, real))
    order = [*QUESTIONS, OTHERS]
    return tuple(Question(words, tuple(asked[words])) for words in order if words in asked)


def question_of(name: str) -> str:
    """The question that a measure of this name answers, by the longest beginning that fits."""
    fitting = [
        (_fit(name, beginnings), words)
        for words, beginnings in QUESTIONS.items()
        if _fit(name, beginnings)
    ]
    return max(fitting, default=(0, OTHERS))[1]


def _fit(name: str, beginnings: Sequence[str]) -> int:
    return max((len(each) for each in beginnings if name.startswith(each)), default=0)
