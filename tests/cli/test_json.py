"""--json: one document on stdout whatever happens, with the keys that docs/json.md says, and stable exit codes."""

import json
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from tests.conftest import ask, environment, export_untraced, tiny

from plausible import cli, fit
from plausible.claims import Claimed, claims
from plausible.claims.claim import Figure, Measured
from plausible.cli import documents
from plausible.cli.answer import Document, plain
from plausible.cli.command import Command, commands
from plausible.cli.flags import train_flags
from plausible.cli.help import flags_of
from plausible.cli.main import main
from plausible.core.model import models
from plausible.tasks import evaluate
from plausible.tasks.compared import Compared, FamilyResult, Plan
from plausible.tasks.fit_steps import Failed
from plausible.training import distributed

ANSWERED, RAN = set(), set()


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch, request):
    RAN.add(request.node.name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def naive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("json") / "naive"
    fit("naive-bayes", "digits", out=folder)
    return folder


@pytest.fixture(scope="module")
def vae(tmp_path_factory):
    folder = tmp_path_factory.mktemp("json") / "vae"
    fit("vae", "digits", steps=2, width=4, latent=2, out=folder)
    return folder


@pytest.fixture
def digits():
    np.savez("some.npz", x=np.random.default_rng(0).integers(0, 17, (3, 8, 8)).astype("uint8"))
    return "some.npz"


def answered(capsys, *words, code=0):
    """The result of a command, whose document alone is on stdout and has the shape that is documented."""
    end = 0
    try:
        ask(*words, "--json")
    except SystemExit as stop:
        end = stop.code or 0
    said = capsys.readouterr()
    document = json.loads(said.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(document) == {each.name for each in fields(Document)}
    assert document["exit_code"] == end == code, said.err
    assert document["command"] == words[0]
    if document["result"] is not None:
        check(document["result"], commands[words[0]].answers, words[0])
        ANSWERED.add(words[0])
    return document["result"] if document["error"] is None else document["error"]


def check(value, hint, place):
    """Assert that a value of a document is what its annotation says."""
    origin, inside = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        assert set(value) == {each.name for each in fields(hint)}, place
        for name, each in get_type_hints(hint).items():
            check(value[name], each, f"{place}.{name}")
    elif origin in (Union, UnionType):
        if value is not None or NoneType not in inside:
            check(value, next(part for part in inside if part is not NoneType), place)
    elif origin is tuple:
        assert isinstance(value, list), place
        for k, each in enumerate(value):
            check(each, inside[0], f"{place}[{k}]")
    elif origin is not None and issubclass(origin, Mapping):
        assert isinstance(value, dict), place
    elif hint is not Any:
        kind = {Path: str, float: (int, float)}.get(hint, hint)
        assert isinstance(value, kind), (place, value)
        assert isinstance(value, bool) == (hint is bool), place


def test_every_command_has_the_flag_and_says_what_it_answers():
    for name, command in commands.items():
        made = train_flags(models["gan"]) if name == "train" else command
        assert "--json" in {way for flag in flags_of(made) for way in flag.known}, name
        assert is_dataclass(command.answers), name
        assert name == "train" or issubclass(command, Command), name


def test_models_and_runs_and_check(capsys, naive):
    listed = answered(capsys, "models")["models"]
    assert [each["name"] for each in listed] == list(models)
    assert answered(capsys, "runs", naive.parent)["runs"][0]["run"] == str(naive)
    found = answered(capsys, "check", naive)
    assert found["whole"]
    assert found["files"]["weights.safetensors"] == "whole"


def test_training_and_watching(capsys):
    made = answered(capsys, "train", "naive-bayes", "--out", "run", "--no-evaluate")
    assert made["finished"]
    assert made["verdict"] is made["measures"] is None
    assert Path("run/samples.png") in map(Path, made["pictures"])
    seen = answered(capsys, "watch", "run")
    assert (seen["state"], seen["progress"], seen["model"]) == ("finished", 1, "naive-bayes")
    said = answered(capsys, "resume", "run", "--no-evaluate", code=2)
    assert said.startswith("run has used its budget")


def test_what_a_training_was_judged_by_and_a_failure(capsys, monkeypatch, made):
    report = evaluate(made["ring"], n=40)
    monkeypatch.setattr("plausible.tasks.evaluate", lambda *a, **k: report)
    monkeypatch.setattr("plausible.tasks.save.pictures", lambda *a: {})
    judged = answered(
        capsys, "train", "mixture", "--data", "ring", "--components", "2", "--out", "run"
    )
    assert judged["verdict"] == str(report.verdict.state)
    assert judged["measures"]["measures"]
    found = answered(capsys, "evaluate", made["ring"], "--out", "judged", "--write-statistics")
    heldout, samples = found["written"]
    assert (found["statistics"], samples) == (None, "judged/sample-statistics.npz")
    assert (found["asked"], found["verdict"]) == ("report", str(report.verdict.state))
    assert found["found"]["measures"] == plain(report.to_dict())["measures"]
    code = report.verdict.exit_code
    words = ["evaluate", made["ring"], "--out", "strict", "--statistics", heldout]
    beside = answered(capsys, *words, "--strict", code=code)["statistics"]
    assert beside["samples"]["name"] == "Frechet distance to heldout-statistics.npz"
    assert beside["samples"]["value"] > 0.001 > abs(beside["heldout"]["value"])

    def fail(*words):
        raise Failed("nothing is learned")
        yield

    monkeypatch.setattr(import_module("plausible.tasks.fit_steps"), "fit_steps", fail)
    stopped = answered(
        capsys, "train", "vae", "--steps", "3", "--width", "4", "--out", "bad", code=3
    )
    assert not stopped["finished"]


def test_refine_says_what_it_won(capsys, monkeypatch, made, vae):
    def played(run, training, flags):
        cli.play.answer(
            documents.Learned(run.folder, "vae refined", True, 1, 1.0, None, None, (), ())
        )

    monkeypatch.setattr("plausible.cli.play.play", played)
    assert (
        answered(capsys, "refine", vae, "--steps", "1", "--out", "refined")["beside_start"] is None
    )


def test_data_are_described(capsys):
    found = answered(capsys, "data", "ring")
    assert found["items"] > 1000
    assert Path(found["picture"]).exists()


def test_what_is_drawn(capsys, made, vae, digits, monkeypatch):
    found = answered(capsys, "sample", made["digits"], "-n", "5", "--out", "x.npz")
    assert (found["count"], found["each"], found["out"]) == (5, 1, "x.npz")
    walked = answered(
        capsys, "interpolate", made["digits"], "--rows", "2", "--columns", "3", "--out", "w.png"
    )
    assert (walked["count"], walked["each"]) == (2, 3)
    shares = answered(
        capsys, "directions", made["ring"], "--rows", "2", "--draws", "4", "--out", "d.npz"
    )["shares"]
    assert len(shares) == 2
    assert shares[0] >= shares[1]
    back = answered(capsys, "reconstruct", vae, digits, "--out", "back.npz")
    assert len(back["errors"]) == 3
    fit("pixelcnn", "digits", steps=1, width=4, blocks=1, out="pixel")
    ends = answered(capsys, "complete", "pixel", digits, "--rows", "7", "-n", "2", "--out", "e.npz")
    assert (ends["count"], ends["each"]) == (3, 2)


def test_questions_about_inputs(capsys, naive, digits):
    found = answered(capsys, "classify", naive, digits)
    assert [row["name"] for row in found["rows"]] == [f"some.npz[{k}]" for k in range(3)]
    assert answered(capsys, "score", naive, digits)["rows"][0]["log_prob"] < 0


def test_what_goes_to_others(capsys, naive, monkeypatch):
    export_untraced(monkeypatch)  # traced in test_export_push.py
    done = answered(capsys, "export", naive, "--to", "naive.pt2", "--part", "log-prob")
    assert (done["part"], Path(done["out"]).stat().st_size > 0) == ("log-prob", True)
    given = answered(capsys, "push", naive, "--to", "given")
    assert set(given["files"]) == {file.name for file in Path("given").iterdir()}
    assert answered(capsys, "pull", "given", "--out", "taken")["model"] == "naive-bayes"


def test_diagnose_and_report(capsys, made):
    found = answered(capsys, "diagnose", made["classifier"])
    assert Path(found["file"]).exists()
    page = answered(capsys, "report", made["ring"], "--no-evaluate", "--out", "page.html")
    assert Path(page["page"]).exists()


def test_compare_and_sweep(capsys, monkeypatch, made):
    compared = Compared(
        Plan(("gan", "vae"), "digits"),
        Path("c"),
        "digits",
        9,
        (FamilyResult("gan", ()),),
        finished=False,
    )
    monkeypatch.setattr("plausible.tasks.compare", lambda *a, **k: compared)
    stopped = answered(capsys, "compare", "gan", "vae", "--out", "c", code=130)
    assert stopped["found"]["plan"]["models"] == ["gan", "vae"]
    swept = answered(
        capsys, "sweep", "naive-bayes", "--trials", "1", "--no-evaluate", "--study", "s"
    )
    assert swept["best"] == swept["trials"][0]["run"] == str(Path("s/trials/0000"))


def test_claims_and_a_no_as_exit_code(capsys, monkeypatch):
    def wrong(seed):
        """Two is one.

        By counting."""
        return Claimed([Measured("two", 2.0, 2.0, 2.0, most=1.0)], Figure("", "", {}))

    monkeypatch.setitem(claims, "wrong", wrong)
    found = answered(capsys, "claims", "wrong", code=1)
    assert found["claims"][0] == {
        "name": "wrong", "claim": "Two is one.", "holds": False,
        "measured": [{"what": "two", "value": 2.0, "low": 2.0, "high": 2.0, "least": None, "most": 1.0}],
    }  # fmt: skip


def test_app_answers_when_the_page_is_there(capsys, monkeypatch):
    printed = []
    served = lambda *a, **k: nullcontext("http://127.0.0.1:1")  # noqa: E731
    wait = lambda: printed.append(capsys.readouterr().out)  # noqa: E731
    server = SimpleNamespace(served=served, wait=wait)  # which takes two seconds to import
    monkeypatch.setitem(sys.modules, "plausible.app.server", server)
    monkeypatch.setattr("plausible.cli.app.find_spec", lambda name: True)
    ask("app", "--json")
    assert json.loads(printed[0])["result"] == {"address": "http://127.0.0.1:1"}
    ANSWERED.add("app")


def test_damage_a_refusal_and_ctrl_c_are_exit_codes(capsys, monkeypatch, tmp_path, binary):
    fit("vae", binary, steps=1, width=4, out="run")
    path = Path("run/weights.safetensors")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert not answered(capsys, "check", "run", code=1)["whole"]
    assert "nowhere is not a run" in answered(capsys, "check", "nowhere", code=2)
    assert "has no flag --whole" in answered(capsys, "check", "run", "--whole", code=2)
    monkeypatch.setattr(
        "plausible.tasks.check", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    assert answered(capsys, "check", "run", code=130) == "interrupted"


def test_a_mistake_of_the_program_has_a_traceback_and_no_document(capsys, monkeypatch, vae):
    def broken(*words, **more):
        raise ZeroDivisionError("by mistake")

    monkeypatch.setattr("plausible.tasks.check", broken)
    with pytest.raises(ZeroDivisionError):
        main(["check", str(vae), "--json"])
    assert capsys.readouterr().out == ""


def test_without_the_flag_nothing_of_it_is_printed(capsys, naive):
    ask("runs", naive.parent)
    assert "exit_code" not in capsys.readouterr().out


@pytest.mark.slow
def test_of_several_processes_one_prints_the_document(capfd, monkeypatch, forking_others, handlers):
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    forking_others(distributed)
    few = str(tiny("few.npz", 96))
    words = ["train", "vae", "--data", few, "--steps", "2", "--width", "4", "--no-evaluate", "--processes", "2", "--out", "run", "--json"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["plausible", *words])
    with pytest.raises(SystemExit) as end:
        ask(*words)
    said = capfd.readouterr()
    assert not end.value.code, said.err
    assert json.loads(said.out)["result"]["finished"]


def test_a_reader_that_leaves_is_no_mistake(tmp_path):
    words = [sys.executable, "-m", "plausible", "runs", "--json"]  # which needs no torch for none
    asked = subprocess.Popen(
        words, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    asked.stdout.close()
    said = asked.stderr.read()
    asked.stderr.close()
    assert asked.wait() == 141
    assert b"Traceback" not in said


def test_what_is_not_finite_is_null_and_paths_are_text():
    found = documents.Reconstructed(Path("a"), Path("b"), float("nan"), (1.0, float("inf")))
    assert plain(found) == {"run": "a", "out": "b", "rmse": None, "errors": [1.0, None]}


def test_every_command_was_asked_for_a_document(request):
    mine = {item.name for item in request.session.items if item.module is request.module}
    if len(mine) > 15 and mine == RAN:  # all of this file, and no other process took some of it
        assert set(commands) == ANSWERED | {"resume"}, set(commands) - ANSWERED
