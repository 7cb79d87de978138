"""Arrays in .npy and .npz files: what they are taken for, and every refusal."""

from pathlib import Path

import numpy as np
import pytest

from plausible.core.errors import UsageError
from plausible.data.arrays import interpret
from plausible.data.labels import encode_labels
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.part import Data

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 6, 5), dtype=np.uint8)  # (N, H, W)


def saved(folder: Path, array: np.ndarray) -> Data:
    np.save(folder / "a.npy", array)
    return load(str(folder / "a.npy"))


def zipped(folder: Path, **arrays: object) -> Data:
    np.savez(folder / "a.npz", **arrays)  # type: ignore[arg-type]
    return load(str(folder / "a.npz"))


def refused(folder: Path, array: np.ndarray, *words: str) -> None:
    with pytest.raises(UsageError) as error:
        saved(folder, array)
    said = str(error.value)
    assert "\n" not in said
    assert all(word in said for word in ("a.npy", *words)), said


def content(data: Data) -> np.ndarray:
    """All items, ordered, to compare with what was saved."""
    parts = (data.train, data.validation, data.heldout)
    values = np.concatenate([part.values.numpy() for part in parts])
    return values[np.lexsort(values.reshape(len(values), -1).T)]


@pytest.mark.parametrize(
    ("shape", "space"),
    [
        ((12, 6, 5), (1, 6, 5)),
        ((12, 3, 6, 5), (3, 6, 5)),
        ((12, 6, 5, 3), (3, 6, 5)),
        ((12, 4, 6, 5), (4, 6, 5)),
        ((12, 6, 5, 1), (1, 6, 5)),
        ((12, 1, 6, 1), (1, 6, 1)),
        ((12, 3, 6, 1), (1, 3, 6)),
        ((12, 2, 6, 5), (2, 6, 5)),
        ((12, 6, 5, 2), (2, 6, 5)),
    ],
)
def test_layouts(tmp_path: Path, shape: tuple[int, ...], space: tuple[int, ...]) -> None:
    array = RNG.integers(0, 256, shape, dtype=np.uint8)
    array.flat[0] = 255
    data = saved(tmp_path, array)
    assert data.space.shape == space
    assert data.space.levels == 256
    assert data.train.values.is_contiguous()
    channels_last = len(shape) == 4 and shape[1:] != space
    want = np.moveaxis(array, 3, 1) if channels_last else array.reshape(12, *space)
    assert (content(data) == want[np.lexsort(want.reshape(12, -1).T)]).all()
    ambiguous = len(shape) == 4 and ((shape[1] in (1, 3, 4)) == (shape[3] in (1, 3, 4)))
    assert any("could be (N, C, H, W)" in note for note in data.notes) == ambiguous


@pytest.mark.parametrize(
    ("array", "levels", "note"),
    [
        (IMAGES, 256, ""),
        (IMAGES.astype(np.int64), 256, ""),
        (IMAGES.astype(np.float32), 256, ""),
        (IMAGES > 100, 2, ""),
        ((IMAGES > 100).astype(np.uint8), 2, "every pixel is 0 or 1"),
        (IMAGES // 16, 256, "save them in a .npz as x together with levels"),
        (IMAGES / 255, 256, "between 0 and 1 are rounded"),
        (IMAGES / 127.5 - 1, 256, "pixels from -1 to 1"),
        (IMAGES.astype(np.uint16) * 257, 256, "16-bit images are reduced"),
    ],
)
def test_grey_values(tmp_path: Path, array: np.ndarray, levels: int, note: str) -> None:
    data = saved(tmp_path, array)
    assert data.space.levels == levels
    assert note in " | ".join(data.notes)
    want = (IMAGES > 100 if levels == 2 else IMAGES // 16 if "levels" in note else IMAGES)[:, None]
    assert (content(data) == want[np.lexsort(want.reshape(12, -1).T)]).all()


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", ">f4", "i8", "u1", "?"])
def test_vectors(tmp_path: Path, kind: str) -> None:
    array = RNG.normal(size=(50, 3)).astype(kind)
    data = saved(tmp_path, array)
    assert data.space.shape == (3,)
    assert data.space.levels is None
    assert data.train.values.numpy().dtype == np.float32
    want = array.astype(np.float32)
    assert (content(data) == want[np.lexsort(want.T)]).all()
    assert data.train.as_batch().x.shape == (36, 3)


def test_notes_on_vectors(tmp_path: Path) -> None:
    assert saved(tmp_path, np.arange(20.0)).space.shape == (1,)
    notes = saved(
        tmp_path, IMAGES[:, :, :1].repeat(6, 2).repeat(2, 1).repeat(2, 2).reshape(12, -1)
    ).notes
    assert any("look like flattened 12x12 images" in note for note in notes)
    notes = saved(
        tmp_path, np.ones((20, 3)) * [1, 2, 3] + RNG.normal(size=(20, 1)) * [1, 0, 1]
    ).notes
    assert "1 of 3 columns are the same in every item" in notes


def test_refused_arrays(tmp_path: Path) -> None:
    bad = RNG.normal(size=(50, 4))
    bad[3, 1], bad[7, 2], bad[9, 0] = np.nan, np.inf, -np.inf
    refused(tmp_path, bad, "3 of 200", "NaN or infinite")
    refused(tmp_path, np.full((50, 2), 1e300), "100 of 100")
    refused(tmp_path, bad.reshape(50, 2, 2), "3 of 200")
    refused(tmp_path, np.zeros(50, complex), "complex128")
    refused(tmp_path, np.array(["a"] * 50), "<U1")
    refused(tmp_path, np.zeros((50, 2, 2, 2, 2)), "(50, 2, 2, 2, 2)")
    refused(tmp_path, np.array(3.0), "()")
    refused(tmp_path, np.zeros((50, 0)), "(50, 0)")
    refused(tmp_path, np.zeros((0, 8, 8), np.uint8), "holds 0 items")
    refused(tmp_path, IMAGES[:9], "holds 9 items", "at least 10")
    refused(tmp_path, IMAGES.astype(int) + 1, "1 to 256")
    refused(tmp_path, IMAGES / 100, "0 to 2.55")
    refused(tmp_path, IMAGES.astype(int) - 1, "-1 to 254")
    np.save(tmp_path / "a.npy", np.array([{}] * 20), allow_pickle=True)
    with pytest.raises(UsageError, match=r"a\.npy cannot be read as plain numpy arrays"):
        load(str(tmp_path / "a.npy"))


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize(
    "content", [b"", b"no array", b"PK\x03\x04broken", b"\x93NUMPY\x01\x00v\x00{'"]
)
def test_damaged_files(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=name) as error:
        load(str(tmp_path / name))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_cut_off_files(tmp_path: Path, name: str) -> None:
    if name == "a.npy":
        np.save(tmp_path / name, IMAGES)
    else:
        np.savez_compressed(tmp_path / name, x=IMAGES)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=name):
        load(str(tmp_path / name))


def test_npz_as_the_library_writes_it(tmp_path: Path) -> None:
    codes = RNG.integers(0, 5, (30, 1, 4, 4), dtype=np.uint8)
    labels = np.arange(30) % 3
    data = zipped(tmp_path, x=codes, y=labels, levels=5)
    assert data.space.shape == (1, 4, 4)
    assert (data.space.levels, data.space.classes) == (5, 3)
    assert data.survey.classes == {"0": 10, "1": 10, "2": 10}
    assert data.train.y is not None
    for part in (data.train, data.validation, data.heldout):
        for item, label in zip(part.values.numpy(), part.y, strict=True):
            assert any((codes[i] == item).all() and labels[i] == label for i in range(30))
    vectors = zipped(tmp_path, x=RNG.normal(size=(30, 2)), levels=0)
    assert vectors.space.levels is None


@pytest.mark.parametrize("name", ["x", "images", "arr_0", "whatever"])
def test_npz_names(tmp_path: Path, name: str) -> None:
    labels = np.array(["b", "a"] * 6)
    data = zipped(tmp_path, **{name: IMAGES, "labels": labels})
    assert data.space.shape == (1, 6, 5)
    assert data.class_names == ("a", "b")
    assert data.name == "a"


def test_npz_refusals(tmp_path: Path) -> None:
    for arrays, words in [
        ({"a": IMAGES, "b": IMAGES}, "needs an array called x; its arrays: a, b"),
        ({"y": np.arange(3)}, "needs an array called x; its arrays: y"),
        ({"x": IMAGES, "y": np.arange(11)}, "11 labels for the 12 items"),
        ({"x": IMAGES, "y": np.zeros((12, 2))}, r"shape \(12, 2\)"),
        ({"x": IMAGES, "y": np.arange(12) / 2}, "not fractions"),
        ({"x": IMAGES, "levels": 5}, "5 levels, codes 0 to 4, but it holds whole numbers from"),
        ({"x": IMAGES / 255, "levels": 5}, "but it holds numbers from"),
        ({"x": IMAGES, "levels": 1}, "levels 1; they must lie between 2 and 256"),
        ({"x": IMAGES, "levels": 2.5}, "levels of .* must be one whole number"),
        ({"x": IMAGES[:, 0], "levels": 5}, "but only images have"),
    ]:
        with pytest.raises(UsageError, match=words):
            zipped(tmp_path, **arrays)
    with pytest.raises(UsageError, match=r"no such column|\.csv"):
        load(str(tmp_path / "a.npz"), Options(label="y"))


def test_size_and_channels_of_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.full((12, 3, 16, 16), 3, np.uint8), levels=5)
    data = load(str(tmp_path / "a.npz"), Options(size=8, channels=1))
    assert data.space.shape == (1, 8, 8)
    assert data.space.levels == 5
    assert data.train.values.unique().tolist() == [3]
    assert "all images are resized from 16x16 to 8x8" in data.notes
    assert "all images are brought from 3 to 1 channels" in data.notes
    wide = load(str(tmp_path / "a.npz"), Options(size="16x8"))
    assert wide.space.shape == (3, 8, 16)
    assert "all images are cropped at the centre and resized from 16x16 to 16x8" in wide.notes
    with pytest.raises(UsageError, match=r"--size 0 asks for too few .* 8 to 256 pixels"):
        load(str(tmp_path / "a.npz"), Options(size=0))
    np.save(tmp_path / "large.npy", np.zeros((10, 260, 8), np.uint8))
    assert any("8x260 pixels take very long" in n for n in load(str(tmp_path / "large.npy")).notes)


@pytest.mark.parametrize(
    ("labels", "names", "codes"),
    [
        (np.array([7, -1, 7, 30]), ("-1", "7", "30"), [1, 0, 1, 2]),
        (np.array([2.0, 1.0]), ("1", "2"), [1, 0]),
        (np.array([True, False]), ("0", "1"), [1, 0]),
        (np.array(["10", "9", "09"]), ("09", "9", "10"), [2, 1, 0]),
        (np.array(["b", "a", "10"]), ("10", "a", "b"), [2, 1, 0]),
        (np.array([b"b", b"a"]), ("a", "b"), [1, 0]),
    ],
)
def test_labels(labels: np.ndarray, names: tuple[str, ...], codes: list[int]) -> None:
    y, got = encode_labels(labels, "here")
    assert got == names
    assert y.tolist() == codes
    assert y.dtype == np.int64


def test_labels_refused() -> None:
    for labels in (
        np.array([0.5, 1]),
        np.array([np.nan, 1]),
        np.array([np.inf, 1]),
        np.array([1j]),
    ):
        with pytest.raises(UsageError, match="labels of here must be whole numbers or words"):
            encode_labels(labels, "here")


def test_one_class_is_none(tmp_path: Path) -> None:
    data = zipped(tmp_path, x=IMAGES, y=np.full(12, 4))
    assert data.space.classes == 0
    assert data.train.y is None
    assert "every item has the label '4', so labels are not used" in data.notes


def test_interpret_does_not_change_its_argument() -> None:
    array = IMAGES / 127.5 - 1
    before = array.copy()
    interpret(array, "here", "npy")
    assert (array == before).all()
