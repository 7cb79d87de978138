"""Reports on small data: who is compared with whom, what is refused, and what broken samples get."""

import json
import math
from importlib import import_module

import pytest
import torch
from tests.conftest import make_data

import plausible
from plausible import evaluate
from plausible.core.errors import NotDefined, UsageError
from plausible.core.space import Batch, Space
from plausible.data.load import load
from plausible.data.part import Data, Part
from plausible.evaluation.verdict.verdict import State
from plausible.models import GAN

IMAGES, VECTORS = Space((1, 8, 8), 17), Space((3,))
SPACES = {"images": IMAGES, "vectors": VECTORS}


def points(space, n, seed=1):
    """n more points of the distribution behind ``data_of``, as a part."""
    return Part(make_data(space, 3 * n, seed).train.values, None, space)


def data_of(space, train=160, heldout=200, y=None, values=None):
    """Random data with parts of these sizes."""
    n = train + 5 + heldout
    values = make_data(space, n).train.values if values is None else values
    values = torch.cat([values, make_data(space, 3 * n, 7).train.values])[:n]

    def part(rows):
        return Part(values[rows], None if y is None else y[rows], space)

    names = tuple(str(k) for k in range(space.classes))
    cut = slice(0, train), slice(train, train + 5), slice(train + 5, n)
    return Data("random", space, *map(part, cut), class_names=names)


def sound(report):
    """Strict JSON, and no number that is NaN or infinite or hidden behind one."""
    json.dumps(report.to_dict(), allow_nan=False)
    for measure, _ in report.measures:
        assert measure.value is not None or measure.note
        assert "nan" not in measure.note.split()
        assert "inf" not in measure.note.split()
    for result in report.verdict.results:
        assert "nan" not in result.sentence
        for number in (result.effect, result.p, result.adjusted, result.detectable):
            assert number is None or math.isfinite(number)
    return report


def failed(report):
    return {result.name for result in report.verdict.results if result.state is State.FAIL}


reference = import_module("plausible.tasks.reference_classifier")  # the file, not its function


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def real(digits):
    """Real digits that neither the reference classifier nor the held-out part have seen, in the place of samples."""
    return sound(evaluate(digits.validation, digits))


@pytest.fixture
def hasty(monkeypatch):
    """A reference classifier that learns for 5 rounds, for data of which it need not be any good."""
    monkeypatch.setattr(reference, "_STEPS", 5)


def test_a_model_is_judged_by_five_thousand_samples():
    assert import_module("plausible.tasks.evaluate")._SAMPLES == 5000  # elsewhere here by fewer


@pytest.mark.slow
def test_real_digits_do_not_fail(digits, real):
    assert real.verdict.state is not State.FAIL
    assert real.verdict.n == real.samples == real.compared == len(digits.validation)
    assert real.reference_accuracy > 0.95
    assert real["asked class"].value > 0.9
    assert real["1-NN accuracy"].n == real.compared


def test_a_report_is_looked_up_by_name(real):
    assert real["Frechet distance"].value > 0
    beside = real.real("Frechet distance")
    assert 0.3 < real["Frechet distance"].value / beside.value < 3
    assert beside.n == real["Frechet distance"].n
    with pytest.raises(KeyError):
        real["beauty"]
    assert [share.name for share in real.classes] == list("0123456789")
    assert sum(share.samples for share in real.classes) == real.samples
    kept = real.to_dict()
    assert kept["reference_accuracy"] == real.reference_accuracy
    assert kept["verdict"]["state"] == str(real.verdict.state)
    assert {"name", "value", "real", "n"} <= kept["measures"][0].keys()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_report_and_leaves_the_default_generator_alone():
    data = data_of(IMAGES, 60, 60)
    model, reports = GAN(IMAGES, GAN.Config(width=4)).eval(), []
    for seed in (3, 3, 4):
        before = torch.get_rng_state()
        said = evaluate(model, data, n=30, seed=seed).to_dict()
        reports.append({key: said[key] for key in said if key != "seal"})  # which has the seed
        assert torch.equal(torch.get_rng_state(), before)
        torch.rand(7)
    assert reports[0] == reports[1] != reports[2]


@pytest.mark.slow
def test_samples_without_half_of_the_classes_fail_for_that(digits):
    kept = digits.train.y < 5
    few = Part(digits.train.values[kept][:300], None, digits.space)
    report = sound(evaluate(few, digits))
    assert report.verdict.state is State.FAIL
    assert {"missing modes", "copies"} <= failed(report)
    missing = next(r for r in report.verdict.results if r.name == "missing modes")
    assert missing.effect == pytest.approx(0.5, abs=0.1)
    assert sum(share.ratio < 0.1 for share in report.classes) == 5


def test_samples_all_of_one_class(digits):
    ones = digits.validation.y == 1
    report = sound(evaluate(Part(digits.validation.values[ones], None, digits.space), digits))
    assert "missing modes" in failed(report)
    assert report["modes"].value <= 2


def test_a_model_is_drawn_from_and_its_latent_measured(digits):
    model = GAN(digits.space, GAN.Config(width=4)).eval()
    report = sound(evaluate(model, digits, n=50))
    assert (report.samples, report.compared, report.verdict.n) == (50, 50, 50)
    assert report["path length ratio"].value is not None
    assert report.real("path length ratio") is None
    assert "not explicit" in report["log likelihood"].note


def test_a_classifier_has_an_accuracy_and_no_verdict(digits):
    report = evaluate(reference.reference_classifier(digits), digits)
    assert report.verdict is None
    assert report.measures[0][0].name == "accuracy"
    assert report["log loss, calibrated"].value <= report["log loss"].value + 0.02
    assert report["accuracy"].value > 0.95
    assert report["accuracy"].n == len(digits.heldout)
    json.dumps(report.to_dict(), allow_nan=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPACES)
def test_as_many_samples_as_held_out_examples_are_compared(kind):
    space = SPACES[kind]
    data = data_of(space, 40, 50)
    for given, tested, measured in ((10, 10, 10), (38, 38, 25), (75, 50, 25)):
        report = sound(evaluate(points(space, given), data))
        assert report.samples == given
        assert report.verdict.n == tested
        assert report.compared == measured
        for evalset in report.evalset.halves():
            assert len(evalset.samples) == len(evalset.heldout) == measured
        assert report.real("Frechet distance").n == report["Frechet distance"].n == measured
        assert report.verdict.state is not State.FAIL, failed(report)


@pytest.mark.scheduled  # verdicts that pass are in test_verdict.py and cli/test_evaluate.py, too
def test_a_perfect_generator_passes_where_there_are_enough_examples(believing):
    space = Space((6,))
    report = sound(evaluate(points(space, 2800), data_of(space, 1600, 1600), n=2800, seed=1))
    assert report.verdict.state is State.PASS, report.verdict
    assert report.verdict.exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPACES)
def test_a_batch_and_a_part_of_the_same_points_get_the_same_report(kind):
    space, data = SPACES[kind], data_of(SPACES[kind], 60, 60)
    part = points(space, 50)
    batch = part.as_batch()
    assert evaluate(batch, data).to_dict() == evaluate(part, data).to_dict()


@pytest.mark.slow
def test_dynamic_binarisation_is_drawn_once():
    space = Space((1, 8, 8), 2)
    greys = make_data(Space((1, 8, 8), 17), 240).train.values
    parts = [Part(greys[rows], None, space, 17) for rows in (slice(0, 40), slice(40, 80))]
    data = Data("dynamic", space, parts[0], parts[0], parts[1])
    first, second = (sound(evaluate(parts[1], data)).to_dict() for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_features_can_be_given_or_chosen(digits):
    def half(x):
        return x.flatten(1)[:, ::2]

    data, drawn = data_of(IMAGES, 60, 60), points(IMAGES, 40)
    report = sound(evaluate(drawn, data, features=half))
    assert report.features == "half"
    assert report.evalset.samples.features.shape == (40, 32)
    for choice, words in (("pixels", "pixels"), ("pca", "principal"), ("random", "random")):
        assert words in evaluate(drawn, data, features=choice, n=10).features
    vectors = data_of(VECTORS, 60, 60)
    report = evaluate(points(VECTORS, 10), vectors, features="pixels")
    assert report.features == "coordinates"
    with pytest.raises(UsageError, match="need labels"):
        evaluate(drawn, data, features="classifier")
    with pytest.raises(UsageError, match="unknown features 'inception': choose from auto"):
        evaluate(drawn, data, features="inception")
    with pytest.raises(NotDefined, match="features of some examples are NaN"):
        evaluate(drawn, data, features=lambda x: x * math.nan)
    with pytest.raises(NotDefined, match="features of some examples are NaN"):
        evaluate(digits.validation, digits, features=lambda x: x * math.nan)


@pytest.mark.parametrize("kind", SPACES)
def test_constant_features_are_no_reason_to_crash(kind):
    data = data_of(SPACES[kind], 60, 60)
    report = sound(evaluate(points(SPACES[kind], 40), data, features=lambda x: x.flatten(1) * 0))
    assert "one point" in report["two sample tests"].note


@pytest.mark.slow
def test_a_constant_column_that_the_samples_keep_is_no_defect():
    values = make_data(VECTORS, 3 * 265).train.values.clone()
    values[:, 1] = 5
    data = data_of(VECTORS, 100, 160, values=values)
    drawn = points(VECTORS, 100).values.clone()
    assert "garbage" in failed(sound(evaluate(Part(drawn, None, VECTORS), data)))
    drawn[:, 1] = 5
    assert not failed(sound(evaluate(Part(drawn, None, VECTORS), data)))


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_broken_samples_are_refused(kind, bad):
    space, data = SPACES[kind], data_of(SPACES[kind], 20, 20)
    batch = points(space, 30).as_batch()
    batch.x.flatten()[3] = bad
    with pytest.raises(UsageError, match="samples are NaN or infinite"):
        evaluate(batch, data)
    if kind == "vectors":
        with pytest.raises(UsageError, match="samples are NaN or infinite"):
            evaluate(Part(batch.x, None, space), data)


@pytest.mark.slow
@pytest.mark.parametrize("far", [1e25, 3e38])
def test_samples_of_an_exploded_model_are_refused_and_far_ones_fail(far):
    data, drawn = data_of(VECTORS), points(VECTORS, 100)
    drawn.values[3, 1] = far
    with pytest.raises(NotDefined, match="too far to measure"):
        evaluate(drawn, data)
    drawn.values[:50, 1] = 1e12
    drawn.values[3, 1] = 0
    assert "garbage" in failed(sound(evaluate(drawn, data)))


def test_the_units_of_vectors_do_not_matter():
    for unit in (1e-30, 1e30):
        values = make_data(VECTORS, 3 * 125).train.values * unit
        data = data_of(VECTORS, 60, 60, values=values)
        drawn = Part(points(VECTORS, 60).values * unit, None, VECTORS)
        assert not failed(sound(evaluate(drawn, data)))


def test_samples_of_another_space_or_type_are_refused():
    data = data_of(IMAGES, 20, 20)
    for other in (Space((1, 9, 9), 17), Space((3, 8, 8), 17), VECTORS):
        with pytest.raises(UsageError, match=r"samples of shape .* data of shape \(1, 8, 8\)"):
            evaluate(points(other, 20), data)
        with pytest.raises(UsageError, match="samples of shape"):
            evaluate(Batch(points(other, 20).as_batch().x), data)
    with pytest.raises(UsageError, match="not a list"):
        evaluate([torch.zeros(1, 8, 8)] * 20, data)
    x = points(IMAGES, 20).as_batch().x
    assert evaluate(x, data).to_dict() == evaluate(Batch(x), data).to_dict()


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(3,), (1, 8, 8)])
def test_classes_with_one_item_or_none(shape, hasty):
    space = Space(shape, 17 if len(shape) == 3 else None, 3)
    for lone in (0, 199):  # the only item of class 1, in the training or the held-out part
        y = torch.zeros(200, dtype=torch.int64)
        y[lone] = 1
        data = data_of(space, 95, 100, y=y)
        report = sound(evaluate(points(space, 60), data))
        assert (
            not report.classes
        )  # one class alone is no knowledge of a classifier, so modes are bins
        assert "no better than the largest class" in report.features
        assert report.reference_accuracy is None


def test_progress_is_told(digits):
    told = []
    evaluate(digits.validation, digits, n=20, progress=lambda *stage: told.append(stage))
    assert all(0 <= share <= 1 for _, share in told)
    stages = " ".join(stage for stage, _ in told)
    assert "looking" in stages
    assert "measuring: " in stages
    assert "testing: copies" in stages


def test_the_library_offers_it():
    assert plausible.evaluate is evaluate
    assert not hasattr(plausible, "measure")
