"""Sets by name: found where they are, fetched from a server on this machine, and a sentence where there is none."""

import gzip
import hashlib
import io
import socket
import tarfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from benchmarks.damaged_arrays import idx_bytes

from plausible.core.errors import UsageError
from plausible.data import named_sets
from plausible.data.cache import cache
from plausible.data.download import Downloading, NotDownloaded, download
from plausible.data.load import load
from plausible.data.named_sets import NAMED_SETS
from plausible.data.readers import cifar
from plausible.data.source import resolve_files, resolve_source

RNG = np.random.default_rng(0)
CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


@dataclass
class Server:
    """What a server on this machine has, and what it was asked."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    dies_after: int | None = None
    knows_ranges: bool = True


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            known.asked.append((self.path, wanted))
            content = known.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = 0
            if wanted and known.knows_ranges:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(content):
                    self.send_error(416)
                    return
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start : known.dies_after])
            if known.dies_after is not None:
                self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, *words: object) -> None:
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    known = Server(f"http://127.0.0.1:{serving.server_port}")
    thread = Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setenv("PLAUSIBLE_MIRROR", known.address + "/")
    yield known
    serving.shutdown()
    serving.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and no set on this machine."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PLAUSIBLE_DATA", raising=False)
    return tmp_path / "cache" / "data"


def batch(rows: int) -> tuple[bytes, np.ndarray, np.ndarray]:
    """(records, their classes, their pixels)."""
    y = RNG.integers(0, 10, rows).astype(np.uint8)
    x = RNG.integers(0, 256, (rows, 3, 32, 32)).astype(np.uint8)
    return b"".join(bytes([k]) + image.tobytes() for k, image in zip(y, x, strict=True)), y, x


def cifar_files() -> dict[str, bytes]:
    made = {name: batch(6)[0] for name in (*cifar.TRAIN, cifar.TEST)}
    return made | {cifar.NAMES: ("\n".join(CLASSES) + "\n\n").encode()}


def cifar_archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def offered(server: Server, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has a small set of this name, whose checksums are known."""
    if name == "cifar10":
        contents = {cifar.ARCHIVE: cifar_archive(cifar_files())}
    else:
        arrays = [RNG.integers(0, 256, s).astype(np.uint8) for s in ((20, 8, 8), (8, 8, 8))]
        classes = [np.arange(len(array), dtype=np.uint8) % 2 for array in arrays]
        parts = [arrays[0], classes[0], arrays[1], classes[1]]
        contents = {
            file: gzip.compress(idx_bytes(part), mtime=0)
            for file, part in zip(NAMED_SETS[name].files, parts, strict=True)
        }
    server.files |= {f"/{name}/{file}": content for file, content in contents.items()}
    md5 = {file: hashlib.md5(content).hexdigest() for file, content in contents.items()}
    known = {**NAMED_SETS, name: replace(NAMED_SETS[name], files=md5)}
    monkeypatch.setattr(named_sets, "NAMED_SETS", known)


@pytest.mark.parametrize("name", NAMED_SETS)
def test_a_set_is_fetched_once_and_it_is_said_before(
    name: str, server: Server, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(server, name, monkeypatch)
    seen = []
    with pytest.warns(Downloading) as said:
        data = load(name, progress=lambda done, total: seen.append((done, total)))
    (sentence,) = [str(each.message) for each in said]
    assert f"fetching {name} (" in sentence
    assert f"from {server.address}/{name} to {nowhere / name}" in sentence
    sizes = {len(content) for content in server.files.values()}
    assert sizes <= set(seen) or sizes <= {done for done, total in seen if done == total}
    assert (data.name, data.source) == (name, name)
    assert len(data.heldout) == {"cifar10": 6}.get(name, 8)
    assert len(server.asked) == len(NAMED_SETS[name].files)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(name).hashes == data.hashes
    assert len(server.asked) == len(NAMED_SETS[name].files)
    assert sorted(p.name for p in (nowhere / name).iterdir() if p.name != ".lock") == sorted(NAMED_SETS[name].files)  # fmt: skip


def test_nothing_is_asked_where_the_files_are_here(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(server, "mnist", monkeypatch)
    for folder, variable in (
        (tmp_path / "own", str(tmp_path / "own")),
        (tmp_path / "shared" / "data", ""),
    ):
        (folder / "mnist").mkdir(parents=True)
        for place, content in server.files.items():
            (folder / place.strip("/")).write_bytes(content)
        monkeypatch.setenv("PLAUSIBLE_DATA", variable)
        assert resolve_source("mnist").path == folder / "mnist"
        assert load("mnist").survey.count == 28
    assert resolve_files("mnist", "samples") == folder / "mnist"
    assert server.asked == []


def refused(name: str) -> str:
    with pytest.warns(Downloading), pytest.raises(UsageError) as refusal:
        load(name)
    said = str(refusal.value)
    assert "set PLAUSIBLE_DATA to the folder that holds it, or pass --data FOLDER" in said
    assert ", ".join(NAMED_SETS[name].files) in said
    return said


def test_another_file_is_not_kept(
    server: Server, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(server, "cifar10", monkeypatch)
    place = f"/cifar10/{cifar.ARCHIVE}"
    whole, server.files[place] = server.files[place], b"another"
    said = refused("cifar10")
    assert f"is another file: its MD5 is {hashlib.md5(b'another').hexdigest()} and not " in said
    assert [path.name for path in (nowhere / "cifar10").iterdir()] == [".lock"]
    server.files[place] = whole
    with pytest.warns(Downloading):
        assert load("cifar10").survey.count == 36


def test_what_broke_off_goes_on(
    server: Server, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered(server, "cifar10", monkeypatch)
    size = len(server.files[f"/cifar10/{cifar.ARCHIVE}"])
    server.dies_after = 50_000
    assert f"broke off after 50,000 of {size:,} bytes: the same command asks for the rest" in refused("cifar10")  # fmt: skip
    assert not (nowhere / "cifar10" / cifar.ARCHIVE).exists()
    server.dies_after = None
    with pytest.warns(Downloading):
        assert load("cifar10").survey.count == 36
    assert server.asked[-1][1] == "bytes=50000-"


def test_a_server_that_knows_no_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = bytes(range(256)) * 9
    server.knows_ranges = False
    part = tmp_path / "to" / ".a.part"
    part.parent.mkdir()
    part.write_bytes(server.files["/a"][:100])
    download(
        f"{server.address}/a", tmp_path / "to" / "a", hashlib.md5(server.files["/a"]).hexdigest()
    )
    assert (tmp_path / "to" / "a").read_bytes() == server.files["/a"]
    assert not part.exists()


def test_what_was_whole_already_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    server.files["/a"] = b"whole"
    (tmp_path / ".a.part").write_bytes(b"whole")
    download(f"{server.address}/a", tmp_path / "a", hashlib.md5(b"whole").hexdigest())
    assert (tmp_path / "a").read_bytes() == b"whole"
    (tmp_path / ".b.part").write_bytes(b"whole and more")
    with pytest.raises(NotDownloaded, match="another file"):
        download(f"{server.address}/a", tmp_path / "b", hashlib.md5(b"whole").hexdigest())
    assert not (tmp_path / ".b.part").exists()


def test_what_is_not_there_and_who_does_not_answer(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "the server says 404 Not Found" in refused("mnist")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("PLAUSIBLE_MIRROR", f"http://127.0.0.1:{port}")
    assert "no answer (connection refused)" in refused("mnist")
    monkeypatch.setenv("PLAUSIBLE_MIRROR", "file:///etc")
    assert "is no address that begins with http:// or https://" in refused("mnist")


def test_a_file_without_end_is_not_read_to_it(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    server.files["/a"] = bytes(2**20)
    monkeypatch.setattr("plausible.data.download._LARGEST", 2**19)
    with pytest.raises(NotDownloaded, match="is larger than"):
        download(f"{server.address}/a", tmp_path / "a", "")
    assert not (tmp_path / "a").exists()


def test_known_sets_have_the_checksums_that_are_published() -> None:
    assert all(
        len(md5) == 32 and int(md5, 16)
        for each in NAMED_SETS.values()
        for md5 in each.files.values()
    )
    assert {name: len(each.files) for name, each in NAMED_SETS.items()} == {
        "mnist": 4,
        "fashion-mnist": 4,
        "cifar10": 1,
    }
    assert all(
        each.url.startswith("http") and not each.url.endswith("/") for each in NAMED_SETS.values()
    )


def test_where_things_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_source("mnist").path == cache() / "data" / "mnist"
    monkeypatch.delenv("PLAUSIBLE_CACHE")
    assert cache() == Path.home() / ".cache" / "plausible"


# --- CIFAR-10 -----------------------------------------------------------------------------------


def test_batches_are_read_as_they_are_said_to_be(tmp_path: Path) -> None:
    train, test = batch(14), batch(5)
    folder = tmp_path / "set" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    (folder / "data_batch_1.bin").write_bytes(train[0])
    (folder / "test_batch.bin").write_bytes(test[0])
    (folder / cifar.NAMES).write_text("\n".join(CLASSES))
    (folder / "readme.html").touch()
    data = load(folder)
    assert data.space.shape == (3, 32, 32)
    assert np.array_equal(data.heldout.values.numpy(), test[2])
    assert data.heldout.y is not None
    words = [data.class_names[k] for k in data.heldout.y.tolist()]
    assert words == [CLASSES[k] for k in test[1]]
    assert load(folder.parent).hashes == data.hashes
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    (tmp_path / cifar.ARCHIVE).write_bytes(cifar_archive(files))
    assert load(tmp_path / cifar.ARCHIVE).hashes == load(tmp_path).hashes == data.hashes
    (folder / cifar.NAMES).unlink()
    assert set(load(folder).class_names) <= set("0123456789")


@pytest.mark.parametrize("damage", ["cut", "class", "none", "archive"])
def test_damaged_batches_are_a_sentence(tmp_path: Path, damage: str) -> None:
    files, says = cifar_files(), ""
    if damage == "cut":
        files["data_batch_3.bin"] = files["data_batch_3.bin"][:-1]
        says = r"data_batch_3\.bin has 18,437 bytes, and its records have 3,073 each"
    elif damage == "class":
        files[cifar.NAMES] = b"cat dog"
        says = "names 2 classes, and an item is of class"
    elif damage == "none":
        files, says = {"x": b""}, "holds none of data_batch_1.bin"
    content = cifar_archive(files)
    if damage == "archive":
        content, says = content[:-500], "cannot be unpacked"
    (tmp_path / cifar.ARCHIVE).write_bytes(content)
    with pytest.raises(UsageError, match=says):
        load(tmp_path)
