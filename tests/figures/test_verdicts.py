"""A verdict as a figure: a row a defect, in multiples of what is tolerated."""

import pytest

from plausible.evaluation.verdict import verdict as verdicts
from plausible.evaluation.verdict.verdict import State
from plausible.figures.verdicts import verdict_figure


def test_effects_stand_in_multiples_of_their_margin_within_the_axis():
    rows = [
        verdicts.TestResult("copies", State.FAIL, "", 0.03, 0.6, (0.5, 0.7)),
        verdicts.TestResult("garbage", State.INCONCLUSIVE, "", 0.1, 0.05, (0.0, 0.2)),
        verdicts.TestResult("too narrow", State.PASS, "", 0.06, -0.2, (-0.3, -0.1)),
        verdicts.TestResult("values", State.FAIL, "", 0.001, 0.9, None),
    ]
    (axes,) = verdict_figure(rows).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [row.name for row in rows]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first above
    found = {}
    for container in axes.containers:
        line = container.lines[0]
        found |= dict(zip(line.get_ydata(), line.get_xdata(), strict=True))
    assert found == pytest.approx({0: 20, 1: 0.5, 2: 0, 3: 100})
    low, high = axes.get_xlim()
    assert low < 0
    assert high > 100
