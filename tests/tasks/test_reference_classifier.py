"""The reference classifier: learned once for a data set, and kept whole."""

import json
import shutil
from importlib import import_module

import pytest
import safetensors.torch
import torch
from tests.conftest import make_data

from plausible.core.space import Space
from plausible.data.load import load
from plausible.models import ConvNet

eyes = import_module("plausible.tasks.eyes")
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


@pytest.fixture
def kept(monkeypatch, tmp_path):
    """(data, the folder of the cache that holds their classifier)."""
    monkeypatch.setattr(reference, "_STEPS", 4)
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "cache"))
    data = make_data(Space((3,), None, 2), 60)
    reference.reference_classifier(data)
    return data, reference.cache() / f"judge-{data.hashes['train'][:16]}-4"


def directory(path):
    path.unlink()
    path.mkdir()


def other_shapes(folder):
    """The weights of a classifier of other data, with nothing that says so."""
    other = ConvNet(Space((7,), None, 4))
    weights = {name: tensor.contiguous() for name, tensor in other.state_dict().items()}
    safetensors.torch.save_file(weights, folder / "weights.safetensors")
    (folder / "checksums.json").unlink()


def without_checksums(folder, content):
    (folder / "checksums.json").unlink()
    (folder / "config.json").write_text(content)


HARM = {
    "an empty config": lambda folder: (folder / "config.json").write_text("{}"),
    "an empty config without checksums": lambda folder: without_checksums(folder, "{}"),
    "no config": lambda folder: (folder / "config.json").unlink(),
    "garbage for weights": lambda folder: (folder / "weights.safetensors").write_bytes(
        b"\xff" * 99
    ),
    "no bytes": lambda folder: (folder / "weights.safetensors").write_bytes(b""),
    "other shapes": other_shapes,
    "a folder for weights": lambda folder: directory(folder / "weights.safetensors"),
    "a folder for config": lambda folder: directory(folder / "config.json"),
    "garbage for checksums": lambda folder: (folder / "checksums.json").write_bytes(b"\xff[["),
    "a file for the folder": lambda folder: (shutil.rmtree(folder), folder.write_text("x")),
}


@pytest.mark.parametrize("harm", HARM)
def test_whatever_became_of_a_kept_classifier_it_is_made_anew_and_said_once(kept, harm):
    data, folder = kept
    HARM[harm](folder)
    said = []
    assert isinstance(reference.reference_classifier(data, on_damage=said.append), ConvNet)
    (sentence,) = said
    assert str(folder) in sentence
    assert "learns anew" in sentence
    assert isinstance(reference.reference_classifier(data, on_damage=said.append), ConvNet)
    assert len(said) == 1  # it is whole again


def test_a_classifier_of_other_data_in_its_place_is_not_used(kept):
    data, folder = kept
    config = json.loads((folder / "config.json").read_text())
    without_checksums(
        folder,
        json.dumps(config | {"space": {"shape": [3], "levels": None, "classes": 2, "whole": [0]}}),
    )
    said = []
    assert reference.reference_classifier(data, on_damage=said.append).space == data.space
    assert "of other data" in said[0]


def test_a_cache_that_cannot_be_written_to_ends_no_evaluation(kept, monkeypatch, tmp_path):
    data, _ = kept
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "file"))
    assert isinstance(reference.reference_classifier(data), ConvNet)
    assert eyes.remembered(data, "power", ["x"], lambda: {"a": 0.5}, eyes._is_power) == {"a": 0.5}


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"a": 5}', '{"a": "x"}', "NaN", "\xff", "[" * 10**5]
)
def test_what_was_remembered_of_data_is_made_again_where_it_is_something_else(kept, content):
    data, _ = kept
    again = lambda value: eyes.remembered(data, "power", ["x"], lambda: value, eyes._is_power)  # noqa: E731
    assert again({"a": 0.5}) == again({"b": 0.1}) == {"a": 0.5}
    (path,) = reference.cache().glob("power-*.json")
    path.write_text(content)
    assert again({"b": 0.1}) == again({"c": 1.0}) == {"b": 0.1}
    assert not eyes._are_shares([0.5], 2)
    assert eyes._are_shares([], 2)
