"""The verdict: what each defect's statistic is, and what is ruled."""

import json
import math

import pytest
import torch
from evaluation_points import evalset, result

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.evaluation.permutation import observed
from plausible.evaluation.verdict.defect import (
    NullSummary,
    defects,
    detectable_excess,
    detectable_rate,
    detectable_shift,
)
from plausible.evaluation.verdict.verdict import State, run_tests

MODES = 4


def clusters(n, seed, d=12, modes=MODES):
    """n points around 4 far corners, and the mode of each."""
    generator = torch.Generator().manual_seed(seed)
    centres = 20 * torch.eye(d)[:MODES]
    y = torch.randint(modes, (n,), generator=generator)
    return centres[y] + torch.randn(n, d, generator=generator), y


def made(change=lambda x, y, train: (x, y), n=400):
    """An evaluation set of T, H and changed real data."""
    (train, a), (real, b) = clusters(800, 1), clusters(n, 2)
    samples, c = change(*clusters(n, 3), train)
    return evalset(train, real, samples, modes=(a, b, c), names=[str(k) for k in range(MODES)])


def effect(name, found):
    kind = defects[name]
    statistic = kind.function(found).statistic(observed(len(found.samples)))
    return kind.effect(statistic).item()


def narrowed(factor):
    def change(x, y, train):
        centre = 20 * torch.eye(12)[:MODES][y]
        return centre + factor * (x - centre), y

    return change


def test_missing_modes_count_their_whole_mass_and_uneven_ones_nothing():
    g = torch.tensor([0] * 5 + [1] * 5).repeat(50)
    h = torch.tensor([0, 0, 0, 0, 1, 1, 1, 2, 2, 2]).repeat(50)
    zeros = torch.zeros(500, 2)
    found = evalset(zeros, zeros, zeros, modes=(h, h, g), names="abc")
    assert effect("missing modes", found) == pytest.approx(0.3, abs=1e-3)
    g = torch.tensor([0] * 6 + [1] * 3 + [2]).repeat(50)  # the third has a third of its share
    found = evalset(zeros, zeros, zeros, modes=(h, h, g), names="abc")
    assert effect("missing modes", found) == pytest.approx(0.3 - 2 * 0.1, abs=1e-3)


def test_the_unevenness_is_unbiased_at_zero_and_cohens_w_away_from_it():
    generator, squares = torch.Generator().manual_seed(0), []
    zeros = torch.zeros(300, 2)
    for _ in range(200):
        g, h = torch.randint(5, (2, 300), generator=generator)
        found = evalset(zeros, zeros, zeros, modes=(g, h, g), names="abcde")
        w = (
            defects["uneven modes"].function(found).statistic(observed(300)).item()
        )  # before it is cut at 0
        squares.append(math.copysign(w * w, w))
    squares = torch.tensor(squares)
    assert squares.mean().item() == pytest.approx(0, abs=4 * squares.std().item() / 200**0.5)
    big = torch.zeros(20_000, 2)
    g = (torch.arange(20_000) % 10 >= 7).long()  # shares 0.7 and 0.3
    h = (torch.arange(20_000) % 10 >= 5).long()  # one half each
    w = effect("uneven modes", evalset(big, big, big, modes=(h, h, g), names="ab"))
    assert w == pytest.approx(math.sqrt(0.2**2 / 0.6 + 0.2**2 / 0.4), rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "name"), [(0.85, "too narrow"), (1.2, "too wide")])
def test_the_spread_is_the_factor(factor, name):
    found = result(name, made(narrowed(factor), n=1000))
    assert found.effect == pytest.approx(abs(factor - 1), abs=0.05)
    assert found.state is State.FAIL
    assert found.interval[0] < found.effect < found.interval[1]


def test_shares_do_not_look_like_spread():
    def mostly_one(x, y, train):
        keep = (y == 0) | (torch.arange(len(y)) % 4 == 0)
        return x[keep], y[keep]

    verdict = {r.name: r for r in run_tests(made(mostly_one, n=1000)).results}
    assert verdict["uneven modes"].state is State.FAIL
    assert verdict["too narrow"].adjusted > 0.05
    assert verdict["too wide"].adjusted > 0.05


def test_one_mode_that_is_a_point():
    def collapsed(x, y, train):
        return torch.where((y == 2)[:, None], x[y == 2][0], x), y

    found = made(collapsed)
    assert effect("one mode a point", found) == pytest.approx(1, abs=1e-3)
    assert result("one mode a point", found).state is State.FAIL
    assert result("one mode a point", made()).state is State.PASS


def test_copies_and_garbage():
    def copied(x, y, train):
        x[:40] = train[:40]
        return x, y

    def broken(x, y, train):
        x[:40] = 200 * torch.rand(40, 12, generator=torch.Generator().manual_seed(0))
        return x, y

    for name, change in (("copies", copied), ("garbage", broken)):
        found = result(name, made(change))
        assert found.state is State.FAIL
        assert found.effect == pytest.approx(0.1, abs=0.02)
        assert f"{found.effect:.0%}" in found.sentence or f"{found.effect:.1%}" in found.sentence


def images(n, seed):
    """Smooth random images on 256 levels."""
    generator = torch.Generator().manual_seed(seed)
    small = torch.rand(n, 1, 5, 5, generator=generator)
    large = torch.nn.functional.interpolate(small, size=(12, 12), mode="bicubic").clamp(0, 1)
    noise = 0.1 * torch.rand(n, 1, 12, 12, generator=generator)
    return Space((1, 12, 12), 256).quantise(large * 0.8 + noise)


def test_blur_and_noise_both_fail_and_vectors_have_neither():
    space = Space((1, 12, 12), 256)
    train, real, alike = images(300, 1), images(300, 2), images(300, 3)
    blurred = torch.nn.functional.avg_pool2d(alike, 3, 1, 1)
    noisy = space.quantise(alike + 0.2 * torch.rand(alike.shape))
    for x, state in ((blurred, State.FAIL), (noisy, State.FAIL), (alike, State.PASS)):
        found = result("blur or noise", evalset(train, real, x, space=space))
        assert found.state is state
    found = result("blur or noise", made())
    assert found.state is State.UNDEFINED
    assert "vectors" in found.sentence


def test_a_shift_that_no_other_test_owns_is_found():
    def shifted(x, y, train):
        return x + 1.5 * torch.eye(12)[5], y

    assert result("anything else", made(shifted)).state is State.FAIL


@pytest.mark.slow
def test_real_data_pass_and_few_of_them_decide_nothing():
    verdict = run_tests(made(n=1000))
    (critic,) = [r for r in verdict.results if r.state not in (State.PASS, State.UNDEFINED)]
    assert (critic.name, critic.state) == ("anything else", State.INCONCLUSIVE)
    assert "334 samples taught this critic, which may overlook what 1,000 show" in critic.sentence
    enough = run_tests(made(n=math.ceil(critic.needed)))
    assert enough.state is State.PASS, [r for r in enough.results if r.state != "PASS"]
    assert enough.exit_code == 0
    few = run_tests(made(n=10))
    assert few.state is State.INCONCLUSIVE
    assert few.exit_code == 3
    for found in few.results:
        if found.state is State.INCONCLUSIVE:
            assert found.needed > 10
            assert f"{found.needed:,} would decide" in found.sentence


def test_what_would_decide_decides():
    """At the number that a small verdict asks for, the same question is answered."""
    few = result("too wide", made(n=60))
    assert few.state is State.INCONCLUSIVE
    enough = result("too wide", made(n=math.ceil(1.3 * few.needed)))
    assert enough.state is State.PASS


def test_the_verdict_is_the_worst_result_and_plain_json():
    def dropped(x, y, train):
        return x[y != 1], y[y != 1]

    verdict = run_tests(made(dropped))
    assert verdict.state is State.FAIL
    assert verdict.exit_code == 1
    assert verdict.n == min(400, int((clusters(400, 3)[1] != 1).sum()))
    text = json.dumps(verdict.to_dict(), allow_nan=False)
    assert json.loads(text)["state"] == "FAIL"
    assert run_tests(made(dropped)) == verdict  # the same seed, the same verdict


def test_degenerate_sets_are_answered():
    point = torch.ones(40, 3)
    spread = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    for train, real, samples in (
        (spread, spread.flip(0) + 0.1, point),
        (point, point, point),
        (spread, point, spread),
        (point, spread, spread),
    ):
        verdict = run_tests(evalset(train, real, samples))
        json.dumps(verdict.to_dict(), allow_nan=False)
    with pytest.raises(NotDefined, match="too few for a verdict"):
        run_tests(evalset(spread, spread[:1], spread))


def null(n=1000, critical=0.02, spread=0.01, alpha=0.05 / 9, power=0.8):
    return NullSummary(critical, spread, spread, 1000, n, alpha, power)


def test_the_smallest_detectable_shift_is_detected_with_the_power_it_names():
    """Power of a one-sided z-test at z_alpha + z_power standard errors."""
    normal = torch.distributions.Normal(0, 1)
    z_alpha = normal.icdf(torch.tensor(1 - 0.05 / 9))
    power = normal.cdf(torch.tensor(detectable_shift(null()) / 0.01) - z_alpha)
    assert power.item() == pytest.approx(0.8, abs=1e-4)
    assert detectable_shift(null(n=4000)) == pytest.approx(detectable_shift(null()) / 2)
    assert detectable_excess(null()) == pytest.approx(0.02 + 0.8416 * 0.01, abs=1e-5)


def test_the_smallest_detectable_rate_is_detected_with_about_that_power():
    generator, n, usual = torch.Generator().manual_seed(0), 1000, 0.002
    extra = detectable_rate(null(), usual)
    g = torch.poisson(torch.full((4000,), n * (usual + extra)), generator=generator)
    h = round(n * usual)
    from scipy import stats

    p = torch.tensor(stats.binom.sf(g.numpy() - 1, g.numpy() + h, 0.5))
    assert (p <= 0.05 / 9).double().mean().item() == pytest.approx(0.8, abs=0.04)


def test_what_is_surely_too_wide_is_surely_not_too_narrow():
    found = made(narrowed(1.4), n=100)
    assert result("too wide", found).state is State.FAIL
    narrow = result("too narrow", found)
    assert narrow.interval[1] < 0
    assert narrow.state is State.PASS


def test_a_blur_and_noise_are_told_apart_in_words():
    generator = torch.Generator().manual_seed(0)
    real = torch.rand(240, 1, 16, 16, generator=generator)
    soft = torch.nn.functional.avg_pool2d(real, 3, 1, 1)
    space = Space((1, 16, 16), levels=256)
    words = {}
    for name, samples in (("soft", soft[160:]), ("noisy", real[160:])):
        held = real[80:160] if name == "soft" else soft[80:160]
        found = result("blur or noise", evalset(real[:80], held, samples, space=space))
        assert found.state is State.FAIL
        words[name] = found.sentence
    assert words["soft"].startswith("samples are too soft: ")
    assert words["noisy"].startswith("samples are too noisy or too sharp: ")
