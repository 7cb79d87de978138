"""A model learns from all rows of X, in memory: no folder, no validation part, nothing logged."""

from numbers import Integral
from typing import Any, TypeVar

import numpy as np
from sklearn.utils import check_random_state
from torch import Tensor

from plausible.core.model import Model
from plausible.data.part import Data, Part
from plausible.diagnosis.not_finite import not_finite
from plausible.training import Settings, train

M = TypeVar("M", bound=Model)


def seed_of(random_state: Any) -> int:
    """The seed of a ``random_state`` as scikit-learn has it: a number is one, anything else draws one."""
    if isinstance(random_state, Integral) and int(random_state) >= 0:
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def learned(model: M, values: Tensor, y: Tensor | None, steps: int | None, seed: int) -> M:
    """The model once it has learned from ``values`` (n, *shape) and labels (n,), in evaluation mode.

    In float64, so that a subset of X gets the very same answers.  ValueError where the training diverges.
    Torch's default generators are put back by the caller (``seeded``).
    """
    part = Part(values, y, model.space)
    training = train(model, Data("X", model.space, part, part, part), Settings(steps, seed=seed))
    for step in training:
        found = not_finite(step, training)
        if found is not None:
            raise ValueError(found.claim)
    return training.averaged.double().eval()
