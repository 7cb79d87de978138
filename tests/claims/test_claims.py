"""Claims: an interval that does not lie where it must fails loudly, and the pages say what was measured."""

import json
import math

import pytest
import torch

from plausible.claims import Claimed, Figure, Measured, claims
from plausible.claims.claim import exact, mean, resampled
from plausible.cli.main import main

FIGURE = Figure("x", "y", {"line": ([1.0, 2.0], [3.0, 4.0])}, log="xy")


def test_there_are_fifteen_claims_and_each_says_what_it_claims_and_what_is_done():
    assert len(claims) == 15
    for experiment in claims.values():
        first, _, rest = (experiment.__doc__ or "").partition("\n\n")
        assert first.endswith(".")
        assert "Source" in rest


@pytest.mark.parametrize(
    ("value", "low", "high", "least", "most", "holds"),
    [
        (1.0, 0.9, 1.1, 0.5, None, True),
        (1.0, 0.4, 1.1, 0.5, None, False),
        (1.0, 0.9, 1.1, None, 1.05, False),
        (1.0, 1.0, 1.0, None, None, True),
        (math.nan, math.nan, math.nan, None, None, False),
        (2.0, 0.9, 1.1, None, None, False),
    ],
)
def test_the_whole_interval_must_lie_between_the_bounds(value, low, high, least, most, holds):
    assert Measured("it", value, low, high, least, most).holds is holds


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say():
    covered = {"mean": 0, "median": 0}
    for seed in range(200):
        rows = torch.randn(80, generator=torch.Generator().manual_seed(seed)) + 3
        by_mean = mean("mean", rows)
        by_median = resampled("median", lambda r: r.median().item(), rows, draws=200)
        covered["mean"] += by_mean.low <= 3 <= by_mean.high
        covered["median"] += by_median.low <= 3 <= by_median.high
    assert all(180 <= count <= 199 for count in covered.values()), covered


@pytest.mark.slow
def test_quick_claims_hold_for_several_seeds():
    for name, seeds in (("maximum-likelihood", 3), ("nonsense", 2)):
        for seed in range(seeds):
            assert claims[name](seed).holds, (name, seed)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_the_command_writes_a_page_a_picture_and_the_numbers(tmp_path, capsys):
    out = tmp_path / "pages"
    main(["claims", "maximum-likelihood", "--out", str(out)])
    assert "holds: Maximum likelihood" in capsys.readouterr().out
    page = (out / "maximum-likelihood.md").read_text()
    assert page.startswith("# Maximum likelihood")
    assert "](maximum-likelihood.png)" in page
    assert "Fisher 1922" in page
    assert (out / "maximum-likelihood.png").stat().st_size > 1000
    assert json.loads((out / "maximum-likelihood.json").read_text())["holds"] is True
    with pytest.raises(SystemExit) as stop:
        main(["claims", "maximum-likelihood", "--out", str(out)])
    assert stop.value.code == 2


def test_a_claim_that_does_not_hold_is_loud(monkeypatch, capsys):
    broken = Claimed([exact("E[it]", 1.0, least=2.0)], FIGURE)
    monkeypatch.setitem(claims, "orbit", lambda seed: broken)
    monkeypatch.setattr(claims["orbit"], "__doc__", "It is two.\n\nSource: nobody.", raising=False)
    with pytest.raises(SystemExit) as stop:
        main(["claims", "orbit"])
    assert stop.value.code == 1
    said = capsys.readouterr().out
    assert "DOES NOT HOLD: It is two." in said
    assert "does not hold: orbit" in said
    assert "E[it]" in said  # and is not taken for a style


def test_an_unknown_claim_is_refused_with_the_choices(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["claims", "orbits"])
    assert stop.value.code == 2
    assert "did you mean 'orbit'" in capsys.readouterr().err
