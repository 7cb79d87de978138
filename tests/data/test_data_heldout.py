"""What is held out, chosen anew: by a share, or by other data."""

from pathlib import Path

import numpy as np
import pytest
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.load import from_arrays, load
from plausible.data.options import Options
from plausible.data.part import Data, Part
from plausible.data.split import copy_notes, resplit, with_heldout


def numbered(n: int = 100, classes: int = 0) -> Data:
    """n vectors that count from 0, in three parts."""
    values, space = torch.arange(n, dtype=torch.float32)[:, None], Space((1,), None, classes)
    y = torch.arange(n) % classes if classes else None
    cut = (slice(0, 60), slice(60, 70), slice(70, n))
    parts = (Part(values[rows], None if y is None else y[rows], space) for rows in cut)
    return Data("numbers", space, *parts, class_names=tuple(str(k) for k in range(classes)))


@pytest.mark.parametrize("share", [0.02, 0.25, 0.5, 0.9])
def test_a_new_split_is_a_partition_with_that_share_held_out(share: float) -> None:
    data = resplit(numbered(classes=4), share)
    parts = (data.train, data.validation, data.heldout)
    assert len(data.heldout) == round(100 * share)
    values = torch.cat([part.values for part in parts])[:, 0]
    assert torch.equal(values.sort().values, torch.arange(100.0))
    for part in parts:
        assert part.y is not None
        assert torch.equal(part.y, part.values[:, 0].long() % 4)
    again = resplit(numbered(classes=4), share)
    assert again.hashes == data.hashes


def test_a_new_split_is_in_random_order() -> None:
    heldout = resplit(numbered(), 0.5).heldout.values[:, 0]
    assert 30 < heldout.mean() < 70
    assert not torch.equal(heldout, heldout.sort().values)


@pytest.mark.parametrize("share", [0, 1, 1.5, -0.1, 0.001, 0.99, float("nan"), float("inf")])
def test_shares_that_leave_nothing_are_refused(share: float) -> None:
    with pytest.raises(UsageError, match=rf"--split {share:g} of 100 items.*between 0 and 1"):
        resplit(numbered(), share)


def test_a_new_split_keeps_what_the_data_are() -> None:
    dynamic = load("digits", Options(binarise="dynamic"))
    data = resplit(dynamic, 0.5)
    assert data.train.grey_levels == data.heldout.grey_levels == 17
    assert (data.space, data.class_names, data.name) == (
        dynamic.space,
        dynamic.class_names,
        "digits",
    )


def test_other_data_can_be_held_out() -> None:
    data, other = numbered(), numbered(80)
    merged = with_heldout(data, other)
    assert torch.equal(merged.train.values.flatten(), torch.arange(100.0))
    assert torch.equal(merged.heldout.values.flatten(), torch.arange(80.0))
    assert merged.train.y is None
    labelled = with_heldout(numbered(classes=2), numbered(80, classes=2))
    assert labelled.heldout.y is not None
    assert torch.equal(labelled.heldout.y, labelled.heldout.values[:, 0].long() % 2)


def test_other_data_must_have_the_same_space_and_classes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="same shape and levels"):
        with_heldout(load("moons"), load("digits"))
    with pytest.raises(UsageError, match="held out and learned from at once"):
        with_heldout(numbered(), numbered())
    assert with_heldout(numbered(), numbered(80, classes=2)).heldout.y is None
    assert with_heldout(numbered(classes=2), numbered(80)).heldout.y is None
    sets = []
    for words in (("cat", "dog"), ("dog", "eel")):
        path = tmp_path / f"{words[1]}.npz"
        x = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
        np.savez(path, x=x, y=np.resize(words, 20))
        sets.append(load(str(path)))
    with pytest.raises(UsageError, match="eel has the class eel, which is none of dog: cat, dog"):
        with_heldout(*sets)


def test_what_is_held_out_and_learned_from_is_counted() -> None:
    x = np.random.default_rng(0).integers(0, 256, (300, 8, 8)).astype(np.uint8)
    data = from_arrays(np.concatenate([x, x]))
    (note,) = (note for note in data.notes if "learned from, too" in note)
    known = {row.tobytes() for row in data.train.values.numpy()}
    shared = sum(row.tobytes() in known for row in data.heldout.values.numpy())
    assert shared == 88
    assert note.startswith(
        "88 of 120 held-out items (73%) are learned from, too: 600 items are 300 "
    )
    anew = with_heldout(from_arrays(x[:200]), from_arrays(x[150:]))
    assert copy_notes(anew.train, anew.heldout)[0].startswith("50 of 150 held-out items (33%)")
    for other in (from_arrays(x), load("digits"), load("ring")):
        assert not any("learned from, too" in note for note in other.notes)


def test_vectors_that_are_equal_count_whatever_the_sign_of_zero() -> None:
    space = Space((2,))
    one, other = (Part(torch.tensor([[zero, 1.0]] * 3), None, space) for zero in (0.0, -0.0))
    assert copy_notes(one, other)[0].startswith("3 of 3 held-out items (100%)")


def test_a_new_split_says_nothing_of_the_old_one() -> None:
    data = from_arrays(np.arange(200.0)[:, None] % 100)
    assert any("learned from, too" in note for note in data.notes)
    for other in (resplit(data, 0.5), with_heldout(data, from_arrays(np.arange(20.0)))):
        assert not any("held out for evaluation" in note for note in other.notes)
        assert not any("learned from, too" in note for note in other.notes)
