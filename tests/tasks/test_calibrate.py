"""A run answers by what it has kept: where its data have moved or changed, and never by what is stale."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import ask, refused

import plausible
from plausible import Run, classify, diagnose, evaluate, fit, score
from plausible.core.errors import UsageError
from plausible.data.options import Options
from plausible.recognition.calibration_set import CalibrationSet, calibrate
from plausible.runs.checksums import write_noted
from plausible.tasks import calibrated, open_trained

pytestmark = pytest.mark.slow

NAME = "calibration.safetensors"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A folder of pictures of two classes, and runs that learned from it: one has been judged, one has not."""
    root, random = tmp_path_factory.mktemp("calibrated"), np.random.default_rng(0)
    for k in range(120):
        folder = root / "pictures" / "ab"[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        image = random.random((4, 4)) * (120 + 100 * (k % 2))
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{k:03}.png")
    fit("naive-bayes", root / "pictures", out=root / "fresh")
    shutil.copytree(root / "fresh", root / "run")
    evaluate(root / "run", n=12)
    np.save(root / "x.npy", random.integers(0, 256, (3, 4, 4), dtype=np.uint8))
    return root


@pytest.fixture
def folder(original, tmp_path, monkeypatch):
    """A copy, whose runs have their data there."""
    root = Path(shutil.copytree(original, tmp_path / "copy"))
    for name in ("run", "fresh"):
        path = root / name / "config.json"
        write_noted(path, path.read_text().replace(str(original), str(root)))
    monkeypatch.chdir(root)
    return root


def add_one(folder):
    shutil.copy(folder / "pictures/a/000.png", folder / "pictures/a/new.png")


def move(folder):
    (folder / "pictures").rename(folder / "elsewhere")


def test_it_is_made_by_the_evaluation_or_the_first_question_and_used_again(folder, monkeypatch):
    assert (folder / "run" / NAME).exists()
    assert not (folder / "fresh" / NAME).exists()
    before = score("fresh", "x.npy"), classify("fresh", "x.npy")
    assert (folder / "fresh" / NAME).exists()
    monkeypatch.setattr(Run, "data", None)  # nobody asks for them again
    assert (score("fresh", "x.npy"), classify("fresh", "x.npy")) == before
    assert (score("run", "x.npy"), classify("run", "x.npy")) == before


@pytest.mark.parametrize("change", [add_one, move])
def test_a_run_answers_when_its_data_have_changed_or_moved(folder, change, capsys):
    before = score("run", "x.npy"), classify("run", "x.npy")
    change(folder)
    assert (score("run", "x.npy"), classify("run", "x.npy")) == before
    ask("score", "run", "x.npy")
    ask("classify", "run", "x.npy")
    assert "3 inputs" in capsys.readouterr().out


def test_of_changed_data_a_sentence_says_what_may_still_be_done(folder, capsys):
    add_one(folder)
    for words, then in (
        (["evaluate", "run"], "evaluate --samples"),
        (["resume", "run", "--steps", "2"], "a run goes on with the data it began with"),
    ):
        said = refused(capsys, *words)
        assert "training, validation and held-out parts" in said
        assert "changed since run was trained" in said
        assert "--data PATH" in said
        assert then in said
    ask("diagnose", "run")
    assert (
        "not checked without its data: overfitting; the training, "
        in capsys.readouterr().out.replace("\n", " ")
    )
    said = refused(capsys, "score", "fresh", "x.npy")
    assert "to score and classify fresh must be calibrated on its data once" in said
    assert "go on" not in said
    with pytest.raises(UsageError, match="changed since"):
        classify("run", "x.npy", "pictures")


def test_of_moved_data_the_place_can_be_given(folder, capsys):
    move(folder)
    for words in (["evaluate", "run"], ["score", "fresh", "x.npy"]):
        assert "no longer at" in (said := refused(capsys, *words))
        assert "--data PATH" in said
    ask("classify", "fresh", "x.npy", "--data", "elsewhere")
    ask("score", "fresh", "x.npy")  # which has been kept
    ask("diagnose", "run", "--data", "elsewhere")
    ask("evaluate", "run", "--data", "elsewhere", "-n", "12")
    assert evaluate("run", "elsewhere", n=12).compared
    assert diagnose("run", plausible.load("elsewhere"))
    shutil.copy("elsewhere/a/000.png", "elsewhere/a/new.png")
    said = refused(capsys, "evaluate", "run", "--data", "elsewhere")
    assert "parts of elsewhere have changed since" in said
    assert "nowhere" in refused(capsys, "score", "run", "x.npy", "--data", "nowhere")


def test_a_training_goes_on_with_data_that_have_moved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.random.default_rng(0).normal(size=(60, 2)))
    fit("vae", "a.npy", steps=2, width=4, out="run")
    Path("a.npy").rename("b.npy")
    with pytest.raises(UsageError, match="no longer at"):
        plausible.resume("run", steps=3)
    assert plausible.resume("run", steps=3, data="b.npy").finished


def test_what_is_stale_is_not_used(folder):
    trained = open_trained("run")
    with torch.no_grad():
        trained.model.log_theta[:, :, 0] -= 1.0
    other = calibrated(trained).calibration
    assert not torch.equal(other.heldout, calibrate(Run("run").model(), trained.data).heldout)
    assert torch.equal(other.heldout, calibrate(trained.model, trained.data).heldout)
    path = folder / "run" / NAME
    path.write_bytes(b"rubbish")
    assert len(score("run", "x.npy")) == 3  # made anew
    assert CalibrationSet.unpack(path, {}) is not None
    assert CalibrationSet.unpack(path, {"weights": "of another"}) is None


def test_other_choices_are_kept_beside_the_usual(folder):
    fit("naive-bayes", "pictures", options=Options(mutate=0.2), out="background")
    usual = score("run", "x.npy")
    first = score("run", "x.npy", background="background"), score("run", "x.npy", seed=1)
    move(folder)
    assert first == (score("run", "x.npy", background="background"), score("run", "x.npy", seed=1))
    assert score("run", "x.npy") == usual
    assert len(list((folder / "run").glob("calibration*.safetensors"))) == 3
    with pytest.raises(UsageError, match="calibrated on its data once"):
        score("run", "x.npy", seed=2)


def test_a_run_that_may_only_be_read_answers(folder, monkeypatch):
    def refuse(self, name, content):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Run, "write", refuse)
    assert len(score("fresh", "x.npy")) == 3
    assert not (folder / "fresh" / NAME).exists()


@pytest.mark.parametrize(
    ("name", "small"),
    [("vae", {"width": 4, "latent": 2, "conditional": True}), ("convnet", {"width": 4})],
)
def test_bounds_errors_and_classifiers_come_back_as_they_were(tmp_path, name, small):
    some = plausible.load("digits").train.rows(slice(0, 300))
    np.savez(tmp_path / "some.npz", x=some.values.numpy(), y=some.y.numpy(), levels=17)
    data = plausible.load(str(tmp_path / "some.npz"))
    trained = fit(name, data, steps=2, out=tmp_path / "run", **small)
    asked = [calibrated(trained, seed=3).calibration for _ in "ab"]
    kept, again = asked
    assert kept.class_names == again.class_names == data.class_names
    assert torch.equal(kept.y, again.y)
    assert torch.equal(kept.validation.log_posterior, again.validation.log_posterior)
    if name == "vae":
        assert kept.validation.log_prob.kind is again.validation.log_prob.kind
        assert torch.equal(kept.validation.log_prob.error, again.validation.log_prob.error)
        assert torch.equal(kept.heldout, again.heldout)
    x = data.heldout.as_batch().x[:5]
    assert classify(trained, x, seed=3) == classify(tmp_path / "run", x, seed=3)


def test_everything_that_the_commands_show_is_returned(folder, capsys):
    found = classify("run", "x.npy")
    assert found.class_names == ("a", "b")
    rows = score("run", "x.npy")
    assert (rows.novelty, rows.compared) == ("either", 9)
    ask("classify", "run", "x.npy", "--out", "answers.json")
    ask("score", "run", "x.npy", "--out", "scores.json")
    out = capsys.readouterr().out
    for note in (*found.notes, *rows.notes):
        assert note in out
    assert any("no p-value is below 1/10 = 0.1" in note for note in found.notes)
    assert any("no p-value is below 1/10 = 0.1" in note for note in rows.notes)
    said = []
    evaluate("run", n=12, on_notes=said.extend)
    assert set(rows.notes) & set(said)
    answers, scores = (
        json.loads(Path(f"{name}.json").read_text()) for name in ("answers", "scores")
    )
    assert [row["decision"] for row in answers] == [answer.decision for answer in found]
    assert [row["p"] for row in scores] == pytest.approx([row.p for row in rows])


def test_evaluate_is_at_the_temperature_that_classify_answers_by(tmp_path):
    fit("naive-bayes", "digits", out=tmp_path / "run")
    kept = calibrated(tmp_path / "run").labels.temperature
    found = evaluate(tmp_path / "run", n=50)["log loss, calibrated"]
    assert found.note == f"at the temperature {kept:.3g}, kept in the run"
    heldout = open_trained(tmp_path / "run").data.heldout.as_batch()
    log_p = calibrated(tmp_path / "run").classifier.log_posterior(heldout.x)
    said = log_p.gather(1, heldout.y[:, None])
    assert found.value == pytest.approx(-said.mean().item(), rel=1e-4)
