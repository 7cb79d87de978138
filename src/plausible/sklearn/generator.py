"""Any generative family by name, learned from rows and drawn from."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.device import seeded
from plausible.core.errors import UsageError
from plausible.core.model import Generative, models
from plausible.core.space import Space
from plausible.data.part import Data, Part
from plausible.sklearn.learning import seed_of
from plausible.sklearn.rows import Images, Rows, Steps, Vectors
from plausible.tasks import fit


class PlausibleGenerator(BaseEstimator):
    """A generative model by its name: fit(X), and then sample(n) draws new rows.

    model     as on the command line: gan, vae, flow, diffusion, rbm, ...
    shape     (C, H, W) of the images whose grey values, 0 to 255, are the rows of X; without it they are vectors.
    levels    cuts each feature of vectors into so many steps, for families that need levels (rbm: 2).
    choices   fields of the model's Config, such as {"width": 16}; with {"conditional": True} it learns p(x | y), and
              ``fit`` needs y.
    steps     rounds to train; by default what suits the model, which may take long.
    validation_fraction  the share of X that it does not learn from, by which the best weights are chosen while it
              trains; 0 takes all rows and the last weights.
    model_  the trained model.    rows_  how X is read.    classes_  the labels of a conditional model.
    """

    def __init__(
        self,
        model: str = "gan",
        shape: tuple[int, int, int] | None = None,
        levels: int | None = None,
        choices: Mapping[str, Any] | None = None,
        steps: int | None = None,
        validation_fraction: float = 0.1,
        random_state: Any = 0,
    ):
        self.model = model
        self.shape = shape
        self.levels = levels
        self.choices = choices
        self.steps = steps
        self.validation_fraction = validation_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from X (n, D), of a conditional model with y (n,) labels of any kind."""
        if not issubclass(models[self.model], Generative):
            raise UsageError(f"a {self.model} draws no samples: choose a generative model")
        if not 0 <= self.validation_fraction < 1:
            raise UsageError(
                f"validation_fraction must be at least 0 and below 1, not {self.validation_fraction}"
            )
        conditional = bool((self.choices or {}).get("conditional"))
        x = validate_data(self, X, ensure_min_samples=2)
        labels = self._labels(y, len(x)) if conditional else None
        self.rows_ = self._rows(x)
        seed = seed_of(self.random_state)
        data = self._data(x, labels, seed)
        with seeded(seed):
            trained = fit(
                self.model,
                data,
                steps=self.steps,
                seed=seed,
                watch=self.validation_fraction > 0,
                device="cpu",
                **(self.choices or {}),
            )
        if not trained.finished:  # Ctrl-C ends a grid search, too
            raise KeyboardInterrupt
        assert isinstance(trained.model, Generative)
        self.model_ = trained.model
        return self

    def sample(self, n_samples: int = 1, y: Any = None, random_state: Any = None) -> np.ndarray:
        """New rows, (n_samples, D); y: one label for all of them, or (n_samples,) labels, of a conditional model.

        Without ``random_state`` by that of the estimator.
        """
        check_is_fitted(self)
        seed = seed_of(self.random_state if random_state is None else random_state)
        generator = torch.Generator().manual_seed(seed)
        drawn = self.model_.sample(n_samples, self._numbers(y), generator=generator)
        return self.rows_.rows(drawn.x)

    def _rows(self, x: np.ndarray) -> Rows:
        if self.shape is not None:
            return Images.of(self.shape, x)
        return Vectors(x.shape[1]) if self.levels is None else Steps.of(self.levels, x)

    def _labels(self, y: Any, n: int) -> Tensor:
        if y is None:
            raise UsageError("a conditional model learns p(x | y): give fit the labels y")
        self.classes_, labels = np.unique(np.asarray(y), return_inverse=True)
        if len(labels) != n:
            raise ValueError(f"X has {n} rows and y {len(labels)} labels")
        return torch.from_numpy(labels.astype(np.int64))

    def _numbers(self, y: Any) -> Tensor | None:
        """Labels as the model numbers them."""
        if y is None:
            return None
        if not hasattr(self, "classes_"):
            raise UsageError("this model is not conditional, so it takes no label")
        asked = np.asarray(y)
        unknown = np.setdiff1d(asked, self.classes_)
        if len(unknown):
            known = ", ".join(map(str, self.classes_))
            raise UsageError(f"{unknown[0]} is no label that was learned: choose from {known}")
        return torch.as_tensor(np.searchsorted(self.classes_, asked))

    def _data(self, x: np.ndarray, y: Tensor | None, seed: int) -> Data:
        """X as the model learns from it, and what is set aside."""
        space: Space = self.rows_.space(0 if y is None else len(self.classes_))
        every = Part(self.rows_.values(x), y, space)
        aside = int(self.validation_fraction * len(x))
        order = torch.from_numpy(np.random.default_rng(seed).permutation(len(x)))
        train, rest = every.rows(order[aside:]), every.rows(order[:aside] if aside else order)
        return Data("X", space, train, rest, rest)
