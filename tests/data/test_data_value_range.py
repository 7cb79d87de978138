"""Which values are black and white: decided, refused where there is a doubt, and the same beside the data."""

from pathlib import Path

import numpy as np
import pytest
import torch

from plausible.core.errors import UsageError
from plausible.data.inputs import read_inputs
from plausible.data.load import from_arrays, load
from plausible.data.options import DEFAULTS, Options
from plausible.data.part import Data
from plausible.data.samples import read_samples

RNG = np.random.default_rng(0)
UNIT = RNG.random((40, 16, 16))
UNIT[0, 0, :2] = 0, 1


def codes(data: Data) -> np.ndarray:
    """All codes in the order of the items, which is told by their number in the array."""
    parts = (data.train, data.validation, data.heldout)
    return np.sort(np.concatenate([part.values.numpy() for part in parts]), axis=None)


def same(array: np.ndarray, levels: int = 256, options: Options = DEFAULTS) -> Data:
    """The data of an array that must come out as UNIT does."""
    data = from_arrays(array, options=options)
    assert data.space.levels == levels
    assert (codes(data) == np.sort(np.rint(UNIT * (levels - 1)), axis=None)).all()
    return data


def said(data: Data) -> str:
    return " | ".join(data.notes)


@pytest.mark.parametrize("kind", ["f2", "f4", ">f4", "f8", "g"])
@pytest.mark.parametrize("beyond", [0, -1e-7, -1e-3, 1 + 1e-6, 1.0015])
def test_values_that_rounding_brings_to_black_or_white_may_lie_beyond(
    kind: str, beyond: float
) -> None:
    array = UNIT.copy()
    array[0, 0, int(beyond > 0)] = beyond
    array = array.astype(kind)
    data = from_arrays(array)
    assert data.options.value_range == (0, 1)
    assert np.abs(codes(data) - np.sort(UNIT * 255, axis=None)).max() < 1
    assert abs(float(data.train.as_batch().x.mean()) - 0.5) < 0.02
    assert ("rounded and cut to 256 levels" in said(data)) == bool(
        (beyond and array.flat[0] != 0) or array.max() > 1
    )


def test_from_minus_one_to_one() -> None:
    for kind in ("f2", "f4", "f8"):
        data = from_arrays((2 * UNIT - 1).astype(kind))
        assert data.options.value_range == (-1, 1)
        assert np.abs(codes(data) - np.sort(UNIT * 255, axis=None)).max() < 1
    same(2 * UNIT - 1)
    assert from_arrays((2 * UNIT - 1) * (1 + 1e-6)).options.value_range == (-1, 1)


@pytest.mark.parametrize("kind", ["u2", ">u2", "i4", ">i4", "u4", "i8", "f4", ">f8"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_bits_that_are_used(bits: int, kind: str) -> None:
    white = 2**bits - 1
    data = from_arrays(np.rint(UNIT * white).astype(kind))
    assert np.abs(codes(data) - np.sort(UNIT * 255, axis=None)).max() < 1
    assert (codes(data).min(), codes(data).max()) == (0, 255)
    assert f"{bits}-bit images are reduced to 8 bits, 256 levels: {white:,} is white" in said(data)
    assert data.options.value_range == (0, white)
    dim = from_arrays(np.rint(UNIT * white * 0.6).astype(kind))
    assert dim.options.value_range == (0, white)
    assert f"the brightest is {round(white * 0.6):,}" in said(dim)


def test_sixteen_bits_of_which_eight_are_used() -> None:
    assert "16 bits hold no more than 255" in said(same(np.rint(UNIT * 255).astype("u2")))
    for kind in ("i2", ">i2", "i8", "f4", "u1"):
        assert said(same(np.rint(UNIT * 255).astype(kind))).startswith("29 items")


def test_grey_values_with_fractions_are_rounded_with_a_note() -> None:
    data = from_arrays(0.1 + 254.8 * UNIT)
    assert "fractions from 0.1 to 254.9 are rounded to the 256 levels 0 to 255" in said(data)
    assert (codes(data) == np.sort(np.rint(0.1 + 254.8 * UNIT), axis=None)).all()
    assert "12-bit images" in said(from_arrays(4095 * UNIT))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (UNIT * 1.01 - 0.01, "from -0.01 to 1, which lie below 0 and do not reach -1: clip them"),
        (UNIT - 0.5, "from -0.5 to 0.5, which lie below 0 and do not reach -1"),
        (
            UNIT * 100,
            "from 0 to 100, fractions that are too bright for 0 to 1 and too dark for 0 to",
        ),
        (UNIT * 1.2, "from 0 to 1.2, fractions that are too bright"),
        (UNIT * 300, "from 0 to 300; expected 0 to 255, or more than 511 as the brightest"),
        (np.rint(UNIT * 255).astype(int) + 1, "from 1 to 256; expected 0 to 255, or more than 511"),
        (
            np.rint(UNIT * 255).astype(int) - 1,
            "from -1 to 254; expected 0 to 255, 0 to 1, -1 to 1, or",
        ),
        (UNIT * 6 - 3, "from -3 to 3; expected"),
        (np.rint(UNIT * 2e9).astype("u4"), "from 0 to 2e+09; expected"),
    ],
)
def test_a_doubt_is_a_refusal_that_says_the_way_out(array: np.ndarray, words: str) -> None:
    with pytest.raises(UsageError) as error:
        from_arrays(array)
    assert words in str(error.value)
    assert "--value-range BLACK WHITE says" in str(error.value)
    low, high = float(array.min()), float(array.max())
    if low != -0.01:
        same((array - low) / (high - low))
        data = from_arrays(array, options=Options(value_range=(low, high)))
        assert (codes(data) == np.sort(np.rint(UNIT * 255), axis=None)).mean() > 0.99


def test_a_range_that_is_asked_for_must_hold_the_values(tmp_path: Path) -> None:
    for array, asked in (
        (UNIT * 5, (0, 2)),
        (np.rint(UNIT * 255).astype("u1"), (0, 4095)),
        (np.rint(UNIT * 4095).astype("u2"), (0, 1)),
        (UNIT, (0, 255)),
    ):
        with pytest.raises(UsageError, match=r"value-range|not all lie from 0 to 2"):
            from_arrays(array, options=Options(value_range=asked))
    for black, white in ((1, 0), (1, 1), (0, float("inf")), (float("nan"), 1)):
        with pytest.raises(UsageError, match="black below its white"):
            Options(value_range=(black, white))
    with pytest.raises(UsageError, match="--value-range is for images"):
        from_arrays(UNIT[:, 0], options=Options(value_range=(0, 1)))
    with pytest.raises(UsageError, match=r"cannot be black and white of digits, .* 0 and 16"):
        load("digits", Options(value_range=(0, 255)))


def test_codes_of_fewer_levels_by_their_range() -> None:
    same(np.rint(UNIT * 16).astype("u1"), 17, Options(value_range=(0, 16)))
    same(np.rint(UNIT * 16).astype(">i4"), 17, Options(value_range=(0, 16)))
    data = same(UNIT * 0.5 + 0.25, options=Options(value_range=(0.25, 0.75)))
    assert "0.25 black and 0.75 white" in said(data)


def test_dark_data_say_so() -> None:
    assert "the brightest is 0.1 (--value-range" in said(from_arrays(UNIT * 0.1))
    assert "the brightest of 256 levels is 63" in said(from_arrays(np.rint(UNIT * 63)))


def test_what_was_decided_is_decided_again() -> None:
    for array in (UNIT, 2 * UNIT - 1, np.rint(4095 * UNIT), 254.9 * UNIT, UNIT > 0.5, UNIT.round()):
        first = from_arrays(array)
        again = from_arrays(array, options=first.options)
        assert again.hashes == first.hashes
        assert again.options == first.options


CODES = {
    "unit": UNIT,
    "just beyond": np.where(UNIT == 0, -1e-7, UNIT).astype("f4"),
    "symmetric": 2 * UNIT - 1,
    "bytes": np.rint(255 * UNIT).astype("u1"),
    "big-endian": np.rint(255 * UNIT).astype(">i2"),
    "fractions": 255 * UNIT,
    "12 bits": np.rint(4095 * UNIT).astype("u2"),
    "12 bits, fractions": 4095 * UNIT,
    "16 bits": np.rint(65535 * UNIT).astype(">u2"),
}


@pytest.mark.parametrize("theirs", CODES)
@pytest.mark.parametrize("ours", CODES)
def test_samples_and_inputs_mean_the_same_in_any_code(
    tmp_path: Path, ours: str, theirs: str
) -> None:
    data = from_arrays(CODES[ours])
    path = str(tmp_path / "s.npy")
    np.save(path, CODES[theirs])
    part, notes = read_samples(path, data.space, options=data.options)
    white, top = data.survey.value_range[1], CODES[theirs].max()  # type: ignore[index]
    whole = CODES[theirs].dtype.kind in "iu"
    if 255 <= top < white and not (whole and white > np.iinfo(CODES[theirs].dtype).max):
        # it could be a dark file of the same code, and is taken for one
        assert f"{white:,} is white and the brightest is {top:,g}" in notes[0]
    else:
        assert np.abs(part.values[:, 0].numpy() - UNIT * 255).max() <= 1
    assert not any("--value-range" in note for note in notes), "which classify, say, has not"
    inputs = read_inputs([path], data.space, data.options)
    assert torch.equal(inputs.part.values, part.values)


@pytest.mark.parametrize("code", CODES)
def test_a_file_that_is_darker_or_brighter_is_not_stretched(tmp_path: Path, code: str) -> None:
    """Values that mean the same come out the same, whatever else is in their file."""
    data = from_arrays(CODES[code])
    path = str(tmp_path / "s.npy")
    black, white = data.options.value_range or (0, 1)
    for share in (0.2, 0.7):
        part = slice(None) if share == 0.2 else np.s_[:, 1:]
        values = share * UNIT[part] if share == 0.2 else 0.7 + 0.3 * UNIT[part]
        kind = CODES[code].dtype
        array = black + (white - black) * values
        np.save(path, (array.round() if kind.kind in "iu" else array).astype(kind))
        if part != slice(None):
            with pytest.raises(UsageError):
                read_samples(path, data.space, options=data.options)
            np.save(path, np.pad(np.load(path), ((0, 0), (1, 0), (0, 0)), mode="edge"))
            values = np.pad(values, ((0, 0), (1, 0), (0, 0)), mode="edge")
        found, _ = read_samples(path, data.space, options=data.options)
        assert np.abs(found.values[:, 0].numpy() - values * 255).max() <= 1


def test_codes_of_the_levels_of_the_data(tmp_path: Path) -> None:
    data = load("digits")
    x = data.heldout.as_batch().x.numpy()
    for array in (x, 16 * x, (16 * x).astype("u1"), (16 * x).astype(">i8"), 2 * x - 1, 255 * x):
        np.save(tmp_path / "s.npy", array)
        part, notes = read_samples(str(tmp_path / "s.npy"), data.space, options=data.options)
        assert torch.equal(part.values, data.heldout.values), notes


def test_held_out_data_are_read_as_the_data(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.rint(4095 * UNIT).astype("u2"))
    np.save(tmp_path / "b.npy", np.rint(900 * UNIT).astype("u2"))
    data = load(str(tmp_path / "a.npy"))
    assert codes(load(str(tmp_path / "b.npy"))).max() == round(900 / 1023 * 255)
    assert codes(load(str(tmp_path / "b.npy"), like=data)).max() == 56
    np.save(tmp_path / "b.npy", np.rint(255 * UNIT).astype("u1"))
    assert codes(load(str(tmp_path / "b.npy"), like=data)).max() == 255


def test_tensors_of_any_type() -> None:
    for kind in (torch.bfloat16, torch.float16, torch.float64):
        x = torch.from_numpy(UNIT).to(kind).requires_grad_()
        assert abs(float(from_arrays(x).train.as_batch().x.mean()) - 0.5) < 0.02


def test_one_picture_taken_for_many_is_said() -> None:
    data = from_arrays(np.rint(255 * RNG.random((64, 64, 3))).astype("u1"))
    assert "(64, 64, 3) is read as 64 grey images of 3x64: one picture (H, W, C) has" in said(data)


def test_both_parts_of_a_folder_of_idx_files_are_read_alike(tmp_path: Path) -> None:
    for part, top in (("train", 4095), ("t10k", 900)):
        head = bytes([0, 0, 0x0B, 3]) + np.array(UNIT.shape, ">u4").tobytes()
        content = head + np.rint(UNIT * top).astype(">i2").tobytes()
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(content)
    data = load(str(tmp_path))
    assert (int(data.train.values.max()), int(data.heldout.values.max())) == (255, 56)
    assert "12-bit images are reduced" in said(data)
