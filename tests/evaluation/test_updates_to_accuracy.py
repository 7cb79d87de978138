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


def points(n, seed):
    return torch.randn(n, 4, generator=seeded(seed))


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
    assert sides(Space((1, 4, 4), 2)) == [None]
    assert sides(Space((32,))) == [None]


@pytest.mark.parametrize(
    "shape", [(1, 1, 5), (1, 2, 2), (2, 9, 31), (4, 40, 24), (3, 70, 70), (7,)]
)
def test_every_space_is_seen_and_chance_elsewhere_is_left_alone(shape):
    space = Space(shape, 5 if len(shape) == 3 else None)
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
def test_noise_of_a_pixel_is_seen_at_full_size_and_the_more_the_sooner_and_not_in_the_means():
    needed = {}
    for noise in (0.06, 0.2):
        noisy = stripes(800, 3) + noise * torch.randn(800, 1, 10, 10, generator=seeded(5))
        coarse, _, full = make_efforts(of_images(GREY.quantise(noisy)))
        assert coarse.side == 4
        needed[noise] = full.updates
        if noise < 0.1:
            assert coarse.kind is Kind.LOWER
    assert needed[0.2] < 0.5 * needed[0.06]


@pytest.mark.slow
@pytest.mark.usefixtures("_whole_budget")
def test_real_data_never_get_there_and_one_hopeless_critic_speaks_for_the_others():
    for found in (
        *make_efforts(of_images(stripes(800, 3))),
        *make_efforts(evalset(points(900, 1), points(300, 2), points(800, 3))),
    ):
        assert found.kind is Kind.LOWER
        assert found.updates == pytest.approx(found.budget)
        assert found.accuracy < 0.6
        assert len(found.needed) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("_whole_budget")
def test_more_samples_change_the_bound_and_hardly_the_value():
    """A shift of 1.2 deviations of one coordinate: it takes some 100 updates whatever n."""
    values = {}
    for n in (200, 400, 1600, 4000):
        moved = points(n, 3) + torch.tensor([1.8, 0, 0, 0])
        (found,) = make_efforts(evalset(points(4000, 1), points(1000, 2), moved))
        assert found.budget == min(BUDGET, 16 * found.taught // 64)
        values[n] = found
    best = values[4000]
    assert best.kind is Kind.ESTIMATE
    for n, found in values.items():
        if found.kind is Kind.LOWER:
            assert found.updates < 1.2 * best.updates, n
        else:
            assert found.updates == pytest.approx(best.updates, rel=0.3), n


@pytest.mark.parametrize("far", [1e3, 1e12, 1e30])
def test_what_lies_anywhere_far_off_is_seen_at_once(far, monkeypatch):
    monkeypatch.setattr(updates_to_accuracy, "BUDGET", 40)
    samples = points(400, 3)
    samples[:380, 1] = far
    (found,) = make_efforts(evalset(points(400, 1), points(300, 2), samples))
    assert found.kind is Kind.ESTIMATE


def test_what_is_too_few_is_said():
    few, enough = points(99, 1), points(100, 2)
    for sets, what in (
        ((enough, enough, few), "99 samples do not show"),
        ((enough, few[:24], enough), "24 held-out examples do not show"),
        ((few[:63], enough, enough), "63 training examples do not show"),
    ):
        with pytest.raises(NotDefined, match=what):
            make_efforts(evalset(*sets))
        (row,) = measure(metrics["updates to accuracy"], evalset(*sets))
        assert row.value is None
        assert what in row.note
        assert with_efforts(evalset(*sets)).efforts is None


def test_it_is_learned_once_from_all_the_samples_and_never_for_real_data(monkeypatch):
    whole = with_efforts(of_images(stripes(400, 3)))
    monkeypatch.setattr(updates_to_accuracy, "make_efforts", None)
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
    data = from_arrays(points(1000, 1))
    report = evaluate(Batch(points(150, 2)), data, n=150)
    row = report["critic updates"]
    assert row.kind is Kind.LOWER
    assert "right about" in row.note
    assert report.real("critic updates") is None
