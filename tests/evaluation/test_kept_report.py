"""What measures.json holds reads back as the report that wrote it."""

import json

import pytest

from plausible.core.likelihood import Kind
from plausible.evaluation.kept_report import kept_report
from plausible.evaluation.measure import Measure
from plausible.evaluation.metrics.histogram import ModeShare
from plausible.evaluation.report import Report
from plausible.evaluation.seal import Seal
from plausible.evaluation.verdict import verdict as verdicts
from plausible.evaluation.verdict.verdict import State, Verdict

MEASURE = Measure("support", 12.5, None, (10.0, 20.0), 0.25, 40, Kind.LOWER, "distinct", "higher", "x")  # fmt: skip
RESULTS = (
    verdicts.TestResult(
        "copies", State.FAIL, "some", 0.03, 0.5, (0.4, 0.6), 0.001, 0.01, 0.02, 80, 0.9
    ),
    verdicts.TestResult("colour", State.UNDEFINED, "grey images have none", 0.1),
)


@pytest.mark.parametrize("verdict", [None, Verdict(40, RESULTS)], ids=["without", "with"])
def test_a_report_is_the_same_after_its_file(verdict):
    report = Report(
        [
            (MEASURE, Measure("support", 14.0, 1.5)),
            (Measure("mixing", None, note="no chain"), None),
        ],
        verdict,
        [ModeShare("a", 3, 0.3, 0.6)],
        100,
        40,
        "pixels",
        0.97,
        seal=Seal(40, "auto", 3, {"samples": "abc"}, {"torch": "2"}, run="/runs/a"),
    )
    kept = kept_report(json.loads(json.dumps(report.to_dict())))
    assert kept == report


def test_an_older_file_reads_and_another_is_refused():
    old = {"measures": [{"name": "precision", "value": 0.5}], "later": 1}
    assert kept_report(old)["precision"].value == 0.5
    assert kept_report(old).verdict is None
    with pytest.raises(KeyError):
        kept_report({"advice": {}})
