"""A .tar of images as a .zip of them, and the shards that WebDataset writes."""

import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import webdataset
from PIL import Image
from tests.data.conftest import CODES

from plausible.core.errors import UsageError
from plausible.data.inputs import read_inputs
from plausible.data.load import load
from plausible.data.samples import read_samples
from plausible.data.source import resolve_source


def packed(path: Path, root: Path, below: str, kind: str = "w") -> Path:
    with tarfile.open(path, kind) as archive:  # type: ignore[call-overload]
        archive.add(root, below)
    return path


def png(codes: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, "PNG")
    return buffer.getvalue()


def shard(path: Path, rows: range, **more: object) -> Path:
    """As WebDataset writes one, with what else each sample has: a function of its number, or the same for all."""
    with webdataset.TarWriter(str(path)) as out:
        for k in rows:
            extra = {name: make(k) if callable(make) else make for name, make in more.items()}
            out.write({"__key__": f"{k:06}", "png": CODES[k % 12], **extra})
    return path


@pytest.mark.parametrize("below", [".", "photos", "my/photos"])
@pytest.mark.parametrize(
    ("name", "kind"), [("p.tar", "w"), ("p.tar.gz", "w:gz"), ("p.TGZ", "w:gz")]
)
def test_a_tar_is_the_folder_it_was_made_of(
    tmp_path: Path, photos: Path, below: str, name: str, kind: str
) -> None:
    path = packed(tmp_path / name, photos, below, kind)
    data, folder = load(path), load(photos)
    assert data.hashes == folder.hashes
    assert data.class_names == ("a", "b")
    assert data.survey.ignored[".txt"] == 1
    names = read_inputs([str(path)], data.space).names
    assert names[0] == str(path / "a" / "00.png")
    assert len(names) == 12
    assert len(read_samples(str(path), data.space)[0]) == 12


def member(name: str, content: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, io.BytesIO]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, io.BytesIO(content)


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as refusal:
        load(path)
    assert str(refusal.value).isprintable()
    assert path.name in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize(
    "name", ["../out.png", "/out.png", "a/../../b.png", "C:\\out.png", "a\\..\\b.png"]
)
def test_a_member_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(*member("a.png", png(CODES[0])))
        archive.addfile(*member(name, png(CODES[1])))
    assert f"{name}, which leads out of it" in refused(path)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("kind", "says"),
    [(tarfile.SYMTYPE, "the link a.png"), (tarfile.LNKTYPE, "the link a.png"), (tarfile.CHRTYPE, "a device or a pipe"), (tarfile.FIFOTYPE, "a device or a pipe")],
)  # fmt: skip
def test_links_and_devices_are_refused(tmp_path: Path, kind: bytes, says: str) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(*member("a.png", type=kind, linkname="/etc/passwd"))
    assert says in refused(path)


def test_a_bomb_is_refused_by_what_it_says_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    info = tarfile.TarInfo("a.png")
    info.size = 2**40
    path.write_bytes(gzip.compress(info.tobuf() + bytes(2**20)))
    assert "holds 1,024 GiB of pictures" in refused(path)
    info.size = 2**29
    path.write_bytes(gzip.compress(info.tobuf() + bytes(2**20)))
    assert "times the size of its file" in refused(path)
    long = tarfile.TarInfo("././@LongLink")
    long.type, long.size = tarfile.GNUTYPE_LONGNAME, 2**28
    path.write_bytes(gzip.compress(long.tobuf() + bytes(2**20)))
    assert "a name of 268,435,456 bytes" in refused(path)
    path.write_bytes(gzip.compress(bytes(2**25)))
    assert "nothing but zeros" in refused(path)


def test_so_many_files_and_no_more(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = packed(tmp_path / "p.tar", photos, ".")
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "files=5")
    assert "holds 6 pictures, and at most 5" in refused(path)


def test_damage_is_never_taken_for_the_end(tmp_path: Path, photos: Path) -> None:
    path = packed(tmp_path / "p.tar", photos, ".")
    content = path.read_bytes()
    with tarfile.open(path) as archive:
        places = [each.offset for each in archive.getmembers()][2:]
    for at in (places[1], places[-1]):
        path.write_bytes(content[:at] + b"#" + content[at + 1 :])
        assert "cannot be unpacked: bad checksum" in refused(path)
        path.write_bytes(content[:at])  # between two members, without an end
        assert "cut off" in refused(path)
        path.write_bytes(content[: at + 600])
        refused(path)
    path.write_bytes(b"rubbish")
    assert "cannot be unpacked" in refused(path)
    path.write_bytes(gzip.compress(content)[:-200])
    assert "cannot be unpacked" in refused(path)
    path.write_bytes(content + packed(tmp_path / "q.tar", photos, "more").read_bytes())
    assert load(path).survey.count == 24  # two one after the other are one


def test_a_shard_of_webdataset_has_its_classes_beside_its_pictures(tmp_path: Path) -> None:
    path = shard(tmp_path / "a.tar", range(12), cls=lambda k: k % 3)
    data = load(path)
    assert data.class_names == ("0", "1", "2")
    assert data.survey.classes == {"0": 4, "1": 4, "2": 4}
    assert any("the .cls file beside each picture is its class" in note for note in data.notes)
    assert ".cls" not in data.survey.ignored
    read = dict(zip(map(bytes, data.train.values.numpy()), data.train.y.tolist(), strict=True))
    assert all(
        y == next(k for k in range(12) if CODES[k].tobytes() == x) % 3 for x, y in read.items()
    )
    assert data.hashes == load(packed_by_class(tmp_path)).hashes
    assert len(read_inputs([str(path)], data.space).names) == 12


def packed_by_class(folder: Path) -> Path:
    """The same items in the same order as arrays."""
    path = folder / "same.npz"
    np.savez(path, x=CODES[:, None], y=np.arange(12) % 3, levels=256)
    return path


def test_a_class_may_stand_in_json(tmp_path: Path) -> None:
    path = shard(
        tmp_path / "a.tar", range(12), json=lambda k: {"label": ["cat", "dog"][k % 2], "w": 1}
    )
    assert load(path).class_names == ("cat", "dog")
    other = shard(tmp_path / "b.tar", range(12), json={"w": 1})
    assert load(other).class_names == ()
    assert load(other).survey.ignored[".json"] == 12


def test_some_without_a_class_are_refused_by_name(tmp_path: Path) -> None:
    path = shard(tmp_path / "a.tar", range(12), cls=lambda k: k % 3)
    with tarfile.open(path, "a") as archive:
        archive.addfile(*member("alone.png", png(CODES[0])))
    assert "12 of 13 pictures have a class in a .cls file" in refused(path)
    assert "alone.png has none" in refused(path)


def test_further_pictures_of_a_sample_are_left_out(tmp_path: Path) -> None:
    path = shard(tmp_path / "a.tar", range(12), cls=lambda k: k % 3, **{"mask.png": CODES[0]})
    data = load(path)
    assert data.survey.count == 12
    assert any("12 further pictures of samples" in note for note in data.notes)


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder of three shards whose samples have the same keys."""
    folder = tmp_path / "set"
    folder.mkdir()
    for k in range(3):
        shard(folder / f"shards-{k:03}.tar", range(12), cls=lambda k: k % 3)
    return folder


def test_several_shards_are_one_set_as_a_folder_and_as_a_list(shards: Path) -> None:
    folder, listed = load(shards), load(f"{shards}/shards-{{000..002}}.tar")
    assert folder.survey.count == listed.survey.count == 36
    assert folder.hashes == listed.hashes
    assert (folder.name, listed.name) == ("set", "shards")
    assert folder.survey.classes == {"0": 12, "1": 12, "2": 12}
    assert any("3 .tar files are read as one set" in note for note in folder.notes)
    assert len(read_inputs([str(shards)], folder.space).names) == 36
    assert load(f"{shards}/shards-{{000..000}}.tar").survey.count == 12
    assert load(listed.source).hashes == listed.hashes  # as a run asks again
    (shards / "readme.md").touch()
    assert load(shards).survey.ignored[".md"] == 1


def test_a_list_of_shards_some_of_which_are_not_there_names_the_first(shards: Path) -> None:
    with pytest.raises(
        UsageError, match=r"stands for 5 files, and .*shards-003\.tar does not exist"
    ):
        resolve_source(f"{shards}/shards-{{000..004}}.tar")
    with pytest.raises(UsageError, match=r"shards-\{7\.\.9\}\.tar does not exist: give"):
        resolve_source(f"{shards}/shards-{{7..9}}.tar")


def test_test_shards_are_held_out(shards: Path) -> None:
    os.rename(shards / "shards-000.tar", shards / "a-test-0.tar")
    data = load(shards)
    assert len(data.heldout) == 12
    assert any("12 images of the test files are the held-out part" in note for note in data.notes)


def test_a_folder_of_pictures_beside_an_archive_stays_a_folder(
    tmp_path: Path, photos: Path
) -> None:
    packed(photos / "backup.tar", photos, ".")
    assert load(photos).survey.ignored[".tar"] == 1
    assert load(photos).survey.count == 12


def test_json_that_is_none_says_no_class(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        for k in range(12):
            content = b"[" * 100_000 if k % 2 else json.dumps([1]).encode()
            archive.addfile(*member(f"{k:02}.png", png(CODES[k])))
            archive.addfile(*member(f"{k:02}.json", content))
    assert load(path).class_names == ()
