"""What a shortcut costs."""

from dataclasses import replace

import torch
from torch import Generator, Tensor

from plausible.claims.claim import Claimed, Figure, claims, mean
from plausible.core.capabilities import Classifier
from plausible.data.load import load
from plausible.data.part import Data, Part
from plausible.models import LogisticRegression, NaiveBayes
from plausible.recognition.outputs import posterior_of
from plausible.training import Settings, train

_AGREES = 0.98  # share of the training part in which the mark is that of the label
_SHARES = (0.1, 0.5, 0.8, 0.9, 0.95, 0.98)


def marked(part: Part, which: Tensor) -> Part:
    """Images with a white mark at a place of its own for each of ``which`` (N,): down the left edge, then down the right one."""
    values = part.values.clone()
    _, _, height, width = values.shape
    side = max(1, height // 14)
    rows, levels = height // side, part.grey_levels or part.space.levels
    assert levels is not None
    for k in which.unique().tolist():
        row, right = k % rows * side, k // rows
        left = width - side if right else 0
        block = values[which == k]
        block[:, :, row : row + side, left : left + side] = levels - 1
        values[which == k] = block
    return replace(part, values=values)


def planted(data: Data, agrees: float = 0.95, seed: int = 0) -> Data:
    """The same data, the mark of each training and validation image that of its label with this chance, otherwise of another."""
    generator = torch.Generator().manual_seed(seed)
    train_part, validation = (
        marked(part, _marks(part, agrees, generator)) for part in (data.train, data.validation)
    )
    return replace(data, train=train_part, validation=validation)


def _marks(part: Part, agrees: float, generator: Generator) -> Tensor:
    """(N,): the label with this chance, otherwise any other."""
    assert part.y is not None
    y = part.y
    other = torch.randint(1, part.space.classes, y.shape, generator=generator)
    own = torch.rand(y.shape, generator=generator) < agrees
    return torch.where(own, y, (y + other) % part.space.classes)


def right(classifier: Classifier, part: Part) -> Tensor:
    """Whether each of n answers is right, (n,) float64."""
    assert part.y is not None
    said = classifier.log_posterior(part.as_batch().x).argmax(1).cpu()
    return (said == part.y).double()


@claims
def shortcut(seed: int) -> Claimed:
    """By generation a shortcut can cost less: softmax regression learns a mark that goes with the label, to naive Bayes it is one pixel of many.

    Softmax regression and naive Bayes learn the 8x8 digits with one white pixel at an edge, whose place is that of the label
    in 98% of the training part, and are asked about held-out digits where it always is that of another class.  Softmax
    regression gives the pixel the weight that tells labels best, as much as it needs; to naive Bayes it is one pixel among 64, each
    of which counts as its own p(x_i | y) says.
    Source: Li et al. 2025 (generative classifiers avoid shortcut solutions), https://arxiv.org/abs/2512.25034.
    """
    data = load("digits")
    generator = torch.Generator().manual_seed(seed)
    held = data.heldout
    assert held.y is not None
    turned = marked(held, _marks(held, 0.0, generator))
    agreeing = marked(held, held.y)
    shares: dict[str, list[float]] = {}
    last: dict[str, Tensor] = {}
    for agrees in _SHARES:
        for kind in (LogisticRegression, NaiveBayes):
            torch.manual_seed(seed)
            training = train(kind(data.space), planted(data, agrees, seed), Settings(seed=seed))
            for _ in training:
                pass
            classifier = posterior_of(training.averaged)
            assert classifier is not None
            answers = right(classifier, turned)
            shares.setdefault(kind.name, []).append(answers.mean().item())
            if agrees == _AGREES:
                last[kind.name] = answers
                last[f"{kind.name}, agreeing"] = right(classifier, agreeing)
    logistic, bayes = LogisticRegression.name, NaiveBayes.name
    cost = {name: last[f"{name}, agreeing"] - last[name] for name in (logistic, bayes)}
    return Claimed(
        [
            mean("share of answers that the mark, turned round, costs softmax regression", cost[logistic], least=0.15),
            mean("share that it costs naive Bayes", cost[bayes], most=0.16),
            mean("what it costs softmax regression more", cost[logistic] - cost[bayes], least=0.05),
            mean("share that naive Bayes has right more often, the mark turned round", last[bayes] - last[logistic], least=0.04),
        ],
        Figure(
            "share of the training part in which the mark goes with the label",
            "share right where it never does",
            {"softmax regression": (_SHARES, shares[logistic]), "naive Bayes": (_SHARES, shares[bayes])},
        ),
    )  # fmt: skip
