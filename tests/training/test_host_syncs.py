"""A round of training never asks a device for a number, which would make the host wait for it."""

from collections import Counter

import pytest
import torch
from tests.conftest import make_data
from torch.utils._python_dispatch import TorchDispatchMode

from plausible.core.model import models
from plausible.core.space import Space
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
    training = train(kind(data.space, kind.Config(**asked)), data, Settings(steps=100))
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


def test_a_number_that_is_read_is_counted():
    with Waits() as seen:
        x = torch.arange(3.0)
        assert x.sum().item() == 3
        assert len(x[x > 0]) == 2
    assert seen.counts.total() == 2
