"""plausible evaluate as a person types it: runs, samples of other programs, verdicts and mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.conftest import refused

from plausible.cli.main import main
from plausible.data.load import load


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Samples of another program in every format: real digits and points, and broken ones."""
    folder = tmp_path_factory.mktemp("foreign")
    digits = load("digits")
    part, rows = digits.train, digits.train.values.numpy()
    # one half of what nobody learned from stands for perfect samples, the other is held out
    halves, y = digits.heldout.values.numpy(), digits.heldout.y.numpy()
    real, generator = halves[:120], np.random.default_rng(0)
    np.savez(folder / "real.npz", x=real, levels=17, y=y[:120])
    np.savez(folder / "held.npz", x=halves[250:], levels=17, y=y[250:])
    np.savez(folder / "known.npz", x=rows, levels=17, y=part.y.numpy())
    grey = np.rint(real / 16 * 255).astype(np.uint8)
    (folder / "pngs").mkdir()
    for i, item in enumerate(grey[:, 0]):
        Image.fromarray(item).save(folder / "pngs" / f"{i:03}.png")
    np.savez(folder / "dozen.npz", x=real[:12], levels=17)
    np.save(folder / "one.npy", real[:1])
    np.save(folder / "wrong.npy", generator.integers(0, 255, (20, 9, 9)).astype(np.uint8))
    broken = (real[:, 0] / 16).astype(np.float32)
    broken[3, 2, 1] = np.nan
    np.save(folder / "nan.npy", broken)
    (folder / "text.txt").write_text("hello")
    (folder / "empty").mkdir()
    (folder / "sizes").mkdir()
    for i in range(12):
        side = 9 if i == 5 else 8
        Image.fromarray(np.full((side, side), 90, np.uint8)).save(folder / "sizes" / f"{i}.png")
    for name, n in (("toy", 200), ("data", 5000), ("other", 2800)):
        values = generator.normal(size=(n, 2 if name == "toy" else 6))
        words = ",".join(f"c{k}" for k in range(values.shape[1]))
        np.savetxt(folder / f"{name}.csv", values, delimiter=",", header=words, comments="")
    return folder


def evaluated(capsys, *args):
    """(what was printed, measures.json) of plausible evaluate; the last argument is the folder."""
    main(["evaluate", *(str(a) for a in args)])

    def no_constant(word):
        raise AssertionError(f"{word} is no JSON")

    text = Path(args[-1], "measures.json").read_text()
    return capsys.readouterr().out, json.loads(text, parse_constant=no_constant)


@pytest.mark.slow
def test_a_run_is_judged_into_its_own_folder(capsys, made):
    run = made["labelled"]
    out, measures = evaluated(capsys, "-n", "80", "--verbose", run)
    assert "Did it learn the distribution?  FAIL, by 80 examples a side" in out
    assert "real share" in out
    assert f"numbers and pictures in {run}" in out
    assert measures["samples"] == measures["compared"] == 80
    assert any(m["name"] == "asked class" for m in measures["measures"])
    for name in ("neighbours.png", "spectrum.png", "walks.png"):
        assert Image.open(Path(run, name)).format == "PNG"
    short, again = evaluated(capsys, "-n", "80", run, "--out", "elsewhere")
    assert again == measures
    assert short.startswith("2 rounds of about 1,500: too short to judge")
    assert "Did it learn the distribution?  FAIL" in short
    assert "real share" not in short
    assert "Frechet distance" not in short


@pytest.mark.usefixtures("drawn")
def test_a_classifier_is_judged_by_its_accuracy(capsys, made):
    main(["evaluate", made["classifier"], "--strict", "--out", "j"])
    assert "accuracy" in capsys.readouterr().out
    kept = {p.name for p in Path("j").iterdir()}
    assert kept == {"measures.json", "reliability.png", "risk.png"}
    assert json.loads(Path("j/measures.json").read_text())["verdict"] is None


@pytest.mark.slow
def test_samples_of_another_program_get_the_same_verdict_as_an_array_and_as_files(capsys, foreign):
    real = ["--data", foreign / "known.npz", "--heldout", foreign / "held.npz"]
    verdicts = []
    for name in ("real.npz", "pngs"):
        out, measures = evaluated(capsys, "--samples", foreign / name, *real, "--out", name)
        assert measures["samples"] == 120
        assert measures["verdict"]["state"] != "FAIL"
        assert "120 samples against 250 held-out items" in out
        assert "never have seen" in out
        assert {p.name for p in Path(name).iterdir()} == {
            "measures.json", "neighbours.png", "spectrum.png",
        }  # fmt: skip
        verdicts.append(measures["verdict"])
        if name == "real.npz":
            values = {m["name"]: m["value"] for m in measures["measures"]}
            assert values["asked class"] > 0.9
    assert verdicts[0] == verdicts[1]


@pytest.mark.slow
def test_vectors_of_a_table_against_a_toy(capsys, foreign):
    args = ["--samples", foreign / "toy.csv", "--data", "moons"]
    main(["evaluate", *map(str, args)])
    assert "FAIL" in capsys.readouterr().out
    assert [p.name for p in Path("toy-evaluation").iterdir()] == ["measures.json"]
    assert "not empty" in refused(capsys, "evaluate", *args)
    main(["evaluate", *map(str, args), "-n", "20", "--overwrite"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("samples", "args", "code"),
    [
        ("other.csv", ["--data", "data.csv"], 0),
        ("dozen.npz", ["--data", "known.npz", "--heldout", "held.npz"], 3),
        (
            "dozen.npz",
            ["--data", "digits"],
            1,
        ),  # a dozen of the very items that they are held against
    ],
)
def test_strict_turns_the_verdict_into_an_exit_code(capsys, foreign, samples, args, code):
    command = ["evaluate", "--samples", str(foreign / samples), "--strict", "--out", "s"]
    paths = (str(foreign / a) if a.endswith(("csv", "npz")) else a for a in args)
    with pytest.raises(SystemExit) as end:
        main([*command, *paths])
    assert end.value.code == code
    state = {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE"}[code]
    assert json.loads(Path("s/measures.json").read_text())["verdict"]["state"] == state


@pytest.mark.slow
def test_what_is_held_out_can_be_chosen(capsys, foreign):
    few, table = foreign / "few.csv", foreign / "thousand.csv"
    for path, source, rows in ((few, "other", 150), (table, "data", 1000)):
        lines = (foreign / f"{source}.csv").read_text().splitlines(keepends=True)
        path.write_text("".join(lines[: 1 + rows]))
    common = ["--samples", few, "--data", table]
    out, measures = evaluated(capsys, *common, "--split", "0.05", "--out", "a")
    assert "150 samples against 50 held-out items" in out
    assert measures["compared"] == 25
    assert measures["verdict"]["n"] == 50
    out, _ = evaluated(capsys, *common, "--heldout", few, "--out", "b")
    assert "150 samples against 150 held-out items" in out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "words"),
    [
        ([], ["either the folder of a run or --samples"]),
        (["RUN", "--samples", "real.npz", "--data", "digits"], ["either", "--samples"]),
        (["nowhere"], ["nowhere does not exist"]),
        (["pngs"], ["pngs", "not a run"]),
        (["RUN", "--data", "real.npz"], ["real.npz have changed since", "--samples"]),
        (["RUN", "--split", "0.5"], ["--split goes with --samples"]),
        (["RUN", "--size", "8"], ["shape data", "--samples"]),
        (["RUN", "-n", "1"], ["-n must lie between 2", "not 1"]),
        (["RUN", "--seed", "-1"], ["seed", "-1"]),
        (["RUN", "--device", "tpu"], ["tpu", "cpu"]),
        (["RUN", "--features", "inception"], ["inception", "classifier", "pixels"]),
        (["RUN", "--out", "full"], ["full", "not empty", "--overwrite"]),
        (["RUN", "--out", "full/x.png"], ["x.png is a file"]),
        (["--samples", "real.npz"], ["needs --data"]),
        (["--samples", "missing.npz", "--data", "digits"], ["missing.npz"]),
        (["--samples", "real.npz", "--data", "digitz"], ["digitz", "did you mean 'digits'"]),
        (["--samples", "real.npz", "--data", "missing.csv"], ["missing.csv"]),
        (["--samples", "digits", "--data", "digits"], ["digits is a data set", "./digits"]),
        (["--samples", "wrong.npy", "--data", "digits"], ["wrong.npy", "9x9", "8x8", "--size"]),
        (["--samples", "sizes", "--data", "digits"], ["sizes", "8x8, 9x9", "shape of the data"]),
        (["--samples", "real.npz", "--data", "moons"], ["real.npz", "8x8", "length 2"]),
        (["--samples", "other.csv", "--data", "moons"], ["other.csv", "length 6", "length 2"]),
        (["--samples", "nan.npy", "--data", "digits"], ["nan.npy", "1 of 7,680", "NaN"]),
        (["--samples", "one.npy", "--data", "digits"], ["one.npy", "1 samples", "2"]),
        (["--samples", "text.txt", "--data", "digits"], ["text.txt", "no known format", ".npz"]),
        (["--samples", "empty", "--data", "digits"], ["empty holds no images"]),
        (
            ["--samples", "real.npz", "--data", "digits", "--split", "1.5"],
            ["--split must lie between 0 and 1", "not 1.5"],
        ),
        (["--samples", "real.npz", "--data", "digits", "--split", "0"], ["--split 0 "]),
        (
            ["--samples", "real.npz", "--data", "digits", "--split", "nan"],
            ["--split must", "not nan"],
        ),
        (["--samples", "real.npz", "--data", "digits", "--heldout", "moons"], ["moons", "digits"]),
        (
            ["--samples", "real.npz", "--data", "digits", "--split", "0.5", "--heldout", "digits"],
            ["--split", "--heldout", "one of them"],
        ),
        (["--samples", "real.npz", "--data", "digits", "--out", "full"], ["full", "not empty"]),
        (
            ["--samples", "toy.csv", "--data", "toy.csv", "--features", "classifier"],
            ["classifier", "labels"],
        ),
    ],
)
def test_mistakes_in_evaluating_are_one_sentence(capsys, made, foreign, args, words):
    Path("full").mkdir()
    Path("full/x.png").write_text("precious")
    given = [foreign / a if (foreign / a).exists() and a else a for a in args]
    sentence = refused(capsys, "evaluate", *(made["digits"] if a == "RUN" else a for a in given))
    assert all(word in sentence for word in words), sentence
    assert Path("full/x.png").read_text() == "precious"
    assert [p.name for p in Path().iterdir()] == ["full"]
