"""A step that is compiled computes what the step computes."""

import copy
import warnings
from dataclasses import replace

import pytest
import torch
from tests.conftest import make_data

import plausible
from plausible.core.model import models
from plausible.core.space import Space
from plausible.models.gan.architectures.antialiased import edges_repeated
from plausible.training import Settings, compiled, train

SPACE = Space((1, 8, 8), levels=256)
TINY = Space((1, 4, 4), levels=256)
SMALL = {"batch": 8, "width": 8, "blocks": 1, "prior_width": 8, "prior_blocks": 1}
FALLING = {"penalty_weight": 1.0, "penalty_weight_end": 0.1, "burn_in": 0.5, "penalty_every": 2}
CASES = [
    # whose penalties are derivatives that are differentiated again
    pytest.param("gan", {}, SPACE, 2, marks=pytest.mark.slow),
    pytest.param("gan", {"augment_strength": 0.5, **FALLING}, TINY, 4, marks=pytest.mark.slow),
    ("gan", {"architecture": "dcgan", "penalties": (), "loss": "nonsaturating"}, SPACE, 2),
    ("vae", {}, TINY, 4),
    ("diffusion", {}, TINY, 2),
    ("convnet", {}, TINY, 2),
]


def both(name, choices, backend, monkeypatch, space=SPACE, rounds=4):
    """How often a graph was made, after what was measured in each round was compared with a training that is not compiled."""
    monkeypatch.setattr(compiled, "BACKEND", backend)
    kind = models[name]
    space = replace(space, classes=2 if name == "convnet" else 0)
    asked = {k: v for k, v in (SMALL | choices).items() if hasattr(kind.Config, k)}
    torch.manual_seed(0)
    model, data = kind(space, kind.Config(**asked)), make_data(space, 96)
    found, alone = (
        list(train(copy.deepcopy(model), data, Settings(steps=rounds, precision="float32", compile=how)))
        for how in ("on", "off")
    )  # fmt: skip
    for mine, plain in zip(found, alone, strict=True):
        for player, values in plain.values().items():
            assert mine.values()[player] == pytest.approx(values, rel=1e-4, abs=1e-5)
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


@pytest.mark.parametrize(("name", "choices", "space", "rounds"), CASES)
def test_a_compiled_step_measures_what_the_step_does(name, choices, space, rounds, monkeypatch):
    torch._dynamo.reset()  # what other tests of this process have compiled is no part of it
    torch._dynamo.utils.counters.clear()
    graphs = both(name, choices, "eager", monkeypatch, space, rounds)
    assert graphs <= 8  # none for each round: numbers that change are not compiled in
    assert not torch._dynamo.utils.counters["graph_break"]


@pytest.mark.scheduled
@pytest.mark.parametrize(("name", "choices"), [("gan", {}), ("diffusion", {})])
def test_code_for_this_processor_computes_the_same(name, choices, monkeypatch):
    with torch._inductor.config.patch(fallback_random=True):  # draws as the step itself does
        both(name, choices, "inductor", monkeypatch)


def test_edges_are_repeated_by_what_the_compiler_can_follow_as_by_torch(monkeypatch):
    x = torch.randn(2, 3, 5, 4)
    expected = edges_repeated(x)
    monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
    assert torch.equal(edges_repeated(x), expected)


@pytest.mark.scheduled
@pytest.mark.timeout(900)  # the compiler takes half a minute of a core, and a busy machine has less
def test_images_of_32_pixels_have_code_for_this_processor_too():
    """Whose generator smooths what it makes, in channels that come last."""
    data = make_data(Space((3, 32, 32), levels=256), 16)
    model = models["gan"](data.space, models["gan"].Config(batch=8, width=8))
    assert len(list(train(model, data, Settings(steps=2, compile="on")))) == 2


def test_what_cannot_be_compiled_is_said(monkeypatch):
    data = make_data(SPACE)
    monkeypatch.setattr(compiled, "BACKEND", "eager")
    model = models["vae"](SPACE, models["vae"].Config(width=8))
    with pytest.warns(compiled.NoGraphs, match="graphs of kernels are a GPU's"):
        train(model, data, Settings(steps=1, compile="graphs"))
    monkeypatch.setattr(compiled, "BACKEND", "inductor")
    monkeypatch.setattr(compiled.shutil, "which", lambda name: None)
    with pytest.raises(plausible.UsageError, match=r"needs a C\+\+ compiler"):
        train(model, data, Settings(steps=1, compile="on"))
    with warnings.catch_warnings(), pytest.raises(plausible.UsageError, match="--compile"):
        train(models["naive-bayes"](data.space), data, Settings(compile="on"))
