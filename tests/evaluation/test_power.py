"""Planted defects are what they say, and the tests are believed where they find them."""

import math
from dataclasses import replace

import pytest
import torch
from evaluation_points import evalset
from scipy import stats

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.data.glyphs import Glyphs
from plausible.data.part import Part
from plausible.evaluation.embedding import fit_embedding
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.eyes import choose_features
from plausible.evaluation.features import pca
from plausible.evaluation.verdict import power as power_module
from plausible.evaluation.verdict.blur import too_soft
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.planting import in_groups, left_out, sampled, some_of
from plausible.evaluation.verdict.power import halves, planted_effects, planted_power, real_points
from plausible.evaluation.verdict.verdict import State, run_tests


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def glyphs(n, seed, size=16):
    """Characters in colour, with labels."""
    values, factors = Glyphs().sample(n, size, 3, seed)
    return Part(values, factors.glyph, Space((3, size, size), 256, 10))


def table(n, seed):
    """Five modes in 6 dimensions, a whole number, and a column of 0 and 1."""
    generator = seeded(seed)
    y = torch.randint(5, (n,), generator=generator)
    x = torch.randn(n, 8, generator=generator)
    x[:, :6] += 4 * torch.eye(6)[y]
    x[:, 6] = (2 * x[:, 6]).round()
    x[:, 7] = (x[:, 7] > 0).float()
    return Part(x, None, Space((8,)))


def times(factor):
    """Every margin so many times as large."""
    return {name: min(factor * defect.margin, 0.9) for name, defect in defects.items()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "train", "held"),
    [  # each defect of pictures has tests of its own
        pytest.param(glyphs, 400, 300, marks=pytest.mark.scheduled),
        (table, 600, 400),
    ],
)
def test_what_is_planted_several_times_the_margin_is_found_by_the_test_that_owns_it(
    make, train, held, monkeypatch
):
    monkeypatch.setattr(power_module, "TRIALS", 20)
    monkeypatch.setattr(power_module, "_NULL", 299)
    known, real = (replace(make(n, seed), y=None) for n, seed in ((train, 0), (held, 1)))
    embedding = fit_embedding(known, 1000)
    seen, pool = embedding.embed(known), embedding.embed(real)
    power = {}
    for name, defect in defects.items():
        if defect.aspect is not None:
            continue
        generator = seeded(2)
        try:
            planted = defect.plant(real, known, times(5)[name], generator)
            changed = pool if planted.points is real else embedding.embed(planted.points)
            found = EvaluationSet(
                real.space, seen, pool, changed, embedding.names, False, embedding.extract
            )
            test = defect.function(found)
        except NotDefined:
            continue
        trials, n = halves(planted, generator), held // 2
        statistic = defect.effect(test.statistic(trials.labels))
        power[name] = trials.found(statistic, n, 0.05)
        _, null = trials.split(statistic)
        assert trials.found(torch.cat([null[:20], null]), n, 0.05) < 0.5  # not without one
    assert min(power.values()) >= 0.4, power
    assert sum(power.values()) >= 0.9 * len(power), power


def test_samples_with_a_defect_have_it_in_the_share_that_was_asked_for():
    real = glyphs(400, 1)
    other = replace(real, values=255 - real.values)
    drawn = sampled(some_of(other, 0.3), real, seeded())
    changed = (drawn.values == other.values).flatten(1).all(1).double().mean()
    assert len(drawn) == 400
    assert changed == pytest.approx(0.3, abs=0.08)
    kept = torch.ones(2, 400)
    kept[0, :100] = kept[1, 300:] = 0
    for seed in range(6):
        drawn = sampled(left_out(real, kept), real, seeded(seed))
        assert len(drawn) == 300
        assert torch.equal(drawn.values, real.values[100:]) or torch.equal(
            drawn.values, real.values[:300]
        )
    planted = in_groups(other, real.y)
    assert planted.variants() == 10
    assert torch.equal(planted.changed.sum(0), torch.ones(400))


def test_halves_never_hold_the_same_point_twice_and_only_the_samples_have_the_defect():
    real = glyphs(60, 1)
    trials = halves(some_of(real, 0.5), seeded())
    is_sample, is_heldout = (labels.unflatten(1, (2, 60)) for labels in
                             (trials.labels.is_sample, trials.labels.is_heldout))  # fmt: skip
    sides = is_sample.sum(1) + is_heldout.sum(1)
    assert (sides == 1).all()  # with the defect, without it, or held out
    held, _ = trials.split(is_heldout.any(1))
    assert (held[:, :30] != held[:, 30:]).all()  # one of a pair
    of_samples, shuffled = trials.split(is_sample[:, 0].sum(1).float())
    of_heldout, shuffled_heldout = trials.split(is_heldout[:, 0].sum(1).float())
    assert (of_samples > 0).all()
    assert (of_heldout == 0).all()
    assert shuffled.mean() == pytest.approx(30 / 4, abs=1)  # half of a half of 30
    assert shuffled_heldout.mean() == pytest.approx(30 / 4, abs=1)


def test_a_blur_takes_as_much_contrast_from_neighbours_as_is_asked_for():
    from plausible.evaluation.verdict.blur import _log_detail

    real = glyphs(200, 1, 24)
    for effect in (0.1, 0.3):
        soft = too_soft(real, real, effect, seeded()).points
        gap = _log_detail(soft.as_batch().x) - _log_detail(real.as_batch().x)
        assert 1 - math.exp(gap) == pytest.approx(effect, abs=0.03)


@pytest.mark.slow
def test_a_test_that_does_not_find_what_is_planted_does_not_pass():
    sets = [table(n, seed).values for n, seed in ((600, 0), (500, 1), (500, 2))]
    found = evalset(*sets)
    before = {r.name: r for r in run_tests(found).results}
    assert before["garbage"].state is before["duplicates"].state is State.PASS
    after = {r.name: r for r in run_tests(found, power={"garbage": 0.4, "duplicates": 0.9}).results}
    assert after["garbage"].state is State.INCONCLUSIVE
    assert "found in 40% of the trials" in after["garbage"].sentence
    assert after["duplicates"].state is State.PASS
    assert (after["garbage"].power, after["copies"].power) == (0.4, None)
    broken = evalset(sets[0], sets[1], sets[2] + 40)
    failing = {r.name: r for r in run_tests(broken, power={"garbage": 0.0}).results}
    assert failing["garbage"].state is State.FAIL  # what is found is there


@pytest.mark.slow
def test_power_is_that_of_the_numbers_there_will_be_and_of_the_eyes(monkeypatch):
    monkeypatch.setattr(power_module, "_SIDE", 200)
    monkeypatch.setattr(power_module, "TRIALS", 20)
    monkeypatch.setattr(power_module, "_NULL", 299)
    known, real = table(600, 0), table(400, 1)
    embedding = fit_embedding(known, 1000)

    def many_of(embedding, n=600):
        train = embedding.embed(known)
        sides = train, train[slice(0, n)], train[slice(0, n)]
        return EvaluationSet(known.space, *sides, embedding.names, False, embedding.extract)

    many, few = many_of(embedding), many_of(embedding, 30)
    surely, hardly = (planted_power(found, embedding, real) for found in (many, few))
    assert surely.keys() == hardly.keys()
    assert "regular pattern" not in surely  # of vectors
    assert sum(surely.values()) > sum(hardly.values())
    assert planted_power(many, embedding, real) == surely  # seeded


def test_real_points_are_an_even_number_that_nobody_learned_from(believing):
    parts = [table(31, 1), table(50, 2)]
    real = real_points(parts, 1000, seeded())
    assert len(real) == 80
    assert len(real_points(parts, 25, seeded())) == 50
    with pytest.raises(NotDefined, match="31 real points are too few"):
        real_points(parts[:1], 1000, seeded())


@pytest.mark.slow
def test_features_that_see_more_are_taken():
    known, real = glyphs(200, 0), glyphs(200, 1)
    blind = (lambda x: torch.zeros(len(x), 1)), "nothing"
    seeing = pca(known.as_batch().x, 20), "principal components"
    chosen, shares = choose_features([blind, seeing], real, known, seeded())
    assert chosen is seeing
    assert shares[0] == 0
    assert shares[1] > 0.2
    assert choose_features([blind, blind], real, known, seeded())[0] is blind


def test_nothing_found_in_real_data_is_rare():
    """Trials of real data against real data exceed the critical value as often as the level says."""
    real = table(400, 1)
    trials = halves(some_of(real, 0.0), seeded())
    scores = torch.randn(800, generator=seeded(1))
    scores[:400] = scores[400:]
    statistic = trials.labels.difference(scores)
    share = trials.found(statistic, 200, 0.05)
    assert share <= stats.binom.ppf(0.999, trials.count, 0.08) / trials.count


@pytest.mark.slow
def test_what_a_planted_margin_shows_is_all_of_it_where_it_is_seen_and_nothing_where_it_is_not(
    monkeypatch,
):
    monkeypatch.setattr(power_module, "_SIDE", 200)
    known, real = table(600, 0), table(400, 1)
    embedding = fit_embedding(known, 1000)
    train = embedding.embed(known)
    found = EvaluationSet(
        known.space, train, train, train, embedding.names, False, embedding.extract
    )
    shown = planted_effects(found, embedding, real)
    assert shown["copies"] == pytest.approx(0.03, abs=0.01)
    assert shown["too wide"] == pytest.approx(0.06, abs=0.03)
    assert "regular pattern" not in shown  # of vectors
    assert "anything else" not in shown  # which a critic sees
    line = Part(
        torch.linspace(0, 1, 600)[torch.randperm(600, generator=seeded())][:, None],
        None,
        Space((1,)),
    )
    embedding = fit_embedding(line.rows(slice(0, 400)), 1000)
    train = embedding.embed(line.rows(slice(0, 400)))
    dense = EvaluationSet(
        line.space, train, train, train, embedding.names, False, embedding.extract
    )
    assert planted_effects(dense, embedding, line.rows(slice(400, 600)))["copies"] < 0.01
