"""What a classifier says of samples and of data it has not seen."""

import torch
from torch import Tensor

from plausible.core.model import Classifier, Examples

_CHUNK = 1024


def predict(classifier: Classifier, x: Tensor) -> Tensor:
    """argmax_y p(y | x): x (N, *shape) in data units -> (N,) labels."""
    return torch.cat([classifier.log_posterior(part).argmax(1) for part in x.split(_CHUNK)]).cpu()


def accuracy(classifier: Classifier, part: Examples) -> float:
    """The share of a labelled part of the data whose most probable label is the true one."""
    right = 0
    for rows in torch.arange(len(part)).split(_CHUNK):
        batch = part.batch(rows)
        assert batch.y is not None
        right += int((predict(classifier, batch.x) == batch.y.cpu()).sum())
    return right / len(part)


def counts(labels: Tensor, classes: int) -> Tensor:
    """How often each class occurs among labels (N,): (classes,) int64."""
    return torch.bincount(labels.cpu(), minlength=classes)
