"""What leaves the program can be read back by it and means the same."""

import csv

import numpy as np
import pytest
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Batch, Space
from plausible.data.load import from_arrays, load
from plausible.data.options import Options
from plausible.data.samples import read_samples
from plausible.tasks.save import save_samples

R = np.random.default_rng(0)
PLANE = R.normal(size=(30, 2)).astype(np.float32)
GREY = R.integers(0, 256, (30, 4, 4)).astype(np.uint8)
Y = torch.arange(30) % 3


def drawn(data, y=Y):
    """Everything in the data as samples of it, in its own order."""
    part = data.train
    return Batch(part.as_batch().x, None if y is None else part.y)


def named(data, batch):
    return [data.class_names[k] for k in batch.y.tolist()]


@pytest.mark.parametrize(
    ("labels", "kept"),
    [
        ((1, 2, 3), "i"),
        ((-1, 0, 10), "i"),
        ((9.0, 10.0, 11.0), "i"),
        (("cat", "dog", "eel"), "U"),
        (("01", "02", "03"), "U"),  # 01 is no number 1
        (("1", "2", "x"), "U"),
    ],
)
@pytest.mark.parametrize("x", [PLANE, GREY], ids=["plane", "grey"])
def test_arrays_hold_the_labels_of_the_data(tmp_path, labels, kept, x):
    data = from_arrays(x, np.array(labels)[Y.numpy()])
    batch, path = drawn(data), tmp_path / "s.npz"
    save_samples(batch, data.space, path, data)
    y = np.load(path)["y"]
    assert y.dtype.kind == kept
    assert y.astype(str).tolist() == named(data, batch)
    part, _ = read_samples(str(path), data.space, data.class_names)
    assert torch.equal(part.y, batch.y)
    assert torch.equal(part.as_batch().x, batch.x)
    assert load(str(path)).class_names == data.class_names


def test_one_class_alone_is_still_that_class(tmp_path):
    data = from_arrays(PLANE, Y.numpy() + 1)
    batch = Batch(torch.zeros(4, 2), torch.full((4,), 2))
    for name in ("s.npz", "s.csv"):
        save_samples(batch, data.space, tmp_path / name, data)
        part, _ = read_samples(str(tmp_path / name), data.space, data.class_names)
        assert part.y.tolist() == [2] * 4
    assert np.load(tmp_path / "s.npz")["y"].tolist() == [3] * 4


def test_labels_without_names_are_numbers(tmp_path):
    save_samples(Batch(torch.zeros(3, 2), Y[:3]), Space((2,), None, 3), tmp_path / "s.npz")
    assert np.load(tmp_path / "s.npz")["y"].tolist() == [0, 1, 2]


def table(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_a_table_has_the_header_of_the_data_and_the_same_numbers(tmp_path):
    values = np.exp(R.normal(size=(30, 2)) * 20).astype(np.float32)
    data = from_arrays(values, columns=("mass, kg", "b"))
    batch, path = drawn(data, None), tmp_path / "s.csv"
    save_samples(batch, data.space, path, data)
    assert table(path)[0] == ["mass, kg", "b"]
    part, notes = read_samples(str(path), data.space, columns=data.columns)
    assert torch.equal(part.values, batch.x)
    assert notes == []
    save_samples(batch, data.space, path)  # nobody knows names
    assert len(table(path)) == len(batch.x)
    part, notes = read_samples(str(path), data.space)
    assert torch.equal(part.values, batch.x)


def test_a_table_has_the_classes_under_their_own_name(tmp_path):
    (tmp_path / "d.csv").write_text(
        "a,group,b\n" + "".join(f"{a},{'old' if a > 0 else 'young'},{b}\n" for a, b in PLANE)
    )
    data = load(str(tmp_path / "d.csv"), Options(label="group"))
    batch, path = drawn(data), tmp_path / "s.csv"
    save_samples(batch, data.space, path, data)
    assert table(path)[0] == ["a", "b", "group"]
    back = load(str(path), Options(label="group"))
    assert (back.columns, back.class_names) == (data.columns, data.class_names)
    part, _ = read_samples(
        str(path), data.space, data.class_names, data.options, None, data.columns, "group"
    )
    assert torch.equal(part.y, batch.y)
    assert torch.equal(part.values, batch.x)


def test_a_class_without_a_name_gets_one_that_is_read_as_the_class(tmp_path):
    for columns, expected in (((), ["x1", "x2", "label"]), (("a", "b"), ["a", "b", "label"])):
        data = from_arrays(PLANE, Y.numpy() + 1, columns=columns)
        batch, path = drawn(data), tmp_path / "s.csv"
        save_samples(batch, data.space, path, data)
        assert table(path)[0] == expected
        names = data.columns, data.label_column
        part, _ = read_samples(str(path), data.space, data.class_names, Options(), None, *names)
        assert torch.equal(part.y, batch.y)


def test_images_lie_in_a_folder_for_each_class(tmp_path):
    data = from_arrays(GREY, np.array(["cat", "dog", "eel"])[Y.numpy()])
    batch = drawn(data)
    save_samples(batch, data.space, f"{tmp_path}/s/", data)
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["cat", "dog", "eel"]
    assert len(list((tmp_path / "s").glob("*/*.png"))) == len(batch.x)
    part, _ = read_samples(str(tmp_path / "s"), data.space, data.class_names)
    order = np.argsort(named(data, batch), kind="stable")
    assert torch.equal(part.y, batch.y[order])
    assert torch.equal(part.as_batch().x, batch.x[order])
    save_samples(drawn(data, None), data.space, f"{tmp_path}/flat/", data)
    assert len(list((tmp_path / "flat").glob("*.png"))) == len(batch.x)


@pytest.mark.parametrize(
    ("name", "shape", "y", "words"),
    [
        ("s.csv", (1, 4, 4), None, "would be a table, and these are images"),
        ("s/", (3,), None, "only images can be written one by one: .*csv, .npz or .png"),
        ("s/", (2, 5, 5), None, "2 channels cannot be written one by one: .*npz"),
        ("s/", (1, 4, 4), "a/b", "'a/b' cannot name a folder"),
        ("s/", (1, 4, 4), "..", "cannot name a folder"),
        ("s/", (1, 4, 4), ".hidden", "cannot name a folder"),
    ],
)
def test_what_could_not_be_read_back_is_refused(tmp_path, name, shape, y, words):
    x = (
        R.integers(0, 256, (12, *shape)).astype(np.uint8)
        if len(shape) == 3
        else R.normal(size=(12, 3))
    )
    data = from_arrays(x, None if y is None else [y, "z"] * 6)
    with pytest.raises(UsageError, match=words):
        save_samples(drawn(data, None if y is None else Y), data.space, f"{tmp_path}/{name}", data)
    assert list(tmp_path.iterdir()) == []
