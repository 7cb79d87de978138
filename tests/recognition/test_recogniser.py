"""Questions about inputs: answers, refusals, calibration, and the commands that ask."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import make_data

import plausible
from plausible import Recogniser, Settings, Space, figures, runs, train
from plausible.cli.main import main
from plausible.core.errors import UsageError
from plausible.data.inputs import read_inputs
from plausible.data.options import Options
from plausible.models import ConvNet, GaussianMixture, LinearRegression, NaiveBayes, PerClass
from plausible.recognition.conformal import Conformal, full_conformal
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.recogniser import ood_detection
from plausible.recognition.rejection import REJECTED


@pytest.fixture(scope="module")
def digits():
    return plausible.load("digits")


def learned(model, data, **settings):
    training = train(model, data, Settings(**settings))
    list(training)
    return training.averaged


@pytest.fixture(scope="module")
def naive(digits):
    return learned(NaiveBayes(digits.space), digits)


def noise(space, n=50):
    generator = torch.Generator().manual_seed(5)
    values = torch.randint(space.levels, (n, *space.shape), generator=generator)
    return plausible.Part(values.to(torch.uint8), None, space)


def test_digits_are_named_and_noise_is_rejected(naive, digits):
    asked = Recogniser(naive, digits, novelty="likelihood")
    some = digits.heldout.rows(slice(0, 200))
    names = tuple(map(str, range(200)))
    found = asked.classify(some, names, reject_cost=1.0, level=0.05)
    given = [answer for answer in found if answer.label != REJECTED]
    assert len(given) > 170
    right = sum(answer.label == int(some.y[int(answer.name)]) for answer in given)
    assert right / len(given) > 0.85
    for answer in given:
        assert answer.decision == digits.class_names[answer.label]
        assert sum(answer.posterior) == pytest.approx(1)
    strange = asked.classify(noise(digits.space), ("x",) * 50, 1.0, 0.05)
    assert {answer.decision for answer in strange} == {"rejected: implausible"}
    assert all("of all cases" in answer.reason for answer in strange)


def test_what_is_too_close_to_call_is_ambiguous(naive, digits):
    asked = Recogniser(naive, digits, novelty="likelihood")
    some, names = digits.heldout.rows(slice(0, 100)), tuple(map(str, range(100)))
    for answer in asked.classify(some, names, reject_cost=0.3, level=0.0):
        assert (max(answer.posterior) < 0.7) == (answer.decision == "rejected: ambiguous")
    nothing = asked.classify(some, names, reject_cost=0.0, level=0.0)
    assert {answer.label for answer in nothing} == {REJECTED}


def test_a_discriminative_model_answers_without_p_values_and_cannot_score(digits):
    asked = Recogniser(learned(LinearRegression(digits.space), digits), digits)
    strange = asked.classify(noise(digits.space), ("x",) * 50, 1.0, 0.05)
    assert all(answer.p is None and answer.label != REJECTED for answer in strange)
    with pytest.raises(UsageError, match="naive-bayes"):
        asked.score(noise(digits.space), ("x",) * 50)


def test_scores_carry_their_sign_and_place(naive, digits):
    asked = Recogniser(naive, digits)
    held = digits.heldout
    found = asked.score(held, tuple(map(str, range(len(held)))))
    nats = torch.tensor([row.log_prob for row in found])
    assert torch.allclose(nats.double(), naive.log_prob(held.as_batch().x).nats, atol=1e-3)
    ranks = torch.tensor([row.percentile for row in found])
    assert torch.equal(nats.argsort(stable=True), ranks.argsort(stable=True)) or len(
        set(ranks)
    ) < len(ranks)
    assert ranks.max() == 1
    assert ranks.double().mean().item() == pytest.approx(0.5, abs=0.01)
    assert {row.sign for row in found} == {"="}
    assert all(row.stderr is None and 0 < row.p <= 1 for row in found)


def test_novelty_of_a_ratio_needs_a_background_and_uses_it(naive, digits):
    with pytest.raises(UsageError, match="background"):
        Recogniser(naive, digits, novelty="ratio")
    behind = learned(NaiveBayes(digits.space), plausible.load("digits", Options(mutate=0.2)))
    asked = Recogniser(naive, digits, background=behind)
    assert asked.novelty == "ratio"
    found = ood_detection(asked, digits.heldout, noise(digits.space, 300), "noise")
    assert found[0].value > 0.95
    with pytest.raises(UsageError, match="choose from"):
        Recogniser(naive, digits, novelty="none")


def test_scores_of_images_are_refused_for_vectors_by_their_own_name():
    data = make_data(Space((2,)), 300)
    model = learned(GaussianMixture(data.space, GaussianMixture.Config(components=1)), data)
    with pytest.raises(UsageError, match="--novelty either needs images"):
        Recogniser(model, data, novelty="either")


@pytest.mark.parametrize("n", [19, 39])
def test_p_values_of_the_default_score_hold_for_few_examples(n):
    """What is usual and what is compared with are different examples, so P(p <= a) <= a."""
    torch.manual_seed(0)
    below = []
    for _ in range(400):
        nats, code = torch.randn(n + 20).double(), torch.randn(n + 20).double()
        whole = NoveltyInput(nats, code)
        usual, rest = (
            NoveltyInput(nats[rows], code[rows]) for rows in (slice(0, n, 2), slice(1, n, 2))
        )
        score = novelties["either"]
        compare = Conformal(score(replace(rest, in_distribution=usual)))
        fresh = score(replace(NoveltyInput(whole.log_prob[n:], code[n:]), in_distribution=usual))
        below.append((compare(fresh) <= 0.1).double().mean())
    rate = torch.stack(below)
    assert rate.mean() <= 0.1 + 3 * rate.std() / 20


@pytest.mark.slow
@pytest.mark.parametrize("novelty", ["either", "typicality", "likelihood"])
@pytest.mark.parametrize("n", [4, 19])
def test_p_values_hold_though_every_example_serves_twice(novelty, n):
    """What is usual is taken from the examples and the input alike, so they stay exchangeable: P(p <= a) <= a."""
    torch.manual_seed(0)
    score, level = novelties[novelty], 1 / (n + 1)
    below = []
    for _ in range(150):
        usual, fresh = (
            NoveltyInput(torch.randn(k).double(), torch.randn(k).double()) for k in (n, 10)
        )
        below.append((full_conformal(score, usual, fresh) <= level + 1e-9).double().mean())
    rate = torch.stack(below)
    assert rate.mean().item() == pytest.approx(level, abs=4 * rate.std().item() / 150**0.5)


@pytest.mark.parametrize("novelty", ["either", "typicality", "likelihood"])
def test_what_is_far_from_everything_has_the_smallest_p_value_there_is(novelty):
    torch.manual_seed(0)
    usual = NoveltyInput(torch.randn(7).double(), torch.randn(7).double())
    far = torch.tensor([-1e3, -1e30, -torch.inf, torch.nan]).double()
    p = full_conformal(novelties[novelty], usual, NoveltyInput(far, torch.zeros(4).double()))
    assert p.tolist() == [1 / 8] * 4
    impossible = replace(
        usual, log_prob=usual.log_prob.index_fill(0, torch.tensor([3]), -torch.inf)
    )
    p = full_conformal(novelties[novelty], impossible, NoveltyInput(far, torch.zeros(4).double()))
    assert p[2] == 2 / 8  # as impossible as one of the seven


def test_the_whole_validation_part_is_compared_with(naive, digits):
    asked = Recogniser(naive, digits)
    assert asked.compared == len(digits.validation)
    assert asked.too_few() is None
    assert asked.too_few(1e-3) is not None


@pytest.mark.parametrize("novelty", ["likelihood", "typicality"])
def test_few_examples_say_that_they_are_too_few_and_what_would_do(novelty):
    """Twelve of the right kind allow no p-value below 1/13; 19 allow one of 0.05."""
    data = make_data(Space((2,), None, 2), 300)
    model = learned(
        PerClass(
            data.space, lambda space: GaussianMixture(space, GaussianMixture.Config(components=1))
        ),
        data,
    )
    far = plausible.Part(torch.full((1, 2), 1e3), None, data.space)

    def asked(n):
        few = replace(data, validation=data.validation.rows(slice(0, n)))
        return Recogniser(model, few, novelty=novelty)

    (answer,) = asked(12).classify(far, ("far",), 1.0, 0.05)
    assert answer.p == pytest.approx(1 / 13)
    assert answer.label != REJECTED
    assert answer.reason.endswith("but less plausible than all 12 examples it was held against")
    sentence = asked(12).too_few()
    assert "12 examples" in sentence
    assert "1/13 = 0.077" in sentence
    assert "19 examples, or a level of 0.077 would do" in sentence
    for n, level in ((19, 0.05), (12, 0.077), (6, 0.15)):
        (answer,) = asked(n).classify(far, ("far",), 1.0, level)
        assert answer.decision == "rejected: implausible"
        assert asked(n).too_few(level) is None
    assert "99 examples" in asked(12).too_few(0.01)
    assert "examples, or a level" not in asked(12).too_few(1e-5)  # more than are ever compared with
    assert asked(12).too_few(0.0) is None  # which rejects nothing
    (near,) = asked(12).classify(data.train.rows(slice(0, 1)), ("near",), 1.0, 0.05)
    assert "less plausible" not in near.reason


def test_one_validation_example_is_enough_to_answer(digits):
    few = replace(digits, validation=digits.validation.rows(slice(0, 1)))
    asked = Recogniser(learned(NaiveBayes(few.space), few), few)
    (row,) = asked.score(digits.heldout.rows(slice(0, 1)), ("a",))
    assert math.isfinite(row.novelty)


def test_a_model_without_classes_scores_but_does_not_classify():
    data = make_data(Space((2,)), 300)
    asked = Recogniser(
        learned(GaussianMixture(data.space, GaussianMixture.Config(components=2)), data), data
    )
    assert asked.novelty == "likelihood"
    far = plausible.Part(torch.full((3, 2), 1e3), None, data.space)
    assert all(row.p < 0.05 and row.percentile == 0 for row in asked.score(far, ("a", "b", "c")))
    with pytest.raises(UsageError, match="train it with --per-class") as refused:
        asked.classify(far, ("a", "b", "c"), 0.5, 0.05)
    assert "--conditional" not in str(refused.value)  # which a mixture has not


def test_what_no_class_makes_possible_is_rejected_whatever_the_level():
    data = make_data(Space((1, 2, 2), 4, 2), 300)
    model = learned(NaiveBayes(data.space), data)
    with torch.no_grad():
        model.log_theta[:, 0, 3] = -torch.inf  # the first pixel is never white
    asked = Recogniser(model, data, novelty="likelihood")
    white = plausible.Part(torch.full((1, 1, 2, 2), 3, dtype=torch.uint8), None, data.space)
    (answer,) = asked.classify(white, ("white",), 1.0, 0.0)
    assert (answer.label, answer.decision) == (REJECTED, "rejected: implausible")
    assert answer.reason == "no class makes it possible"


def test_a_model_that_has_labels_of_its_own_is_told_so():
    data = make_data(Space((1, 2, 2), 2), 60)
    asked = Recogniser(learned(NaiveBayes(data.space), data), data)
    with pytest.raises(UsageError, match="--conditional or --per-class"):
        asked.classify(data.heldout, ("a",) * len(data.heldout), 0.5, 0.05)


def test_drawn_pixels_are_drawn_once_to_calibrate():
    grey = make_data(Space((1, 4, 4), 256), 300)
    space = Space((1, 4, 4), 2)
    parts = {
        name: plausible.Part(getattr(grey, name).values, None, space, grey_levels=256)
        for name in ("train", "validation", "heldout")
    }
    data = replace(grey, space=space, **parts)
    model = learned(NaiveBayes(space), data)
    a, b = (Recogniser(model, data).calibration for _ in "ab")
    assert torch.equal(a.validation.log_prob.nats, b.validation.log_prob.nats)
    assert torch.equal(a.heldout, b.heldout)


@pytest.fixture(scope="module")
def folder(naive, digits, tmp_path_factory):
    """A run of naive Bayes, one of a convnet, and inputs of every kind."""
    root = tmp_path_factory.mktemp("asking")
    for name, model in (("naive", NaiveBayes(digits.space)), ("net", ConvNet(digits.space))):
        training = train(model, digits, Settings(steps=1))
        list(training)
        runs.save(runs.create(root / name, training), training)
    held = digits.heldout.rows(slice(0, 4))
    (root / "pictures").mkdir()
    for i, image in enumerate(figures.images(held.as_batch().x)):
        image.resize((40, 30)).save(root / "pictures" / f"{i}.png")
        image.save(root / f"{i}.png")
    np.savez(root / "some.npz", x=held.values.numpy(), levels=17)
    np.save(root / "wrong.npy", np.zeros((3, 9, 9), np.uint8))
    (root / "notes.txt").write_text("no image")
    return root


def ask(*words):
    main([str(word) for word in words])


def test_classify_takes_images_folders_and_arrays_and_writes_csv(folder, capsys):
    out = folder / "answers.csv"
    ask(
        "classify",
        folder / "naive",
        folder / "0.png",
        folder / "pictures",
        folder / "some.npz",
        "--out",
        out,
    )
    rows = list(csv.DictReader(out.open()))
    assert len(rows) == 1 + 4 + 4
    assert rows[0]["name"].endswith("0.png")
    assert rows[-1]["name"].endswith("some.npz[3]")
    assert rows[0]["p(3)"] == rows[5]["p(3)"]  # the same digit, as a picture and as an array
    assert all(abs(sum(float(row[f"p({k})"]) for k in range(10)) - 1) < 1e-6 for row in rows)
    assert "decision" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:  # nothing that exists is overwritten
        ask("classify", folder / "naive", folder / "0.png", "--out", out)
    assert stopped.value.code == 2
    assert len(list(csv.DictReader(out.open()))) == 9


def test_score_writes_json(folder):
    out = folder / "scores.json"
    ask("score", folder / "naive", folder / "some.npz", "--out", out)
    rows = json.loads(out.read_text())
    assert len(rows) == 4
    columns = {"name", "sign", "log_prob", "stderr", "percentile", "novelty", "p", "implausible"}
    assert set(rows[0]) == columns


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("score", "net", "0.png"), "nothing of p(x)"),
        (("classify", "naive", "nothing.png"), "does not exist"),
        (("classify", "naive", "wrong.npy"), "1x9x9"),
        (("classify", "naive", "notes.txt"), "no known format"),
        (("classify", "nowhere", "0.png"), "does not exist"),
        (("classify", "naive", "0.png", "--reject-cost", "2"), "between 0 and 1"),
        (("classify", "naive", "0.png", "--level", "-1"), "between 0 and 1"),
        (("score", "naive", "0.png", "--novelty", "ratio"), "--background"),
        (("score", "naive", "0.png", "--background", "net"), "--mutate"),
        (("score", "naive", "0.png", "--out", "a.txt"), ".csv"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_gets_one_sentence(folder, words, sentence, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as stopped:
        ask(*words)
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert sentence in said
    assert "Traceback" not in said


def test_a_damaged_image_is_named(folder):
    broken = folder / "broken.png"
    broken.write_bytes(b"\x89PNG nonsense")
    with pytest.raises(UsageError, match=r"broken\.png"):
        read_inputs([str(broken)], Space((1, 8, 8), 17))


def test_a_table_with_or_without_its_class_is_read(tmp_path):
    space, options = Space((2,), None, 2), Options(label="kind")
    (tmp_path / "a.csv").write_text("u,v,kind\n1,2,x\n3,4,y\n")
    (tmp_path / "b.csv").write_text("u,v\n1,2\n3,4\n")
    for name in ("a.csv", "b.csv"):
        given = read_inputs([str(tmp_path / name)], space, options)
        assert given.part.values.tolist() == [[1, 2], [3, 4]]


def test_evaluate_with_outliers(folder, capsys):
    ask("evaluate", folder / "net", "--outliers", folder / "pictures", "--out", folder / "judged")
    found = {
        row["name"]: row
        for row in json.loads((folder / "judged/measures.json").read_text())["measures"]
    }
    assert 0 <= found["AUROC, pictures"]["value"] <= 1
    assert found["AUROC, pictures"]["note"] == "by 1 - max p(y | x)"
    assert (folder / "judged" / "reliability.png").exists()
    assert (folder / "judged" / "risk.png").exists()
    with pytest.raises(SystemExit):
        ask("evaluate", folder / "net", "--outliers", "ring")
    assert "ring has the shape 2 and" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_classifier_of_the_plane_gets_a_picture_of_its_boundary(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ask("train", "logistic", "--data", "moons", "--out", "run")
    picture = Image.open(tmp_path / "run" / "boundary.png")
    assert picture.size == (600, 600)
