"""Tables as people bring them: what is the header, the class, a number, and what is said about it."""

import re
from pathlib import Path

import numpy as np
import pytest

from plausible.core.errors import UsageError
from plausible.data.load import load
from plausible.data.options import Options
from plausible.data.raw import Raw
from plausible.data.readers import read
from plausible.data.readers.csv_table import read_table

R = np.random.default_rng(0)
FLOATS = [f"{a:.4f},{b:.4f},{c:.4f}" for a, b, c in R.normal(size=(40, 3))]
INTS = [f"{a},{b},{c}" for a, b, c in R.integers(0, 9, (60, 3))]


@pytest.fixture
def table(tmp_path: Path):
    """Lines -> what is read of them as t.csv."""

    def read_lines(*lines: str, label: str | None = None) -> Raw:
        path = tmp_path / "t.csv"
        path.write_text("\n".join(lines) + "\n")
        return read(path, Options(label=label), None)

    return read_lines


def numbered(rows: list[str], first: int = 0, step: int = 1) -> list[str]:
    """Rows with a number before each."""
    return [f"{first + k * step % len(rows)},{row}" for k, row in enumerate(rows)]


# ---- header


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        (["0,1,2", *FLOATS], ("0", "1", "2")),  # a data frame without names
        (["2019,2020,2021", *FLOATS], ("2019", "2020", "2021")),
        (["0,1,2", *[f"{i * i},{3 * i},7" for i in range(12)]], ("0", "1", "2")),
        (["0", *[row[:6] for row in FLOATS]], ("0",)),
        ([",".join(map(str, range(9))), *[",".join("251837469")] * 20], tuple("012345678")),
        (["0,1,kind", *[f"{k % 5},{k % 3},{'ab'[k % 2]}" for k in range(20)]], ("0", "1")),
        (["id,2019,2020,2021", *numbered(INTS, 5)], ("2019", "2020", "2021")),
    ],
)
def test_numbers_are_a_header_where_the_rest_makes_it_evident(table, lines, columns) -> None:
    raw = table(*lines, label="kind" if "kind" in lines[0] else None)
    assert raw.columns == columns
    assert len(raw.values) == len(lines) - 1
    assert any("is read as the header, because" in note for note in raw.notes)


@pytest.mark.parametrize(
    "lines",
    [
        ["1,2,3", *INTS],
        ["0,1,2", *INTS],
        [",".join(map(str, row)) for row in np.arange(60).reshape(20, 3)],
        [",".join(map(str, row)) for row in np.arange(600).reshape(60, 10)],
        [",".join(map(str, R.permutation(9))) if k else "0,1,2,3,4,5,6,7,8" for k in range(20)],
        ["5,3,1", *FLOATS],
        ["1,2", "1.5,2.5"],
        FLOATS,
    ],
)
def test_other_numbers_are_data(table, lines) -> None:
    raw = table(*lines)
    assert len(raw.values) == len(lines)
    assert raw.columns == ()
    assert raw.values[0].tolist() == np.float32(lines[0].split(",")).tolist()
    assert any("so it is read as data" in note for note in raw.notes)


def test_a_first_line_like_the_others_is_data_although_it_has_a_word(table) -> None:
    lines = [f"{row},Iris-{'ab'[k % 2]}" for k, row in enumerate(FLOATS)]
    raw = table(*lines, label="4")
    assert len(raw.values) == 40
    assert raw.label_column == "4"
    assert raw.columns == ()
    with pytest.raises(
        UsageError, match=r"line 1, column '4': 'Iris-a' is no number.*--label 4 makes it"
    ):
        table(*lines)


@pytest.mark.parametrize("header", ['"a", "b", "c"', "# a,b,c", "\ufeffa,b,c", " a , b , c "])
def test_names_come_without_what_is_around_them(table, header) -> None:
    assert table(header, *FLOATS).columns == ("a", "b", "c")


def test_a_name_that_stands_twice_is_numbered(table) -> None:
    raw = table("a,b,a", *FLOATS)
    assert raw.columns == ("a", "b", "a.1")
    assert any("several columns are called 'a'" in note for note in raw.notes)
    assert table("a,a,a.1", *FLOATS).columns == ("a", "a.1", "a.1.1")


# ---- columns that are no coordinates


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([",a,b,c", *numbered(FLOATS)], "numbers"),
        ([",a,b,c", *numbered(FLOATS, step=7)], "numbers"),  # of a shuffled data frame
        ([",a,b,c", *numbered(FLOATS[:20]), *numbered(FLOATS[20:])], "numbers"),  # of two of them
        (["Unnamed: 0,a,b,c", *numbered(FLOATS, step=3)], "numbers"),
        (["index,a,b,c", *numbered(FLOATS)], "numbers"),
        (["Id,a,b,c", *numbered(FLOATS, 1)], "numbers"),
        (["a,b,c,id", *[f"{row},{k}" for k, row in enumerate(FLOATS)]], "numbers"),
        ([",a,b,c", *[f"car {k},{row}" for k, row in enumerate(FLOATS)]], "names"),
        (["rownames,a,b,c", *[f"car {k},{row}" for k, row in enumerate(FLOATS)]], "names"),
        (["a,b,c", *[f'"{k}",{row}' for k, row in enumerate(FLOATS)]], "numbers"),  # as R writes it
    ],
)
def test_numbers_and_names_of_rows_are_left_out(table, lines, kind) -> None:
    raw = table(*lines)
    assert raw.columns == ("a", "b", "c")
    assert any(f"holds {kind} of the rows, so it is left out" in note for note in raw.notes)


@pytest.mark.parametrize("header", ["t,a,b,c", "a,b,c,t", ""])
@pytest.mark.parametrize("first", [0, 1])
def test_what_counts_the_rows_is_left_out_and_said(table, header, first) -> None:
    rows = numbered(FLOATS, first)
    if header.startswith("a"):
        rows = [f"{row},{k + first}" for k, row in enumerate(FLOATS)]
    raw = table(*filter(None, [header]), *rows)
    assert raw.values.shape == (40, 3)
    assert any(
        "counts the rows, so it is left out; shuffle the rows to keep" in n for n in raw.notes
    )
    assert list(raw.left_out.values()) == ["left out: counts the rows"]
    kept = table(*filter(None, [header]), *rows[::-1])
    assert kept.values.shape == (40, 4)
    assert table("t,a,b,c", *rows[:9]).values.shape == (9, 4)  # too few to tell


def test_what_only_may_number_rows_is_said(table) -> None:
    raw = table("t,a,b,c", *[f"{7 + 2 * k},{row}" for k, row in enumerate(FLOATS)])
    assert raw.columns == ("t", "a", "b", "c")
    note = "column 't' holds whole numbers that rise from row to row: .* --drop t"
    assert any(re.search(note, n) for n in raw.notes)
    assert (
        table("id,a,b,c", *[f"{k // 2},{row}" for k, row in enumerate(FLOATS)]).columns[0] == "id"
    )
    assert (
        table("index,a,b,c", *[f"1.{k},{row}" for k, row in enumerate(FLOATS)]).columns[0]
        == "index"
    )
    unnamed = table(",a,b,c", *[f"1.{k},{row}" for k, row in enumerate(FLOATS)])
    assert unnamed.columns[0] == "1"
    assert any("without a name" in note for note in unnamed.notes)
    assert table("id", *[str(k) for k in range(20)]).columns == ("id",)
    labelled = table("id,a,b,c", *[f"{k // 2},{row}" for k, row in enumerate(FLOATS)], label="id")
    assert labelled.label_column == "id"


def test_a_first_column_of_other_words_is_named(table) -> None:
    with pytest.raises(
        UsageError,
        match=r"column 'car': 'car 0' is no number.*names of rows.*--drop car leaves it out",
    ):
        table("car,a,b,c", *[f"car {k},{row}" for k, row in enumerate(FLOATS)])


def test_empty_columns_and_lines_are_left_out(table) -> None:
    raw = table("a;b;", *["1;2;", "3;4;"], ";;")
    assert raw.columns == ("a", "b")
    assert raw.values.tolist() == [[1, 2], [3, 4]]
    assert any("column 3 is empty" in note for note in raw.notes)
    assert any("1 line of nothing but empty cells" in note for note in raw.notes)
    assert table("a,b,c", "1,,2", "3,NA,4").columns == ("a", "c")
    for lines in (["a,b", "1,2,", "3,4,"], ["a,b,", "1,2", "3,4"]):
        raw = table(*lines)
        assert raw.columns == ("a", "b")
        assert any("behind the last separator" in note for note in raw.notes)


# ---- the class


@pytest.mark.parametrize("name", ["target", "y"])
def test_numbers_that_hardly_repeat_are_no_classes(table, name) -> None:
    lines = [
        f"a,b,{name}",
        *[f"{k / 3:.3f},{k % 7},{v}.0" for k, v in enumerate(R.integers(25, 347, 442))],
    ]
    raw = table(*lines)
    assert raw.labels is None
    assert raw.columns == ("a", "b", name)
    assert any(
        f"so it is a number like others (--label {name} makes it the class)" in n for n in raw.notes
    )
    assert table(*lines, label=name).label_column == name
    few = table(f"a,{name}", *[f"{k / 7:.3f},{k % 3}" for k in range(12)])
    assert few.label_column == name
    single = table(f"a,{name}", *[f"{k / 7:.3f},{k % 3 if k else 9}" for k in range(60)])
    assert single.label_column is None  # 9 stands there once


def test_y_beside_x_is_a_coordinate(table) -> None:
    lines = ["x,y", *[",".join(row.split(",")[:2]) for row in INTS]]
    raw = table(*lines)
    assert (raw.columns, raw.label_column) == (("x", "y"), None)
    assert any("column 'y' stands beside 'x'" in note for note in raw.notes)
    assert table(*lines, label="y").label_column == "y"
    assert table("x,y", *[f"{k},{'ab'[k % 2]}" for k in range(20)]).label_column == "y"
    assert table("y", *[str(k % 3) for k in range(20)]).columns == ("y",)


def test_label_none_says_that_there_is_no_class(table, tmp_path: Path) -> None:
    rows = [f"{k / 7:.3f},{k % 3}" for k in range(12)]
    raw = table("a,label", *rows, label="none")
    assert (raw.columns, raw.label_column, raw.labels) == (("a", "label"), None, None)
    assert (
        table("a,none", *rows, label="none").label_column == "none"
    )  # a column that is called so wins
    np.savez(tmp_path / "a.npz", x=R.normal(size=(20, 2)), y=np.arange(20) % 2)
    assert load(str(tmp_path / "a.npz")).class_names == ("0", "1")
    assert load(str(tmp_path / "a.npz"), Options(label="none")).class_names == ()
    with pytest.raises(UsageError, match="and ring is none"):
        load("ring", Options(label="none"))


def test_a_label_of_single_items_is_refused_or_said(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "\n".join(f"{k / 7:.3f},{k}" for k in range(12)))
    with pytest.raises(UsageError, match=r"each of the 12 items .* has a class of its own"):
        load(str(path), Options(label="b"))
    assert read(path, Options(label="b"), None).label_column == "b"  # as inputs, one of each class
    path.write_text("a,b\n" + "\n".join(f"{k / 7:.3f},{k % 11}" for k in range(12)))
    assert any(
        "10 of 11 classes have one item alone" in note
        for note in load(str(path), Options(label="b")).notes
    )


def test_two_names_for_the_class(table) -> None:
    raw = table("a,target,class", *[f"{k / 7:.3f},{k % 2},{'ab'[k % 2]}" for k in range(12)])
    assert (raw.columns, raw.label_column) == (("a", "target"), "class")
    assert any("column 'target' is called like a class, too" in note for note in raw.notes)
    raw = table("a,label,target", *[f"{k},{k / 7:.3f},{k % 2}" for k in range(12)])
    assert raw.label_column == "target"


def test_classes_that_are_missing(table) -> None:
    rows = [f"{k / 7:.3f},{k % 3}" for k in range(12)]
    with pytest.raises(
        UsageError, match=r"line 4, column 'y': the class is missing \('nan'\), and in 1 other"
    ):
        table("a,y", *rows[:2], "1,nan", *rows, "2,NA")
    raw = table("a,y", "1,NA", *[f"{k},{'ab'[k % 2]}" for k in range(12)])
    assert any("'NA' in column 'y' is a class like others (1 row)" in note for note in raw.notes)


def test_whole_numbers_with_a_point_are_ordered_by_value(tmp_path: Path) -> None:
    lines = [f"{k / 7:.3f},{k % 12}.0" for k in range(48)]
    (tmp_path / "t.csv").write_text("\n".join(["a,class", *lines]))
    assert load(str(tmp_path / "t.csv")).class_names == tuple(str(k) for k in range(12))


# ---- cells


def test_true_and_false_are_numbers(table) -> None:
    raw = table("a,flag,on", "1.5,True,FALSE", "2.5,False,false")
    assert raw.values.tolist() == [[1.5, 1, 0], [2.5, 0, 0]]
    assert "True and False are 1 and 0 in 'flag', 'on'" in raw.notes


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["a;b", "1,5;2", "1.5;2"], "line 2, column 'a': '1,5' is no number: write all with a comma, or all with a"),
        (["a;b", "1,5;2", "3 m;2"], "'1,5' is no number: the column holds '3 m' too"),
        (["a;b", "1,234;2", "5,678;2"], "separates thousands or has a decimal comma"),
        (["a,b", "1,5,2,5"], "line 2 has 4 cells and line 1 2; are there decimal commas"),
        (["a,b", '1,"1,234.5"'], "separates thousands; write numbers as 1234.5"),
        (["a,b", "1,1 234"], "separates thousands"),
        (["a,b", '1,"1,234"'], "separates thousands or has a decimal comma"),
        (["a,b", "1,2020-01-05"], "'2020-01-05' is no number: dates and times must be numbers"),
        (["a,b", "1,5%"], "without units"),
        (["a,b", "1,$5"], "without units"),
        (["1.0 2.0", "2.0 3.0"], "separated by spaces"),
        (["a,b,c", "1,2,3", "4,,6", "7,NA,nan"], "line 3, column 'b': '' is no number: 3 of 9 cells .* 2 of 3 rows.*--missing drop"),
        (["a,b,c,d", "1,,x,4", "2,2,y,5kg"], "'' is no number.*--missing drop; no numbers either: 'c' .'x'., 'd' .'5kg'.$"),
        (["a,b,c,d", "1,u,x,4", "2,u,x,5kg"], "words, as 'c'; .*leaves them out; no numbers either: 'd' .'5kg'.$"),
        (["a,b", "1,2", "3,inf"], "1 of 4 numbers .* in 1 of 2 rows, the first in line 3, column 'b'"),
        (["a,kind", "1,x", "2,x"], "column 'kind': 'x' is no number: .*--label kind makes it the class, --drop kind leaves it out"),
        (["a,kind,my town", "1,x,u", "2,x,u"], "words, as 'my town'; --label kind .* --drop kind 'my town' leaves them out"),
    ],
)  # fmt: skip
def test_what_stands_in_the_place_of_a_number_is_said(table, lines, words) -> None:
    with pytest.raises(UsageError, match=words) as error:
        table(*lines)
    assert "t.csv" in str(error.value)
    assert "\n" not in str(error.value)


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("größe,b\n1,2\n".encode("latin-1"))
    with pytest.raises(UsageError, match="save it as UTF-8"):
        read(tmp_path / "t.csv", Options(), None)


def test_the_separator_is_the_one_that_makes_numbers(table) -> None:
    raw = table(
        "a,b,kind", *[f"{row[:6]},2,x;{k % 2}" for k, row in enumerate(FLOATS)], label="kind"
    )
    assert raw.values.shape == (40, 2)
    assert table("a;b", "1;2", "3;4").values.tolist() == [[1, 2], [3, 4]]


def test_names_of_the_data_are_a_header_although_they_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("2020,2019\n5,6\n7,8\n")
    assert read(tmp_path / "t.csv", Options(), None).columns == ()
    raw = read_table(tmp_path / "t.csv", beside=("2019", "2020"))
    assert (raw.columns, len(raw.values)) == (("2020", "2019"), 2)
