"""What float32 cannot tell apart is never silent."""

from pathlib import Path

import numpy as np
import pytest

from plausible.core.errors import UsageError
from plausible.data.load import from_arrays, load
from plausible.data.rounding import check_rounding

R = np.random.default_rng(0)
FAR = np.c_[4e6 + R.normal(0, 0.05, 500), R.normal(size=500)]


def notes_of(x: np.ndarray) -> list[str]:
    notes: list[str] = []
    check_rounding(x, x.astype(np.float32), "x", notes=notes)
    return notes


def test_rows_that_merge_are_refused(tmp_path: Path) -> None:
    both = FAR + [0, 500_000] * np.array([1, 1])
    both[:, 1] = 5e5 + R.normal(0, 0.05, 500)
    np.savetxt(
        tmp_path / "t.csv", both, delimiter=",", fmt="%.4f", header="east,north", comments=""
    )
    words = r"column 'east' \(.* become 3\), 'north' .*; 500 different rows become 1\d: subtract .* 4,000,000 from"
    with pytest.raises(UsageError, match=words):
        load(str(tmp_path / "t.csv"))
    np.savez(tmp_path / "t.npz", x=both)
    np.save(tmp_path / "t.npy", both)
    for path in (tmp_path / "t.npz", tmp_path / "t.npy"):
        with pytest.raises(UsageError, match=r"column 1 .*, 2 .*500 different rows become"):
            load(str(path))
    assert len(np.unique(from_arrays(both - [4e6, 5e5]).train.values, axis=0)) == 360


def test_a_column_that_merges_in_rows_that_do_not_is_said() -> None:
    (note,) = notes_of(FAR)
    assert "column 1 (500 different values become 3); 500 different rows become 500" in note
    assert any("column 1" in note for note in from_arrays(FAR).notes)


@pytest.mark.parametrize("dtype", ["<i8", "<u8"])
def test_whole_numbers_beyond_float64_too(dtype: str) -> None:
    ids = (10**18 + np.arange(500)[:, None]).astype(dtype)
    with pytest.raises(UsageError, match="500 different rows become 1"):
        notes_of(ids)


@pytest.mark.parametrize(
    "x",
    [
        R.normal(size=(100_000, 1)),
        R.random((2000, 784)),
        1e6 + R.normal(size=(500, 2)) * 1e4,
        np.c_[[1e12, *R.random(499)]],
        R.choice([0.3, 0.1 + 0.2, 0.7], (500, 1)),  # one number, computed in two ways
        R.integers(0, 255, (500, 3)),
        R.normal(size=(500, 2)).astype(np.float32) + np.float32(4e6),
        np.zeros((0, 3)),
    ],
)
def test_what_stays_different_is_not_mentioned(x: np.ndarray) -> None:
    assert notes_of(x) == []


def test_of_a_large_array_every_kth_row_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plausible.data.rounding._CELLS", 1000)
    (note,) = notes_of(np.c_[np.repeat(FAR[:, :1], 4, 1), R.normal(size=500)])
    assert "column 1 (167 different values become 3), 2 (" in note
    assert "and 1 more; of one row in 3, 167 different rows become 167" in note
