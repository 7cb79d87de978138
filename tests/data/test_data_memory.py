"""What is in memory: arrays, tables, data sets of torch, pairs and parts of these."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.options import Options

R = np.random.default_rng(0)
GREY = R.integers(0, 256, (20, 8, 12), dtype=np.uint8)
PLANE = R.normal(size=(20, 3))
Y = np.arange(20) % 2


class Frame:
    """A table with the methods of a DataFrame that are asked for."""

    def __init__(self, **columns: Any):
        self.columns = list(columns)
        self._rows = np.array(list(columns.values()), object).T  # (D, N) -> (N, D)
        self.shape = self._rows.shape

    def to_numpy(self) -> np.ndarray:
        return self._rows


class Items(Dataset[Any]):
    """A map-style data set of what a list holds."""

    def __init__(self, items: list[Any]):
        self.items = items

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Any:
        return self.items[index]


class Stream(IterableDataset[Any]):
    """A data set without a length."""

    def __iter__(self) -> Any:
        return iter(GREY)


FRAME = Frame(
    id=range(20), a=PLANE[:, 0], rooms=[3 + k % 4 for k in range(20)], label=["dog", "cat"] * 10
)  # fmt: skip


@pytest.mark.parametrize(
    "source",
    [
        GREY,
        torch.from_numpy(GREY)[:, None],
        (GREY, None),
        TensorDataset(torch.from_numpy(GREY)),
        Items([Image.fromarray(image) for image in GREY]),
        Items([torch.from_numpy(image) for image in GREY]),
    ],
)
def test_the_same_images_whatever_holds_them(tmp_path: Path, source: Any) -> None:
    np.save(tmp_path / "a.npy", GREY)
    data = load(source)
    assert data.hashes == load(tmp_path / "a.npy").hashes
    assert data.source == ""
    assert (
        load(source, size=8).space.shape
        == load(source, Options(size="8x8")).space.shape
        == (1, 8, 8)
    )


@pytest.mark.parametrize(
    "source",
    [
        (GREY, Y),
        (torch.from_numpy(GREY), torch.from_numpy(Y)),
        (GREY, Y.tolist()),
        TensorDataset(torch.from_numpy(GREY), torch.from_numpy(Y)),
        (Items(list(GREY)), Y),
        Items([(Image.fromarray(image), int(label)) for image, label in zip(GREY, Y, strict=True)]),
    ],
)
def test_labels_come_in_a_pair_or_with_the_items(source: Any) -> None:
    data = load(source)
    assert data.class_names == ("0", "1")
    assert data.hashes == load((GREY, Y)).hashes


def test_pictures_of_many_sizes_are_cropped_to_the_size_asked_for() -> None:
    pictures = [Image.new("P" if k else "LA", (10 + k, 9)) for k in range(12)]
    assert load(Items(pictures), size=8, channels=1).space.shape == (1, 8, 8)
    with pytest.raises(
        UsageError, match=r"items of Items have different shapes, .*bring them to one"
    ):
        load(Items(pictures))


def test_a_table_in_memory_is_read_as_one_in_a_file(tmp_path: Path) -> None:
    data = load(FRAME)
    rows = [",".join(map(str, row)) for row in FRAME.to_numpy()]
    (tmp_path / "t.csv").write_text("\n".join([",".join(FRAME.columns), *rows]))
    assert data.hashes == load(tmp_path / "t.csv").hashes
    assert (data.columns, data.class_names) == (("a", "rooms"), ("cat", "dog"))
    assert data.space.whole == (1,)
    assert "id" in data.survey.left_out
    assert load(FRAME, drop="label").class_names == ()
    pair = load((Frame(a=PLANE[:, 0], b=PLANE[:, 1]), ["u", "v"] * 10))
    assert (pair.columns, pair.label_column, pair.class_names) == (("a", "b"), "label", ("u", "v"))
    gaps = Frame(a=[None, float("nan"), *PLANE[:, 0]], b=[1.5] * 22)
    with pytest.raises(
        UsageError, match="the table line 1, column 'a': '' is no number: 2 of 44 cells"
    ):
        load(gaps)
    assert load(gaps, missing="drop").survey.count == 20


def test_what_is_called_test_is_held_out() -> None:
    data = load({"train": (GREY[:14], Y[:14]), "test": (GREY[14:], Y[14:])})
    assert torch.equal(data.heldout.values[:, 0], torch.from_numpy(GREY[14:]))
    assert data.heldout.y is not None
    assert data.heldout.y.tolist() == Y[14:].tolist()
    assert "the 6 items of test are the held-out part" in data.notes
    frames = {"train": Frame(a=range(5, 19)), "test": Frame(a=[1.5, None, 2.5])}
    assert load(frames, missing="drop").heldout.values.tolist() == [[1.5], [2.5]]
    assert len(load({"train": GREY}).heldout) == 4


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ([[1, 2], [3, 4]], "data are a name or a path, an array or tensor, a DataFrame, .* not a list$"),
        (7, "not a int$"),
        (None, "not a NoneType$"),
        ((GREY, Y, Y), "not a tuple of 3$"),
        ({"train": GREY, "val": GREY}, "not of 'train', 'val'$"),
        ({}, "not of nothing$"),
        ({"train": GREY, "test": PLANE}, "different shape"),
        ({"train": GREY, "test": (GREY, Y)}, "train and test must be alike"),
        ((GREY, Y[:7]), "y has 7 labels for the 20 items of x"),
        (np.array(["a"] * 20), "not plain numbers"),
        (Items([]), "Items holds no items"),
        (Items([{"x": 1}] * 20), "not of type dict"),
        (Items([(1, 2, 3)] * 20), "not tuples of 3"),
        (Items([(PLANE[0], 1), (PLANE[1],)] * 10), "10 of the 20 items of Items have a label"),
        (Stream(), "Stream has no length"),
    ],
)  # fmt: skip
def test_anything_else_is_one_sentence(source: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        load(source)
    assert "\n" not in str(error.value)


def test_options_are_keywords_and_known_by_name() -> None:
    assert load("digits", levels=2).space.levels == 2
    with pytest.raises(UsageError, match=r"unknown option of data 'sise': .*did you mean 'size'"):
        load(GREY, sise=8)
    for choice in ({"label": "a"}, {"drop": "a"}, {"missing": "drop"}):
        with pytest.raises(
            UsageError, match=r"--\w+ .* of a \.csv, \.tsv or \.parquet file.*, and array is none"
        ):
            load(GREY, **choice)
    with pytest.raises(UsageError, match="--size is for images, and array holds vectors"):
        load(PLANE, size=8)
    with pytest.raises(UsageError, match="both say what the class is"):
        load((Frame(a=PLANE[:, 0]), Y), label="a")


def test_a_path_is_a_path_even_where_a_set_is_called_so(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("digits").mkdir()
    for k, image in enumerate(GREY):
        Image.fromarray(image).save(f"digits/{k}.png")
    assert load(Path("digits")).space.shape == (1, 8, 12)
    assert load("digits").space.levels == 17


def test_an_item_of_a_part_is_one_of_a_torch_data_set() -> None:
    data = load((GREY, Y))
    x, y = data.train[0]
    assert torch.equal(x, data.train.batch(slice(0, 1)).x[0])
    assert data.train.y is not None
    assert y == int(data.train.y[0])
    assert torch.equal(data.train[-1][0], data.train.as_batch().x[-1])
    assert len(load(GREY).train[3]) == 1
    with pytest.raises(IndexError):
        data.train[len(data.train)]
    assert len(list(data.train)) == len(data.train)
    x, y = next(iter(DataLoader(data.train, batch_size=4)))  # type: ignore[arg-type]
    assert (x.shape, y.tolist()) == ((4, 1, 8, 12), data.train.y[:4].tolist())
