"""The reference classifier: learned once for a data set, and kept whole."""

from importlib import import_module

import torch
from tests.conftest import make_data

from plausible.core.space import Space
from plausible.data.load import load
from plausible.models import ConvNet

reference = import_module("plausible.tasks.reference_classifier")  # the file, not its function


def test_the_reference_classifier_is_learned_once_and_never_from_held_out_data(monkeypatch):
    digits = load("digits")
    first = reference.reference_classifier(digits)
    monkeypatch.setattr(reference, "train", None)  # calling it would raise
    again = reference.reference_classifier(digits)
    x = digits.heldout.batch(slice(0, 9)).x
    assert torch.equal(first.log_posterior(x), again.log_posterior(x))
    assert isinstance(again, ConvNet)


def test_a_half_written_classifier_is_learned_again(monkeypatch):
    monkeypatch.setattr(reference, "_STEPS", 20)
    data = make_data(Space((3,), None, 2), 180)
    reference.reference_classifier(data)
    folder = reference.cache() / f"judge-{data.hashes['train'][:16]}-20"
    (folder / "weights.safetensors").write_bytes(b"half")
    assert isinstance(reference.reference_classifier(data), ConvNet)
    assert (folder / "weights.safetensors").stat().st_size > 100
