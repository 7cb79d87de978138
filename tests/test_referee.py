"""The bookkeeping of benchmarks/referee.py: nothing is judged twice, nothing is lost, and intervals are exact."""

import sys

import pytest
import torch
from benchmarks import referee
from benchmarks.referee_answers import BROKEN, Answers, all_rows, interval, table, to_do
from benchmarks.referee_data import Scene
from benchmarks.referee_data import table as drawn_table
from benchmarks.referee_defects import CASES, MARGIN, REAL

from plausible.core.errors import UsageError
from plausible.evaluation.verdict.defect import defects

DROPPED = ("digits", 500, "one of ten classes dropped")
ROWS = [("digits", 500, REAL), DROPPED]


def word(**letters):
    return "".join(letters.get(name.replace(" ", "_").replace("-", "_"), "P") for name in defects)


def test_intervals_are_exact():
    # k = 0 and k = n have closed forms: (1 - p)^n = 0.025
    high = 1 - 0.025 ** (1 / 300)
    assert interval(0, 300) == f"0.000 (0.000 to {high:.3f})"
    assert interval(20, 20) == f"1.000 ({0.025 ** (1 / 20):.3f} to 1.000)"


def test_what_is_kept_is_not_made_again(tmp_path):
    answers, path = Answers(), tmp_path / "results" / "referee.jsonl"
    first = to_do(ROWS, answers, 8)
    assert len(first) == len(set(first)) == 8 + 24
    for row, k in first[5:11]:
        answers.add(row, k, word(), 1.5)
    answers.write(path)
    again = Answers.read(path)
    assert again == answers
    assert again.seconds == 9
    left = to_do(ROWS, again, 8)
    assert set(left) == set(first) - set(first[5:11])
    assert [job for job in first if job in left] == left


def test_every_row_has_four_repetitions_before_any_has_more():
    jobs = to_do(ROWS, Answers(), 8)
    assert sorted(jobs[:8]) == sorted((row, k) for row in ROWS for k in range(4))
    # afterwards evenly: half-way, half of each
    assert abs(sum(row == DROPPED for row, _ in jobs[8 : 8 + 12]) - 2) <= 1


def test_more_repetitions_top_up():
    answers = Answers()
    for row, k in to_do([DROPPED], answers, 3):
        answers.add(row, k, word(), 0)
    assert to_do([DROPPED], answers, 3) == []
    assert to_do([DROPPED], answers, 5) == [(DROPPED, 3), (DROPPED, 4)]


def test_a_defect_that_no_test_is_defined_for_is_looked_for_once():
    answers = Answers()
    answers.add(DROPPED, 0, word(missing_modes="-"), 0)
    assert to_do([DROPPED], answers, 8) == []
    assert table(answers) == []


def test_answers_of_other_tests_are_refused(tmp_path):
    path = tmp_path / "referee.jsonl"
    Answers(tests=["copies"]).write(path)
    with pytest.raises(UsageError, match="other tests"):
        Answers.read(path)


def test_a_row_counts_what_was_said():
    answers = Answers()
    said = [
        word(missing_modes="F"),
        word(missing_modes="I", copies="F"),
        word(missing_modes="p"),
        BROKEN,
    ]
    for k, one in enumerate(said):
        answers.add(DROPPED, k, one, 0)
    line, together, at_once, everywhere = table(answers)
    assert line["repetitions"] == 3
    assert line["not judged"] == 1
    assert line["right FAIL"] == interval(1, 3)
    assert line["significant"] == line["any FAIL"] == interval(2, 3)
    assert (line["right PASS"], line["INCONCLUSIVE"], line["all PASS"]) == (1, 1, 1)
    assert line["others that FAIL"] == "copies 1"
    assert together == line | {"planted": "all of these", "right": ""}
    assert at_once == line | {"planted": "what a person sees at once", "right": ""}
    assert everywhere == at_once | {"data": "all sets", "n": ""}


def test_real_data_of_all_sets_stand_together():
    answers = Answers()
    answers.add(ROWS[0], 0, word(garbage="F"), 0)
    for k in range(3):
        answers.add(("iris", 45, REAL), k, word(), 0)
    *_, together = table(answers)
    assert (together["data"], together["repetitions"]) == ("all sets", 4)
    assert together["any FAIL"] == interval(1, 4)
    assert together["others that FAIL"] == "garbage 1"


def test_a_second_call_goes_on_where_the_first_stopped(tmp_path, monkeypatch):
    made = []

    def some(jobs, answers, path, *_):
        for row, k in jobs[:3]:
            made.append((row, k))
            answers.add(row, k, word(), 1)
            answers.write(path)

    monkeypatch.setattr(referee, "work", some)
    monkeypatch.setattr(
        sys, "argv",
        ["referee", "--settings", "iris", "ring", "--repetitions", "1", "--out", str(tmp_path)],
    )  # fmt: skip
    for _ in range(3):
        referee.main()
    assert len(made) == len(set(made)) == 6
    assert (tmp_path / "results" / "referee.json").exists()


def test_every_defect_is_planted_and_named():
    named = set().union(*(case.right for case in CASES.values()))
    assert named == set(defects)
    assert {f"{MARGIN}{name}" for name, d in defects.items() if d.plant and not d.aspect} <= set(
        CASES
    )
    places = {(name, n) for name, n, _ in all_rows(referee.SETTINGS, [REAL])}
    assert len({name for name, _ in places}) >= 8


@pytest.mark.parametrize(
    "planted", [name for name, case in CASES.items() if "vectors" in case.kinds]
)
def test_samples_with_a_defect_are_points_of_the_table(planted):
    case, generator = CASES[planted], torch.Generator().manual_seed(0)
    scene = Scene(*(drawn_table(k, generator) for k in (300, 100, 100 * case.more)), 100)
    samples = case.make(scene, generator)
    assert 20 < len(samples) <= 100 * case.more
    assert samples.values.shape[1:] == scene.fresh.values.shape[1:]
    assert samples.values.isfinite().all()
