"""Formats: what is read by whom, and that a new reader is known everywhere at once."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.inputs import read_inputs
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers import Progress, in_words, read, readers
from plausible.data.samples import read_samples
from plausible.data.source import resolve_source

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


def test_the_formats_in_words() -> None:
    words = (
        "a folder of images, an IDX file or folder, CIFAR-10's binary files, a .zip, .tar, .tar.gz, .tgz, .npy, .npz, "
        ".csv, .tsv or .parquet file, or a folder of .tar or .parquet files"
    )
    assert in_words(readers.values()) == words
    assert in_words([readers["csv-table"]]) == "a .csv or .tsv file"
    assert in_words([readers["npy"], readers["npz"]]) == "a .npy or .npz file"
    assert in_words([readers["idx"]]) == "an IDX file or folder"
    with pytest.raises(UsageError, match=words):
        resolve_source("nowhere")


def test_a_path_belongs_to_one_reader(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 0]))
    (tmp_path / "a.csv").write_bytes(bytes([0, 0, 8, 1]))
    (tmp_path / "b.txt").touch()
    (tmp_path / "folder.csv").mkdir()

    def name(path: Path) -> str | None:
        reader = readers.of(path)
        return reader and reader.name

    assert name(tmp_path) == name(tmp_path / "train-images-idx3-ubyte") == "idx"
    assert name(tmp_path / "a.csv") == "csv-table"  # an ending is asked before the content
    assert name(tmp_path / "folder.csv") == "image-folder"
    assert name(tmp_path / "b.txt") is name(tmp_path / "nowhere.txt") is None


@pytest.fixture
def raw_floats() -> Iterator[None]:
    """A format more: a file of nothing but float32, three to an item."""

    @readers.by_ending(".f32")
    def float32(path: Path, options: Options, progress: Progress | None) -> Raw:
        return Raw(np.fromfile(path, np.float32).reshape(-1, 3), None)

    yield
    del readers["float32"]


@pytest.mark.usefixtures("raw_floats")
def test_a_new_reader_is_known_everywhere(tmp_path: Path) -> None:
    path = tmp_path / "x.F32"
    X.tofile(path)
    expected, space = torch.from_numpy(X), Space((3,))
    assert np.array_equal(read(path).values, X)
    assert load(str(path)).survey.count == 20
    assert torch.equal(read_inputs([str(path)], space).part.values, expected)
    assert torch.equal(read_samples(str(path), space)[0].values, expected)
    with pytest.raises(UsageError, match=r"\.tsv, \.parquet or \.f32 file"):
        resolve_source("nowhere")
    for option in ({"label": "y"}, {"drop": "y"}, {"missing": "drop"}):
        flag = next(iter(option))
        words = rf"--{flag} .* of a \.csv, \.tsv or \.parquet file.*, and .* is none"
        with pytest.raises(UsageError, match=words):
            load(path, **option)


def test_an_idx_folder_is_one_for_inputs_too(tmp_path: Path) -> None:
    head = bytes([0, 0, 8, 3]) + np.array([2, 4, 3], ">u4").tobytes()
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(head + bytes(range(24)))
    (tmp_path / "preview.png").touch()
    assert read(tmp_path).values.shape == (2, 1, 4, 3)
    assert len(read_inputs([str(tmp_path)], Space((1, 4, 3), 256)).names) == 2


def test_the_wrong_ending_of_an_array_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    np.savez(tmp_path / "b.npz", x=X)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    (tmp_path / "b.npz").rename(tmp_path / "b.npy")
    with pytest.raises(UsageError, match=r"a\.npz is a single array and no archive: call it \.npy"):
        read(tmp_path / "a.npz")
    with pytest.raises(UsageError, match=r"b\.npy is an archive of arrays: call it \.npz"):
        read(tmp_path / "b.npy")


def test_the_class_of_a_table_may_be_missing_in_inputs(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "x.csv", X, delimiter=",", header="a,b,c", comments="", fmt="%.9g")
    part = read_inputs([str(tmp_path / "x.csv")], Space((3,)), Options(label="kind")).part
    assert torch.equal(part.values, torch.from_numpy(X))
