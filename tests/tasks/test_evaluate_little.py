"""Reports on samples that repeat themselves, on a handful of samples or data, and on constants."""

import pytest
import torch
from tests.conftest import make_data
from tests.tasks.test_evaluate import SPACES, data_of, failed, points, sound

from plausible import evaluate
from plausible.core.errors import NotDefined, UsageError
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.verdict.verdict import State


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPACES)
def test_identical_samples_fail(kind):
    space, data = SPACES[kind], data_of(SPACES[kind], 80, 100)
    one = data.train.values[:1].expand(100, *space.shape).clone()
    report = sound(evaluate(Part(one, None, space), data))
    assert {"copies", "one mode a point", "anything else"} <= failed(report)
    assert report["duplicate share"].value == 1
    assert report["vendi score"].value == pytest.approx(1)
    zero = sound(evaluate(Part(torch.zeros_like(one), None, space), data))
    assert "anything else" in failed(zero)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPACES)
def test_the_training_data_themselves_fail_as_copies(kind):
    data = data_of(SPACES[kind], 80, 100)
    assert "copies" in failed(sound(evaluate(data.train, data)))
    assert "copies" not in failed(sound(evaluate(data.heldout, data)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("n", [2, 3, 10])
def test_a_handful_of_samples_decides_nothing(kind, n):
    space = SPACES[kind]
    report = sound(evaluate(points(space, n), data_of(space)))
    assert report.verdict.state is State.INCONCLUSIVE
    assert report.verdict.exit_code == 3
    assert report.compared == n
    assert "too few" in report["Frechet, n -> infinity"].note


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize(
    ("train", "heldout", "n"), [(10, 4, 50), (8, 5, 2), (1, 40, 30), (2, 40, 30), (3, 40, 30)]
)
def test_a_handful_of_data_decides_nothing(kind, train, heldout, n):
    space = SPACES[kind]
    report = sound(evaluate(points(space, n), data_of(space, train, heldout)))
    assert report.verdict.state is State.INCONCLUSIVE
    assert report.compared == min(heldout // 2, n)


@pytest.mark.parametrize("kind", SPACES)
def test_what_is_too_little_is_refused_with_the_number(kind):
    space = SPACES[kind]
    data = data_of(space, 20, 20)
    with pytest.raises(NotDefined, match="1 samples"):
        evaluate(points(space, 1), data)
    with pytest.raises(NotDefined, match="0 samples"):
        evaluate(Part(points(space, 2).values[:0], None, space), data)
    with pytest.raises(UsageError, match="at least 2 samples, not 1"):
        evaluate(points(space, 9), data, n=1)
    with pytest.raises(NotDefined, match="3 held-out"):
        evaluate(points(space, 9), data_of(space, 20, 3))
    with pytest.raises(UsageError, match="seed must lie between"):
        evaluate(points(space, 9), data, seed=-1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("where", ["train", "heldout", "both and samples"])
def test_constant_data_have_an_answer(kind, where):
    space = SPACES[kind]
    values = make_data(space, 3 * 105).train.values.clone()
    if where != "heldout":
        values[:65] = values[0]
    if where != "train":
        values[65:] = values[0]
    data = data_of(space, 60, 40, values=values)
    drawn = Part(values[65:], None, space) if "samples" in where else points(space, 40)
    report = sound(evaluate(drawn, data))
    if "samples" in where:
        assert report.verdict.state is not State.FAIL
        assert "one point" in report["two sample tests"].note


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1,), (1, 1, 1), (1, 2, 2), (1, 3, 3), (2, 6, 6), (3, 5, 7)])
def test_spaces_of_odd_shapes(shape):
    space = Space(shape, 4 if len(shape) == 3 else None)
    sound(evaluate(points(space, 60), data_of(space, 100, 60)))
