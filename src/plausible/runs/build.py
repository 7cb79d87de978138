"""A model made by name, its first weights drawn from a seed."""

from collections.abc import Mapping
from dataclasses import fields

import torch
from torch import nn

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.allocation import LEARNING, watched_memory
from plausible.core.bounds import flag
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Model, models
from plausible.core.refinement import RefinementConfig
from plausible.core.space import Space
from plausible.models.per_class import PerClass
from plausible.models.refined.objectives import refined


def build(
    name: str,
    config: Model.Config,
    space: Space,
    seed: int,
    per_class: bool = False,
    networks: Mapping[str, nn.Module] | None = None,
    *,
    learns: bool = False,
    refinement: RefinementConfig | None = None,
) -> Model:
    """A new model by name, or one for each class, its first weights drawn from ``seed``.

    networks  those of the caller, by the names that the constructor has for them.
    learns    it is to be trained, which takes several copies of its weights.
    refinement  the game that it goes on to play in the place of its own, with what it plays against.
    Raises UsageError before more memory is taken than there is.
    """
    torch.manual_seed(seed)
    copies = LEARNING if learns and models[name].iterates else 1
    beside = " and what learning keeps beside them" * (copies > 1)
    with watched_memory(copies, f"the weights of this {name}{beside} take", _smaller(config)):
        if per_class:
            if not issubclass(models[name], Explicit):
                raise UsageError(
                    f"--per-class needs a model that says how probable x is, and a {name} does not"
                )
            return PerClass(space, lambda single: models[name](single, config))
        if refinement is not None:
            return refined(models[name], refinement, space, config, **(networks or {}))
        made: Model = models[name](space, config, **(networks or {}))
    return made


def _smaller(config: Model.Config) -> str:
    """What to lower so that a model becomes smaller: what is larger than by default."""
    usual = type(config)()
    larger = [
        flag(each.name)
        for each in fields(config)
        if isinstance(value := getattr(config, each.name), int)
        and value > (getattr(usual, each.name) or 1)
    ]
    return f"lower {' or '.join(larger or ['--size'])}"
