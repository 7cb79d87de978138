"""Critics of rows of numbers: boosted trees of the coordinates, and a linear one of the features."""

import math
import warnings
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from plausible.evaluation.critic.lesson import SURE, Critic, Learned, Lesson, balanced_loss
from plausible.evaluation.evaluation_set import Embedded

TREES = (100, 400)
"""Boosted trees of 8 leaves: a first look, and a long one."""

_NUMBERS = 2**24  # of one side that are learned from, which bounds memory
_STEP = 25  # trees between two looks at the validation part
_WIDE = 64  # coordinates beyond which the long look would take minutes


def learn_trees(lesson: Lesson) -> Iterator[Learned]:
    """Gradient boosting on the raw coordinates; the number of trees is the best for the validation part.

    No more trees than there are samples to learn from.  Source: Friedman 2001, doi:10.1214/aos/1013203451.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows, is_sample = _rows(lesson, "raw")
    total = min(TREES[rows.shape[1] <= _WIDE], len(lesson.samples))
    model = HistGradientBoostingClassifier(
        max_leaf_nodes=8, early_stopping=False, warm_start=True, random_state=lesson.seed
    )
    prior = math.log(is_sample.mean() / (1 - is_sample.mean()))  # log odds before anything is seen
    grown = 0
    while grown < total:
        grown = min(grown + _STEP, total)
        model.set_params(max_iter=grown).fit(rows, is_sample)
        lesson.progress(grown / total)
        losses = _staged_losses(model, lesson, prior)
        trees = int(np.argmin(losses)) + 1
        best = Learned(
            _trees(model, trees, prior), losses[trees - 1], trees, total, "boosted trees"
        )
        over = trees <= grown - 2 * _STEP or best.loss < SURE
        if grown == TREES[0] < total and not over:
            yield best
        if over:
            break
    yield best


def learn_linear(lesson: Lesson) -> Iterator[Learned]:
    """Logistic regression on the features and their squares: what the table's classifier would see."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, is_sample = _rows(lesson, "features")
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=0.1, max_iter=200, class_weight="balanced")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it need not be the best there is
        model.fit(_with_squares(rows), is_sample)
    updates = int(model[-1].n_iter_[0])

    def critic(points: Embedded) -> Tensor:
        return _log_odds(model.decision_function(_with_squares(points.features.double().numpy())))

    yield Learned(critic, lesson.loss(critic), updates, 200, "a linear classifier of the features")


def _rows(lesson: Lesson, what: str) -> "tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]":
    """Training data, then samples: (N, d) float64, and which of them are samples (N,)."""
    sides = [getattr(side, what) for side in (lesson.real, lesson.samples)]
    sides = [side[: max(1, _NUMBERS // side.shape[1])] for side in sides]
    is_sample = np.repeat([0, 1], [len(side) for side in sides])
    return torch.cat(sides).double().numpy(), is_sample


def _staged_losses(model: Any, lesson: Lesson, prior: float) -> list[float]:
    """The loss of the validation part after each tree."""
    sides = (lesson.real_validation, lesson.samples_validation)
    stages = (model.staged_decision_function(side.raw.double().numpy()) for side in sides)
    pairs = zip(*stages, strict=True)
    return [
        balanced_loss(_log_odds(real) - prior, _log_odds(samples) - prior)
        for real, samples in pairs
    ]


def _trees(model: Any, trees: int, prior: float) -> Critic:
    """The first so many trees, both sides weighed alike."""

    def critic(points: Embedded) -> Tensor:
        stages = model.staged_decision_function(points.raw.double().numpy())
        return _log_odds(next(islice(stages, trees - 1, None))) - prior

    return critic


def _with_squares(rows: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    return np.concatenate([rows, np.square(rows)], 1)  # (N, d) -> (N, 2 d)


def _log_odds(said: "np.ndarray[Any, Any]") -> Tensor:
    return torch.as_tensor(np.asarray(said)).float().reshape(-1)
