"""Samples of other programs, read as points of the space of the data."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.options import Options
from plausible.data.samples import read_samples

GREY = Space((1, 8, 8), 256)
CODES = np.random.default_rng(0).integers(0, 256, (12, 8, 8)).astype(np.uint8)


def pngs(folder: Path, images: np.ndarray, mode: str | None = None) -> str:
    folder.mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).convert(mode or "L").save(folder / f"{i:02}.png")
    return str(folder)


def test_every_format_gives_the_same_points(tmp_path: Path) -> None:
    np.save(tmp_path / "bytes.npy", CODES)
    np.save(tmp_path / "last.npy", CODES[..., None])
    np.save(tmp_path / "floats.npy", (CODES / 255).astype(np.float32))
    np.savez(tmp_path / "named.npz", images=CODES[:, None])
    header = bytes([0, 0, 8, 3]) + np.array(CODES.shape, ">u4").tobytes()
    (tmp_path / "mine-idx3-ubyte").write_bytes(header + CODES.tobytes())
    pngs(tmp_path / "grey", CODES)
    pngs(tmp_path / "colour", CODES, "RGB")
    names = ("bytes.npy", "last.npy", "floats.npy", "named.npz", "mine-idx3-ubyte", "grey")
    for name in (*names, "colour"):
        part, _ = read_samples(str(tmp_path / name), GREY)
        assert torch.equal(part.values, torch.from_numpy(CODES)[:, None]), name
        assert part.values.dtype == torch.uint8
        assert part.space is GREY
        assert part.y is None


def test_grey_files_are_colour_where_the_data_are(tmp_path: Path) -> None:
    part, _ = read_samples(pngs(tmp_path / "grey", CODES), Space((3, 8, 8), 256))
    assert torch.equal(part.values, torch.from_numpy(CODES)[:, None].expand(-1, 3, -1, -1))


def test_levels_are_rounded_to_those_of_the_data(tmp_path: Path) -> None:
    codes = np.random.default_rng(1).integers(0, 17, (20, 1, 8, 8)).astype(np.uint8)
    space = Space((1, 8, 8), 17, 10)
    np.savez(tmp_path / "same.npz", x=codes, levels=17)
    part, notes = read_samples(str(tmp_path / "same.npz"), space)
    assert torch.equal(part.values, torch.from_numpy(codes))
    assert not any("rounded" in note for note in notes)
    np.save(tmp_path / "fine.npy", np.rint(codes / 16 * 255).astype(np.uint8))
    part, notes = read_samples(str(tmp_path / "fine.npy"), space)
    assert torch.equal(part.values, torch.from_numpy(codes))
    assert "256 grey levels are rounded to the 17 of the data" in notes


def test_vectors_of_a_table_and_of_an_array(tmp_path: Path) -> None:
    x = np.random.default_rng(2).normal(size=(15, 3)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    np.savetxt(tmp_path / "x.csv", x, delimiter=",", header="a,b,c", comments="", fmt="%.9g")
    for name in ("x.npy", "x.csv"):
        part, _ = read_samples(str(tmp_path / name), Space((3,)))
        assert torch.equal(part.values, torch.from_numpy(x))
    assert part.values.dtype == torch.float32


def test_labels_are_the_classes_of_the_data_or_are_left_out(tmp_path: Path) -> None:
    x, names = np.zeros((3, 2), np.float32), ("cat", "dog", "eel")
    space, path = Space((2,), None, 3), str(tmp_path / "l.npz")
    np.savez(path, x=x, y=np.array(["dog", "cat", "dog"]))
    part, notes = read_samples(path, space, names)
    assert part.y is not None
    assert part.y.tolist() == [1, 0, 1]
    assert not notes
    np.savez(path, x=x, y=np.array(["dog", "cat", "fox"]))
    part, notes = read_samples(path, space, names)
    assert part.y is None
    assert "labels of the samples are not those of the data" in notes[0]
    part, notes = read_samples(path, Space((2,)))  # the data have no classes
    assert part.y is None
    assert not notes
    np.savez(path, x=x, y=np.array([7, 9, 7]))  # classes by name, not by place
    part, _ = read_samples(path, space, ("7", "8", "9"))
    assert part.y is not None
    assert part.y.tolist() == [0, 2, 0]


def test_images_of_the_right_size_are_never_resized(tmp_path: Path) -> None:
    large = np.random.default_rng(3).integers(0, 256, (4, 160, 160)).astype(np.uint8)
    part, notes = read_samples(pngs(tmp_path / "large", large), Space((1, 160, 160), 256))
    assert torch.equal(part.values, torch.from_numpy(large)[:, None])
    assert not any("resized" in note for note in notes)
    tall = Space((1, 9, 5), 256)
    images = np.ascontiguousarray(np.resize(CODES, (6, 9, 5)))
    part, _ = read_samples(pngs(tmp_path / "tall", images), tall)
    assert torch.equal(part.values, torch.from_numpy(images)[:, None])


def test_images_of_another_size_are_refused(tmp_path: Path) -> None:
    wide = pngs(tmp_path / "wide", np.zeros((3, 8, 9), np.uint8))
    with pytest.raises(
        UsageError, match=r"wide holds images of 9x8 pixels with 1 channel and .* 8x8"
    ):
        read_samples(wide, GREY)
    mixed = pngs(tmp_path / "mixed", CODES)
    Image.new("L", (7, 7)).save(tmp_path / "mixed" / "x.png")
    with pytest.raises(UsageError, match="images of 8x8, 7x7 pixels"):
        read_samples(mixed, GREY)
    large = pngs(tmp_path / "large", np.zeros((3, 200, 200), np.uint8))
    with pytest.raises(UsageError, match="images of 200x200 pixels"):
        read_samples(large, Space((1, 64, 64), 256))
    many = pngs(tmp_path / "many", CODES)
    for side in range(3, 7):
        Image.new("L", (side, side)).save(tmp_path / "many" / f"x{side}.png")
    with pytest.raises(UsageError, match=r"8x8, 3x3, 4x4, \.\.\. pixels"):
        read_samples(many, GREY)
    np.save(tmp_path / "channels.npy", np.zeros((5, 3, 8, 8), np.uint8))
    with pytest.raises(
        UsageError, match=r"with 3 channels and the data images of 8x8 .* 1 channel:"
    ):
        read_samples(str(tmp_path / "channels.npy"), GREY)
    with pytest.raises(UsageError, match=r"1 channel and the data .* 2 channels"):
        read_samples(pngs(tmp_path / "two", CODES), Space((2, 8, 8), 256))


def test_what_is_no_sample_of_the_data_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.zeros((5, 64), np.float32))
    with pytest.raises(UsageError, match=r"v.npy holds vectors of length 64 and the data images"):
        read_samples(str(tmp_path / "v.npy"), GREY)
    np.save(tmp_path / "i.npy", CODES)
    with pytest.raises(UsageError, match=r"i.npy holds images .* vectors of length 64"):
        read_samples(str(tmp_path / "i.npy"), Space((64,)))
    for n in (0, 1):
        np.save(tmp_path / "few.npy", CODES[:n])
        with pytest.raises(UsageError, match=f"holds {n} samples; at least 2"):
            read_samples(str(tmp_path / "few.npy"), GREY)
    with pytest.raises(UsageError, match=r"digits is a data set.*\./digits"):
        read_samples("digits", GREY)
    with pytest.raises(UsageError, match="nowhere"):
        read_samples(str(tmp_path / "nowhere"), GREY)
    np.save(tmp_path / "nan.npy", np.array([[0.0, np.nan], [1, 1]]))
    with pytest.raises(UsageError, match=r"nan.npy has 1 of 4 numbers"):
        read_samples(str(tmp_path / "nan.npy"), Space((2,)))
    np.save(tmp_path / "loud.npy", CODES * 1.5)
    with pytest.raises(UsageError, match="expected 0 to 255"):
        read_samples(str(tmp_path / "loud.npy"), GREY)


def test_transparent_samples_lie_on_the_background_asked_for(tmp_path: Path) -> None:
    (tmp_path / "clear").mkdir()
    for i in range(3):
        Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear" / f"{i}.png")
    for colour, level in (("white", 255), ("black", 0)):
        part, _ = read_samples(str(tmp_path / "clear"), GREY, options=Options(background=colour))  # type: ignore[arg-type]
        assert part.values.unique().tolist() == [level]
