"""Pictures of more than 8 bits: which values are black and white, and that it holds for all that is read beside them."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from plausible.core.errors import UsageError
from plausible.data.inputs import read_inputs
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.part import Data
from plausible.data.samples import read_samples

RNG = np.random.default_rng(0)


def said(data: Data) -> str:
    return " | ".join(data.notes)


def deep(folder: Path, count: int, white: float, kind: str = "u2", ending: str = "png") -> str:
    """Pictures of ``kind`` from 0 to ``white``."""
    folder.mkdir()
    for i in range(count):
        values = RNG.random((8, 8)) * white
        values[0, :2] = 0, white
        whole = np.rint(values) if kind[0] in "iu" else values
        Image.fromarray(whole.astype(kind)).save(folder / f"{i:02}.{ending}")
    return str(folder)


@pytest.mark.parametrize("ending", ["png", "tif"])
@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_bits_that_are_used_in_files_of_sixteen(tmp_path: Path, bits: int, ending: str) -> None:
    data = load(deep(tmp_path / "a", 12, 2**bits - 1, ending=ending))
    codes = data.train.values
    assert (int(codes.min()), int(codes.max())) == (0, 255)
    assert len(codes.unique()) > 150
    assert f"{bits}-bit images are reduced to 8 bits" in said(data)
    assert data.options.value_range == data.survey.value_range == (0, 2**bits - 1)


def test_darker_pictures_are_read_as_the_data_are(tmp_path: Path) -> None:
    data = load(deep(tmp_path / "a", 12, 4095))
    dark = deep(tmp_path / "dark", 5, 900)
    for part in (
        read_samples(dark, data.space, options=data.options)[0],
        read_inputs([dark], data.space, data.options).part,
        read_inputs([f"{dark}/00.png"], data.space, data.options).part,
    ):
        assert int(part.values.max()) == round(900 / 4095 * 255)
    assert int(load(deep(tmp_path / "b", 12, 900)).train.values.max()) == round(900 / 1023 * 255)
    asked = load(deep(tmp_path / "c", 12, 900), Options(value_range=(0, 4095)))
    assert int(asked.train.values.max()) == 56
    with pytest.raises(UsageError, match=r"--value-range 0 100 cannot be .* 0 and 4095"):
        load(str(tmp_path / "a"), Options(value_range=(0, 100)))


def test_files_of_floats(tmp_path: Path) -> None:
    data = load(deep(tmp_path / "a", 12, 1, "f4", "tif"))
    assert (int(data.train.values.min()), int(data.train.values.max())) == (0, 255)
    assert data.options.value_range == (0, 1)
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(tmp_path / "a" / "x.tif")
    assert "x.tif (64 of 64 numbers are NaN" in said(load(str(tmp_path / "a")))
    Image.fromarray(np.full((8, 8), 9, np.uint16)).save(tmp_path / "a" / "y.tif")
    with pytest.raises(UsageError, match="whole numbers and of floating-point ones"):
        load(str(tmp_path / "a"))


def test_colour_of_sixteen_bits(tmp_path: Path) -> None:
    """Pillow keeps the upper 8 of 16 bits of colour, so nothing may lie in the lower ones."""

    def save(top: int) -> str:
        for i in range(10):
            rows = RNG.integers(0, top, (8, 24)).astype(">u2")
            rows[0, 0] = top - 1
            chunks = {
                b"IHDR": struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0),
                b"IDAT": zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)),
                b"IEND": b"",
            }
            (tmp_path / f"{i}.png").write_bytes(
                b"\x89PNG\r\n\x1a\n"
                + b"".join(
                    struct.pack(">I", len(content))
                    + kind
                    + content
                    + struct.pack(">I", zlib.crc32(kind + content))
                    for kind, content in chunks.items()
                )
            )
        return str(tmp_path)

    data = load(save(65536))
    assert int(data.train.values.max()) == 255
    assert "10 images have 16 bits a channel, of which the upper 8 are read" in said(data)
    with pytest.raises(UsageError, match=r"use 14 or fewer, .* 15 is the brightest"):
        load(save(4096))
