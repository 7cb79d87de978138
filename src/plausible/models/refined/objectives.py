"""The games by which a trained model is refined: which suits it, and the class of models that play it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any, Protocol, Self, runtime_checkable

from torch import nn

from plausible.core.capabilities import Adversarial, Reparameterised, StepSampler
from plausible.core.errors import UsageError
from plausible.core.model import Generative, Model
from plausible.core.model_class import ModelClass
from plausible.core.refinement import Objective, RefinementConfig
from plausible.models.refined.adversarial import AgainstDiscriminator
from plausible.models.refined.likelihood_ratio import LikelihoodRatio
from plausible.models.refined.refined import Refined

OBJECTIVES: Mapping[Objective, type[Refined]] = {
    "likelihood-ratio": LikelihoodRatio,
    "adversarial": AgainstDiscriminator,
}
"""The class of each game."""


@runtime_checkable
class InSteps(Protocol):
    """The config of a model that draws in steps."""

    def in_few_steps(self, steps: int | None = None) -> Self:
        """The same, but drawn in so few steps that samples can be learned through."""
        ...


@cache
def refined_class(kind: type[Model], objective: Objective) -> type[Any]:
    """The class of a family's models that are refined by a game."""
    game = OBJECTIVES[objective]
    return ModelClass(f"{kind.__name__}{game.__name__}", (game, kind), {"__doc__": game.__doc__})


def refined(kind: type[Model], refinement: RefinementConfig, *made_of: Any, **networks: nn.Module) -> Model:  # fmt: skip
    """A model of a family that is refined by a game, with weights that are still to be those of its start."""
    assert refinement.objective is not None
    model: Model = refined_class(kind, refinement.objective)(*made_of, **networks)
    assert isinstance(model, Refined)
    model.begin(refinement)
    return model


def config_refined(config: Model.Config, refinement: RefinementConfig) -> Model.Config:
    """The choices of a model once it is refined: how it draws may be another."""
    adversarial = refinement.objective == "adversarial"
    if adversarial and isinstance(config, InSteps):
        few: Model.Config = config.in_few_steps(refinement.sampling_steps)
        return few
    if refinement.sampling_steps is not None:
        raise UsageError("--sampling-steps is of diffusion models and --objective adversarial")
    return config


def objective_for(who: str, model: Model, asked: RefinementConfig) -> RefinementConfig:
    """The same choices with a game that suits a model: that which was asked for, or of those it can play the shorter way.

    A model that draws in one evaluation plays against a discriminator, any other that says log p is its own.
    Raises UsageError for a model that can play neither, in a sentence that begins with ``who``.
    """
    if isinstance(model, Adversarial):
        raise UsageError(f"{who}, which is already a game: go on with plausible resume")
    if not isinstance(model, Generative):
        raise UsageError(f"{who}, p(y | x), which draws no samples that a game could be about")
    if not model.iterates:
        raise UsageError(f"{who}, which is fitted to all examples at once: there is nothing to go on with")  # fmt: skip
    with _in_few_steps(model, asked):
        reasons = {name: kind.refusal(model) for name, kind in OBJECTIVES.items()}
        at_once = isinstance(model, Reparameterised) and model.evaluations == 1
    if asked.objective is not None:
        if reasons[asked.objective]:
            raise UsageError(f"{who}: no --objective {asked.objective}, because {reasons[asked.objective]}")  # fmt: skip
        return asked
    able = [name for name, reason in reasons.items() if not reason]
    if not able:
        raise UsageError(f"{who}, which can be refined by no game: {'; '.join(reasons.values())}")
    best: Objective = "adversarial" if at_once and "adversarial" in able else able[0]
    return replace(asked, objective=best)


@contextmanager
def _in_few_steps(model: Model, asked: RefinementConfig) -> Iterator[None]:
    """A model that draws in steps as it would draw after an adversarial refinement, for a while."""
    if not (isinstance(model, StepSampler) and isinstance(model.config, InSteps)):
        yield
        return
    few: Any = model.config.in_few_steps(asked.sampling_steps)
    with model.sampling(few.sampling_steps, few.solver):
        yield
