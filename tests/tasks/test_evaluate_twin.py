"""Two halves of the data: whoever learns its half by heart is told from whoever learns the distribution."""

import json

import numpy as np
import pytest
from tests.conftest import ask, refused

import plausible
from plausible.core.errors import UsageError
from plausible.evaluation.measure import Measure
from plausible.tasks import evaluate_twin
from plausible.tasks.evaluate_twin import Twins


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """Runs by half: one Gaussian for all, and one for every two or three points."""
    here = tmp_path_factory.mktemp("twins")
    np.savez(here / "points.npz", x=np.random.default_rng(0).normal(size=(260, 2)))
    for half in (1, 2):
        for name, components in (("whole", 1), ("heart", 40)):
            plausible.fit(
                "mixture", here / "points.npz", options=plausible.Options(half=half),
                components=components, out=here / f"{name}{half}",
            )  # fmt: skip
    return here


def test_halves_are_disjoint_and_what_is_held_out_stays():
    whole = plausible.load("digits")
    first, second = (plausible.load("digits", half=half) for half in (1, 2))
    rows = [{x.tobytes() for x in data.train.values.numpy()} for data in (first, second)]
    assert len(first.train) == len(second.train) == len(whole.train) // 2
    assert not rows[0] & rows[1]
    assert first.heldout.hash == second.heldout.hash == whole.heldout.hash
    assert "half 1 of the training part: 584 of 1,168 items" in first.notes


def test_who_learned_by_heart_is_named(halves):
    found = evaluate_twin(halves / "heart1", halves / "heart2", n=300)
    assert len(found.by_heart) == 2
    assert found.exit_code == 1
    assert "has learned by heart" in found.sentence
    mixed = evaluate_twin(halves / "whole1", halves / "heart2", n=300)
    assert mixed.by_heart == (str(halves / "heart2"),)


def test_who_leans_to_its_half_a_little_has_not_learned_it_by_heart():
    shares = [Measure("copied fraction", value, p=p) for value, p in ((0.15, 0.001), (0.3, 0.2))]
    found = Twins(("a", "b"), 300, tuple(shares), (0.002, 0.2), None)
    assert found.by_heart == ()  # one keeps too little to it, the other not surely
    assert found.exit_code == 0
    assert (
        found.sentence
        == "a leans to its own half of the data, with 15.0% of its samples, which is within 25%"
    )


def test_who_learned_the_distribution_is_not(halves, capsys):
    ask(
        "evaluate",
        halves / "whole1",
        "--twin",
        halves / "whole2",
        "--n",
        300,
        "--out",
        halves / "out",
    )
    said = " ".join(capsys.readouterr().out.split())
    kept = json.loads((halves / "out" / "twin-whole2.json").read_text())
    assert "neither keeps to its own half of the data" in said
    assert kept["sentence"] in said
    assert min(kept["adjusted"]) > 0.05


def test_what_are_no_twins_is_refused(halves, capsys, made):
    with pytest.raises(UsageError, match="train one with --half 1 and the other with --half 2"):
        evaluate_twin(halves / "whole1", halves / "heart1")
    with pytest.raises(UsageError, match="at least 10 samples"):
        evaluate_twin(halves / "whole1", halves / "whole2", n=5)
    said = refused(capsys, "evaluate", "--samples", made["ring"], "--data", "ring", "--twin", made["ring"])  # fmt: skip
    assert "--twin compares two runs" in said
    run = halves / "whole1"
    said = refused(capsys, "evaluate", run, "--twin", halves / "whole2", "--features", "pixels")
    assert "--twin compares two runs" in said


def test_data_that_moved_are_told_to_both(halves, tmp_path):
    moved = tmp_path / "elsewhere.npz"
    (halves / "points.npz").rename(moved)
    try:
        found = evaluate_twin(halves / "whole1", halves / "whole2", moved, n=30)
    finally:
        moved.rename(halves / "points.npz")
    assert found.n == 30
