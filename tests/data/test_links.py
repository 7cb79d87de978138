"""Links in a folder, and members of an archive, read and write nothing elsewhere unless that is asked for."""

import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import refused

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.inputs import read_inputs
from plausible.data.load import load
from plausible.data.samples import read_samples

SPACE = Space((1, 8, 8), levels=256)


def fill(folder: Path, n: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(n):
        Image.new("L", (8, 8), 10 * k).save(folder / f"{k}.png")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder of pictures, and one elsewhere."""
    fill(tmp_path / "root" / "a", 12)
    fill(tmp_path / "far", 3)
    return tmp_path / "root", tmp_path / "far"


@pytest.mark.parametrize("target", ["far/0.png", "far", "nowhere.png"])
def test_a_link_out_of_a_folder_is_a_sentence_unless_it_is_asked_for(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    root, _ = folders
    (root / "a" / "z.png").symlink_to(tmp_path / target)
    for read in (
        lambda: load(str(root)),
        lambda: read_samples(str(root), SPACE),
        lambda: read_inputs([str(root)], SPACE),
    ):
        with pytest.raises(
            UsageError, match=r"root/a/z\.png is a link that leads out of .*root, to "
        ):
            read()
    assert "--follow-links" in refused(capsys, "data", root)
    more = {"far/0.png": 1, "far": 3, "nowhere.png": 0}[target]
    assert load(str(root), follow_links=True).survey.count == 12 + more


def test_links_inside_a_folder_are_followed_and_loops_end(folders: tuple[Path, Path]) -> None:
    root, _ = folders
    (root / "b.png").symlink_to(root / "a" / "0.png")
    (root / "a" / "c.png").symlink_to(Path("..") / "a" / "1.png")
    (root / "loop").symlink_to(root)
    (root / "self.png").symlink_to(root / "self.png")
    (root / "first.png").symlink_to(root / "second.png")
    (root / "second.png").symlink_to(root / "first.png")
    data = load(str(root))
    assert data.survey.count == 14
    assert [name for name, _ in data.survey.unreadable] == ["first.png", "second.png", "self.png"]


def test_a_folder_may_be_a_link_itself_and_so_may_a_picture_that_is_named(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    root, far = folders
    (tmp_path / "short").symlink_to(root)
    assert load(str(tmp_path / "short")).survey.count == 12
    (root / "z.png").symlink_to(far / "0.png")
    assert len(read_inputs([str(root / "z.png")], SPACE).part) == 1


def test_what_is_no_picture_may_lead_anywhere(folders: tuple[Path, Path]) -> None:
    root, far = folders
    (far / "readme.txt").touch()
    (root / "readme.txt").symlink_to(far / "readme.txt")
    assert load(str(root)).survey.ignored == {".txt": 1}


def idx(path: Path, values: np.ndarray) -> None:
    head = bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
    path.write_bytes(head + values.tobytes())


def test_idx_files_that_are_links_are_a_sentence_too(tmp_path: Path) -> None:
    for place in ("far", "root"):
        (tmp_path / place).mkdir()
    images, labels = tmp_path / "far" / "images", tmp_path / "far" / "labels"
    idx(images, np.arange(12 * 64, dtype=np.uint8).reshape(12, 8, 8))
    idx(labels, np.arange(12, dtype=np.uint8) % 2)
    root = tmp_path / "root"
    shutil.copy(images, root / "train-images-idx3-ubyte")
    (root / "train-labels-idx1-ubyte").symlink_to(labels)
    for source in (root, root / "train-images-idx3-ubyte"):
        with pytest.raises(UsageError, match="train-labels-idx1-ubyte is a link that leads out"):
            load(str(source))
        assert load(str(source), follow_links=True).class_names == ("0", "1")


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/tmp/evil.png", "C:/evil.png", "..\\evil.png"]
)
def test_a_member_of_a_zip_that_leads_out_is_a_sentence(tmp_path: Path, name: str) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"")
    with pytest.raises(UsageError, match=r"p\.zip holds .*evil\.png, which leads out of it"):
        load(str(path))
    assert [each.name for each in tmp_path.iterdir()] == ["p.zip"]


def test_a_link_in_a_zip_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    link = zipfile.ZipInfo("a.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UsageError, match=r"p\.zip holds the link a\.png"):
        load(str(path))
