"""What a notebook shows: every value in a line, and as HTML with pictures and names."""

import base64
import io
import json
import re
import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import make_data

import plausible
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind, LogProb
from plausible.core.space import Batch, Space
from plausible.evaluation.measure import Measure
from plausible.evaluation.report import Report
from plausible.evaluation.verdict.verdict import State, Verdict
from plausible.evaluation.verdict.verdict import TestResult as Result
from plausible.runs import Run


def pictures(value):
    """The pictures in the HTML of a value."""
    found = re.findall(r"data:image/png;base64,([^']*)'", value._repr_html_())
    return [Image.open(io.BytesIO(base64.b64decode(code))) for code in found]


def test_data_and_a_part_are_a_line_and_a_grid_with_labels():
    data = plausible.from_arrays(
        np.arange(480).reshape(30, 4, 4).astype(np.uint8) % 9,
        ["<cat>", "dog", "owl"] * 10,
        name="pets",
    )
    assert repr(data) == (
        f"Data 'pets': {len(data.train)} training, {len(data.validation)} validation, {len(data.heldout)} held-out "
        f"images 4x4 on {data.space.levels} levels, 3 classes"
    )
    assert repr(data.heldout).startswith(f"Part of {len(data.heldout)} images 4x4")
    assert "&lt;cat&gt;" in data._repr_html_()  # names are text
    assert "<cat>" not in data._repr_html_()
    shown = pictures(data)
    assert len(shown) == len(data.train)
    grey = np.asarray(shown[0])
    assert np.allclose(grey / 255, data.train[0][0][0], atol=1 / 255)
    assert "width='56'" in data._repr_html_()  # enlarged


def test_colours_and_more_channels_are_pictures_too():
    for channels, mode in ((1, "L"), (3, "RGB"), (4, "RGBA"), (2, "L")):
        (picture,) = pictures(Batch(torch.rand(1, channels, 5, 6)))
        assert (picture.mode, picture.size) == (mode, (6, 5))


def test_tables_show_their_columns_and_classes():
    data = plausible.from_arrays(
        np.random.default_rng(0).random((30, 2)), ["a", "b"] * 15, columns=["height", "weight"]
    )
    assert "vectors of 2 numbers, 2 classes" in repr(data)
    html = data._repr_html_()
    assert all(f">{name}</th>" in html for name in ("height", "weight", "class"))
    batch = Batch(torch.tensor([[1.0, 2.0]]), torch.tensor([3]))
    assert repr(batch) == "Batch of 1: x (1, 2) from 1 to 2, y of 1 class"
    assert ">x2</th>" in batch._repr_html_()
    assert len(repr(Batch(torch.zeros(0, 2)))) < 40


def test_nats_carry_their_sign():
    one = LogProb(torch.tensor([-3.0]), Kind.LOWER)
    assert repr(one) == "LogProb ≥ -3.00 nats (mass)"
    many = LogProb(torch.tensor([-3.0, -5.0]), Kind.ESTIMATE, stderr=torch.tensor([0.1, 0.1]))
    assert (
        repr(many)
        == "LogProb of 2 inputs (mass), nats: mean ≈ -4.00, from -5.00 to -3.00, each ± 0.1"
    )
    assert "≈ -5.00 ± 0.1" in many._repr_html_()
    assert repr(LogProb(torch.zeros(0))) == "LogProb of 0 inputs (mass)"


def test_a_report_is_a_table_of_its_measures_under_the_verdict():
    measure = Measure("bits", 3.25, 0.04, kind=Kind.UPPER, unit="bits per dim")
    missing = Measure("coverage", None, note="too few")
    results = (
        Result("blur", State.FAIL, "too smooth", 0.1),
        Result("copies", State.PASS, "none", 0.1),
    )
    report = Report(
        [(measure, Measure("bits", 3.0)), (missing, None)], Verdict(50, results), samples=50
    )
    assert repr(measure) == "Measure bits: ≤ 3.250 ± 0.040 bits per dim"
    assert repr(missing) == "Measure coverage: none, too few"
    assert repr(report.verdict) == "Verdict FAIL (1 FAIL, 1 PASS; 50 a side)"
    assert (
        repr(report) == "Report of 50 samples: Verdict FAIL (1 FAIL, 1 PASS; 50 a side); 1 measures"
    )
    html = report._repr_html_()
    assert all(
        word in html for word in ("bits, bits per dim", "too smooth", "too few", "real data")
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small conditional run with a log and measures."""
    folder = tmp_path_factory.mktemp("notebook") / "r"
    data = make_data(Space((1, 4, 4), levels=2, classes=2))
    made = plausible.fit("gan", data, steps=12, width=4, conditional=True, out=folder).run
    measures = [
        Measure("bits", 3.25, 0.04).to_dict() | {"real": {"value": 3.0}},
        Measure("gone", None).to_dict(),
    ]
    made.write("measures.json", json.dumps({"verdict": {"state": "FAIL"}, "measures": measures}))
    return made


def test_a_run_is_a_line_with_its_picture(run):
    assert repr(run) == f"Run {run.folder}: gan of random, finished, FAIL"
    Image.new("L", (8, 8)).save(run.folder / "samples.png")
    assert pictures(run)[0].size == (8, 8)
    assert "holds no config.json" in repr(Run("nowhere"))
    trained = plausible.open_trained(run)
    assert repr(trained) == f"Trained gan, kept in {run.folder}"


def test_a_run_draws_as_the_task_does(run):
    drawn = run.sample(5, 1, seed=3)
    assert drawn.y.tolist() == [1] * 5
    assert torch.equal(drawn.x, plausible.sample(run, 5, 1, seed=3).x)
    with pytest.raises(UsageError, match="--label 7 is out of range"):
        run.sample(5, 7)


def test_the_log_and_the_measures_of_a_run_are_flat_columns(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)  # where it is not installed
    log, measures = run.log(), run.measures()
    assert log["step"] == [0, 10, 11]
    assert all(isinstance(value, float) for value in log["generator loss"])
    assert log["probes AUC, train"][-1] is not None
    assert log["probes AUC, train"][0] is None or isinstance(log["probes AUC, train"][0], float)
    assert not any(isinstance(value, dict | list) for column in log.values() for value in column)
    assert measures["name"] == ["bits", "gone"]
    assert measures["value"] == [3.25, None]
    assert measures["real"] == [3.0, None]


def test_where_pandas_is_there_they_are_frames(run, monkeypatch):
    pandas = ModuleType("pandas")
    pandas.DataFrame = lambda columns: ("frame", columns)
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    assert run.log()[0] == run.measures()[0] == "frame"


def test_of_a_run_that_was_not_judged_there_are_no_measures(tmp_path):
    made = plausible.fit(
        "naive-bayes", make_data(Space((1, 2, 2), levels=2)), out=tmp_path / "r"
    ).run
    with pytest.raises(UsageError, match="was not judged: plausible evaluate"):
        made.measures()


def test_training_needs_no_settings_and_models_take_data():
    data = make_data(Space((1, 2, 2), levels=2))
    training = plausible.train(plausible.GAN(data), data)
    assert training.settings.steps == training.raw.default_steps
    assert plausible.NaiveBayes(data).space == data.space
    assert re.fullmatch(r"\d+\.\d+.*", plausible.__version__)
