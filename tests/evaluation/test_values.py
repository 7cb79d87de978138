"""Values that the data never have: between 0 and 1, off whole numbers and grids, where nothing ever varied."""

import pytest
import torch
from evaluation_points import evalset
from evaluation_points import result as result_of

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.evaluation.permutation import observed, p_value, permuted
from plausible.evaluation.verdict.values import values
from plausible.evaluation.verdict.verdict import State

N = 400


def draw(seed, n=N):
    """Four coordinates: 0/1, whole numbers without end, one decimal, continuous."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 4, generator=generator)
    x[:, 0] = (x[:, 0] > 0.3).float()
    x[:, 1] = (1000 * x[:, 1]).round()
    x[:, 2] = (10 * x[:, 2]).round() / 10
    return x


def found(change=lambda x: x):
    return evalset(draw(0, 900), draw(1), change(draw(2)))


def effect(evaluated):
    n = len(evaluated.samples)
    return values(evaluated).statistic(observed(n)).item()


def between(x):
    x[:, 0] = 0.03 + 0.94 * x[:, 0]
    return x


def broken(x):
    x[:200, 1] += 0.25
    return x


def off_the_decimals(x):
    x[:100, 2] += 0.05
    return x


@pytest.mark.parametrize(
    ("change", "share"), [(between, 1), (broken, 0.5), (off_the_decimals, 0.25)]
)
def test_other_values_than_those_of_the_data_are_counted(change, share):
    assert effect(found(change)) == pytest.approx(share)
    result = result_of("values", found(change))
    assert result.state is State.FAIL
    assert f"{share:.0%} of the samples have" in result.sentence


def test_real_data_and_values_of_the_data_in_another_order_are_none():
    assert effect(found()) == 0
    rows = torch.randint(900, (N,), generator=torch.Generator().manual_seed(0))
    assert effect(found(lambda x: draw(0, 900)[rows])) == 0


def test_what_never_varies_must_not_begin_to():
    def constant(seed, n, value):
        x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
        x[:, 1] = value
        return x

    rounded = constant(2, N, 5.1) * torch.tensor([1, 1 + 2e-7, 1])  # as another program may round
    assert effect(evalset(constant(0, 900, 5.1), constant(1, N, 5.1), rounded)) == 0
    other = constant(2, N, 5.1)
    other[:40, 1] = 5.2
    assert effect(evalset(constant(0, 900, 5.1), constant(1, N, 5.1), other)) == pytest.approx(0.1)


def test_continuous_data_have_no_values_to_keep_to():
    x = torch.randn(3, N, 2, generator=torch.Generator().manual_seed(0))
    result = result_of("values", evalset(*x))
    assert result.state is State.UNDEFINED
    assert "too many different values" in result.sentence


def pictures(seed, n=N):
    """Black and white noise with a black border, kept with 256 levels."""
    x = torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed)).round()
    x[..., 0], x[..., -1] = 0, 0
    return x


def test_greys_where_images_are_black_and_white_and_light_where_they_are_always_black():
    space, train, real, samples = Space((1, 8, 8), 256), pictures(0, 900), pictures(1), pictures(2)
    assert effect(evalset(train, real, samples, space=space)) == 0
    greyer = 0.1 + 0.8 * samples
    assert effect(evalset(train, real, greyer, space=space)) == 1
    barely = samples.clamp(0.01, 0.99)  # a difference that nobody sees
    assert effect(evalset(train, real, barely, space=space)) == 0
    samples[:80, :, 3, 0] = 1
    assert effect(evalset(train, real, samples, space=space)) == pytest.approx(0.2)


@pytest.mark.parametrize("kind", ["rare values", "photographs"])
def test_real_data_with_rare_values_are_not_accused(kind):
    small = 0
    for seed in range(30):
        generator = torch.Generator().manual_seed(seed)
        if kind == "rare values":
            x, space = (torch.rand(900, 4, generator=generator).log() / -0.3).floor(), None
        else:
            space = Space((1, 6, 6), 256)
            x = space.quantise(torch.randn(900, 1, 6, 6, generator=generator) / 8 + 0.5)
        both = evalset(x[:500], x[500:700], x[700:], space=space)
        try:
            statistic = values(both).statistic
        except NotDefined:
            continue
        null = statistic(permuted(200, 99, generator))
        small += p_value(statistic(observed(200)).item(), null) <= 0.05
    assert small <= 5  # of 30 at 5%
