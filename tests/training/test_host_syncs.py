"""A round of training never asks a device for a number, which would make the host wait for it."""

from collections import Counter

import pytest
import torch
from tests.conftest import make_data
from torch.utils._python_dispatch import TorchDispatchMode

from plausible.core.model import models
from plausible.core.refinement import RefinementConfig
from plausible.core.space import Space
from plausible.runs import build
from plausible.training import Settings, train

WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "bincount", "_unique2"}
SMALL = {
    "batch": 8,
    "width": 8,
    "blocks": 1,
    "prior_width": 8,
    "prior_blocks": 1,
    "hidden": 8,
    "layers": 1,
}
FITTED = {"linear", "logistic", "mixture", "naive-bayes"}  # at once, by a method of their own
ADAPTS = {"gan": 1}  # how strongly it augments, read after each look at validation data
ROUNDS = 12


class Waits(TorchDispatchMode):
    """Counts the operations whose result, or its shape, the host has to know."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func._schema.name.removeprefix("aten::")
        masks = [each for each in args[1] if each is not None] if name == "index" else []
        if name in WAITS or any(mask.dtype == torch.bool for mask in masks):
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


def waits(kind, data, **choices):
    """How often the host waits in some rounds."""
    asked = {k: v for k, v in (SMALL | choices).items() if hasattr(kind.Config, k)}
    return waits_of(kind(data.space, kind.Config(**asked)), data)


def waits_of(model, data):
    """The same of a model that is there."""
    training = train(model, data, Settings(steps=100))
    for _ in range(5):
        next(training)
    with Waits() as seen:
        for _ in range(ROUNDS):
            next(training)
    return seen.counts.total()


@pytest.mark.parametrize("name", sorted(set(models) - FITTED))
def test_no_round_waits_for_the_device(name):
    data = make_data(Space((1, 4, 4), levels=2 if name == "rbm" else 17, classes=10))
    assert waits(models[name], data) <= ADAPTS.get(name, 0) * ROUNDS / 4


@pytest.mark.parametrize(
    ("name", "choices"), [("diffusion", {"average_velocity": True}), ("rbm", {"conditional": True})]
)
def test_what_is_no_default_does_not_wait_either(name, choices):
    """Those of all choices by name that did: some examples of a batch are chosen, and a label is a unit for each class."""
    data = make_data(Space((1, 4, 4), levels=2 if name == "rbm" else 17, classes=10))
    assert waits(models[name], data, **choices) == 0


@pytest.mark.parametrize("name", ["diffusion", "flow", "pixelcnn"])
def test_a_model_that_is_its_own_discriminator_reads_a_seed_alone(name):
    """Which is drawn on the processor, once a round."""
    data, kind = make_data(Space((1, 4, 4), levels=17)), models[name]
    config = kind.Config(**{k: v for k, v in SMALL.items() if hasattr(kind.Config, k)})
    game = RefinementConfig("likelihood-ratio", reference_samples=8)
    model = build(name, config, data.space, 0, learns=True, refinement=game)
    assert waits_of(model, data) <= ROUNDS


def test_a_number_that_is_read_is_counted():
    with Waits() as seen:
        x = torch.arange(3.0)
        assert x.sum().item() == 3
        assert len(x[x > 0]) == 2
    assert seen.counts.total() == 2
