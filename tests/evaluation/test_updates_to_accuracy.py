"""How many updates a critic needs to be 75% right: worse needs fewer, real data never get there, n changes little."""

import math
from dataclasses import replace
from statistics import geometric_mean, stdev

import pytest
import torch
from evaluation_points import evalset

from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.core.space import Batch, Space
from plausible.data.load import from_arrays
from plausible.evaluation.critic import updates_to_accuracy
from plausible.evaluation.critic.effort import Effort, crossing, milestones
from plausible.evaluation.critic.updates_to_accuracy import (
    BUDGET,
    make_efforts,
    sides,
    with_efforts,
)
from plausible.evaluation.measure import measure, metrics
from plausible.evaluation.metrics import updates_to_accuracy as measure_of
from plausible.tasks.evaluate import evaluate

GREY = Space((1, 10, 10), 256)


@pytest.fixture
def _whole_budget(monkeypatch):
    """Other tests let critics learn for less."""
    monkeypatch.setattr(updates_to_accuracy, "BUDGET", BUDGET)


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def stripes(n, seed):
    """Bright to the left: (n, 1, 10, 10)."""
    x = (
        0.35
        + 0.3 * (torch.arange(10) < 5)
        + 0.08 * torch.randn(n, 1, 10, 10, generator=seeded(seed))
    )
    return GREY.quantise(x)


def noisy(n, seed, noise):
    """Stripes with more noise."""
    x = stripes(n, seed)
    return GREY.quantise(x + noise * torch.randn(x.shape, generator=seeded(seed + 100)))


def of_images(samples, **changed):
    return replace(evalset(stripes(600, 1), stripes(300, 2), samples, space=GREY), **changed)


def test_accuracy_is_linear_in_the_logarithm_of_updates():
    assert crossing((10, 0.5), (40, 1.0)) == pytest.approx(20)
    assert crossing((10, 0.5), (20, 0.75)) == 20
    assert crossing((5, 0.7), (7, 0.9), 0.7) == 5


@pytest.mark.parametrize("budget", [1, 5, 6, 93, 500])
def test_a_critic_is_asked_at_a_geometric_grid_that_ends_with_the_budget(budget):
    asked = list(milestones(budget))
    assert asked == sorted(set(asked))
    assert asked[-1] == budget
    assert list(milestones(30)) == [5, 7, 10, 14, 20, 28, 30]


def test_the_value_is_a_geometric_mean_and_a_bound_where_one_did_not_get_there():
    told = Effort(8, (50.0, 100.0, 200.0), 500, 0.8, 750, 250)
    assert told.updates == pytest.approx(100)
    assert told.kind is Kind.ESTIMATE
    spread = stdev(math.log(x) for x in told.needed) / math.sqrt(3)
    assert told.stderr == pytest.approx(100 * spread)
    some = replace(told, needed=(250.0, math.inf, 400.0))
    assert some.updates == pytest.approx(geometric_mean([250, 500, 400]))
    assert (some.kind, some.stderr) == (Kind.LOWER, None)
    never = replace(told, needed=(math.inf,))
    assert never.updates == pytest.approx(500)
    assert (never.kind, never.stderr) == (Kind.LOWER, None)


def test_images_are_seen_at_every_size_that_is_smaller_and_as_they_are():
    assert sides(Space((3, 32, 48), 256)) == [4, 8, 16, None]
    assert sides(Space((1, 16, 64), 2)) == [4, 8, None]
    assert sides(Space((1, 8, 8), 2)) == [4, None]


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 8, 8), (2, 9, 31), (4, 40, 24), (3, 70, 70)])
def test_every_image_is_seen_and_chance_elsewhere_is_left_alone(shape):
    space = Space(shape, 5)
    sets = [space.quantise(torch.rand(100, *shape, generator=seeded(k))) for k in range(3)]
    before, told = torch.get_rng_state(), []
    found = make_efforts(evalset(*sets, space=space), told.append)
    assert torch.equal(torch.get_rng_state(), before)
    assert [effort.side for effort in found] == sides(space)
    assert all((effort.taught, effort.asked) == (75, 25) for effort in found)
    assert 0 < told[0] <= told[-1] <= 1
    assert found == make_efforts(evalset(*sets, space=space))


@pytest.mark.slow
@pytest.mark.usefixtures("_whole_budget")
def test_the_larger_the_share_of_bad_samples_the_fewer_updates_at_each_size():
    real, bad = stripes(800, 3), stripes(800, 4).flip(3)
    by_share = {}
    for share in (0.6, 0.8, 1.0):
        count = round(share * 800)
        by_share[share] = make_efforts(of_images(torch.cat([bad[:count], real[count:]])))
    for few, more, all_ in zip(*by_share.values(), strict=True):
        assert few.kind is more.kind is all_.kind is Kind.ESTIMATE
        assert few.updates > more.updates > all_.updates
        assert all_.updates < 40


@pytest.mark.slow
@pytest.mark.usefixtures("_whole_budget")
def test_noise_of_a_pixel_is_seen_at_full_size_and_the_more_the_sooner_and_not_in_the_means(
    monkeypatch,
):
    monkeypatch.setattr(updates_to_accuracy, "SIDES", (4,))
    needed = {}
    for noise in (0.06, 0.2):
        coarse, full = make_efforts(of_images(noisy(800, 3, noise)))
        assert coarse.side == 4
        needed[noise] = full.updates
        if noise < 0.1:
            assert coarse.kind is Kind.LOWER
    assert needed[0.2] < 0.5 * needed[0.06]


@pytest.mark.slow
@pytest.mark.usefixtures("_whole_budget")
def test_real_data_never_get_there_and_one_hopeless_critic_speaks_for_the_others():
    for found in make_efforts(of_images(stripes(800, 3))):
        assert found.kind is Kind.LOWER
        assert found.updates == pytest.approx(found.budget)
        assert found.accuracy < 0.6
        assert len(found.needed) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("_whole_budget")
def test_more_samples_change_the_bound_and_hardly_the_value(monkeypatch):
    monkeypatch.setattr(updates_to_accuracy, "SIDES", ())
    values = {}
    for n in (120, 400, 1600):
        sets = stripes(3000, 1), stripes(600, 2), noisy(n, 3, 0.1)
        (values[n],) = make_efforts(evalset(*sets, space=GREY))
        assert values[n].budget == min(BUDGET, 16 * min(values[n].taught, 3000) // 64)
    assert values[120].kind is Kind.LOWER
    assert values[1600].kind is Kind.ESTIMATE
    for n, found in values.items():
        if found.kind is Kind.LOWER:
            assert found.updates < 1.2 * values[1600].updates, n
        else:
            assert found.updates == pytest.approx(values[1600].updates, rel=0.3), n


def test_what_is_too_few_or_no_image_is_said():
    few, enough = stripes(99, 1), stripes(100, 2)
    rows, tiny = torch.zeros(200, 4), torch.zeros(200, 1, 7, 9)
    for sets, what in (
        ((enough, enough, few), "99 samples do not show"),
        ((enough, few[:24], enough), "24 held-out examples do not show"),
        ((few[:63], enough, enough), "63 training examples do not show"),
        ((rows, rows, rows), "grade images of at least 8 pixels a side alone"),
        ((tiny, tiny, tiny), "grade images of at least 8 pixels a side alone"),
    ):
        space = Space(tuple(sets[0].shape[1:]), 256 if sets[0].dim() == 4 else None)
        found = evalset(*sets, space=space)
        with pytest.raises(NotDefined, match=what):
            make_efforts(found)
        (row,) = measure(metrics["updates to accuracy"], found)
        assert row.value is None
        assert what in row.note
        assert with_efforts(found).efforts is None


def test_it_is_learned_once_from_all_the_samples_and_never_for_real_data(monkeypatch):
    whole = with_efforts(of_images(stripes(400, 3)))
    monkeypatch.setattr(f"{measure_of.__name__}.make_efforts", None)
    ours, real = whole.halves()
    rows = measure(metrics["updates to accuracy"], ours)
    assert [row.name for row in rows] == [
        f"updates at {size}" for size in ("4 pixels", "8 pixels", "full size")
    ]
    assert all(row.direction == "higher" and row.n == 100 for row in rows)
    assert [row.value for row in rows] == [effort.updates for effort in whole.efforts]
    (none,) = measure(metrics["updates to accuracy"], real)
    assert none.value is None


def test_it_stands_in_a_report_without_a_value_of_real_data():
    data = from_arrays((255 * stripes(1000, 1)).byte())
    report = evaluate(Batch(stripes(150, 2)), data, n=150)
    row = report["updates at full size"]
    assert row.kind is Kind.LOWER
    assert "right about" in row.note
    assert report.real("updates at full size") is None
