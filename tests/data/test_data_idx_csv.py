"""IDX and .csv files, and the sets that are found by name."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.readers.idx import idx_array

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 4, 3), dtype=np.uint8)
LABELS = np.arange(20, dtype=np.uint8) % 4
NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")


def idx(path: Path, array: np.ndarray) -> None:
    """Write an array as an IDX file, gzipped if its name says so."""
    types = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
    kind = types[array.dtype.str[1:]]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, kind, array.ndim, *array.shape)
    content = head + array.astype(array.dtype.newbyteorder(">")).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("name", ["a", "a.gz"])
def test_idx_types(tmp_path: Path, kind: str, name: str) -> None:
    array = (np.arange(24).reshape(2, 3, 4) - 5).astype(kind)
    idx(tmp_path / name, array)
    got = idx_array(tmp_path / name)
    assert (got == array).all()
    assert got.dtype == array.dtype


@pytest.mark.parametrize(
    "ending", ["-idx?-ubyte", ".idx?-ubyte", "-idx?-ubyte.gz", ".idx?-ubyte.gz"]
)
def test_idx_folder(tmp_path: Path, ending: str) -> None:
    for part, rows in (("train", slice(0, 15)), ("t10k", slice(15, 20))):
        idx(tmp_path / f"{part}-images{ending.replace('?', '3')}", IMAGES[rows])
        idx(tmp_path / f"{part}-labels{ending.replace('?', '1')}", LABELS[rows])
    data = load(str(tmp_path))
    assert data.space.shape == (1, 4, 3)
    assert data.space.classes == 4
    assert torch.equal(data.heldout.values[:, 0], torch.from_numpy(IMAGES[15:]))
    assert data.heldout.y is not None
    assert data.heldout.y.tolist() == LABELS[15:].tolist()
    assert len(data.train) + len(data.validation) == 15
    assert "the 5 items of the t10k files are the held-out part" in data.notes
    assert data.survey.count == data.survey.sizes["3x4"] == 20


def test_idx_folder_refusals(tmp_path: Path) -> None:
    idx(tmp_path / NAMES[0], IMAGES)
    assert load(str(tmp_path)).space.classes == 0
    idx(tmp_path / NAMES[1], LABELS[:7])
    with pytest.raises(UsageError, match=r"7 labels for the 20 items of .*train-images-idx3-ubyte"):
        load(str(tmp_path))
    idx(tmp_path / NAMES[1], LABELS)
    assert len(load(str(tmp_path)).heldout) == 4
    idx(tmp_path / "t10k-images-idx3-ubyte", IMAGES[:, :3])
    with pytest.raises(UsageError, match="different shape"):
        load(str(tmp_path))
    idx(tmp_path / "t10k-images-idx3-ubyte", IMAGES)
    with pytest.raises(UsageError, match="t10k-images-idx3-ubyte has no labels"):
        load(str(tmp_path))


def test_idx_file(tmp_path: Path) -> None:
    idx(tmp_path / f"{NAMES[0]}.gz", IMAGES)
    data = load(str(tmp_path / f"{NAMES[0]}.gz"))
    assert data.name == NAMES[0]
    assert data.train.y is None
    idx(tmp_path / NAMES[1], LABELS)
    assert load(str(tmp_path / f"{NAMES[0]}.gz")).space.classes == 4
    with pytest.raises(UsageError, match="holds labels or single numbers"):
        load(str(tmp_path / NAMES[1]))


def test_damaged_idx(tmp_path: Path) -> None:
    path = tmp_path / "a"
    idx(path, IMAGES)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(
        UsageError, match=r"a is cut off: shape \(20, 4, 3\) needs 256 bytes .* 253"
    ):
        load(str(path))
    path.write_bytes(whole + b"x")
    with pytest.raises(UsageError, match="a is too long"):
        load(str(path))
    path.write_bytes(whole[:9])
    with pytest.raises(UsageError, match="cut off in its header"):
        load(str(path))
    path.write_bytes(gzip.compress(whole)[:-40])
    with pytest.raises(UsageError, match="cannot be read"):
        load(str(path))
    path.write_bytes(b"neither of them")
    with pytest.raises(
        UsageError, match=r"a is of no known format: give a folder of images, .*\.csv"
    ):
        load(str(path))


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


ROWS = [f"{i}.5,{-i},{'cat' if i % 3 else 'dog'}" for i in range(12)]


def test_csv(tmp_path: Path) -> None:
    path = write(tmp_path / "my.table.csv", "\n".join(["width,height,kind", *ROWS]))
    with pytest.raises(UsageError, match=r"line 2, column 'kind': 'dog' is no number"):
        load(path)
    data = load(path, Options(label="kind"))
    assert data.name == "my.table"
    assert data.space.shape == (2,)
    assert data.class_names == ("cat", "dog")
    assert data.survey.classes == {"cat": 8, "dog": 4}
    x = data.train.as_batch().x
    assert data.train.y is not None
    assert torch.equal(x[:, 0], 0.5 - x[:, 1])
    assert ((x[:, 1] % 3 == 0) == (data.train.y == 1)).all()
    with pytest.raises(
        UsageError, match=r"unknown label 'kin': choose from width, height, kind; did you"
    ):
        load(path, Options(label="kin"))
    with pytest.raises(UsageError, match=r"--size is for images, and .*my.table.csv holds vectors"):
        load(path, Options(label="kind", size=8))


@pytest.mark.parametrize("name", ["label", "Class", "TARGET", "y"])
def test_csv_class_by_name(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "a.csv", "\n".join([f"a,b,{name}", *ROWS]))
    data = load(path)
    assert data.space.classes == 2
    assert any(f"column '{name}' is taken as the class" in note for note in data.notes)


def test_csv_target_of_fractions_is_a_number(tmp_path: Path) -> None:
    rows = [f"{3 * i},{i / 4}" for i in range(12)]
    data = load(write(tmp_path / "a.csv", "\n".join(["a,y", *rows])))
    assert data.space.shape == (2,)
    assert data.space.classes == 0
    assert "column 'y' has fractions, so it is a number like others" in data.notes


@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_dialects(tmp_path: Path, separator: str) -> None:
    rows = [f'"{3 * i}"{separator} {i}e-1' for i in range(12)]
    text = "\ufeff" + "\r\n".join([f"a{separator}b", *rows, "", ""])
    data = load(write(tmp_path / "a.csv", text))
    assert data.space.shape == (2,)
    assert data.survey.count == 12
    assert any("separated by" in note for note in data.notes)


def test_csv_without_header(tmp_path: Path) -> None:
    rows = [f"{i},{i * i}" for i in range(12)]
    data = load(write(tmp_path / "a.csv", "\n".join(rows)))
    assert data.survey.count == 12
    assert any("first line is all numbers" in note for note in data.notes)
    counted = load(write(tmp_path / "a.csv", "\n".join(["0,1,2", *[f"{r},7" for r in rows]])))
    assert counted.survey.count == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n3\n", "line 3 has 1 cells and line 1 2"),
        ("a,b\n1,2\n\n3,\n", "line 4, column 'b': '' is no number"),
        ("a,b\n1,2\n3,4 m\n", "line 3, column 'b': '4 m' is no number"),
        ("a,b\n1,nan\ninf,4\n", "2 of 4 numbers that are NaN or infinite"),
        ("a,y\n1,\n2,b\n", "line 2, column 'y': the class is empty"),
        ("y\n1\n2\n", "no column of numbers besides 'y'"),
        ("a,b\n1,2\n", "holds 1 items; at least 10"),
        ("a,b\n", "holds 0 items; at least 10"),
    ],
)
def test_csv_refusals(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        load(write(tmp_path / "a.csv", text))
    assert "a.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_csv_of_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a,b\n\xff\xfe\x00,1\n")
    with pytest.raises(UsageError, match=r"a\.csv cannot be read as a table of text"):
        load(str(tmp_path / "a.csv"))


MNIST = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mean", "counts"), [("mnist", 33.3184, MNIST), ("fashion-mnist", 72.94, [6000] * 10)]
)
def test_sets_by_name(name: str, mean: float, counts: list[int]) -> None:
    try:
        data = load(name)
    except UsageError as error:  # neither here nor to be fetched
        pytest.skip(str(error))
    assert data.name == name
    learned = torch.cat([data.train.values, data.validation.values])  # (60000, 1, 28, 28)
    assert learned.mean(dtype=torch.float64).item() == pytest.approx(
        mean, abs=5e-5 if name == "mnist" else 0.05
    )
    assert data.train.y is not None
    assert data.validation.y is not None
    assert torch.cat([data.train.y, data.validation.y]).bincount().tolist() == counts
    assert [len(data.train), len(data.validation), len(data.heldout)] == [55_000, 5_000, 10_000]
    assert data.heldout.y is not None
    if name == "mnist":
        assert data.heldout.y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
