"""Every model on the space of all 2x2 binary images, with labels and without: what another process needs of the laws, too."""

import hashlib
from functools import cache

import torch
from tests.random_data import make_data

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.model import Generative, models
from plausible.core.space import Space
from plausible.training import Settings, train

SPACE = Space((1, 2, 2), levels=2, classes=2)
EVERY_CASE = {
    f"{name}{'-conditional' if conditional else ''}": (kind, conditional)
    for name, kind in models.items()
    for conditional in ([False, True] if hasattr(kind.Config, "conditional") else [False])
}


SMALL = {
    "batch": 16,
    "width": 16,
    "blocks": 2,
    "prior_width": 16,
    "prior_blocks": 1,
    "components": 2,
}
"""A law holds at any size."""


def built(kind, conditional):
    torch.manual_seed(0)
    asked = SMALL | {"conditional": conditional}
    return kind(SPACE, kind.Config(**{k: v for k, v in asked.items() if hasattr(kind.Config, k)}))


@cache
def trained(kind, conditional):
    """Trained for six steps, once for all laws that only look at it."""
    model = built(kind, conditional)
    training = train(model, make_data(model.space), Settings(steps=6))
    list(training)
    return training


def digest(training):
    """sha256 of the weights of a training, and of 20 samples by them."""
    model, hashed = training.averaged, hashlib.sha256()
    for weight in model.state_dict().values():
        hashed.update(weight.numpy().tobytes())
    if isinstance(model, Generative):
        drawn = model.sample(20, generator=torch.Generator().manual_seed(1))
        hashed.update(drawn.x.numpy().tobytes())
    return hashed.hexdigest()
