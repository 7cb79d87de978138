"""Tables as spreadsheets and people write them: other separators, encodings and commas, gaps, words, whole numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Batch
from plausible.data.inputs import read_inputs
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.part import Data
from plausible.data.samples import read_samples
from plausible.tasks.describe import describe
from plausible.tasks.save import save_samples

R = np.random.default_rng(1)
X = [f"{a:.3f}" for a in R.normal(size=20)]


def write(path: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding)
    return path


def values(data: Data) -> list[list[float]]:
    """All rows, in an order of their own."""
    parts = (data.train, data.validation, data.heldout)
    return sorted(torch.cat([part.values for part in parts]).tolist())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_one_table_however_it_is_written(tmp_path: Path, encoding: str) -> None:
    rows = [(x, str(3 * k % 7), "größe"[: 1 + k % 2]) for k, x in enumerate(X)]
    header = ("width", "count", "kind")
    ways = {
        "plain.csv": (",", False),
        "tabs.tsv": ("\t", False),
        "german.csv": (";", True),
        "german.tsv": ("\t", True),
    }
    read = []
    for name, (separator, comma) in ways.items():
        lines = [separator.join(row) for row in (header, *rows)]
        lines = [line.replace(".", ",") for line in lines] if comma else lines
        data = load(write(tmp_path / name, lines, encoding), label="kind")
        assert data.columns == ("width", "count")
        assert data.class_names == ("g", "gr")
        said = "decimal commas are read as points, in column 'width'" in data.notes
        assert said == comma
        read.append(data.hashes)
    assert read == read[:1] * 4


def test_a_comma_is_decimal_where_one_column_shows_it(tmp_path: Path) -> None:
    lines = ["a;b", *[f"1,{k}34;0,{k % 7}" for k in range(1, 13)]]  # 1,134 alone could be thousands
    assert max(row[0] for row in values(load(write(tmp_path / "t.csv", lines)))) < 2
    quoted = ["a,b", *[f'"{k},5","{k},25"' for k in range(2, 14)]]
    assert values(load(write(tmp_path / "q.csv", quoted)))[0] == [2.5, 2.25]
    headless = [f"{k},5;{k},25" for k in range(2, 14)]
    assert values(load(write(tmp_path / "h.csv", headless)))[0] == [2.5, 2.25]


GAPS = ["a,b,kind", *[f"{x},{k % 3}.5,{'xy'[k % 2]}" for k, x in enumerate(X)]]


def test_rows_with_missing_cells_are_dropped_when_asked_and_counted(tmp_path: Path) -> None:
    lines = [*GAPS, ",1,x", "NA,?,x", "1,nan,", "2,2,"]
    path = write(tmp_path / "t.csv", lines)
    with pytest.raises(UsageError, match=r"line 22, column 'a': .* are missing.*--missing drop"):
        load(path, label="kind")
    data = load(path, label="kind", missing="drop")
    assert data.survey.count == 20
    assert data.survey.classes == {"x": 10, "y": 10}
    note = "4 of 24 rows have a missing cell and are dropped (missing in 'a' 2, 'b' 2, 'kind' 2)"
    assert note in data.notes
    assert load(path, data.options).hashes == data.hashes
    nowhere = write(tmp_path / "n.csv", ["a,b", *["1,", ",2"] * 6])
    with pytest.raises(
        UsageError, match=r"no row is without a missing cell \('a' 6, 'b' 6\): --drop"
    ):
        load(nowhere, missing="drop")
    words = write(
        tmp_path / "w.csv", ["a,kind", *[f"{x},{('none', 'mild')[k % 2]}" for k, x in enumerate(X)]]
    )
    assert load(words, label="kind", missing="drop").class_names == ("mild", "none")


def test_columns_are_left_out_by_name_here_and_in_what_lies_beside(tmp_path: Path) -> None:
    lines = ["t,a,town,b", *[f"{k},{x},city {k % 4},{k % 3}.5" for k, x in enumerate(X)]]
    path = write(tmp_path / "t.csv", lines)
    data = load(path, drop=["town"])
    assert data.columns == ("a", "b")
    assert "left out by name: 'town'" in data.notes
    assert data.survey.left_out == {"t": "left out: counts the rows", "town": "left out by name"}
    few = write(tmp_path / "few.csv", lines[:4])  # of which nothing could be guessed
    found = read_inputs([str(few)], data.space, data.options, data.columns)
    assert found.part.values.tolist() == [
        [float(x), k % 3 + 0.5] for k, x in enumerate(np.float32(X[:3]))
    ]
    part, _ = read_samples(str(few), data.space, options=data.options, columns=data.columns)
    assert len(part) == 3
    bare = write(tmp_path / "bare.csv", ["b,a", "1,2", "3,4"])
    assert read_inputs(
        [str(bare)], data.space, data.options, data.columns
    ).part.values.tolist() == [[2, 1], [4, 3]]
    assert load(path, data.options).hashes == data.hashes
    with pytest.raises(UsageError, match=r"--drop: .*unknown column 'twon': .*did you mean 'town'"):
        load(path, drop="twon")
    with pytest.raises(UsageError, match=r"column of numbers"):
        load(path, drop=("a", "b", "town", "t"))


def test_what_was_whole_is_sampled_as_whole(tmp_path: Path) -> None:
    lines = ["a,rooms,floor", *[f"{x},{3 + k % 4},{-(k % 2)}.0" for k, x in enumerate(X)]]
    data = load(write(tmp_path / "t.csv", lines))
    assert data.space.whole == (1, 2)
    assert any(
        "columns 'rooms', 'floor' hold whole numbers alone, and samples" in note
        for note in data.notes
    )
    x = data.space.quantise(torch.tensor([[0.4, 3.6, -0.4]]))
    assert x.tolist() == [[pytest.approx(0.4), 4, 0]]
    save_samples(Batch(x), data.space, tmp_path / "s.csv", data)
    assert (tmp_path / "s.csv").read_text().splitlines() == ["a,rooms,floor", "0.4,4,0"]
    assert type(data.space).from_dict(data.space.to_dict()) == data.space
    assert load(np.arange(60).reshape(20, 3) / 2).space.whole == ()


def test_every_column_is_described(tmp_path: Path) -> None:
    lines = [
        "id,a,rooms,still,town,label",
        *[f"{k},{k / 4 - 2},{3 + k % 4},7,c{k % 2},{'xy'[k % 2]}" for k in range(20)],
    ]
    found = describe(write(tmp_path / "t.csv", lines), Options(drop=("town",)))
    assert found.facts["columns"].splitlines() == [
        "a      numbers from -2 to 2.75",
        "rooms  whole numbers from 3 to 6",
        "still  whole numbers 7 alone",
        "label  the class: x 10, y 10",
        "id     left out: holds numbers of the rows",
        "town   left out by name",
    ]
    wide = describe(np.random.default_rng(0).normal(size=(20, 50)))
    assert wide.facts["columns"].splitlines()[-1] == "... and 10 more"
    assert "columns" not in describe("digits").facts
