"""A .zip file of images, and every format of pictures by its name."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features
from tests.data.conftest import CODES

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.inputs import read_inputs
from plausible.data.load import load
from plausible.data.samples import read_samples


def zipped(path: Path, root: Path, below: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*.*")):
            archive.write(file, below + file.relative_to(root).as_posix())
        archive.writestr("__MACOSX/._a.png", b"")
    return path


@pytest.mark.parametrize("below", ["", "photos/", "my/photos/"])
def test_a_zip_is_the_folder_it_was_made_of(tmp_path: Path, photos: Path, below: str) -> None:
    path = zipped(tmp_path / "p.zip", photos, below)
    data, folder = load(path), load(photos)
    assert data.hashes == folder.hashes
    assert (data.name, data.class_names) == ("p", ("a", "b"))
    assert data.survey.ignored[".txt"] == 1
    names = read_inputs([str(path)], data.space).names
    assert names[0] == str(path / "a" / "00.png")
    assert len(read_samples(str(path), data.space)[0]) == 12


def test_what_is_no_zip_of_images_is_refused(tmp_path: Path, photos: Path) -> None:
    path = zipped(tmp_path / "p.zip", photos, "")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UsageError, match=r"p\.zip cannot be unpacked: File is not a zip"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.csv", "a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"p\.zip holds no images .* only 1 other files: 1 \.csv"):
        load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", b"rubbish")
    with pytest.raises(UsageError, match=r"p\.zip/a\.png cannot be read: not an image inside"):
        load(path)


@pytest.mark.parametrize(
    "ending", ["tif", "tiff", "jfif", "ppm", "pgm", "jp2", "avif", "webp", "bmp"]
)
def test_every_kind_of_picture_is_read(tmp_path: Path, ending: str) -> None:
    if ending == "avif" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    for k, image in enumerate(CODES):
        Image.fromarray(image).save(tmp_path / f"{k}.{ending}")
    assert load(tmp_path).survey.count == 12


def test_samples_are_resized_as_the_data_are_where_a_size_is_asked_for(
    tmp_path: Path, photos: Path
) -> None:
    data = load(photos, size="10x9")
    space = Space((1, 9, 10), 256)
    np.save(tmp_path / "s.npy", CODES)
    for source in (photos, tmp_path / "s.npy"):
        part, notes = read_samples(str(source), space, options=data.options)
        assert part.values.shape == (12, 1, 9, 10)
        assert any("resized" in note for note in notes)
        with pytest.raises(UsageError, match=r"12x8 pixels .* 10x9 .*--size brings both to one"):
            read_samples(str(source), space)
    np.save(tmp_path / "c.npy", np.zeros((5, 3, 9, 10), np.uint8))
    with pytest.raises(UsageError, match=r"10x9 pixels with 3 channels .* the shape of the data$"):
        read_samples(str(tmp_path / "c.npy"), space, options=data.options)
