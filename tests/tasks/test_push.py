"""A model that is given away draws what it drew, and nothing of its data or of whoever trained it goes with it."""

import json
import os
import re
import shutil
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import huggingface_hub
import numpy as np
import pytest
import safetensors
import torch
import yaml

import plausible
from plausible import Run, UsageError
from plausible.runs.checksums import write_noted
from plausible.runs.given_away import CARD, GIVEN
from plausible.tasks import evaluate, pull, push, save_report

KEPT = Path(__file__).parent.parent / "runs" / "kept"
SECRETS = ("hobbits", "Secret place", "bilbo")
"""What the file of the data, its folder and the folder of the run are called."""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A run of somebody's own table, judged, with everything that a training leaves behind."""
    root = tmp_path_factory.mktemp("Secret place")
    rng = np.random.default_rng(0)
    rows = np.round(rng.normal(size=(300, 2)), 4)
    lines = [f"{a},{b},{'shire|north' if a > 0 else 'mordor'}" for a, b in rows]
    (root / "hobbits.csv").write_text("\n".join(["height,age_*,class", *lines]))
    trained = plausible.fit(
        "mixture", root / "hobbits.csv", out=root / "bilbo", components=1, per_class=True
    )
    save_report(evaluate(trained, n=40), root / "bilbo")
    return trained.run


@pytest.fixture(scope="module")
def given(own, tmp_path_factory):
    folder = tmp_path_factory.mktemp("given") / "model"
    push(own, folder)
    return folder


def said_of(folder):
    """(what the YAML holds, the Markdown) of a card."""
    _, front, text = (folder / CARD).read_text().split("---\n", 2)
    return yaml.safe_load(front), text


def test_what_is_pulled_draws_what_was_pushed(own, given, tmp_path):
    run = pull(given, tmp_path / "mine")
    assert torch.equal(run.sample(20, seed=3).x, own.sample(20, seed=3).x)
    assert run.class_names == own.class_names
    assert (run.columns, run.label_column) == (own.columns, own.label_column)
    assert run.progress == 1
    assert plausible.check(run).whole
    x = own.sample(4, seed=1).x
    assert torch.equal(run.model().log_prob(x).nats, own.model().log_prob(x).nats)
    assert "data PATH" in refused(lambda: run.data())


def test_nothing_of_the_data_and_no_path_goes_out(own, given):
    assert {path.name for path in given.iterdir()} == set(GIVEN)
    everything = b"".join((given / name).read_bytes() for name in GIVEN)
    for secret in (
        *SECRETS,
        str(own.folder),
        str(given),
        str(given.parent),
        os.path.expanduser("~"),
        socket.gethostname(),
    ):
        assert secret.encode() not in everything, secret
    assert not re.search(rb'": "(/|[A-Z]:\\\\|\.\./)', everything)
    row = (own.folder.parent / "hobbits.csv").read_text().splitlines()[1].split(",")[0]
    assert row.encode() not in everything
    with safetensors.safe_open(given / "weights.safetensors", "pt") as file:
        assert json.loads(file.metadata()["config.json"]) == json.loads((given / "config.json").read_text())  # fmt: skip


def test_the_card_has_the_verdict_and_the_limits(own, given):
    front, text = said_of(given)
    judged = own.judged
    assert front["library_name"] == "plausible"
    assert {"mixture", "tabular"} <= set(front["tags"])
    assert "license" not in front  # which is somebody's to say
    assert f"**{judged['verdict']['state']}**" in text
    tested = [row for row in judged["verdict"]["defects"] if row["state"] != "not defined"]
    for row in tested:
        assert f"| {row['name']} | {row['state']} |" in text
    undefined = [row["name"] for row in judged["measures"] if row["value"] is None]
    assert undefined
    assert all(f"* {name}: " in text for name in undefined if ">" not in name)
    assert "Does it copy what it learned from?" in text
    assert "40 samples beside as many held-out points, seed 0" in text
    assert "300 points" in text
    assert "private-data" in text
    assert r"shire\|north" in text  # a name of somebody's own breaks no table
    assert r"age\_\*" in text
    assert "trainedAlgorithmicMedia" in text
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    assert "plausible.pull(" in code


def test_its_two_lines_open_it(given, monkeypatch):
    monkeypatch.chdir(given.parent)
    code = re.search(r"```python\n(.*?)```", said_of(given)[1], re.DOTALL)[1]
    found = {}
    exec(code, found)
    assert found["x"].shape == (16, 2)


def test_data_that_everybody_has_keep_their_name_and_others_get_what_is_asked_for(own, tmp_path):
    push(KEPT / "gan", tmp_path / "digits")
    front, text = said_of(tmp_path / "digits")
    assert front["pipeline_tag"] == "unconditional-image-generation"
    assert "# gan of digits" in text
    assert "The data are `digits`" in text
    assert Run(tmp_path / "digits").config["data"]["source"] == "digits"
    push(own, tmp_path / "named", data_name="people")
    assert "# mixture per class of people" in said_of(tmp_path / "named")[1]


def test_a_model_that_was_not_judged_says_so(tmp_path):
    push(KEPT / "pixelcnn", tmp_path / "p")
    text = said_of(tmp_path / "p")[1]
    assert "it was not held against data that it never saw" in text or "was not judged" in text
    assert "Whether it draws copies of what it learned from was not tested" in text


def test_what_goes_out_is_said_before(own, tmp_path):
    said = []
    push(own, tmp_path / "m", on_notes=lambda notes: said.extend([*notes, (tmp_path / "m").exists()]))  # fmt: skip
    assert said[-1] is False
    words = " ".join(said[:-1])
    assert all(name in words for name in GIVEN)
    assert "shire|north" in words
    assert "height" in words
    assert "'private-data'" in words


def refused(action):
    with pytest.raises(UsageError) as refusal:
        action()
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_no_folder_is_written_over_but_an_earlier_push(own, given, tmp_path):
    said = []
    push(own, given, on_notes=said.extend)
    assert "the card with what you wrote into it" in said[-1]
    (tmp_path / "photo.png").touch()
    assert "holds other files, such as photo.png" in refused(lambda: push(own, tmp_path))
    assert "holds the run itself" in refused(lambda: push(own, own.folder))
    assert "is a file" in refused(lambda: push(own, tmp_path / "photo.png"))
    assert "never overwritten" in refused(lambda: pull(given, own.folder))
    assert "kept in no run" in refused(lambda: push(own.model(), tmp_path / "x"))


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors"])
def test_what_is_not_what_was_pushed_is_refused_and_nothing_is_left(given, tmp_path, name):
    folder = Path(shutil.copytree(given, tmp_path / "copy"))
    content = bytearray((folder / name).read_bytes())
    content[-3] ^= 1
    (folder / name).write_bytes(content)
    assert f"{name} of {folder} is not what was pushed" in refused(lambda: pull(folder, tmp_path / "new"))  # fmt: skip
    (folder / name).unlink()
    assert f"{name} missing" in refused(lambda: pull(folder, tmp_path / "new"))
    (folder / name).symlink_to(given / name)
    assert "is a link" in refused(lambda: pull(folder, tmp_path / "new"))
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    assert "is no folder" in refused(lambda: pull(tmp_path / "nowhere"))


def test_other_files_beside_it_are_not_taken(given, tmp_path):
    folder = Path(shutil.copytree(given, tmp_path / "copy"))
    (folder / "state.pt").write_bytes(b"a pickle, say")
    assert {path.name for path in pull(folder, tmp_path / "new").folder.iterdir()} == set(GIVEN)


@pytest.mark.slow
def test_a_refined_run_leaves_its_opponent_and_its_start_behind(tmp_path):
    x = np.random.default_rng(0).normal(size=(120, 2))
    data = plausible.from_arrays(x)
    start = plausible.fit("vae", data, steps=3, width=8, latent=2, out=tmp_path / "start")
    done = plausible.refine(start.run, data=data, steps=2, width=4, out=tmp_path / "better", evaluate=False, watch=False)  # fmt: skip
    run = done.trained.run
    push(run, tmp_path / "given")
    mine = pull(tmp_path / "given", tmp_path / "mine")
    assert torch.equal(mine.sample(5).x, run.sample(5).x)
    assert not [name for name in mine.weights() if name.startswith("opponent")]
    assert str(tmp_path).encode() not in (mine.folder / "config.json").read_bytes()


def test_networks_of_somebody_are_not_given_away(tmp_path):
    folder = Path(shutil.copytree(KEPT / "format-2", tmp_path / "own"))
    config = json.loads((folder / "config.json").read_text()) | {"own_networks": ["generator"]}
    write_noted(folder / "config.json", json.dumps(config))
    said = refused(lambda: push(folder, tmp_path / "given"))
    assert "networks of its author" in said
    assert not (tmp_path / "given").exists()


# --- the hub ------------------------------------------------------------------------------------


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub that is a folder, behind a server that answers."""

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *words):
            pass

    class Api:
        made: ClassVar[list] = []

        def create_repo(self, name, repo_type, private, exist_ok):
            self.made.append((name, repo_type, private, exist_ok))
            (tmp_path / "hub" / name).mkdir(parents=True, exist_ok=exist_ok)

        def upload_folder(self, repo_id, folder_path, allow_patterns, commit_message):
            for name in allow_patterns:
                shutil.copy(Path(folder_path) / name, tmp_path / "hub" / repo_id / name)

        def snapshot_download(self, name, allow_patterns):
            if not (tmp_path / "hub" / name).is_dir():
                raise huggingface_hub.errors.LocalEntryNotFoundError(f"no {name}\nhere")
            return str(tmp_path / "hub" / name)

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=serving.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{serving.server_port}")  # fmt: skip
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    yield Api
    serving.shutdown()
    serving.server_close()
    thread.join()


def test_a_model_goes_to_the_hub_and_comes_back(hub, own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pushed = push(own, "hub:frodo/ring")
    assert hub.made == [("frodo/ring", "model", True, True)]
    assert pushed.place.endswith("/frodo/ring")
    assert set(pushed.files) == set(GIVEN)
    run = pull("hub:frodo/ring")
    assert run.folder == Path("runs") / "ring"
    assert torch.equal(run.sample(6).x, own.sample(6).x)
    push(own, "hub:frodo/open", public=True)
    assert hub.made[-1] == ("frodo/open", "model", False, True)
    said = refused(lambda: pull("hub:frodo/nothing", tmp_path / "x"))
    assert "hub:frodo/nothing cannot be read: no frodo/nothing" in said


def test_nobody_answers_or_must_be_asked(own, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for action in (
        lambda: push(own, "hub:frodo/ring"),
        lambda: pull("hub:frodo/ring", tmp_path / "x"),
    ):
        assert "nobody answers at http://127.0.0.1:9" in refused(action)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.delattr("huggingface_hub.constants")  # as before anybody imports it
    assert "HF_HUB_OFFLINE says so" in refused(lambda: push(own, "hub:frodo/ring"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    assert "cannot be read" in refused(lambda: pull("hub:frodo/ring", tmp_path / "x"))
    assert not (tmp_path / "x").exists()


def test_without_the_package_or_a_name_it_is_a_sentence(own, tmp_path, monkeypatch):
    assert "is no model of the hub: give it as hub:user/name" in refused(lambda: push(own, "hub:x"))
    assert "give it as hub:user/name" in refused(lambda: pull("hub:a/b/c", tmp_path / "x"))
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    assert "pip install 'plausible[hub]'" in refused(lambda: push(own, "hub:frodo/ring"))
    assert "pip install 'plausible[hub]'" in refused(lambda: pull("hub:a/b", tmp_path / "x"))
