"""Files of a run that somebody has edited: every reader reads on or says in a sentence which file, and where."""

import json
import shutil
import warnings
from importlib import import_module

import pytest
from tests.conftest import ask

import plausible
from plausible import runs, tasks
from plausible.core.errors import NotDefined, UsageError
from plausible.core.finding import Finding, Severity, to_json
from plausible.runs.kept_json import mismatch
from plausible.runs.lock import OWNER, writer
from plausible.runs.log import DamagedLog, read_history, read_log
from plausible.tasks.comparison_file import open_comparison

kept_advice = import_module("plausible.tasks.headline").kept_advice
kept_evaluation = import_module("plausible.tasks.report").kept_evaluation


def headline(run):
    """What its measures.json advises."""
    return kept_advice(run, kept_evaluation(run), None) if run.judged is not None else None


GARBAGE = {
    "empty": b"",
    "half": b'{"model": "va',
    "binary": bytes(range(256)),
    "a list": b"[]",
    "an object": b"{}",
    "nan": b"NaN",
    "deep": b"[" * 100_000,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of a few rounds, judged, without checksums, so that what is edited is read."""
    folder = tmp_path_factory.mktemp("edited") / "run"
    tasks.fit("vae", "ring", steps=21, width=4, latent=2, watch=False, out=folder)
    finding = Finding("garbage", Severity.WARNING, "a claim", {"step": 3.0})
    (folder / "findings.json").write_text(to_json([finding]))
    report = {
        "measures": [{"name": "Frechet distance", "value": 1.0, "stderr": None, "note": ""}],
        "verdict": {
            "state": "FAIL",
            "n": 10,
            "defects": [{"name": "garbage", "state": "FAIL", "sentence": "is", "margin": 0.1}],
        },
        "samples": 10,
        "compared": 10,
    }
    (folder / "measures.json").write_text(json.dumps(report))
    (folder / "checksums.json").unlink()
    return folder


@pytest.fixture
def run(whole, tmp_path):
    """A copy to edit."""
    return shutil.copytree(whole, tmp_path / "run")


def open_run(folder):
    found = runs.Run(folder)
    return found.fresh(), found.settings, found.options, found.judged, repr(found)


READERS = {
    "open": open_run,
    "sample": lambda folder: tasks.sample(folder, 2),
    "watch": lambda folder: repr(tasks.watch(folder)),
    "course": lambda folder: tasks.course_of(tasks.open_trained(folder)),
    "list": lambda folder: tasks.list_runs(folder.parent),
    "check": tasks.check,
    "findings": lambda folder: runs.logger.read_findings(runs.Run(folder)),
    "log": lambda folder: runs.Run(folder).log(),
    "measures": lambda folder: runs.Run(folder).measures(),
    "resume": lambda folder: runs.resume(runs.Run(folder), plausible.Settings(steps=30)),
    "headline": lambda folder: headline(runs.Run(folder)),
    "provenance": lambda folder: kept_evaluation(runs.Run(folder)),
}


def read(name, folder):
    """None where a reader read on, or its sentence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedLog)
        try:
            READERS[name](folder)
        except (UsageError, NotDefined) as refusal:
            return str(refusal)
    return None


def test_a_whole_run_is_read_by_all(run):
    assert {name: read(name, run) for name in READERS} == dict.fromkeys(READERS)


@pytest.mark.parametrize(
    "file", ["config.json", "measures.json", "findings.json", "log.jsonl", "checksums.json", OWNER]
)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_whatever_a_small_file_holds_nobody_raises_but_a_sentence(run, file, garbage):
    (run / file).write_bytes(GARBAGE[garbage])
    names = ("open", "list", "sample", "resume") if file == OWNER else READERS.keys() - {"resume"}
    said = {name: read(name, run) for name in names}
    sentences = {sentence for sentence in said.values() if sentence}
    other = [
        sentence for sentence in sentences if str(run / file) not in sentence or "\n" in sentence
    ]
    assert other == []
    assert said["list"] is None  # the others are listed
    if file == OWNER:
        assert sentences == set()
    elif file == "config.json":
        assert "--repair" in said["sample"]
        assert "model is missing" in said["open"] or garbage != "an object"
    elif file == "checksums.json" and garbage != "an object":
        assert "if you remove it" in said["sample"]
    else:
        assert said["sample"] is None  # which needs none of these


def edited(path, *place, value=None, gone=False):
    """A JSON file in which one value is another, or gone."""
    content = json.loads(path.read_text())
    inside = content
    for step in place[:-1]:
        inside = inside[step]
    if gone:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("model",), 5, "model must be text, not a whole number"),
        (("model",), "vea", "no model of plausible"),
        (("space", "shape"), "2", "space.shape must be a list, not text"),
        (("space", "shape"), [0], "space: a space needs sizes of at least 1"),
        (("space", "levels"), 7.5, "space.levels must be a whole number or null, not a number"),
        (("data", "hashes"), {}, "data.hashes.train is missing"),
        (("data", "class_names"), [1], "data.class_names[0] must be text"),
        (("data", "options"), {"sizes": 3}, "data.options: "),
        (("training", "steps"), "many", "training: --steps must be at least 1, not many"),
        (("training", "rounds"), 3, "training: "),
        (("config", "width"), -4, "config: --width must be at least 1, not -4"),
        (("config", "width"), 4.5, "config: "),
        (("config", "lr"), float("nan"), "config: --lr"),
        (("config", "wdith"), 4, "config: "),
        (("config", "latent"), {"a": 1}, "config: "),
        (("processes",), None, "processes must be a whole number, not null"),
        (("init",), {"run": "x"}, "init.taken is missing"),
    ],
)  # fmt: skip
def test_one_value_of_the_config_is_named_where_it_is_wrong(run, place, value, words):
    edited(run / "config.json", *place, value=value)
    said = read("open" if place[0] == "data" else "sample", run)
    assert said is not None
    assert words in said
    assert str(run) in said


@pytest.mark.parametrize(
    ("file", "place", "value", "reader", "words"),
    [
        ("measures.json", ("measures", 0, "value"), "1", "measures", "measures[0].value must be a number or null, not text"),
        ("measures.json", ("verdict",), [], "watch", "verdict must be an object or null, not a list"),
        ("measures.json", ("verdict", "state"), 5, "watch", "verdict.state must be text"),
        ("measures.json", ("verdict", "defects", 0, "state"), "GOOD", "provenance", "does not hold an evaluation"),
        ("measures.json", ("advice",), {"state": "FAIL"}, "headline", "is not as it was written: advice: "),
        ("measures.json", ("advice",), {"state": 5}, "headline", "advice.state must be text"),
        ("findings.json", (0, "evidence"), 5, "watch", "[0].evidence must be an object"),
        ("findings.json", (0, "severity"), "bad", "findings", "does not hold findings"),
    ],
)  # fmt: skip
def test_one_value_of_another_file_is_named_too(run, file, place, value, reader, words):
    edited(run / file, *place, value=value)
    said = read(reader, run)
    assert said is not None
    assert words in said
    assert str(run / file) in said
    assert "plausible evaluate" in said or "remove it" in said


def test_a_damaged_line_of_a_log_is_left_out_and_named_once(run, capsys):
    log = run / "log.jsonl"
    first, *rest = log.read_text().splitlines(keepends=True)
    bad = ("half a li", "[]", '{"step": "1", "progress": 0.5}', '{"step": 1, "progress": NaN}', "\x00\x1c\x85",
           '{"step": 1, "progress": 0.5, "model": {"loss": "low"}}', '{"step": 1, "progress": 0.5, "trace": {"a": 5}}',
           '{"step": 1, "progress": 0.5, "alarms": "x"}', '{"step": 1' + "0" * 30 + ', "progress": 0}')  # fmt: skip
    log.write_text(
        first + "".join(f"{line}\n" for line in bad) + "".join(rest) + '{"step": 99, "pro'
    )
    with pytest.warns(
        DamagedLog, match=r"lines 2, 3, 4, 5, 6, \.\.\. of .*log.jsonl are not of the log"
    ) as warned:
        kept = [raw for raw, _ in read_log(log)]
    assert kept == [first, *rest]
    assert len(warned) == 1
    ask("watch", run, "--once")
    said = capsys.readouterr()
    assert said.err.count("plausible: lines 2, 3, 4, 5, 6, ...") == 1
    assert "Warning" not in said.err
    with pytest.warns(DamagedLog):
        runs.saving.cut_log(runs.Run(run), 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_history(log).steps == 21


def test_an_owner_that_says_nothing_still_holds_its_run(run):
    with writer(run):
        (run / OWNER).write_text('{"who": 5}')
        with pytest.raises(UsageError, match="trained by another process"), writer(run):
            pass


@pytest.mark.parametrize("garbage", GARBAGE)
def test_a_comparison_is_refused_by_its_file(tmp_path, garbage):
    (tmp_path / "comparison.json").write_bytes(GARBAGE[garbage])
    with pytest.raises(UsageError, match=r"comparison\.json is no"):
        open_comparison(tmp_path)
    for content in ({"families": [{"name": "gan", "runs": [5]}]}, {"families": {"a": 1}}):
        (tmp_path / "comparison.json").write_text(json.dumps(content))
        with pytest.raises(UsageError, match=r"comparison\.json is not as it was written"):
            open_comparison(tmp_path)


@pytest.mark.parametrize(
    ("value", "shape", "words"),
    [
        ({"a": 1}, {"a": int, "b?": str}, ""),
        ({"a": True}, {"a": int}, "a must be a whole number, not true or false"),
        ({"a": 2**70}, {"a": int}, "a must be"),
        ([1, 2.5], [float], ""),
        ([[1], ["x"]], [[float]], "[1][0] must be a number, not text"),
        (None, ({"a": int}, type(None)), ""),
        ({"a": "x"}, ({"a": int}, type(None)), "a must be a whole number, not text"),
        ("x", (int, type(None)), "all of it must be a whole number or null, not text"),
    ],
)
def test_a_value_is_held_against_its_shape(value, shape, words):
    assert words in mismatch(value, shape)
    assert bool(words) == bool(mismatch(value, shape))
