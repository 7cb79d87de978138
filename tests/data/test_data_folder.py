"""Folders of pictures: classes, sizes, bad files, and what is said about them."""

import os
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


def picture(path: Path, size: tuple[int, int] = (8, 8), value: object = None) -> None:
    """A grey picture of noise, or of one value or colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if value is None:
        image = Image.fromarray(RNG.integers(0, 256, size[::-1], dtype=np.uint8))
    else:
        image = Image.new("L" if isinstance(value, int) else "RGB", size, value)  # type: ignore[arg-type]
    image.save(path)


def fill(folder: Path, count: int, **options: object) -> None:
    """``count`` pictures called 000.png, 001.png, ..."""
    for i in range(count):
        picture(folder / f"{i:03}.png", **options)  # type: ignore[arg-type]


def said(data: Data) -> str:
    return " | ".join(data.notes)


def test_plain_folder(tmp_path: Path) -> None:
    root = tmp_path / "my folder"
    fill(root, 20)
    (root / "readme.txt").touch()
    (root / ".hidden.png").touch()
    seen: list[tuple[int, int]] = []
    data = load(root, progress=lambda done, total: seen.append((done, total)))
    assert data.name == "my-folder"
    assert data.space.shape == (1, 8, 8)
    assert data.space.levels == 256
    assert data.space.classes == 0
    assert data.train.y is None
    assert seen == [(i + 1, 20) for i in range(20)]
    assert data.survey.count == 20
    assert data.survey.sizes == {"8x8": 20}
    assert data.survey.modes == {"L, PNG": 20}
    assert data.survey.ignored == {".txt": 1, "hidden": 1}
    assert load(str(root)).hashes == data.hashes
    assert "all images are grey: 1 channel" in said(data)
    stored = {np.asarray(Image.open(path)).tobytes() for path in root.glob("[0-9]*.png")}
    parts = (data.train, data.validation, data.heldout)
    assert {item.numpy().tobytes() for part in parts for item in part.values} == stored


def test_classes_are_the_top_folders_however_deep(tmp_path: Path) -> None:
    fill(tmp_path / "ship", 12, value=10)
    fill(tmp_path / "cat" / "deep" / "er", 8, value=200)
    (tmp_path / "void").mkdir()
    data = load(str(tmp_path))
    assert data.class_names == ("cat", "ship")
    assert data.survey.classes == {"cat": 8, "ship": 12}
    assert "the 2 sub-folders are the classes: cat, ship" in said(data)
    assert data.train.y is not None
    for code, label in zip(data.train.values[:, 0, 0, 0], data.train.y, strict=True):
        assert (int(code), int(label)) in {(10, 1), (200, 0)}


def test_folders_of_numbers_are_ordered_by_value(tmp_path: Path) -> None:
    for name in ("2", "10", "9"):
        fill(tmp_path / name, 4)
    assert load(str(tmp_path)).class_names == ("2", "9", "10")


def test_files_beside_class_folders(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    fill(tmp_path / "a", 6)
    fill(tmp_path / "b", 6)
    data = load(str(tmp_path))
    assert data.survey.count == 12
    assert "3 images lie beside the sub-folders, have no class, and are left out" in said(data)
    fill(tmp_path, 30)
    data = load(str(tmp_path))
    assert data.survey.count == 42
    assert data.space.classes == 0
    assert "30 images lie beside the 2 sub-folders" in said(data)


def test_train_and_test_are_no_classes(tmp_path: Path) -> None:
    fill(tmp_path / "train", 10)
    fill(tmp_path / "Test", 10)
    data = load(str(tmp_path))
    assert data.space.classes == 0
    assert "look like parts and not like classes" in said(data)


def test_one_sub_folder_is_no_class(tmp_path: Path) -> None:
    fill(tmp_path / "only", 10)
    assert load(str(tmp_path)).space.classes == 0


def test_grey_and_colour(tmp_path: Path) -> None:
    fill(tmp_path, 10, value=(90, 90, 90))
    data = load(str(tmp_path))
    assert data.space.shape == (1, 8, 8)
    assert "10 of them stored as colour" in said(data)
    assert load(str(tmp_path), Options(channels=3)).space.shape == (3, 8, 8)
    assert load(str(tmp_path), Options(channels=4)).space.shape == (4, 8, 8)
    picture(tmp_path / "z.png", value=(90, 91, 90))
    data = load(str(tmp_path))
    assert data.space.shape == (3, 8, 8)
    assert "10 images are grey and 1 in colour" in said(data)
    assert load(str(tmp_path), Options(channels=1)).space.shape == (1, 8, 8)


def test_transparency_is_laid_on_the_background(tmp_path: Path) -> None:
    for i in range(10):
        Image.new("RGBA", (8, 8), (10, 200, 30, 0)).save(tmp_path / f"{i}.png")
    data = load(str(tmp_path))
    assert "10 images with transparency are laid on white" in said(data)
    assert data.train.values.unique().tolist() == [255]
    assert load(str(tmp_path), Options(background="black")).train.values.unique().tolist() == [0]
    assert load(str(tmp_path), Options(channels=4)).train.values.unique().tolist() == [
        0,
        10,
        30,
        200,
    ]


@pytest.mark.parametrize(
    ("sizes", "shape", "note"),
    [
        ([((20, 12), 10)], (12, 20), ""),
        ([((20, 12), 10), ((40, 24), 3)], (12, 20), "3 of 13 images are resized to 20x12"),
        ([((12, 12), 10), ((40, 24), 3)], (12, 12), "3 of them cropped"),
        ([((200, 200), 10)], (64, 64), "from 200x200 (--size chooses another)"),
        ([((20, 20), 4), ((30, 30), 4), ((50, 40), 4)], (16, 16), "because of 3 sizes"),
        ([((1, 1), 10)], (1, 1), ""),
    ],
)
def test_size_is_common_or_chosen(
    tmp_path: Path, sizes: list[tuple[tuple[int, int], int]], shape: tuple[int, int], note: str
) -> None:
    for size, count in sizes:
        fill(tmp_path / f"{size[0]}x{size[1]}", count, size=size)
    data = load(str(tmp_path))
    assert data.space.shape[1:] == shape
    assert note in said(data)
    assert data.survey.sizes == {f"{w}x{h}": n for (w, h), n in sizes}


def test_size_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, 10, size=(10, 6))
    data = load(str(tmp_path), Options(size=8))
    assert data.space.shape == (1, 8, 8)
    assert "10 of 10 images are resized to 8x8, 10 of them cropped at the centre first" in said(
        data
    )
    wide = load(str(tmp_path), size="20x12")
    assert wide.space.shape == (1, 12, 20)
    assert "10 of 10 images are resized to 20x12" in said(wide)
    assert "cropped" not in said(wide)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "--size 0 asks for too few to show anything: .* 8 to 256 pixels, as in --size 8$"),
        (-3, "8 to 256 pixels"),
        ("64x4", "as in --size 64x8$"),
        (300, "--size 300 asks for more than .* as in --size 256$"),
        ("x64", "--size is one number of pixels, as 64, or width x height, as 64x48, not x64"),
        ("large", "not large"),
    ],
)
def test_a_size_that_cannot_be_is_refused(tmp_path: Path, size: int | str, words: str) -> None:
    fill(tmp_path, 10)
    with pytest.raises(UsageError, match=words):
        load(str(tmp_path), size=size)


def test_levels_and_binarise(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    four = load(str(tmp_path), Options(levels=4))
    assert four.space.levels == 4
    assert int(four.train.values.max()) == 3
    dynamic = load(str(tmp_path), Options(binarise="dynamic"))
    assert (dynamic.space.levels, dynamic.train.grey_levels) == (2, 256)


def test_few_bad_files_are_named_and_skipped(tmp_path: Path) -> None:
    fill(tmp_path, 200, size=(30, 30))
    bad = tmp_path / "117.png"
    bad.write_bytes(bad.read_bytes()[:500])
    (tmp_path / "150.png").write_text("no picture")
    data = load(str(tmp_path))
    assert data.survey.count == 198
    assert [name for name, _ in data.survey.unreadable] == ["117.png", "150.png"]
    assert "2 unreadable files are skipped: 117.png (" in said(data)
    assert "150.png (not an image inside)" in said(data)
    (tmp_path / "160.png").write_text("")
    assert "3 unreadable files are skipped: 117.png (" in said(load(str(tmp_path)))


def test_labels_stay_with_their_files_when_some_are_skipped(tmp_path: Path) -> None:
    fill(tmp_path / "a", 100, value=10, size=(30, 30))
    fill(tmp_path / "b", 100, value=200, size=(30, 30))
    bad = tmp_path / "a" / "050.png"
    bad.write_bytes(bad.read_bytes()[:60])
    (tmp_path / "a" / "070.png").write_bytes(b"")
    data = load(str(tmp_path))
    assert data.survey.classes == {"a": 98, "b": 100}
    for part in (data.train, data.validation, data.heldout):
        assert part.y is not None
        assert ((part.values[:, 0, 0, 0] > 100) == (part.y == 1)).all()


def test_many_bad_files_stop(tmp_path: Path) -> None:
    fill(tmp_path, 100, size=(30, 30))
    for i in range(51):
        if i == 50:
            assert load(str(tmp_path)).survey.count == 50
        bad = tmp_path / f"{i:03}.png"
        bad.write_bytes(bad.read_bytes()[:500])
    with pytest.raises(UsageError) as refused:
        load(str(tmp_path))
    assert "51 of the 100 images" in str(refused.value)
    assert "more than half" in str(refused.value)
    assert "000.png (" in str(refused.value)
    assert "and 48 more" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "--skip-unreadable" in str(refused.value)
    data = load(str(tmp_path), Options(skip_unreadable=True))
    assert data.survey.count == 49
    assert "51 unreadable files are skipped: 000.png (" in said(data)
    for bad in tmp_path.iterdir():
        bad.write_bytes(b"")
    with pytest.raises(UsageError, match=r"100 of the 100 images .* none of them: 000.png .empty"):
        load(str(tmp_path), Options(skip_unreadable=True))


def test_one_rubbish_file_of_few(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    bad = tmp_path / "x.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    data = load(str(tmp_path))
    assert data.survey.count == 10
    assert data.survey.unreadable == (("x.png", "not an image inside"),)
    assert read_inputs([str(tmp_path)], data.space).names == tuple(
        str(tmp_path / f"{i:03}.png") for i in range(10)
    )
    assert len(read_samples(str(tmp_path), data.space)[0]) == 10
    with pytest.raises(UsageError, match=r"x\.png cannot be read: not an image inside"):
        read_inputs([str(bad)], data.space)
    (tmp_path / "009.png").unlink()
    with pytest.raises(UsageError, match=r"holds 9 items; .*; x\.png cannot be read \(not an"):
        load(str(tmp_path))


def test_every_common_format_of_a_folder_is_read(tmp_path: Path) -> None:
    fill(tmp_path, 20)
    for i in range(80):
        picture(tmp_path / f"t{i}.{('tif', 'TIFF', 'pgm', 'jp2')[i % 4]}")
    data = load(str(tmp_path))
    assert data.survey.count == 100
    assert data.survey.modes == {"L, PNG": 20, "L, TIFF": 40, "L, PPM": 20, "L, JPEG2000": 20}
    assert "left out" not in said(data)


def test_what_is_left_out_is_named_by_its_ending(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    for name in ("a.heic", "b.HEIC", "c.txt", "d", ".DS_Store"):
        (tmp_path / name).touch()
    data = load(str(tmp_path))
    assert data.survey.ignored.total() == 5
    note = "files left out, of no format that is read: 2 .heic, 1 "
    assert note in said(data)
    assert all(word in said(data) for word in ("1 .txt", "1 without an ending", "1 hidden"))
    assert read_inputs([str(tmp_path)], data.space).notes[-1].startswith(note)


def test_only_the_first_picture_of_a_stack_is_read_and_said(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    pages = [Image.new("L", (8, 8), value) for value in (10, 20, 30)]
    pages[0].save(tmp_path / "z.tif", save_all=True, append_images=pages[1:])
    assert "1 files hold more than one picture, 3 in all: the first" in said(load(str(tmp_path)))


def test_folders_without_images(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no images .* no files at all"):
        load(str(tmp_path))
    (tmp_path / "a.txt").touch()
    with pytest.raises(UsageError, match="only 1 other files"):
        load(str(tmp_path))
    fill(tmp_path, 9)
    with pytest.raises(UsageError, match="holds 9 items; at least 10"):
        load(str(tmp_path))


def test_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fill(root / "a", 120)
    fill(tmp_path / "far", 80)
    (root / "b").symlink_to(tmp_path / "far")
    (root / "a" / "loop").symlink_to(root)
    (root / "a" / "self").symlink_to(root / "a" / "self")
    (root / "a" / "nowhere.png").symlink_to(root / "missing.png")
    with pytest.raises(
        UsageError, match=r"root/b is a link that leads out of .*root, to .*far: .*--follow"
    ):
        load(str(root))
    data = load(str(root), follow_links=True)
    assert data.survey.classes == {"a": 120, "b": 80}
    assert data.survey.unreadable == (("a/nowhere.png", "no such file or directory"),)
    assert "1 linked folders were already read" in said(data)


def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    fill(tmp_path, 10)
    os.mkfifo(tmp_path / "pipe.png")
    assert load(str(tmp_path)).survey.ignored == {"no regular file": 1}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_folder_that_may_not_be_listed(tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir(mode=0)
    with pytest.raises(UsageError, match="shut cannot be listed: Permission denied"):
        load(str(tmp_path))


def test_one_image_is_no_data_set(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    with pytest.raises(UsageError, match="is one image"):
        load(str(tmp_path / "a.png"))


def test_names_that_are_no_text(tmp_path: Path) -> None:
    fill(tmp_path / "a", 6)
    fill(Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff")), 6)
    assert load(str(tmp_path)).class_names == ("a", "b\ufffd")
