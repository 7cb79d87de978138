"""Names and notes from end to end: what was decided is said once and kept, columns and classes keep their names."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ask, refused

from plausible import runs

pytestmark = pytest.mark.slow

AXES = "the last axis is taken as the channels"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tables of three columns in several orders, with and without a column of classes, and a mixture of each."""
    made, r = tmp_path_factory.mktemp("names"), np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        for name, columns, count in (("abc", "abc", 300), ("cab", "cab", 200), ("bad", "abx", 50)):
            x = np.stack([r.normal({"a": 0, "b": 50}.get(c, 1000), size=count) for c in columns], 1)
            table(f"{name}.csv", list(columns), x.tolist())
            words = [[*row, ["old", "young"][k % 2]] for k, row in enumerate(x.tolist())]
            table(f"{name}-group.csv", [*columns, "group"], words)
        y = np.arange(300) % 3
        np.savez("y.npz", x=r.normal(size=(300, 2)) + 9 * y[:, None], y=y + 1)
        np.save("c.npy", (255 * r.random((120, 8, 8, 2))).astype("u1"))
        common = ["--components", "1", "--steps", "3", "--no-evaluate"]
        ask("train", "mixture", "--data", "abc.csv", *common, "--out", "plain")
        group = ["--data", "abc-group.csv", "--label", "group", "--per-class"]
        ask("train", "mixture", *group, *common, "--out", "group")
        ask("train", "mixture", "--data", "y.npz", "--per-class", *common, "--out", "numbers")
    return made


def table(path, header, rows):
    with Path(path).open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def rows_of(path):
    with Path(path).open(newline="") as file:
        return list(csv.reader(file))


def said(capsys, *args):
    capsys.readouterr()
    ask(*args)
    return capsys.readouterr().out


def test_what_was_decided_about_the_data_is_said_once_and_kept(capsys, folder):
    small = "--width", "4", "--no-evaluate", "--out", "g"
    out = said(capsys, "train", "gan", "--data", folder / "c.npy", "--steps", "2", *small)
    assert out.count(AXES) == 1
    assert out.index(AXES) < out.index("gan: ")
    notes = runs.Run("g").notes
    assert any(AXES in note for note in notes)
    assert "87 items to learn from, 9 for validation, 24 held out for evaluation" in notes
    commands = (
        ("resume", "g", "--steps", "3", "--no-evaluate"),
        ("evaluate", "g", "-n", "40", "--out", "e"),
        ("diagnose", "g"),
    )
    for command in (*commands, ("data", folder / "c.npy")):
        assert said(capsys, *command).count(AXES) == 1, command
    samples = np.random.default_rng(1).integers(0, 255, (20, 2, 8, 8)).astype("u1")
    np.save("s.npy", samples)
    out = said(capsys, "evaluate", "--samples", "s.npy", "--data", folder / "c.npy")
    assert out.count(AXES) == 1
    assert "s.npy: shape (20, 2, 8, 8) could be" in out
    assert "24 held out" not in out  # the whole rest is what may have been learned from
    assert "20 samples against 24 held-out items" in out
    assert "learned from the other 96" in out


def test_a_run_keeps_the_names_of_its_columns(capsys, folder):
    run = runs.Run(folder / "group")
    assert (run.columns, run.label_column) == (("a", "b", "c"), "group")
    assert (runs.Run(folder / "numbers").columns, runs.Run(folder / "plain").label_column) == (
        (),
        None,
    )
    out = said(capsys, "data", folder / "cab-group.csv", "--label", "group")
    names = re.findall(r"(\w+) +(?:numbers from|the class: )", out)
    assert names == ["c", "a", "b", "group"]
    assert "the class: old 100, young 100" in out


def test_exported_labels_are_those_of_the_data(capsys, folder):
    ask("sample", folder / "numbers", "--label", "3", "-n", "20", "--out", "s.npz")
    assert np.load("s.npz")["y"].tolist() == [3] * 20
    ask("evaluate", "--samples", "s.npz", "--data", folder / "y.npz", "--out", "e")
    measures = json.loads(Path("e/measures.json").read_text())
    values = {m["name"]: m["value"] for m in measures["measures"]}
    assert values["asked class"] > 0.9
    ask("sample", folder / "group", "--label", "young", "-n", "6", "--out", "w.npz")
    assert np.load("w.npz")["y"].tolist() == ["young"] * 6


def test_a_table_leaves_as_a_table(capsys, folder):
    ask("sample", folder / "plain", "-n", "30", "--out", "p.csv")
    assert rows_of("p.csv")[0] == ["a", "b", "c"]
    assert len(rows_of("p.csv")) == 31
    ask("sample", folder / "group", "-n", "30", "--out", "g.csv")
    head, *rows = rows_of("g.csv")
    assert head == ["a", "b", "c", "group"]
    assert {row[3] for row in rows} == {"old", "young"}
    out = said(capsys, "evaluate", "--samples", "g.csv", "--data", folder / "abc-group.csv",
               "--label", "group", "--out", "e")  # fmt: skip
    assert "carry no labels" not in out


def test_images_do_not_leave_as_a_table(capsys, made):
    assert "these are images" in refused(capsys, "sample", made["digits"], "--out", "s.csv")
    ask("sample", made["labelled"], "-n", "40", "--out", "each/")
    assert {p.parent.name for p in Path("each").glob("*/*.png")} <= set("0123456789")
    assert len(list(Path("each").glob("*/*.png"))) == 40


def test_columns_of_samples_are_matched_by_name(capsys, folder):
    verdicts = []
    x = np.array(rows_of(folder / "cab.csv")[1:])[:, [1, 2, 0]]
    table("in-order.csv", "abc", x.tolist())
    for samples in ("in-order.csv", folder / "cab.csv"):
        ask(
            "evaluate",
            "--samples",
            samples,
            "--data",
            folder / "abc.csv",
            "--out",
            "e",
            "--overwrite",
        )
        verdicts.append(json.loads(Path("e/measures.json").read_text()))
        verdicts[-1]["seal"].pop("samples")  # where they were
    assert verdicts[0] == verdicts[1]
    assert verdicts[0]["verdict"]["state"] != "FAIL"
    held = "--heldout", folder / "cab.csv", "--out", "h"
    out = said(capsys, "evaluate", "--samples", "in-order.csv", "--data", folder / "abc.csv", *held)
    assert "c, a, b are matched by name to a, b, c" in out
    for flag in ("--samples", "--heldout"):
        args = {"--samples": "in-order.csv", "--data": folder / "abc.csv"} | {
            flag: folder / "bad.csv"
        }
        sentence = refused(
            capsys, "evaluate", *(word for pair in args.items() for word in pair), "--out", "b"
        )
        assert "the columns a, b, x and the data a, b, c: c missing and x unknown" in sentence


def test_columns_of_inputs_are_matched_by_name(capsys, folder):
    row = [["0.1", "50.2", "1000.3"]]
    table("one.csv", "abc", row)
    table("two.csv", "cab", [[row[0][2], *row[0][:2]]])
    found = []
    for name in ("one.csv", "two.csv"):
        out = said(capsys, "score", folder / "plain", name, "--out", f"out-{name}")
        assert ("matched by name" in out) == (name == "two.csv")
        found.append(rows_of(f"out-{name}")[1][1:])
    assert found[0] == found[1]
    assert "x unknown" in refused(capsys, "score", folder / "plain", folder / "bad.csv")
    args = "evaluate", folder / "plain", "-n", "40", "--out", "e", "--outliers"
    assert "x unknown" in refused(capsys, *args, folder / "bad.csv")
    assert "cab: the columns c, a, b are matched" in said(capsys, *args, folder / "cab.csv")


def test_the_label_column_of_samples_is_read(capsys, folder):
    args = "--data", folder / "abc-group.csv", "--label", "group", "--verbose", "--out"
    out = said(capsys, "evaluate", "--samples", folder / "cab-group.csv", *args, "a")
    assert "carry no labels" not in out
    out = said(capsys, "evaluate", "--samples", folder / "cab.csv", *args, "b")  # without classes
    assert "the samples carry no labels" in out
    table("held.csv", ["b", "group", "a", "c"], [["50.1", "old", "0.2", "1000"]] * 20)
    args = "--data", folder / "abc-group.csv", "--label", "group", "--heldout", "held.csv", "--out"
    assert "carry no labels" not in said(
        capsys, "evaluate", "--samples", folder / "cab-group.csv", *args, "c"
    )


def test_held_out_data_without_classes_are_no_reason_to_fail(capsys, folder):
    args = "--data", folder / "abc-group.csv", "--label", "group", "--out", "e"
    held = "--heldout", folder / "abc.csv"
    out = said(capsys, "evaluate", "--samples", folder / "cab-group.csv", *args, *held)
    assert "200 samples against 300 held-out items" in out
    assert "right on held-out data" not in out


def test_square_brackets_in_names_are_what_they_are(tmp_path, capsys):
    rng = np.random.default_rng(0)
    lines = [",".join(["a [/b]", "[bold]c", "class"])]
    for k in range(60):
        lines.append(
            f"{rng.normal():.3f},{rng.normal() + 5 * (k % 2):.3f},{['x [/old]', '[red]y'][k % 2]}"
        )
    Path("t [bold].csv").write_text("\n".join(lines) + "\n")
    ask("data", "t [bold].csv")
    first = capsys.readouterr().out
    assert "t [bold].csv" in first
    assert "x [/old]" in first
    assert "[bold]c" in first
    ask(
        "train",
        "mixture",
        "--data",
        "t [bold].csv",
        "--per-class",
        "--components",
        1,
        "--out",
        "r [red]",
        "--no-evaluate",
    )
    ask("classify", "r [red]", "heldout:0-3", "--data", "t [bold].csv")
    ask("runs", ".")
    shown = capsys.readouterr().out
    assert "r [red]" in shown
    assert "x [/old]" in shown
    assert "[red]y" in shown
