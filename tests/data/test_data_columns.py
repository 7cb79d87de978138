"""Tables beside the data they belong to: the same name is the same coordinate."""

from pathlib import Path

import numpy as np
import pytest
import torch

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.columns import column_order
from plausible.data.inputs import read_inputs
from plausible.data.load import from_arrays, load
from plausible.data.options import Options
from plausible.data.samples import read_samples
from plausible.data.split import with_heldout

X = np.random.default_rng(0).normal([0, 50, 1000], size=(40, 3)).astype(np.float32)
ABC = ("a", "b", "c")


def table(path: Path, columns: str, labels: str = "", x: np.ndarray = X) -> str:
    """Some columns of X in some order under a header, perhaps with classes in the last one."""
    rows = [",".join([*columns, *([labels] if labels else [])])]
    for i, row in enumerate(x):
        cells = [f"{row['abcd'.index(name) % 3]:.9g}" for name in columns]
        rows.append(",".join(cells + [["old", "young"][i % 2]] * bool(labels)))
    path.write_text("\n".join(rows) + "\n")
    return str(path)


def test_a_table_knows_its_names(tmp_path: Path) -> None:
    data = load(table(tmp_path / "t.csv", "bca", "group"), Options(label="group"))
    assert (data.columns, data.label_column) == (("b", "c", "a"), "group")
    assert data.class_names == ("old", "young")
    np.savetxt(tmp_path / "plain.csv", X, delimiter=",")
    assert load(str(tmp_path / "plain.csv")).columns == ()
    assert from_arrays(X, columns=ABC).columns == ABC
    with pytest.raises(UsageError, match="2 names of columns do not suit vectors of length 3"):
        from_arrays(X, columns=("a", "b"))


@pytest.mark.parametrize("order", ["abc", "cab", "bca"])
def test_columns_are_matched_by_name(tmp_path: Path, order: str) -> None:
    path, space = table(tmp_path / "t.csv", order), Space((3,))
    part, notes = read_samples(path, space, columns=ABC)
    assert np.allclose(part.values, X, rtol=1e-6)
    assert any("matched by name" in note for note in notes) == (order != "abc")
    inputs = read_inputs([path], space, columns=ABC)
    assert torch.equal(inputs.part.values, part.values)
    other = with_heldout(from_arrays(X[::-1], columns=ABC), load(path))
    assert other.columns == ABC
    assert np.allclose(sorted(other.heldout.values.tolist()), sorted(X.tolist()), rtol=1e-6)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ("ab", "the columns a, b and the data a, b, c: c missing"),
        ("abcd", "d unknown"),
        ("abd", "c missing and d unknown"),
    ],
)
def test_other_names_are_refused(tmp_path: Path, columns: str, words: str) -> None:
    path = table(tmp_path / "t.csv", columns)
    with pytest.raises(UsageError, match=words):
        read_samples(path, Space((3,)), columns=ABC)
    with pytest.raises(UsageError, match=words):
        read_inputs([path], Space((3,)), columns=ABC)
    with pytest.raises(UsageError, match=words.replace("t.csv", "t")):
        with_heldout(from_arrays(X, columns=ABC), load(path))


def test_where_a_side_has_no_names_they_are_matched_by_position(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    part, notes = read_samples(str(tmp_path / "x.npy"), Space((3,)), columns=ABC)
    assert np.array_equal(part.values, X)
    assert "x.npy have no names, so they are matched by position to a, b, c" in notes[0]
    _, notes = read_samples(table(tmp_path / "t.csv", "cab"), Space((3,)))
    assert "the data have no names" in notes[-1]
    assert read_samples(str(tmp_path / "x.npy"), Space((3,)))[1] == []
    merged = with_heldout(from_arrays(X[::-1]), from_arrays(X, columns=ABC))
    assert any("matched by position" in note for note in merged.notes)


def test_a_name_that_stands_twice_is_matched_in_the_same_order_alone() -> None:
    assert column_order("aab", "aab", "t.csv", []) == slice(None)
    with pytest.raises(UsageError, match="two columns"):
        column_order("aba", "aab", "t.csv", [])


def test_the_class_is_in_the_column_where_the_data_have_it(tmp_path: Path) -> None:
    path, space, words = (
        table(tmp_path / "t.csv", "cab", "group"),
        Space((3,), None, 2),
        ("old", "young"),
    )
    for options, column in ((Options(label="group"), None), (Options(), "group")):
        part, _ = read_samples(path, space, words, options, columns=ABC, label_column=column)
        assert part.y is not None
        assert part.y.tolist() == [0, 1] * 20
        assert np.allclose(part.values, X, rtol=1e-6)
    assert len(read_inputs([path], space, Options(), ABC, "group").part) == 40
    with pytest.raises(
        UsageError, match="no number"
    ):  # a column of words that nobody calls the class
        read_inputs([path], space, Options(), ABC)


def test_a_table_without_the_class_is_read_all_the_same(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", "cab")
    part, _ = read_samples(path, Space((3,)), ("x", "y"), Options(label="group"), columns=ABC)
    assert part.y is None
    assert np.allclose(part.values, X, rtol=1e-6)
    like = load(table(tmp_path / "d.csv", "abc", "group"), Options(label="group"))
    assert load(path, Options(label="group"), like=like).class_names == ()


def test_a_coordinate_of_the_data_is_never_the_class(tmp_path: Path) -> None:
    rows = "\n".join(f"{i % 3},{i}" for i in range(20))
    (tmp_path / "s.csv").write_text(f"y,x\n{rows}\n")  # whole numbers, as a class would have
    part, _ = read_samples(str(tmp_path / "s.csv"), Space((2,)), columns=("x", "y"))
    assert part.values[:4].tolist() == [[0, 0], [1, 1], [2, 2], [3, 0]]


def test_what_the_columns_are_is_known_from_the_data_and_not_guessed_from_few_rows(
    tmp_path: Path,
) -> None:
    rows = [
        f"{k},{k + 0.5},kind {k}" for k in range(12)
    ]  # ids and kinds that differ from row to row
    (tmp_path / "few.csv").write_text("\n".join(["id,x,kind", *rows]) + "\n")
    found = read_inputs([str(tmp_path / "few.csv")], Space((2,)), Options(), ("x", "id"), "kind")
    assert found.part.values[:3].tolist() == [[0.5, 0], [1.5, 1], [2.5, 2]]
    names = tuple(f"kind {k}" for k in range(12))
    part, _ = read_samples(
        str(tmp_path / "few.csv"), Space((2,)), names, columns=("x", "id"), label_column="kind"
    )
    assert part.y is not None
    assert part.y.tolist() == list(range(12))
    (tmp_path / "one.csv").write_text("y,x,id\n3,0.5,1\n")
    found = read_inputs([str(tmp_path / "one.csv")], Space((3,)), Options(), ("x", "id", "y"))
    assert found.part.values.tolist() == [[0.5, 1, 3]]
    table(tmp_path / "frame.csv", "abc")  # as pandas writes it, and the data did not have it
    lines = (tmp_path / "frame.csv").read_text().splitlines()
    numbered = [",".join(pair) for pair in zip(["", *map(str, range(len(X)))], lines, strict=True)]
    (tmp_path / "frame.csv").write_text("\n".join(numbered) + "\n")
    part, notes = read_samples(str(tmp_path / "frame.csv"), Space((3,)), columns=ABC)
    assert np.allclose(part.values, X, rtol=1e-6)
    assert any("left out" in note for note in notes)


def test_a_class_in_a_numbered_column_is_found_in_few_rows_too(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("".join(f"{k + 0.5},{2 * k},kind {k}\n" for k in range(12)))
    found = read_inputs([str(tmp_path / "t.csv")], Space((2,)), Options(label="3"))
    assert found.part.values[:2].tolist() == [[0.5, 0], [1.5, 2]]
