"""Data that are too large for the memory lie on the disk: the same numbers, the same batches, read once."""

import errno
import io
import os
import tarfile
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from plausible import runs
from plausible.core.errors import UsageError
from plausible.data import image_files, mapped
from plausible.data.fingerprint import fingerprint
from plausible.data.load import load
from plausible.models import GAN, NaiveBayes
from plausible.training import Settings, train

N = 40


def pictures(folder, channels=3):
    """A folder of pictures in two classes."""
    random = np.random.default_rng(0)
    for i in range(N):
        pixels = random.integers(0, 256, (9, 9, channels), np.uint8)
        place = folder / "ab"[i % 2] / f"{i:03}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(place)
    return folder


def packed(folder):
    """The same in a .tar file."""
    place = folder.with_suffix(".tar")
    with tarfile.open(place, "w") as archive:
        for path in sorted(folder.rglob("*.png")):
            content = path.read_bytes()
            member = tarfile.TarInfo(str(path.relative_to(folder)))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return place


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Everything is too large for the memory; returns the folder where it then lies."""
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "memory=0")
    return tmp_path / "cache" / "mapped"


def same(one, other):
    """Whether two data sets are the same to the last bit, with what is said of them."""
    assert one.hashes == other.hashes
    assert (one.space, one.class_names, one.survey) == (
        other.space,
        other.class_names,
        other.survey,
    )
    for name in ("train", "validation", "heldout"):
        mine, its = getattr(one, name), getattr(other, name)
        assert torch.equal(mine.values, its.values)
        assert (mine.y is None and its.y is None) or torch.equal(mine.y, its.y)
        rows = torch.tensor([1, 0])
        assert torch.equal(mine.batch(rows).x, its.batch(rows).x)
        assert torch.equal(mine.rows(rows).values, its.rows(rows).values)


@pytest.mark.parametrize(
    "choices",
    [{}, {"size": 8, "levels": 4}, {"channels": 1, "binarise": "static"}, {"half": 2}],
)
def test_a_folder_on_the_disk_is_the_one_in_memory(tmp_path, monkeypatch, choices):
    folder = pictures(tmp_path / "pictures")
    inside = load(folder, **choices)
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "memory=0")
    first, again = load(folder, **choices), load(folder, **choices)
    assert not inside.train.on_disk
    for each in (first, again):
        assert each.train.on_disk
        assert f"{tmp_path / 'cache'}" in each.notes[-1] + each.notes[-2]
        same(inside, each)
    del first, again, each
    left = sorted((tmp_path / "cache" / "mapped").iterdir())
    assert len(left) == 1, left  # nothing but what is kept


def test_other_sources_of_pictures_lie_on_the_disk_as_well(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "pictures", channels=1)
    images = np.random.default_rng(1).random((N, 8, 8, 3)).astype(np.float32)
    np.save(tmp_path / "a.npy", images)
    whole = (images * 255).astype(np.uint8)
    np.savez_compressed(tmp_path / "b.npz", x=whole, y=np.arange(N) % 3)
    sources = [packed(folder), tmp_path / "a.npy", tmp_path / "b.npz"]
    inside = [load(source) for source in sources]
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "memory=0")
    for source, known in zip(sources, inside, strict=True):
        for _ in range(2):
            found = load(source)
            assert found.train.on_disk, source
            same(known, found)


def test_what_is_kept_is_not_read_again_until_it_changes(tmp_path, small, monkeypatch):
    folder = pictures(tmp_path / "pictures")
    load(folder)
    with monkeypatch.context() as patch:
        patch.setattr(image_files, "read_pixels", None)
        load(folder)
        with pytest.raises(TypeError):
            load(folder, size=8)
    changed = folder / "a" / "000.png"
    Image.new("RGB", (9, 9), "red").save(changed)
    assert (load(folder).train.values == 255).any()
    before = fingerprint(folder)
    os.utime(changed, (1, 1))
    assert fingerprint(folder) != before
    for cut in small.rglob("heldout.bin"):
        cut.write_bytes(b"cut off")
    assert load(folder).train.on_disk  # what is not whole is read anew


def test_training_on_the_disk_and_resuming_are_bit_for_bit_that_in_memory(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "pictures")

    def trained(steps, data):
        torch.manual_seed(0)
        training = train(GAN(data, GAN.Config(width=4, batch=8)), data, Settings(steps=6))
        run = runs.create(tmp_path / f"run-{len(list(tmp_path.iterdir()))}", training)
        list(islice(training, steps))
        runs.save(run, training)
        return run

    whole = trained(6, load(folder)).weights()
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "memory=0")
    run = trained(4, load(folder))
    on = runs.resume(run, run.settings)
    assert on.data.train.on_disk
    list(on)
    runs.save(run, on)
    assert all(torch.equal(whole[name], it) for name, it in run.weights().items())
    assert len(list(train(NaiveBayes(on.data), on.data))) > 0  # all examples at once, in blocks


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path, small, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(UsageError, match=r"GiB and are kept in .*no room.*PLAUSIBLE_CACHE"):
        load(pictures(tmp_path / "pictures"))
    assert list(small.iterdir()) == []


def test_what_a_process_that_is_gone_left_is_taken_away(small):
    small.mkdir(parents=True)
    (small / "draft-999999999-abc").write_bytes(b"half")
    (small / f"draft-{os.getpid()}-abc").write_bytes(b"mine")
    array = mapped.empty((3, 2))
    assert not (small / "draft-999999999-abc").exists()
    assert (small / f"draft-{os.getpid()}-abc").exists()
    array[:] = 7
    assert mapped.is_mapped(array[1:])
    assert not mapped.is_mapped(array[[0, 1]])
    del array
    assert len(list(small.iterdir())) == 1


@pytest.mark.slow
def test_many_files_are_read_in_processes(tmp_path, monkeypatch):
    folder = pictures(tmp_path / "pictures")
    (folder / "a" / "bad.png").write_bytes(b"no picture")
    alone = load(folder)
    for name, value in (("_IN_PROCESSES", 5), ("_CHUNK", 7)):
        monkeypatch.setattr(image_files, name, value)
    same(alone, load(folder))
