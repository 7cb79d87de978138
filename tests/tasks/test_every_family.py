"""Every family on a few images and points, with labels and without: it learns, is judged and diagnosed, or says why not."""

from dataclasses import fields
from importlib import import_module

import numpy as np
import pytest

import plausible
from plausible import diagnose, evaluate, fit
from plausible.core.errors import UsageError
from plausible.core.model import models
from plausible.diagnosis import chain_mixing
from plausible.evaluation.metrics import mixing

pytestmark = pytest.mark.slow

reference = import_module("plausible.tasks.reference_classifier")
SMALL = {"width": 4, "hidden": 4, "blocks": 1, "layers": 1, "components": 2, "latent": 2, "prior_width": 4, "prior_blocks": 1, "walk_back": 1, "sampling_steps": 3}  # fmt: skip
OF_CLASSES = ("convnet", "linear", "logistic")
OF_ONE_KIND = dict.fromkeys(("naive-bayes", "pixelcnn", "pixelrnn", "rbm", "vq-vae"), "images")


def data_of(kind, labelled, n=60):
    random = np.random.default_rng(0)
    if kind == "images":
        x = (random.random((n, 5, 5)) < 0.4).astype(np.uint8)
    else:
        x = random.normal(size=(n, 3))
    return plausible.from_arrays(x, np.arange(n) % 2 if labelled else None)


@pytest.mark.parametrize("labelled", [False, True], ids=["unlabelled", "labelled"])
@pytest.mark.parametrize("kind", ["images", "vectors"])
@pytest.mark.parametrize("name", models)
def test_it_is_learned_judged_and_diagnosed_or_refused_in_a_sentence(
    name, kind, labelled, monkeypatch
):
    monkeypatch.setattr(reference, "_STEPS", 5)
    for module in (mixing, chain_mixing):
        monkeypatch.setattr(module, "_STEPS", 200)
    small = {
        field.name: SMALL[field.name]
        for field in fields(models[name].Config)
        if field.name in SMALL
    }
    data = data_of(kind, labelled)
    if (name in OF_CLASSES and not labelled) or OF_ONE_KIND.get(name, kind) != kind:
        with pytest.raises(UsageError):
            fit(name, data, steps=2, **small)
        return
    trained = fit(name, data, steps=2, **small)
    report = evaluate(trained, n=24)
    values = [measure.value for measure, _ in report.measures]
    assert any(value is not None for value in values)
    assert all(finding.claim for finding in diagnose(trained))
