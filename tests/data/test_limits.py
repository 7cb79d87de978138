"""What claims to be larger than a machine is refused by what it says of itself, in a sentence and at once."""

import gzip
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest

from plausible.core.errors import UsageError
from plausible.data.limits import Limits, check_limit, limits
from plausible.data.load import load


def refused(path):
    with pytest.raises(UsageError) as refusal:
        load(str(path))
    said = str(refusal.value)
    assert "\n" not in said
    assert path.name in said
    return said


def sparse(path, gib, head=b""):
    """A file of that size that takes no room on the disk."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(int(gib * 2**30))
    return path


def npy_head(shape):
    import io

    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def test_an_npz_that_unpacks_to_far_more_than_it_is_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    zeros = bytes(2**24)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive, archive.open("x.npy", "w", force_zip64=True) as file:  # fmt: skip
        file.write(npy_head((272 * 2**20,)))
        for _ in range(17):
            file.write(zeros)
    said = refused(path)
    assert "times the size of its file" in said
    assert "PLAUSIBLE_LIMITS=packed=" in said


def test_large_files_are_refused_before_they_are_read(tmp_path):
    assert "5 GiB" in refused(sparse(tmp_path / "a.npy", 5, npy_head((5 * 2**30,)))).replace(
        "5.0", "5"
    )
    assert "GiB of text" in refused(sparse(tmp_path / "a.csv", 5))
    head = struct.pack(">BBBBIII", 0, 0, 8, 3, 5 * 2**10, 2**10, 2**10)
    assert "GiB" in refused(sparse(tmp_path / "a-idx3-ubyte", 5, head))


def test_a_gzipped_idx_file_is_read_no_further_than_its_header_says(tmp_path):
    path = tmp_path / "b-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(struct.pack(">BBBBIII", 0, 0, 8, 3, 10, 8, 8) + bytes(2**24)))
    assert "too long" in refused(path)
    path.write_bytes(gzip.compress(struct.pack(">BBBBIII", 0, 0, 8, 3, 2**31, 2**10, 2**10)))
    assert "GiB" in refused(path)


def test_what_is_no_text_is_no_table(tmp_path):
    assert "is no text" in refused(sparse(tmp_path / "a.csv", 0.001, b"1,2\n"))


def test_too_many_columns_are_refused_in_text_and_in_arrays(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text(",".join(["1"] * 200_000) + "\n")
    assert "200,000 columns, and at most 32,768 are read" in refused(path)
    np.save(tmp_path / "wide.npy", np.zeros((3, 40_000), np.float32))
    assert "40,000 columns" in refused(tmp_path / "wide.npy")


def test_a_picture_that_claims_too_many_pixels_is_named(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))  # noqa: E731  # fmt: skip
    header = struct.pack(">IIBBBBB", 1, 134_000_000, 8, 0, 0, 0, 0)
    (folder / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b""))
    )
    said = refused(folder)
    assert "1x134000000 pixels are too many" in said


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.npy", "pipe"])
def test_devices_and_pipes_are_refused_and_not_waited_for(tmp_path, name):
    os.mkfifo(tmp_path / name)
    assert "is a device or a pipe" in refused(tmp_path / name)
    link = tmp_path / f"zero-{name}"
    link.symlink_to("/dev/zero")
    assert "is a device or a pipe" in refused(link)


def test_more_is_allowed_where_it_is_asked_for(monkeypatch):
    assert limits() == Limits()
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "columns=100000, gib=32")
    assert (limits().columns, limits().gib, limits().pixels) == (100_000, 32, Limits().pixels)
    check_limit("columns", 99_999, "a.csv")
    for wrong, sentence in (("colums=3", "did you mean 'columns'"), ("gib=many", "is no number")):
        monkeypatch.setenv("PLAUSIBLE_LIMITS", wrong)
        with pytest.raises(UsageError, match=sentence):
            limits()
