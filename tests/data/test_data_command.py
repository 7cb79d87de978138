"""``plausible data``, as it is typed."""

from pathlib import Path

import pytest
from tests.conftest import ask, refused


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a table that nobody has cleaned."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    rows = [f"{k};{k * k % 7},5;{3 + k % 4};{'uv'[k % 2]};town {k % 3}" for k in range(20)]
    Path("t.csv").write_text("\n".join(["nr;a;rooms;kind;town", *rows, "20;;3;u;town 1"]))
    return tmp_path


@pytest.mark.slow
def test_it_can_be_asked_again_and_nothing_is_lost(here: Path, capsys) -> None:
    for again in range(2):
        ask("data", "digits")
        assert "drawn in digits-data.png" in capsys.readouterr().out, again
    first = (here / "digits-data.png").read_bytes()
    ask("data", "digits", "--levels", "2")
    assert "drawn in digits-data-1.png" in capsys.readouterr().out
    assert (here / "digits-data.png").read_bytes() == first
    ask("data", "digits", "--levels", "2", "--overwrite")
    assert (here / "digits-data.png").read_bytes() != first
    words = refused(capsys, "data", "digits", "--picture", "digits-data.png")
    assert "digits-data.png exists: choose another, or add --overwrite" in words


@pytest.mark.usefixtures("here")
def test_each_refusal_names_the_flag_that_goes_on(capsys) -> None:
    words = refused(capsys, "data", "t.csv")
    assert "--label kind makes it the class, --drop kind town leaves them out" in words
    flags = ["--label", "kind", "--drop", "town"]
    assert "--missing drop" in refused(capsys, "data", "t.csv", *flags)
    ask("data", "t.csv", *flags, "--missing", "drop")
    out = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert (
        "a numbers from 0.5 to 4.5 rooms whole numbers from 3 to 6 kind the class: u 10, v 10"
        in out
    )
    assert "nr left out: counts the rows town left out by name" in out
    assert "1 of 21 rows have a missing cell and are dropped" in out
    for size in ("4", "4x", "64x300"):
        assert "pixels" in refused(capsys, "data", "digits", "--size", size)
