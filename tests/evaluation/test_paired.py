"""Two generators by the same held-out data: who is better in what, and that nothing is found where there is nothing."""

from dataclasses import replace

import pytest
import torch
from evaluation_points import evalset

from plausible.core.space import Space
from plausible.evaluation import paired
from plausible.evaluation.critic.shared import SharedCritique
from plausible.evaluation.paired import Answer, Comparison
from plausible.evaluation.verdict.defect import defects

CRITICS = [name for name, defect in defects.items() if defect.aspect]
IMAGE = Space((3, 16, 16), levels=256)


def clusters(n, seed, modes=4, scale=1.0):
    """Points around far corners, and the corner of each."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.randint(modes, (n,), generator=generator)
    return 20 * torch.eye(8)[y] + scale * torch.randn(n, 8, generator=generator), y


def sides(a, b, seed=1, n=200):
    """T and H of four corners, and samples of which the first half is A's."""
    (train, s), (real, t) = clusters(600, 100 + seed), clusters(n, 200 + seed)
    samples = torch.cat([a[0], b[0]])
    return evalset(train, real, samples, modes=(s, t, torch.cat([a[1], b[1]])), names="wxyz")


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(paired, "_SHUFFLES", 399)
    monkeypatch.setattr(paired, "_RESAMPLES", 99)


def compare_defects(found):
    """Without critics, who are asked in the tests of the task."""
    return paired.compare_defects(found, critics=False)


def by_name(results):
    return {result.name: result for result in results}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("missing modes", lambda: clusters(200, 4, modes=3)),
        ("too wide", lambda: clusters(200, 4, scale=1.3)),
        ("too narrow", lambda: clusters(200, 4, scale=0.7)),
    ],
)
def test_the_one_that_has_a_defect_is_named_whichever_side_it_is_on(name, wrong):
    right = clusters(200, 3)
    first = by_name(compare_defects(sides(right, wrong())))
    second = by_name(compare_defects(sides(wrong(), right)))
    assert (first[name].answer, second[name].answer) == (Answer.A, Answer.B)
    assert first[name].difference == pytest.approx(-second[name].difference, abs=1e-6)
    assert first[name].effects == pytest.approx(second[name].effects[::-1], abs=1e-6)
    low, high = first[name].interval
    assert low <= first[name].difference <= high < 0
    others = "too wide", "too narrow", "missing modes"
    assert all(first[other].answer is not Answer.B for other in others)


def test_copies_of_training_examples_are_seen_beside_one_that_has_none():
    a, b = clusters(200, 3), clusters(200, 4)
    same = sides(a, b)
    values = same.samples.part.values.clone()
    values[200:240] = same.train.part.values[:40]  # a fifth of B
    copied = evalset(
        same.train.part.values, same.heldout.part.values, values,
        modes=(same.train.modes, same.heldout.modes, same.samples.modes), names="wxyz",
    )  # fmt: skip
    found = by_name(compare_defects(copied))["copies"]
    assert found.answer is Answer.A
    assert found.effects[1] == pytest.approx(0.2, abs=0.03)


@pytest.mark.slow
def test_two_samplers_of_one_wrong_law_are_called_different_no_more_often_than_chance(monkeypatch):
    monkeypatch.setattr(paired, "_SHUFFLES", 59)
    monkeypatch.setattr(paired, "_RESAMPLES", 19)
    ps, alarms = [], 0
    for seed in range(16):
        pair = [clusters(60, 1000 + 2 * seed + i, modes=3, scale=1.4) for i in range(2)]
        results = compare_defects(sides(*pair, seed=seed, n=60))
        alarms += any(result.answer in (Answer.A, Answer.B) for result in results)
        ps.append(by_name(results)["too wide"].p)
    assert alarms <= 2
    assert 0.3 < torch.tensor(ps).mean() < 0.7


def test_more_samples_are_asked_for_where_the_margin_could_not_be_seen():
    few = [(x[:40], y[:40]) for x, y in (clusters(200, 3), clusters(200, 4))]
    found = by_name(compare_defects(sides(*few, n=40)))["missing modes"]
    assert found.answer is Answer.UNDECIDED
    assert found.detectable > found.margin
    assert found.needed > 40
    assert found.needed % 10 == 0


def test_what_is_not_defined_says_why():
    results = by_name(compare_defects(sides(clusters(40, 3), clusters(40, 4), n=40)))
    assert results["regular pattern"].answer is Answer.UNDEFINED
    assert "these data are vectors" in results["regular pattern"].reason
    assert results["anything else"].reason == "no critic is asked"


def comparison(**answers):
    results = tuple(
        paired.PairedResult(name.replace("_", " "), answer, 0.1, (0.0, 0.1), -0.1, needed=needed)
        for name, (answer, needed) in answers.items()
    )
    return Comparison(("old", "new"), 100, 100, results)


def test_a_comparison_says_who_is_better_in_what_and_its_exit_code_whether_to_take_it():
    mixed = comparison(
        texture=(Answer.A, None), uneven_modes=(Answer.B, None), copies=(Answer.ALIKE, None),
        garbage=(Answer.UNDECIDED, 480),
    )  # fmt: skip
    assert mixed.sentence == (
        "old is better in texture; new is better in uneven modes; no difference found in copies; "
        "100 samples of each do not decide about garbage; 480 would"
    )
    assert mixed.exit_code == 1
    assert comparison(texture=(Answer.A, None), copies=(Answer.ALIKE, None)).exit_code == 0
    assert comparison(copies=(Answer.UNDECIDED, 480)).exit_code == 3
    assert "texture" in mixed._repr_html_()
    assert mixed.to_dict()["results"][0]["answer"] == "A is better"


def test_a_shared_critic_answers_by_fishers_test():
    same, other = SharedCritique((50, 50), 100, 0.5), SharedCritique((50, 80), 100, 0.5)
    assert same.p == 1
    assert other.p < 1e-4
    assert other.effects == pytest.approx((0.0, 0.3))
    low, high = other.interval
    assert low < -0.3 < high < 0
    assert replace(other, hits=(80, 50)).interval == pytest.approx((-high, -low))
    assert other.detectable(4, 0.01, 0.9) == pytest.approx(other.detectable(1, 0.01, 0.9) / 2)


def test_a_margin_of_which_little_is_seen_needs_more_samples_and_one_that_is_not_seen_is_not_asked_about():
    found = sides(clusters(200, 3), clusters(200, 4))

    def needed(**shown):
        named = {name.replace("_", " "): effect for name, effect in shown.items()}
        results = paired.compare_defects(found, shown=named, critics=False)
        return by_name(results)["too wide"]

    margin = defects["too wide"].margin
    whole, half, nothing = (needed(too_wide=effect) for effect in (margin, margin / 2, 0.0))
    assert whole.needed == needed().needed
    assert half.needed > 3 * whole.needed
    assert half.detectable == pytest.approx(whole.detectable + margin / 2)
    assert (nothing.answer, nothing.needed) == (Answer.UNDEFINED, None)
    assert "hardly shows" in nothing.reason
