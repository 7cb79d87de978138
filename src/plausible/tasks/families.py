"""Which families of models suit a data set, and why the others do not."""

import re
from dataclasses import dataclass, fields
from typing import Literal

import torch

import plausible.models  # fills the registry, and its docstring is the taxonomy
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Model, models
from plausible.core.space import Space
from plausible.data.part import Data

_LINE = re.compile(r"^\s+([\w-]+)  +(\S.*)$", re.MULTILINE)  # of the taxonomy: a name, and words

ByClass = Literal["", "conditional", "per_class"]
"""How a family learns p(x | y): by its own choice, as one model for each class, or not by itself."""


@dataclass(frozen=True)
class Family:
    """A family of models beside a data set.

    words     what it is, in a line.
    reason    why it does not suit the data; empty where it does.
    by_class  how it learns p(x | y) where that is a choice.
    rounds    that it plays by default; None where it is fitted at once, or does not suit the data.
    """

    name: str
    words: str
    reason: str
    by_class: ByClass = ""
    rounds: int | None = None

    @property
    def fits(self) -> bool:
        """Whether it can learn from these data."""
        return not self.reason


def families_for(data: Data) -> tuple[Family, ...]:
    """Every family, those that can learn from these data first; nothing is learned, and no generator is moved."""
    words = dict(_LINE.findall(plausible.models.__doc__ or ""))
    found = [_beside(kind, words.get(name, ""), data.space) for name, kind in models.items()]
    order = list(words)
    place = {name: i for i, name in enumerate(order)}
    return tuple(sorted(found, key=lambda one: (not one.fits, place.get(one.name, len(order)))))


def _beside(kind: type[Model], words: str, space: Space) -> Family:
    try:
        model = _built(kind, space)
    except UsageError as refusal:
        return Family(kind.name, words, str(refusal))
    rounds = model.default_steps if model.iterates else None
    return Family(kind.name, words, "", _by_class(kind, space), rounds)


def _built(kind: type[Model], space: Space) -> Model:
    """A model of the space as it is by default, without memory for its weights where its family allows."""
    with torch.random.fork_rng(devices=[]):
        try:
            with torch.device("meta"):
                return kind(space, kind.Config())
        except RuntimeError:  # of a family that reads its numbers while it is made
            return kind(space, kind.Config())


def _by_class(kind: type[Model], space: Space) -> ByClass:
    config = kind.Config
    if space.classes < 2 or getattr(config(), "conditional", False):
        return ""  # by itself, where there are classes
    if any(field.name == "conditional" for field in fields(config)):
        return "conditional"
    return "per_class" if issubclass(kind, Explicit) else ""
