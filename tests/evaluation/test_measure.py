"""What a metric may answer: measures, or a row with the reason why there is none."""

import pytest
import torch
from evaluation_points import evalset

from plausible.core.capabilities import Latent
from plausible.core.errors import NotDefined, UsageError
from plausible.core.likelihood import Kind
from plausible.core.rule import Rule
from plausible.evaluation.measure import Measure, measure

POINTS = torch.zeros(5, 2)


def raising(error):
    def function(evalset):
        raise error

    return Rule("a metric", None, function)


def test_one_measure_or_several_are_a_list():
    alone = Measure("alone", 1.0)
    for answer in (alone, [alone], (alone,)):
        rule = Rule("alone", None, lambda evalset, answer=answer: answer)
        assert measure(rule, evalset(POINTS, POINTS, POINTS)) == [alone]


def test_what_is_not_defined_is_a_row_with_its_reason():
    (row,) = measure(raising(NotDefined("too few")), evalset(POINTS, POINTS, POINTS))
    assert (row.name, row.value, row.note, row.n) == ("a metric", None, "too few", 5)


def test_a_model_without_the_capability_is_never_asked():
    rule = Rule("a metric", Latent, None)
    (row,) = measure(rule, evalset(POINTS, POINTS, POINTS))
    assert row.note == "not defined for this model: it is not latent"


@pytest.mark.parametrize("error", [UsageError("k is 0"), ValueError("a mistake"), KeyError("x")])
def test_a_mistake_inside_a_metric_is_never_a_quiet_row(error):
    with pytest.raises(type(error)):
        measure(raising(error), evalset(POINTS, POINTS, POINTS))


def test_a_likelihood_never_stands_without_its_sign():
    said = {kind: Measure("log likelihood", -79.25, 0.5, kind=kind).number for kind in Kind}
    assert [text.split()[0] for text in said.values()] == ["=", "≥", "≤", "≈"]
    assert Measure("bits per dimension", 1.25).number == "≈ 1.25"
    assert Measure("recall", 0.5).number == "0.5"
