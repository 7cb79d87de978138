"""Samples drawn by a generator of another program, exported as ONNX."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save
from tests.conftest import ask, refused

import plausible
from plausible.data.onnx_generator import DRAWS


def export(path, weight, shape, *, count="N", others=(), finish="Identity"):
    """G(z) = finish(z W) in a shape (N, ...), with a leading side that may be fixed."""
    inputs = [helper.make_tensor_value_info("z", TensorProto.FLOAT, [count, len(weight)])]
    inputs += [helper.make_tensor_value_info(name, TensorProto.INT64, [count]) for name in others]
    constants = [
        numpy_helper.from_array(np.asarray(weight, np.float32), "W"),
        numpy_helper.from_array(np.array([-1, *shape], np.int64), "shape"),
    ]
    nodes = [
        helper.make_node("MatMul", ["z", "W"], ["a"]),
        helper.make_node(finish, ["a"], ["b"]),
        helper.make_node("Reshape", ["b", "shape"], ["x"]),
    ]
    out = helper.make_tensor_value_info("x", TensorProto.FLOAT, [count, *shape])
    graph = helper.make_graph(nodes, "G", inputs, [out], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(model, path)
    return path


@pytest.fixture
def plane(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(400, 2)) @ [[2.0, 1.0], [0.0, 0.5]]
    np.save("plane.npy", x)
    return tmp_path


def test_a_generator_is_judged_as_its_samples_are(plane, capsys):
    export("right.onnx", [[2.0, 1.0], [0.0, 0.5]], (2,))
    export("narrow.onnx", [[0.2, 0.1], [0.0, 0.5]], (2,), count=50)
    data = plausible.load("plane.npy")
    right = plausible.evaluate_samples("right.onnx", data, n=80)
    assert any(f"{DRAWS:,} draws, z ~ N(0, I) of 2 numbers" in note for note in right.notes)
    again = plausible.evaluate_samples("right.onnx", data, n=80)
    assert right.seal.hashes == again.seal.hashes
    narrow = plausible.evaluate_samples("narrow.onnx", data, n=80)
    distance = next(measure.name for measure, _ in right.measures if "Frechet" in measure.name)
    assert right[distance].value < narrow[distance].value / 2
    found = plausible.evaluate_against("right.onnx", "narrow.onnx", data, n=80)
    assert "right.onnx is better" in str(found)
    with pytest.raises(SystemExit):
        ask("evaluate", "--samples", "narrow.onnx", "--data", "plane.npy", "--n", 80, "--strict")
    assert "5,000 draws" in " ".join(capsys.readouterr().out.split())


def test_images_between_minus_one_and_one_become_levels(plane):
    weight = np.random.default_rng(1).normal(size=(16, 64)) / 4
    export("faces.onnx", weight, (1, 8, 8), finish="Tanh")
    data = plausible.load("digits")
    report = plausible.evaluate_samples("faces.onnx", data, n=40)
    assert report.evalset.samples.part.values.shape[1:] == (1, 8, 8)
    assert any("-1" in note for note in report.notes)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: export("g.onnx", [[1.0, 0.0]], (2,), others=("y",)), "inputs z.*y.*one input z"),
        (lambda: export("g.onnx", [[1.0, 0.0, 0.0]], (3,)), "vectors of length 3 and the data"),
        (lambda: Path("g.onnx").write_text("text"), "cannot be read as ONNX"),
    ],
)
def test_what_is_no_generator_is_one_sentence(plane, capsys, make, words):
    make()
    said = refused(capsys, "evaluate", "--samples", "g.onnx", "--data", "plane.npy")
    assert re.search(words, said), said


def test_without_the_extra_it_is_said(plane, capsys, monkeypatch):
    export("g.onnx", [[1.0, 0.0]], (2,))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    said = refused(capsys, "evaluate", "--samples", "g.onnx", "--data", "plane.npy")
    assert "pip install 'plausible[onnx]'" in said
