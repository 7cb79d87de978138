"""The critic: what it proves is exact, it sees what a person sees, and n makes it surer and never harsher."""

import math
from dataclasses import replace

import pytest
import torch
from evaluation_points import evalset, result
from scipy import stats
from torch import nn

from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.core.space import Space
from plausible.data.load import load
from plausible.evaluation.critic import convolutional, tabular
from plausible.evaluation.critic.convolutional import BUDGETS
from plausible.evaluation.critic.critic import make_critiques, with_critiques
from plausible.evaluation.critic.critique import Critique, detectable_variation
from plausible.evaluation.critic.networks import convnet
from plausible.evaluation.critic.tabular import TREES
from plausible.evaluation.critic.views import VIEWS, WHOLE
from plausible.evaluation.measure import measure, metrics
from plausible.evaluation.verdict.anything_else import anything_else
from plausible.evaluation.verdict.verdict import State
from plausible.tasks.evaluate import evaluate

pytestmark = pytest.mark.slow

GREY = Space((1, 24, 24), 256)


@pytest.fixture(autouse=True)
def _whole_budgets(monkeypatch):
    """Other tests let critics learn for less."""
    monkeypatch.setattr(convolutional, "BUDGETS", BUDGETS)
    monkeypatch.setattr(tabular, "TREES", TREES)


CENTRES = 6 * nn.functional.normalize(
    torch.randn(10, 8, generator=torch.Generator().manual_seed(9)), dim=1
)


def said(hits, false_alarms, asked):
    return Critique(hits, false_alarms, asked, 0, 0, 0, "")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def blobs(n, seed):
    """Smooth images with noise of 8 of 255, (n, 1, 24, 24) in units of 255, not rounded."""
    generator = seeded(seed)
    small = torch.rand(n, 1, 5, 5, generator=generator)
    large = nn.functional.interpolate(small, size=(24, 24), mode="bicubic").clamp(0, 1)
    return 38 + 180 * large + 8 * torch.randn(n, 1, 24, 24, generator=generator)


def grey(x):
    return GREY.quantise(x / 255)


def checkered(x, amplitude=4):
    rows, columns = torch.arange(24)[:, None], torch.arange(24)
    return x + amplitude * (2 * ((rows + columns) % 2) - 1)


def modes(n, seed, weights=(1.0,) * 10):
    """n points of ten Gaussians in 8 dimensions."""
    generator = seeded(seed)
    y = torch.multinomial(torch.tensor(weights), n, True, generator=generator)
    return CENTRES[y] + torch.randn(n, 8, generator=generator)


def judged(found):
    return result("anything else", found)


@pytest.mark.parametrize(("hits", "false_alarms", "asked"), [(30, 10, 50), (7, 7, 9), (9, 0, 9)])
def test_the_p_value_is_fishers_and_the_bound_clopper_and_pearsons(hits, false_alarms, asked):
    found = said(hits, false_alarms, asked)
    table = [[hits, asked - hits], [false_alarms, asked - false_alarms]]
    assert found.p == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
    counted = stats.binomtest(hits + asked - false_alarms, 2 * asked)
    one_sided = counted.proportion_ci(0.9, method="exact")
    assert found.bound == pytest.approx(max(0, 2 * one_sided.low - 1))
    two_sided = counted.proportion_ci(0.95, method="exact")
    low, high = (max(0, 2 * edge - 1) for edge in (two_sided.low, two_sided.high))
    assert found.interval == pytest.approx((low, high))


def test_the_bound_lies_above_the_truth_in_at_most_five_percent_whatever_the_two_chances():
    """All outcomes of 15 + 15 answers enumerated: the bound is exact for unequal chances, too."""
    asked, counts = 15, range(16)
    bounds = {(a, b): said(a, b, asked).bound for a in counts for b in counts}
    for p in (0.0, 0.1, 0.4, 0.5, 0.8, 0.95, 1.0):
        for q in (0.0, 0.05, 0.3, 0.5, 0.9):
            samples, real = (stats.binom.pmf(counts, asked, chance) for chance in (p, q))
            above = sum(
                samples[a] * real[b] for (a, b), bound in bounds.items() if bound > max(p - q, 0)
            )
            assert above <= 0.05, (p, q)


def test_the_smallest_variation_that_is_found_is_found_with_about_that_power():
    asked, alpha = 600, 0.05 / 9
    variation = detectable_variation(asked, alpha, 0.8)
    generator = seeded(0)
    rates = torch.tensor([[0.5 + variation / 2], [0.5 - variation / 2]]).expand(2, 2000)
    hits, alarms = torch.binomial(torch.full((2, 2000), float(asked)), rates, generator=generator)
    found = [said(int(a), int(b), asked).p <= alpha for a, b in zip(hits, alarms, strict=True)]
    assert sum(found) / 2000 == pytest.approx(0.8, abs=0.05)
    assert detectable_variation(2400, alpha, 0.8) == pytest.approx(variation / 2)
    assert detectable_variation(3, alpha, 0.8) == math.inf


@pytest.mark.slow
@pytest.mark.parametrize("space", [Space((3,)), Space((1, 8, 8), 5)])
def test_real_data_are_accused_no_more_often_than_the_level_whatever_the_training_part_is(
    space, monkeypatch
):
    """Which holds however long a critic learned."""
    monkeypatch.setattr(convolutional, "BUDGETS", (5, 10))
    monkeypatch.setattr(tabular, "TREES", (5, 10))
    ps = []
    repeats = 24 if space.is_image else 80
    for seed in range(repeats):
        draw = torch.rand(150, *space.shape, generator=seeded(seed))
        train = torch.rand(60, *space.shape, generator=seeded(seed + 1000)).square()  # unlike both
        sets = [space.quantise(x) for x in (train, draw[:70], draw[70:])]
        found = make_critiques(replace(evalset(*sets, space=space), seed=seed), [WHOLE])
        ps.append(found[WHOLE][-1].p)
    for level in (0.05, 0.2, 0.5):
        share = sum(p <= level for p in ps) / repeats
        assert share <= level + 4 * (level * (1 - level) / repeats) ** 0.5


def test_a_checkerboard_of_four_grey_levels_is_seen_and_real_images_are_not_accused():
    train, real = grey(blobs(500, 1)), grey(blobs(300, 2))
    patterned = judged(evalset(train, real, grey(checkered(blobs(300, 3))), space=GREY))
    assert patterned.state is State.FAIL
    assert patterned.effect > 0.9
    assert "at least 9" in patterned.sentence
    alike = judged(evalset(train, real, grey(blobs(300, 4)), space=GREY))
    assert alike.state is State.INCONCLUSIVE
    assert alike.effect < 0.1


@pytest.mark.parametrize("change", ["mirrored", "shifted", "of few values"])
def test_what_no_distance_sees_is_seen(change):
    """Mirrored and shifted images of a bar, and 0.97 in the place of 1."""
    if change == "of few values":
        bits = (torch.rand(900, 6, generator=seeded(0)) < 0.5).float()
        train, real, samples = bits.split(300)
        found = evalset(train, real, 0.03 + 0.94 * samples)
    else:
        x = grey(blobs(900, 5) + 60 * (torch.arange(24) == 7))
        train, real, samples = x.split(300)
        moved = samples.flip(3) if change == "mirrored" else samples.roll(1, 3)
        found = evalset(train, real, moved, space=GREY)
    assert judged(found).state is State.FAIL


@pytest.mark.slow
def test_one_model_gets_one_answer_at_every_n():
    """n makes it surer: INCONCLUSIVE may become PASS or FAIL, and neither becomes the other."""
    wrong, few = [1.0] * 7 + [3.0, 0.1, 0.1], [1.0] * 9 + [1.2]
    narrow = [1.0] * 10  # which more samples show to a critic, and few do not
    for weights, answer in (
        (wrong, State.FAIL),
        ([1.0] * 10, State.PASS),
        (few, State.PASS),
        (narrow, State.FAIL),
    ):
        effects = {}
        for n in (500, 2000, 5000):
            real, samples = modes(n, 2 + n), modes(n, 3 + n, weights)
            if weights is narrow:
                nearest = CENTRES[torch.cdist(samples, CENTRES).argmin(1)]
                samples = nearest + 0.75 * (samples - nearest)
            found = judged(evalset(modes(2000, 1), real, samples))
            assert found.state in (answer, State.INCONCLUSIVE), (weights, n, found)
            effects[n] = found.effect
        assert found.state is answer, (weights, found)
        if weights is not narrow:
            share = torch.tensor(weights) / sum(weights)
            truth = (share - 0.1).clamp(min=0).sum().item()  # the modes hardly overlap
            assert all(effect <= truth + 0.02 for effect in effects.values())
            assert effects[2000] >= truth - 0.1


def test_a_handful_decides_nothing_and_says_how_many_would():
    for n in (2, 5, 12, 60):
        found = judged(evalset(modes(200, 1), modes(n, 2), modes(n, 3)))
        assert found.state is State.INCONCLUSIVE
        assert found.needed > n
    few = anything_else(evalset(modes(200, 1), modes(60, 2), modes(60, 3)))
    assert few.effect == pytest.approx(0, abs=0.2)
    with pytest.raises(NotDefined, match="4 training examples teach a critic nothing"):
        anything_else(evalset(modes(4, 1), modes(60, 2), modes(60, 3)))


def test_the_order_of_the_samples_does_not_matter():
    real, samples = modes(400, 2), modes(400, 3)
    ordered = samples[samples[:, 0].argsort()]  # as files often are, by class
    assert make_critiques(evalset(modes(800, 1), real, ordered))[WHOLE][-1].p > 0.01


@pytest.mark.parametrize(
    "shape", [(1, 8, 8), (3, 9, 31), (2, 28, 28), (4, 64, 8), (3, 100, 75), (4, 128, 128)]
)
def test_the_network_fits_every_space_and_has_at_most_four_layers(shape):
    space = Space(shape, 256)
    net = convnet(shape)
    assert net(torch.rand(2, *shape)).shape == (2, 1)
    assert sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in net) <= 4
    assert VIEWS[WHOLE].fits(space)
    assert not VIEWS[WHOLE].fits(Space((1, 7, 9), 256))


def test_more_is_learned_from_more_samples_than_there_are_held_out_examples():
    sets = modes(500, 1), modes(100, 2), modes(1000, 3)
    found = make_critiques(evalset(*sets))[WHOLE][-1]
    assert (found.asked, found.learned) == (100, 900)
    assert make_critiques(evalset(*sets[:2], sets[2][:100]))[WHOLE][-1].asked == 66


def test_a_critic_is_asked_once_and_the_same_seed_gives_the_same_answer():
    told = []
    found = evalset(modes(300, 1), modes(200, 2), modes(200, 3) + 0.5)
    before = torch.get_rng_state()
    known = with_critiques(found, told.append)
    assert torch.equal(torch.get_rng_state(), before)
    assert known.critiques == make_critiques(found)
    assert 0 < told[0] <= told[-1] <= 1
    ours, real = known.halves()
    assert ours.critiques is known.critiques
    row = measure(metrics["total variation"], ours)[-1]
    (none,) = measure(metrics["total variation"], real)
    assert none.value is None
    assert row.kind is Kind.LOWER
    assert row.value == judged(known).effect == known.critiques[WHOLE][-1].bound
    assert "right about" in row.note


def test_both_budgets_are_told_where_a_first_look_leaves_something_to_learn(monkeypatch):
    monkeypatch.setattr("plausible.evaluation.critic.convolutional.BUDGETS", (40, 100))
    found = evalset(
        *(grey(blobs(300, seed)) for seed in (1, 2)), grey(checkered(blobs(300, 3), 2)), space=GREY
    )
    blind = replace(found.samples, features=torch.zeros(300, 1))  # the linear critic sees nothing
    found = replace(found, samples=blind, train=replace(found.train, features=torch.zeros(300, 1)))
    found = replace(found, heldout=replace(found.heldout, features=torch.zeros(300, 1)))
    said = make_critiques(found, [WHOLE])
    looks = said[WHOLE]
    rows = measure(metrics["total variation"], replace(found, critiques=said))
    assert [row.name for row in rows][-1] == "total variation"
    assert len(rows) == len(looks) == 2
    assert looks[0].updates <= 40 < looks[1].updates <= looks[1].budget == 100
    assert BUDGETS == (400, 2000)


def test_a_report_does_not_contradict_itself(monkeypatch):
    monkeypatch.setattr(convolutional, "BUDGETS", (20, 40))
    digits = load("digits")
    part = digits.validation
    report = evaluate(part, digits, n=100, features="pixels")
    (row,) = (r for r in report.verdict.results if r.name == "anything else")
    assert row.effect == report["total variation"].value
    assert row.state is not State.FAIL
    assert report.real("total variation") is None
