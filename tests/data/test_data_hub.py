"""Data sets of the hub: folders in its formats, what was fetched before, a server on this machine, and nobody."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import numpy as np
import pandas
import pytest
from PIL import Image

from plausible.core.errors import UsageError
from plausible.data.download import Downloading
from plausible.data.hub_name import hub_name
from plausible.data.load import load
from plausible.data.source import resolve_source

CODES = np.random.default_rng(0).integers(0, 256, (20, 8, 12), dtype=np.uint8)
CLASSES = ("cat", "dog")


@pytest.fixture(autouse=True)
def kept(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, and nobody to ask."""
    cache = tmp_path_factory.mktemp("hub")
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", cache)
    monkeypatch.setattr("datasets.config.HF_ENDPOINT", "http://127.0.0.1:9")
    return cache


def pictures(rows: range) -> Any:
    import datasets  # here, because it takes half a second where other files are tested

    features = datasets.Features({"img": datasets.Image(), "kind": datasets.ClassLabel(names=list(CLASSES))})  # fmt: skip
    content = {"img": [Image.fromarray(CODES[k % 20]) for k in rows], "kind": [k % 2 for k in rows]}
    return datasets.Dataset.from_dict(content, features=features)


def frame(rows: int = 20) -> pandas.DataFrame:
    rng = np.random.default_rng(0)
    return pandas.DataFrame({"a": rng.normal(size=rows), "b": rng.integers(0, 9, rows)})


def refused(source: str, **options: Any) -> str:
    with pytest.raises(UsageError) as refusal:
        load(source, **options)
    assert str(refusal.value).isprintable()
    return str(refusal.value)


def test_names_of_the_hub() -> None:
    found = resolve_source("hub:user/name/plain")
    assert (found.path, found.name, found.address) == (None, "user-name", "hub:user/name/plain")
    for wrong in ("hub:", "hub:name", "hub:user/../x", "hub:a/b/c/d", "hub:user/na me", "hub:-a/b"):
        with pytest.raises(UsageError, match="is no data set of the hub: give it as hub:user/name"):
            resolve_source(wrong)
    with pytest.raises(UsageError, match="there is no folder"):
        resolve_source("hub:./nowhere")


def test_a_folder_of_that_name_here_is_no_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "user" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UsageError, match=r"user/name is a folder here, too: give that as hub:\./user/name"
    ):
        resolve_source("hub:user/name")
    assert hub_name("hub:./user/name").local


def test_a_folder_with_the_splits_of_the_hub(tmp_path: Path) -> None:
    place = tmp_path / "my set"
    (place / "data").mkdir(parents=True)
    for split, rows in (("train", 20), ("validation", 4), ("test", 12)):
        pictures(range(rows)).to_parquet(place / "data" / f"{split}-00000-of-00001.parquet")
    data = load(f"hub:{place}")
    assert (data.survey.count, len(data.heldout), data.class_names) == (36, 12, CLASSES)
    assert data.source == f"hub:{place}"
    assert data.name == "my-set"
    notes = " ".join(data.notes)
    assert "the 4 items of validation join the others" in notes
    assert "column 'kind' is taken as the class" in notes
    alone = load(f"hub:{place}", hub_split="train")
    np.savez(
        tmp_path / "same.npz", x=CODES[:, None], levels=256, y=[CLASSES[k % 2] for k in range(20)]
    )
    assert alone.hashes == load(tmp_path / "same.npz").hashes
    assert load(data.source, data.options).hashes == data.hashes  # as a run asks again
    assert "has the splits train, validation, test" in refused(f"hub:{place}", hub_split="dev")
    assert len(load(f"hub:{place}", hub_split="test", like=data).train) == 9


def test_what_was_saved_to_disk_and_tables(tmp_path: Path) -> None:
    import datasets

    pictures(range(20)).save_to_disk(tmp_path / "one")
    assert load(f"hub:{tmp_path}/one").survey.classes == {"cat": 10, "dog": 10}
    both = datasets.DatasetDict({"train": pictures(range(20)), "test": pictures(range(5)), "extra": pictures(range(3))})  # fmt: skip
    both.save_to_disk(tmp_path / "both")
    data = load(f"hub:{tmp_path}/both")
    assert (data.survey.count, len(data.heldout)) == (25, 5)
    assert any("left out, being neither train nor test: extra" in note for note in data.notes)
    datasets.Dataset.from_pandas(frame()).save_to_disk(tmp_path / "table")
    frame().to_csv(tmp_path / "a.csv", index=False)
    table, text = load(f"hub:{tmp_path}/table"), load(tmp_path / "a.csv")
    assert table.hashes == text.hashes
    assert table.columns == ("a", "b")
    assert load(f"hub:{tmp_path}/table", drop=("a",)).columns == ("b",)
    strange = datasets.DatasetDict({"one": pictures(range(20)), "two": pictures(range(5))})
    strange.save_to_disk(tmp_path / "strange")
    assert "has the splits one, two: --hub-split chooses" in refused(f"hub:{tmp_path}/strange")


def test_configurations_are_chosen_by_name_or_flag(tmp_path: Path) -> None:
    for name, rows in (("small", 12), ("large", 20)):
        (tmp_path / name).mkdir()
        frame(rows).to_csv(tmp_path / name / "train.csv", index=False)
    (tmp_path / "README.md").write_text(
        "---\nconfigs:\n- config_name: small\n  data_files: small/*.csv\n- config_name: large\n"
        "  data_files: large/*.csv\n---\n"
    )
    assert load(f"hub:{tmp_path}", hub_config="small").survey.count == 12
    assert load(f"hub:{tmp_path}", hub_config="large").survey.count == 20
    said = refused(f"hub:{tmp_path}")
    assert "small" in said
    assert "large" in said
    assert "--hub-config and --hub-split are for hub:user/name" in refused("digits", hub_split="x")


def test_nothing_that_runs_or_unpickles_is_read(tmp_path: Path) -> None:
    class Planted:
        def __reduce__(self) -> Any:
            return Path.mkdir, (tmp_path / "ran",)

    for name, content in (
        ("train.pkl", pickle.dumps(Planted())),
        ("set.py", f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).mkdir()\n".encode()),
        ("train.txt", b"words\n" * 20),
    ):
        folder = tmp_path / name.replace(".", "-") / "set"
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content)
        refused(f"hub:{folder}")
        assert not (tmp_path / "ran").exists(), name


def test_pictures_in_a_folder_need_no_hub(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for k in range(12):
        Image.fromarray(CODES[k]).save(tmp_path / "train" / f"{k}.png")
    assert f"is a folder of pictures: give it as {tmp_path}" in refused(f"hub:{tmp_path}")


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(Downloading, match=r"asking http://127\.0\.0\.1:9 for hub:user/name"):
        said = refused("hub:user/name")
    assert "nobody answers at http://127.0.0.1:9" in said
    assert "put its .parquet files in a folder and give that as --data FOLDER" in said
    assert "HF_HUB_OFFLINE=1" in said


def test_without_the_package_a_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert "pip install 'plausible[hub]'" in refused("hub:user/name")


def test_offline_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    said = refused("hub:user/name")
    assert "put its .parquet files in a folder" in said


COMMIT = "0" * 40
FILE = "data/train.parquet"


class Hub(BaseHTTPRequestHandler):
    """As much of the hub as a data set of one file needs."""

    content = b""
    asked: ClassVar[list[str]] = []

    def answer(self) -> None:
        place = self.path.partition("?")[0]
        self.asked.append(f"{self.command} {place}")
        about = {"id": "user/name", "_id": "1", "sha": COMMIT, "private": False, "gated": False, "disabled": False, "tags": [], "downloads": 0, "likes": 0, "siblings": [{"rfilename": FILE}]}  # fmt: skip
        inside = {"type": "file", "oid": "1" * 40, "size": len(self.content), "path": FILE}
        folder = {"type": "directory", "oid": "2" * 40, "size": 0, "path": "data"}
        api = "/api/datasets/user/name"
        known = {
            "/": b"", api: about, f"{api}/revision/{COMMIT}": about,
            f"{api}/tree/{COMMIT}": [folder], f"{api}/tree/{COMMIT}/data": [inside],
            f"/datasets/user/name/resolve/{COMMIT}/{FILE}": self.content,
        }  # fmt: skip
        found = known.get(place)
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        if found is None:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.send_header("ETag", f'"{hashlib.sha256(body).hexdigest()}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = answer

    def log_message(self, *words: object) -> None:
        pass


READER = """
import json, os, sys
import fsspec, multiprocess, pandas, pyarrow, scipy.io, torch, yaml  # once, because they take seconds
from plausible.data.load import load
for line in sys.stdin:
    out, environment = json.loads(line)
    pid = os.fork()
    if not pid:  # where nothing of the hub has been imported, which reads the environment then
        os.environ.update(environment)
        for number, name in ((1, out + ".out"), (2, out + ".err")):
            os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), number)
        assert not {"datasets", "huggingface_hub"} & set(sys.modules)
        print(load("hub:user/name").hashes["train"])
        break
    os.waitpid(pid, 0)
    print("read", flush=True)
"""


class Reader:
    """Processes that read a set of the hub, each forked from one that knows torch, and nothing of the hub."""

    def __init__(self, folder: Path, **environment: str):
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", READER], env={**os.environ, **environment}, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )  # fmt: skip

    def read(self, name: str, **environment: str) -> tuple[str, str]:
        """(output, errors) of a process with this environment."""
        assert self._process.stdin
        assert self._process.stdout
        out = self._folder / name
        self._process.stdin.write(json.dumps([str(out), environment]) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "read\n"
        said = [out.with_suffix(ending).read_text() for ending in (".out", ".err")]
        return said[0].strip(), said[1]

    def end(self) -> None:
        self._process.communicate()


@pytest.mark.slow
def test_a_set_is_fetched_from_the_hub_once_and_then_read_without_it(tmp_path: Path) -> None:
    frame().to_parquet(tmp_path / "a.parquet")
    Hub.content = (tmp_path / "a.parquet").read_bytes()
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    place = f"http://127.0.0.1:{serving.server_port}"
    reader = Reader(tmp_path, HF_ENDPOINT=place, HF_HOME=str(tmp_path / "hub"), HF_HUB_DISABLE_XET="1")  # fmt: skip
    fetched, errors = reader.read("fetched")
    expected = load(tmp_path / "a.parquet").hashes["train"]
    assert fetched == expected, errors
    assert f"asking {place} for hub:user/name" in errors
    assert f"GET /datasets/user/name/resolve/{COMMIT}/{FILE}" in Hub.asked
    serving.shutdown()
    serving.server_close()
    thread.join()
    asked = len(Hub.asked)
    offline, errors = reader.read("offline", HF_HUB_OFFLINE="1")
    assert offline == expected, errors
    assert "asking" not in errors
    assert len(Hub.asked) == asked
    _, errors = reader.read("gone")
    assert f"nobody answers at {place}" in errors
    reader.end()
