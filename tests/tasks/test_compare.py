"""``compare``: families on the same data and budget in one table, which goes on where it stopped."""

import csv
from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest
import scipy
from matplotlib.figure import Figure
from tests.conftest import DRAW, ask, refused

import plausible
from plausible import tasks
from plausible.cli.main import main
from plausible.core.errors import UsageError
from plausible.evaluation.paired import Answer, Comparison, PairedResult
from plausible.tasks import compare, continue_comparison, open_comparison
from plausible.tasks.compared import Compared, FamilyResult, Plan, RunResult, ranked
from plausible.tasks.recommend import recommend

MODULE = import_module("plausible.tasks.compare")
N = 60


def points(seed=0):
    return np.random.default_rng(seed).normal(size=(400, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("comparison") / "all"


@pytest.fixture(scope="module")
def compared(folder):
    np.save(folder.parent / "points.npy", points())
    source = folder.parent / "points.npy"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "draw", DRAW)
        return compare(["mixture", "rbm", "vae"], str(source), steps=3, n=N, out=folder)


def family(name, values, verdict="FAIL", **more):
    runs = tuple(
        RunResult(name, k, None, verdict=verdict, values=each, **more)
        for k, each in enumerate(values if isinstance(values, list) else [values])
    )
    return FamilyResult(name, runs)


@pytest.mark.slow
def test_each_family_is_a_row_and_a_failure_does_not_stop_the_others(compared):
    assert [each.name for each in compared.families[-1:]] == ["rbm"]
    assert "units of an rbm are 0 or 1" in compared["rbm"].failed
    for name in ("mixture", "vae"):
        assert compared[name].draws
        for column in ("total variation", "Frechet multiple", "recall", "drawing speed", "size"):
            assert compared[name].interval(column) is not None, column
    assert compared["mixture"].sign("log likelihood") == "="
    assert compared["vae"].cell("log likelihood").startswith("≥ ")
    assert compared.finished
    assert {compared.paired.names[0], compared.paired.names[1]} == {"mixture", "vae"}
    assert len(compared.advice) == 3


@pytest.mark.slow
def test_the_folder_has_the_table_the_runs_and_pictures_and_opens_again(compared, folder):
    assert open_comparison(folder).to_dict() == compared.to_dict()
    assert open_comparison(folder).paired.sentence == compared.paired.sentence
    with (folder / "comparison.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["family"] for row in rows] == [each.name for each in compared.families]
    assert {"config.json", "measures.json"} <= {p.name for p in (folder / "vae-0").iterdir()}
    assert (folder / "samples.png").stat().st_size > 5000
    assert (folder / "tradeoff.png").stat().st_size > 5000


@pytest.mark.slow
def test_what_is_done_is_not_done_again(compared, folder, monkeypatch):
    before = open_comparison(folder).to_dict()

    def never(*_, **__):
        raise UsageError("trained again")

    for name in ("fit", "resume", "judged"):
        monkeypatch.setattr(MODULE, name, never)
    monkeypatch.setattr(MODULE, "_paired", lambda compared, *_: compared.paired)
    again = continue_comparison(folder).to_dict()
    failed = next(each for each in again["families"] if each["name"] == "rbm")
    assert "trained again" in failed["failed"]  # what failed is tried again, and nothing else
    kept = {each["name"]: each for each in before["families"] if each["name"] != "rbm"}
    assert {each["name"]: each for each in again["families"] if each["name"] != "rbm"} == kept


@pytest.mark.slow
def test_it_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    judged, asked = MODULE.judged, []

    def interrupted(trained, place, *more):
        asked.append(place.name)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return judged(trained, place, *more)

    monkeypatch.setattr(MODULE, "judged", interrupted)
    data = plausible.from_arrays(points())
    place = tmp_path / "c"
    stopped = compare(["mixture", "naive-bayes", "vae"], data, steps=2, n=N, out=place)
    assert not stopped.finished
    assert len(stopped["mixture"].runs) == 1
    assert stopped["vae"].runs == ()
    with pytest.raises(UsageError, match="given in memory: give them again"):
        continue_comparison(place)
    whole = continue_comparison(place, data)
    assert whole.finished
    assert whole["vae"].draws
    assert asked.count("mixture-0") == 1


@pytest.mark.slow
def test_runs_take_part_as_they_are(compared, folder, tmp_path):
    runs = [folder / "mixture-0", folder / "vae-0"]
    kept = [(run / "measures.json").read_bytes() for run in runs]
    found = compare(runs, n=N, out=tmp_path / "again")
    assert {each.name for each in found.families} == {"mixture-0", "vae-0"}
    one, other = found["mixture-0"].interval("recall"), compared["mixture"].interval("recall")
    assert one == other
    assert [(run / "measures.json").read_bytes() for run in runs] == kept


def test_what_cannot_be_compared_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="at least two families"):
        compare(["gan"])
    with pytest.raises(UsageError, match="did you mean 'gan'"):
        compare(["gam", "vae"])
    with pytest.raises(UsageError, match="itself"):
        compare(["vae", "vae"], points(), out=tmp_path / "twice")
    with pytest.raises(UsageError, match="at least 1 seed"):
        compare(["gan", "vae"], seeds=0)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="never overwritten"):
        compare(["gan", "vae"], points(), out=tmp_path / "taken")
    with pytest.raises(UsageError, match="is no comparison"):
        open_comparison(tmp_path)
    a = plausible.fit("mixture", points(1), components=1, out=tmp_path / "a")
    with pytest.raises(UsageError, match="holds out other data"):
        compare([a, "vae"], points(), out=tmp_path / "other")


def test_the_interval_over_seeds_is_students(tmp_path):
    values = [1.0, 2.0, 4.0]
    found = family("gan", [{"recall": value} for value in values]).interval("recall")
    low, high = scipy.stats.t.interval(0.95, 2, np.mean(values), scipy.stats.sem(values))
    assert (found.mean, found.low, found.high) == pytest.approx((np.mean(values), low, high))
    assert family("gan", {"recall": 1.0}).interval("recall")[1:] == (None, None, 1)
    with pytest.raises(KeyError, match="unknown column 'recal'"):
        family("gan", {}).interval("recal")


def test_the_order_is_by_critic_then_distance_and_never_by_likelihood():
    near = family("near", {"total variation": 0.2, "Frechet multiple": 9.0, "log likelihood": -90})
    far = family("far", {"total variation": 0.61, "Frechet multiple": 2.0, "log likelihood": 0.0})
    farther = family("farther", {"total variation": 0.59, "Frechet multiple": 3.0})
    label = family("label", {"accuracy": 0.9}, verdict="")
    broken = FamilyResult("broken", (RunResult("broken", 0, None, failed="out of memory"),))
    found = ranked([broken, label, farther, far, near])
    assert [each.name for each in found] == ["near", "far", "farther", "label", "broken"]


def made(*families, paired=None):
    plan = Plan(tuple(each.name for each in families), "digits", minutes=1.0)
    return Compared(plan, None, "digits", 500, ranked(families), paired)


def test_advice_names_the_family_the_reason_and_what_would_change_it():
    fast = {"total variation": 0.5, "Frechet multiple": 2.0, "drawing speed": 9000.0}
    good = {"total variation": 0.3, "Frechet multiple": 1.5, "drawing speed": 20.0}
    result = PairedResult("shape", Answer.A, 0.1, (0.1, 0.4), -0.3, (-0.4, -0.2))
    found = recommend(
        made(
            family("gan", fast, defects={"shape": "FAIL"}),
            family("diffusion", good, defects={"texture": "FAIL", "shape": "PASS"}, limit="time"),
            family("pixelcnn", {"total variation": 0.8, "log likelihood": -5.0}, signs={"log likelihood": "="}),
            paired=Comparison(("diffusion", "gan"), 500, 500, (result,)),
        )
    )  # fmt: skip
    assert found[0].startswith(
        "Take diffusion for digits after 1 minute: a critic proves at least 30%"
    )
    assert "(gan: 50%)" in found[0]
    assert "better in shape than gan" in found[1]
    assert "first of all texture" in found[1]
    assert "More minutes would make it better" in found[2]
    assert "gan draws 9,000 samples a second beside 20" in found[2]
    assert "pixelcnn says it exactly" in found[2]


def test_advice_does_not_praise_what_nobody_would_take_for_real():
    bad = {"total variation": 0.95, "Frechet multiple": 20.0}
    found = recommend(made(family("gan", bad), family("vae", {**bad, "Frechet multiple": 30.0})))
    assert found[0].startswith("None of these is good yet on digits after 1 minute, and gan is")


def test_paired_tests_outweigh_the_order_of_the_table():
    rows = [PairedResult(name, Answer.B, 0.1, (0.4, 0.1), 0.3, (0.2, 0.4)) for name in ("a", "b")]
    close = {"total variation": 0.3, "Frechet multiple": 1.5}
    first, second = family("gan", close), family("vae", {**close, "Frechet multiple": 1.6})
    found = recommend(made(first, second, paired=Comparison(("gan", "vae"), 9, 9, tuple(rows))))
    assert found[0].startswith("Take vae")
    assert "better in a, b than gan" in found[1]


def test_a_family_with_several_seeds_says_how_often_a_defect_fails():
    runs = tuple(
        RunResult("gan", k, None, verdict=state, defects={"copies": state})
        for k, state in enumerate(("PASS", "FAIL", "PASS"))
    )
    found = FamilyResult("gan", runs)
    assert found.states("copies") == {"FAIL": 1, "PASS": 2}
    assert found.verdict == "FAIL"


@pytest.mark.slow
def test_the_command_shows_the_table_and_the_advice(
    compared, folder, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(MODULE, "_paired", lambda compared, *_: compared.paired)
    ask("compare", folder)
    said = capsys.readouterr().out
    assert "Which family for points?" in said
    assert "rbm, not compared: the units of an rbm" in said
    page = folder / "report.html"
    assert str(page) in said.replace("\n", "")
    assert page.stat().st_size > 10_000
    assert "goes on" not in said


def test_what_there_is_when_it_is_stopped_is_shown_with_its_page(compared, capsys, monkeypatch):
    stopped = replace(compared, finished=False, paired=None, advice="")
    monkeypatch.setattr(tasks, "compare", lambda *_, **__: stopped)
    monkeypatch.setattr("plausible.pages.save_page", lambda report, place: place)
    with pytest.raises(SystemExit) as ended:
        main(["compare", "mixture", "vae"])
    assert ended.value.code == 130
    said = capsys.readouterr().out
    assert "total variation, at least" in said
    assert "report.html" in said
    assert "go on with: plausible compare" in said


def test_the_command_refuses_in_a_sentence(capsys):
    assert "needs families or runs" in refused(capsys, "compare")
    assert "did you mean 'vae'" in refused(capsys, "compare", "gan", "vea")
