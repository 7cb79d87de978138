"""The seal of an evaluation, and that its numbers come out again from it."""

import json
import shutil

import numpy as np
import pytest
from tests.conftest import ask, refused

import plausible
from plausible.core.errors import UsageError


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Data, samples of another program and a run in one folder, both judged."""
    folder, rng = tmp_path_factory.mktemp("sealed"), np.random.default_rng(0)
    np.savez(folder / "plane.npz", x=rng.normal(size=(300, 2)))
    np.save(folder / "drawn.npy", rng.normal(size=(80, 2)))
    report = plausible.evaluate_samples(folder / "drawn.npy", folder / "plane.npz", n=40)
    plausible.save_report(report, folder / "judged")
    trained = plausible.fit("mixture", folder / "plane.npz", components=1, out=folder / "run")
    plausible.save_report(plausible.evaluate(trained, n=40, outliers="ring"), folder / "run")
    return folder


@pytest.fixture
def copied(place, tmp_path):
    """The same elsewhere, so that a test may change it; its seal speaks of the first place."""
    shutil.copytree(place, tmp_path / "copy")
    return tmp_path / "copy"


def sealed(folder):
    return json.loads((folder / "measures.json").read_text())["seal"]


def test_samples_of_another_program_are_verified_from_the_seal_alone(place, capsys):
    seal = sealed(place / "judged")
    assert seal["samples"] == str(place / "drawn.npy")
    assert seal["hashes"].keys() == {"training part", "held-out part", "samples"}
    assert (seal["n"], seal["seed"], seal["features"]) == (40, 0, "auto")
    assert "torch" in seal["versions"]
    found = plausible.verify(place / "judged")
    assert found.holds
    assert found.compared > 20
    with pytest.raises(SystemExit) as end:
        ask("evaluate", "--verify", place / "judged" / "measures.json")
    assert end.value.code == 0
    assert f"verified: all {found.compared} numbers come out again" in capsys.readouterr().out


def test_a_run_that_moved_is_verified_where_it_is_with_its_outliers(place, copied):
    shutil.rmtree(copied / "judged")
    kept = json.loads((copied / "run" / "measures.json").read_text())
    assert any("ring" in row["name"] for row in kept["measures"])
    assert plausible.verify(copied / "run").holds


def test_a_number_that_was_changed_is_named(copied, capsys):
    path = copied / "judged" / "measures.json"
    kept = json.loads(path.read_text())
    first = kept["measures"][0]
    first["value"] = first["value"] + 1
    path.write_text(json.dumps(kept))
    with pytest.raises(SystemExit) as end:
        ask("evaluate", "--verify", path)
    assert end.value.code == 1
    assert (
        f"1 of {plausible.verify(path).compared} numbers differ, the first is {first['name']}"
        in (" ".join(capsys.readouterr().out.split()))
    )


def test_other_samples_and_other_versions_are_said(copied):
    path = copied / "judged" / "measures.json"
    kept = json.loads(path.read_text())
    kept["seal"]["versions"]["torch"] = "1.0"
    path.write_text(json.dumps(kept))
    np.save(copied / "drawn.npy", np.random.default_rng(5).normal(size=(80, 2)))
    found = plausible.verify(path, samples=copied / "drawn.npy")
    assert found.inputs == ("samples",)
    assert "the samples are not what was judged (by torch" in found.sentence
    assert found.exit_code == 1


def test_what_cannot_be_verified_is_one_sentence(place, tmp_path, capsys):
    assert "does not exist" in refused(capsys, "evaluate", "--verify", tmp_path / "none")
    (tmp_path / "measures.json").write_text("{}")
    assert "no seal" in refused(capsys, "evaluate", "--verify", tmp_path)
    for damaged in ({"seal": {"n": 5}}, {"seal": sealed(place / "judged"), "measures": []}):
        (tmp_path / "measures.json").write_text(json.dumps(damaged))
        assert "is damaged" in refused(capsys, "evaluate", "--verify", tmp_path)
    (tmp_path / "measures.json").write_text("{")
    assert "is no JSON in line 1" in refused(capsys, "evaluate", "--verify", tmp_path)
    said = refused(capsys, "evaluate", "--verify", place / "judged", "--n", 50)
    assert "only --samples and --data" in said
    moons = plausible.load("moons")
    report = plausible.evaluate(moons.heldout.rows(slice(0, 40)), moons, n=40)
    plausible.save_report(report, tmp_path)
    with pytest.raises(UsageError, match="samples and data were in memory"):
        plausible.verify(tmp_path)
