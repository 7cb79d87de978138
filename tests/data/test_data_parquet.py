"""Parquet as pyarrow, pandas and datasets write it: pictures with classes, and tables of numbers as a .csv has them."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.inputs import read_inputs
from plausible.data.load import load
from plausible.data.samples import read_samples

CODES = np.random.default_rng(0).integers(0, 256, (12, 8, 12), dtype=np.uint8)
CLASSES = ("cat", "dog", "cow")


def png(codes: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(codes).save(buffer, "PNG")
    return buffer.getvalue()


def write(path: Path, columns: dict[str, Any], **how: Any) -> Path:
    pyarrow.parquet.write_table(pyarrow.table(columns), path, **how)
    return path


def hub_set(rows: range = range(12)) -> Any:
    """As the hub packs pictures: a struct of bytes and a path, and a class with names."""
    import datasets  # here, because it takes half a second where other files are tested

    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(CLASSES)), "id": datasets.Value("int64")}
    )  # fmt: skip
    rows_of = {
        "image": [Image.fromarray(CODES[k % 12]) for k in rows],
        "label": [k % 3 for k in rows],
        "id": list(rows),
    }
    return datasets.Dataset.from_dict(rows_of, features=features)


def as_arrays(folder: Path, labels: Any = None) -> Path:
    """The same items in the same order as arrays."""
    path = folder / "same.npz"
    np.savez(path, x=CODES[:, None], levels=256, **({} if labels is None else {"y": labels}))
    return path


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(UsageError) as refusal:
        load(path, **options)
    assert str(refusal.value).isprintable()
    return str(refusal.value)


# --- pictures -----------------------------------------------------------------------------------


def test_pictures_that_datasets_wrote_have_the_names_of_their_classes(tmp_path: Path) -> None:
    hub_set().to_parquet(tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet")
    assert data.class_names == ("cat", "cow", "dog")
    assert data.survey.classes == {"cat": 4, "dog": 4, "cow": 4}
    assert data.hashes == load(as_arrays(tmp_path, [CLASSES[k % 3] for k in range(12)])).hashes
    assert any("beside the pictures, columns that are left out: 'id'" in n for n in data.notes)
    assert data.survey.modes == {"L, PNG": 12}


def test_the_name_of_the_classes_need_not_say_so(tmp_path: Path) -> None:
    named = hub_set().rename_column("label", "kind")
    named.to_parquet(tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet")
    assert data.class_names == ("cat", "cow", "dog")
    assert any("column 'kind' is taken as the class" in note for note in data.notes)
    assert load(tmp_path / "a.parquet", label="none").class_names == ()


def test_raw_bytes_and_a_column_of_words(tmp_path: Path) -> None:
    columns = {"png": [png(x) for x in CODES], "kind": [CLASSES[k % 3] for k in range(12)]}
    path = write(tmp_path / "a.parquet", columns)
    assert load(path).class_names == ()
    assert load(path).hashes == load(as_arrays(tmp_path)).hashes
    assert load(path, label="kind").class_names == ("cat", "cow", "dog")
    assert "choose from png, kind; did you mean 'kind'" in refused(path, label="kin")
    assert "no such column" in refused(path, drop=("nothing",))


def test_pictures_as_inputs_and_as_samples(tmp_path: Path) -> None:
    hub_set().to_parquet(tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet")
    inputs = read_inputs([str(tmp_path / "a.parquet")], Space((1, 4, 6), 256))
    assert inputs.part.values.shape == (12, 1, 4, 6)
    assert inputs.names[0] == str(tmp_path / "a.parquet" / "01.png").replace("01.png", "01")
    part, _ = read_samples(str(tmp_path / "a.parquet"), data.space, data.class_names)
    assert part.y is not None
    assert part.y.tolist() == [("cat", "cow", "dog").index(CLASSES[k % 3]) for k in range(12)]


def test_cells_without_a_picture_are_named_and_rows_without_a_class_can_be_left_out(
    tmp_path: Path,
) -> None:
    images = [
        None if k == 3 else {"bytes": png(x), "path": f"{k}.png"} for k, x in enumerate(CODES)
    ]
    path = write(tmp_path / "a.parquet", {"image": images, "label": [None, *[1, 2] * 5, 1]})
    assert "line 1, column 'label': the class is" in refused(path)
    data = load(path, missing="drop")
    assert data.survey.count == 10
    assert data.survey.unreadable == (("04", "an empty cell"),)
    assert any("1 of 12 rows have a missing cell" in note for note in data.notes)


def test_a_path_in_a_table_is_never_followed(tmp_path: Path) -> None:
    for k, x in enumerate(CODES):
        (tmp_path / f"{k}.png").write_bytes(png(x))
    kind = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
    images = [{"bytes": None, "path": str(tmp_path / f"{k}.png")} for k in range(12)]
    path = write(tmp_path / "a.parquet", {"image": pyarrow.array(images, kind)})
    assert "only a path, and no bytes" in refused(path)


def test_of_two_columns_of_pictures_one_is_chosen(tmp_path: Path) -> None:
    columns = {"front": [png(x) for x in CODES], "back": [png(255 - x) for x in CODES]}
    path = write(tmp_path / "a.parquet", columns)
    assert "2 columns of pictures, 'front', 'back': --drop" in refused(path)
    assert load(path, drop=("back",)).hashes == load(as_arrays(tmp_path)).hashes


def test_test_files_of_a_folder_are_held_out(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    hub_set(range(12)).to_parquet(folder / "train-00000-of-00002.parquet")
    hub_set(range(12)).to_parquet(folder / "train-00001-of-00002.parquet")
    hub_set(range(5)).to_parquet(folder / "test-00000-of-00001.parquet")
    (folder / "README.md").touch()
    data = load(folder)
    assert (data.survey.count, len(data.heldout)) == (29, 5)
    assert any("3 parquet files are read as one set" in note for note in data.notes)
    assert data.survey.ignored == {".md": 1}
    listed = load(f"{folder}/train-{{00000..00001}}-of-00002.parquet")
    assert listed.survey.count == 24
    write(folder / "odd.parquet", {"x": [1.0]})
    assert "have not the same columns: 'id', 'image', 'label', 'x'" in refused(folder)


def test_rows_are_read_a_part_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.parquet"
    hub_set(range(300)).to_parquet(path, batch_size=50)
    sizes = []
    usual = pyarrow.parquet.ParquetFile.iter_batches

    def watched(self: Any, *words: Any, **more: Any) -> Any:
        for batch in usual(self, *words, **more):
            sizes.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(pyarrow.parquet.ParquetFile, "iter_batches", watched)
    assert load(path).survey.count == 300
    assert max(sizes) <= 64


# --- numbers ------------------------------------------------------------------------------------


def frame() -> pandas.DataFrame:
    rng = np.random.default_rng(0)
    return pandas.DataFrame(
        {
            "a": rng.normal(size=30).astype(np.float32),
            "b": rng.integers(0, 9, 30),
            "flag": rng.integers(0, 2, 30).astype(bool),
            "label": pandas.Categorical(rng.choice(["x", "y"], 30)),
        }
    )


@pytest.mark.parametrize("options", [{}, {"label": "none", "drop": ("label",)}, {"drop": ("a",)}, {"label": "b"}])  # fmt: skip
def test_a_table_is_the_csv_of_it(tmp_path: Path, options: dict[str, Any]) -> None:
    frame().to_parquet(tmp_path / "a.parquet")
    frame().to_csv(tmp_path / "a.csv", index=False)
    if options.get("label") == "b":
        options = {**options, "drop": ("label",)}
    table, text = load(tmp_path / "a.parquet", **options), load(tmp_path / "a.csv", **options)
    assert table.hashes == text.hashes
    assert (table.columns, table.class_names, table.label_column) == (text.columns, text.class_names, text.label_column)  # fmt: skip
    assert table.space == text.space


def test_missing_cells_are_those_of_a_csv(tmp_path: Path) -> None:
    table = frame()
    table.loc[3, "a"] = np.nan
    table["b"] = table["b"].astype("Int64")
    table.loc[5, "b"] = pandas.NA
    table.to_parquet(tmp_path / "a.parquet")
    assert "line 4" in refused(tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet", missing="drop").survey.count == 28


def test_the_index_of_pandas_is_left_out(tmp_path: Path) -> None:
    table = frame().set_index(pandas.Index([f"row {k}" for k in range(30)]))
    table.to_parquet(tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet")
    assert data.columns == ("a", "b", "flag")
    assert data.survey.left_out == {"__index_level_0__": "left out: the index of the rows"}
    assert any("the index of the rows that pandas wrote" in note for note in data.notes)


def test_a_table_beside_a_table_is_matched_by_name(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "a.csv", index=False)
    frame()[["flag", "b", "a"]].to_parquet(tmp_path / "b.parquet")
    data = load(tmp_path / "a.csv")
    inputs = read_inputs([str(tmp_path / "b.parquet")], data.space, data.options, data.columns, data.label_column)  # fmt: skip
    assert inputs.part.values.shape == (30, 3)
    assert np.array_equal(inputs.part.values[:, 0].numpy(), frame()["a"].to_numpy())
    part, notes = read_samples(str(tmp_path / "b.parquet"), data.space, columns=data.columns)
    assert part.values.equal(inputs.part.values)
    assert any("matched by name" in note for note in notes)


def test_lists_and_dates_are_named_by_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"a": [1.0] * 12, "codes": [[1, 2]] * 12})
    assert "column 'codes' holds list<" in refused(path)
    assert load(path, drop=("codes",), label="none").columns == ("a",)
    dates = pandas.DataFrame({"a": range(12), "when": pandas.date_range("2024-01-01", periods=12)})
    dates.to_parquet(tmp_path / "b.parquet")
    assert "'when'" in refused(tmp_path / "b.parquet")


# --- what is wrong ------------------------------------------------------------------------------


def test_without_pyarrow_a_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame().to_parquet(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    for path in (tmp_path / "a.parquet", tmp_path):
        assert "pip install 'plausible[parquet]'" in refused(path)


def test_damage_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    hub_set().to_parquet(path)
    content = path.read_bytes()
    for broken in (
        b"",
        b"rubbish",
        content[:-1],
        content[: len(content) // 2],
        b"PAR1" + content[60:],
    ):
        path.write_bytes(broken)
        assert "a.parquet cannot be read as parquet" in refused(path)


def test_a_word_that_is_no_utf8_is_a_sentence(tmp_path: Path) -> None:
    columns = {"x": np.arange(12.0), "word": ["spring"] * 6 + ["autumn"] * 6}
    path = write(tmp_path / "a.parquet", columns, compression="none")
    path.write_bytes(path.read_bytes().replace(b"spring", b"spr\xf6ng"))
    assert "a.parquet is damaged in its column 'word': 'utf-8' codec" in refused(path)


def test_a_page_that_is_not_what_was_written_is_refused_where_it_has_a_checksum(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "a.parquet", {"a": np.arange(99.0)}, compression="none", use_dictionary=False, write_page_checksum=True)  # fmt: skip
    content = bytearray(path.read_bytes())
    at = content.index(np.arange(40.0, 44.0).tobytes())
    content[at] ^= 1
    path.write_bytes(content)
    assert "cannot be read as parquet" in refused(path)


def test_so_many_rows_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", {"a": np.zeros(2**26, np.uint8)})
    assert path.stat().st_size < 2**20
    assert "times the size of its file" in refused(path)
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "text=0.1")
    assert "0.5 GiB of text" in refused(path)
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "columns=2")
    assert "holds 3 columns" in refused(write(path, {"a": [1], "b": [1], "c": [1]}))


def test_pictures_that_are_said_once_and_meant_often_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plausible.data.limits._SMALL", 2**20)
    big = png(np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8))
    path = write(tmp_path / "a.parquet", {"image": pyarrow.array([big] * 200).dictionary_encode().cast(pyarrow.binary())})  # fmt: skip
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "archive=0.01")
    assert "GiB of pictures" in refused(path)
    monkeypatch.setenv("PLAUSIBLE_LIMITS", "packed=20")
    assert "times the size of its file" in refused(path)


def test_a_type_that_is_said_to_be_a_pickle_is_not_unpickled(tmp_path: Path) -> None:
    payload = f"cos\nmkdir\n(S'{tmp_path / 'unpickled'}'\ntR.".encode()
    about = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": payload,
    }
    field = pyarrow.field("a", pyarrow.int64(), metadata=about)
    table = pyarrow.table({"a": range(1, 40, 3)}).cast(pyarrow.schema([field]))
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    assert load(tmp_path / "a.parquet").survey.count == 13
    assert not (tmp_path / "unpickled").exists()
