"""What strangers hand over executes nothing and writes nowhere else, and no network is asked: what SECURITY.md says."""

import ast
import contextlib
import io
import json
import os
import pickle
import re
import shutil
import socket
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.conftest import ask, make_data

from plausible import runs
from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.images import SUFFIXES
from plausible.data.inputs import read_inputs
from plausible.data.load import load
from plausible.data.onnx_generator import ENDING
from plausible.data.readers import readers
from plausible.data.samples import read_samples
from plausible.runs.checksums import write_noted
from plausible.runs.lock import writer
from plausible.runs.log import DamagedLog
from plausible.runs.logger import read_findings
from plausible.tasks import check, open_comparison, resume, verify
from plausible.tasks.eyes import remembered
from plausible.tasks.reference_classifier import cache, reference_classifier

ROOT = Path(__file__).parent.parent
KEPT = ROOT / "tests" / "runs" / "kept" / f"format-{runs.migrations.FORMAT}"
SPACE = Space((1, 2, 2), levels=2, classes=2)


# --- the source ---------------------------------------------------------------------------------

UNPICKLING = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "yaml"}
RUNNING = {"eval", "exec", "compile", "__import__"}
FORBIDDEN = {
    "joblib.load",
    "torch.jit.load",
    "torch.hub.load",
    "os.system",
    "os.popen",
    "pandas.read_pickle",
    "pd.read_pickle",
}
WORDS = ("allow_pickle", "shell", "trust_remote_code")
SUSPECT = re.compile(
    rf"\b({'|'.join((*UNPICKLING, *WORDS))})\b|(?<![\w.])({'|'.join(RUNNING)})\(|torch\.load\(|"
    + "|".join(map(re.escape, sorted(FORBIDDEN)))
)
CODE = ("src", "benchmarks", "experiments", "docs", ".ci")


def dotted(node):
    """torch.load of that call."""
    names = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return ".".join([node.id, *names]) if isinstance(node, ast.Name) else ""


def dangers(tree):
    """(line, what is dangerous there)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            modules = names if isinstance(node, ast.Import) else [node.module or ""]
            for module in modules:
                if module.split(".")[0] in UNPICKLING:
                    yield node.lineno, f"imports {module}"
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        keywords = {keyword.arg: getattr(keyword.value, "value", "?") for keyword in node.keywords}
        if name in RUNNING or name in FORBIDDEN:
            yield node.lineno, f"calls {name}"
        if name == "torch.load" and keywords.get("weights_only") is not True:
            yield node.lineno, "torch.load without weights_only=True"
        for keyword in WORDS:
            if keywords.get(keyword, False) is not False:
                yield node.lineno, f"{keyword} is not False"


def test_nothing_in_the_source_unpickles_or_runs_what_it_reads():
    files = [path for place in CODE for path in (ROOT / place).rglob("*.py")]
    assert len(files) > 300
    texts = {path: path.read_text("utf-8") for path in files}
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path, text in texts.items()
        if SUSPECT.search(text)  # to parse all of them takes seconds
        for line, what in dangers(ast.parse(text))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from yaml import load",
        "eval(x)",
        "torch.load(f)",
        "torch.load(f, weights_only=flag)",
        "np.load(f, allow_pickle=True)",
        "subprocess.run(x, shell=True)",
        "AutoModel.from_pretrained(x, trust_remote_code=True)",
    ],
)
def test_that_test_would_see_it(line):
    assert SUSPECT.search(line)
    assert len(list(dangers(ast.parse(line)))) == 1


# --- files of others ----------------------------------------------------------------------------


class Planted:
    """What makes a folder where it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


@pytest.fixture
def mark(tmp_path):
    """The folder that is there once something was unpickled."""
    place = tmp_path / "unpickled"
    pickle.loads(pickle.dumps(Planted(place)))
    assert place.is_dir()  # it would work
    place.rmdir()
    yield place
    assert not place.exists()


@pytest.fixture
def payloads(mark):
    """The same in every wrapping: {name: bytes}."""
    wrapped = {"pickle": pickle.dumps(Planted(mark))}
    objects = np.array([Planted(mark)] * 12, object)
    for name, write in (
        ("torch", lambda file: torch.save(Planted(mark), file)),
        (
            "torch before zip",
            lambda file: torch.save(Planted(mark), file, _use_new_zipfile_serialization=False),
        ),
        ("npy", lambda file: np.save(file, objects, allow_pickle=True)),
        ("npz", lambda file: np.savez(file, x=objects)),
    ):
        buffer = io.BytesIO()
        write(buffer)
        wrapped[name] = buffer.getvalue()
    return wrapped


FORMATS = sorted({ending for reader in readers.values() for ending in reader.endings})
FILES = [f"a{ending}" for ending in (*FORMATS, *SUFFIXES, ENDING, ".pt", ".pkl", ".joblib")]
FILES += ["train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"]


def test_a_pickle_among_data_is_a_sentence_in_every_format(payloads, tmp_path):
    for name in FILES:
        for content in payloads.values():
            folder = tmp_path / name.replace(".", "-")
            folder.mkdir(exist_ok=True)
            path = folder / name
            path.write_bytes(content)
            for read in (
                lambda path=path: load(str(path)),
                lambda folder=folder: load(str(folder)),
                lambda path=path: read_samples(str(path), SPACE),
                lambda path=path: read_inputs([str(path)], SPACE),
            ):
                with pytest.raises(UsageError):
                    read()


@pytest.fixture
def copied(tmp_path):
    """A run of today whose checksums are gone, as whoever plants something would see to."""
    folder = Path(shutil.copytree(KEPT, tmp_path / "run"))
    (folder / "checksums.json").unlink()
    return folder


def sentence(action):
    """What a refusal says; None where there is none."""
    try:
        action()
    except UsageError as refusal:
        return str(refusal)
    return None


ASKED = {
    "config.json": lambda run: run.config,
    "weights.safetensors": lambda run: run.model(),
    "last.safetensors": lambda run: run.progress,
    "state.pt": lambda run: resume(run, steps=30),
    "findings.json": read_findings,
    "measures.json": lambda run: run.verdict,
    "checksums.json": lambda run: run.config,
    "comparison.json": lambda run: open_comparison(run.folder),
}
"""Each file of a run, and of a comparison, with what reads it."""


@pytest.mark.parametrize("name", ASKED)
def test_a_pickle_in_the_place_of_a_file_of_a_run_is_a_sentence(name, payloads, copied):
    for content in payloads.values():
        (copied / name).write_bytes(content)
        assert name in sentence(lambda: ASKED[name](runs.Run(copied)))
        with contextlib.suppress(UsageError):
            check(copied, repair=True)
        with contextlib.suppress(UsageError):
            verify(copied)


def test_a_pickle_in_the_place_of_a_log_is_lines_that_say_nothing(payloads, copied):
    for content in payloads.values():
        (copied / "log.jsonl").write_bytes(content + b"\n")
        with pytest.warns(DamagedLog, match=r"log\.jsonl"):
            assert len(runs.Run(copied).log()) == 0


def test_weights_that_are_a_pickle_repair_nothing_though_their_checksum_is_right(payloads, copied):
    for content in payloads.values():
        for name in ("weights.safetensors", "last.safetensors"):
            write_noted(copied / name, content)
        (copied / "config.json").unlink(missing_ok=True)
        assert check(copied, repair=True).repaired == {}


def test_a_state_of_another_program_is_a_sentence(copied):
    torch.save({"steps": 3}, copied / "state.pt")
    assert "does not hold the state of a training" in sentence(lambda: resume(copied, steps=30))


def test_a_pickle_in_the_cache_is_made_anew(payloads, monkeypatch, tmp_path):
    monkeypatch.setenv("PLAUSIBLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(import_module("plausible.tasks.reference_classifier"), "_STEPS", 1)
    data = make_data(SPACE)
    kept, whole = reference_classifier(data).state_dict(), lambda made: isinstance(made, dict)
    assert remembered(data, "power", ["a"], lambda: {"blur": 1.0}, whole) == {"blur": 1.0}
    files = [path for path in cache().rglob("*") if path.is_file()]
    assert len(files) >= 5
    for content in payloads.values():
        for path in files:
            path.write_bytes(content)
        again = reference_classifier(data).state_dict()
        assert all(torch.equal(kept[name], again[name]) for name in kept)
        assert remembered(data, "power", ["a"], lambda: {"blur": 1.0}, whole) == {"blur": 1.0}


# --- folders of others --------------------------------------------------------------------------


@pytest.fixture
def foreign(tmp_path):
    """A file elsewhere that nobody may write to."""
    path = tmp_path / "elsewhere" / "foreign.txt"
    path.parent.mkdir()
    path.write_text("mine")
    yield path
    assert path.read_text() == "mine"
    assert [each.name for each in path.parent.iterdir()] == ["foreign.txt"]


def test_what_is_written_to_a_run_takes_the_place_of_a_link_and_not_of_what_it_leads_to(
    foreign, tmp_path
):
    data = make_data(SPACE)
    training = import_module("plausible").train(
        runs.build("naive-bayes", _config(), SPACE, 0), data
    )
    list(training)
    run = runs.create(tmp_path / "run", training)
    assert run.config  # read before
    names = (
        "weights.safetensors",
        "last.safetensors",
        "state.pt",
        "measures.json",
        "config.json",
        "checksums.json",
    )
    for name in names:
        (run.folder / name).unlink(missing_ok=True)
        (run.folder / name).symlink_to(foreign)
    (run.folder / "checksums.json").unlink()
    (run.folder / "checksums.json").symlink_to(tmp_path / "elsewhere" / "new.json")
    runs.save(run, training, runs.Weights(training.averaged.state_dict(), 1))
    for name in ("measures.json", "config.json"):
        run.write(name, json.dumps({"measures": []}))
    assert not any((run.folder / name).is_symlink() for name in names)


def _config():
    return import_module("plausible").NaiveBayes.Config()


@pytest.mark.parametrize(
    "name",
    [
        ".lock",
        ".owner.json",
        "log.jsonl",
        "state.pt",
        "findings.json",
        "samples.png",
        ".state.pt.PID",
    ],
)
def test_a_run_that_holds_a_link_is_not_trained(name, copied, foreign):
    name = name.replace("PID", str(os.getpid()))
    (copied / name).unlink(missing_ok=True)
    for target in (foreign, foreign.parent / "new"):
        (copied / name).symlink_to(target)
        with pytest.raises(UsageError, match="is a link to"), writer(copied):
            pass
        if name != "state.pt":
            assert "is a link to" in sentence(lambda: resume(copied, steps=30))
        (copied / name).unlink()


def test_frames_of_a_run_are_not_another_folder(copied, foreign):
    (copied / "frames").symlink_to(foreign.parent)
    assert "is a link to" in sentence(lambda: resume(copied, steps=30))


# --- the network --------------------------------------------------------------------------------


def test_no_network_is_asked(monkeypatch, tmp_path):
    asked = []

    def refuse(*words, **more):
        asked.append(words)
        raise OSError("no network in this test")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("localhost", 80))
    asked.clear()
    run, few = tmp_path / "run", tmp_path / "few.npz"
    x = np.random.default_rng(0).integers(0, 17, (200, 8, 8)).astype(np.uint8)
    np.savez(few, x=x, y=np.arange(200) % 2, levels=17)
    ask("train", "naive-bayes", "--data", few, "--out", run, "--no-evaluate")
    ask("evaluate", run, "-n", 40)
    ask("report", run)
    ask("sample", run, "-n", 4, "--out", tmp_path / "samples.npz")
    assert (run / "report.html").exists()
    assert asked == []
