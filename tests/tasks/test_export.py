"""A part of a model as a file: it says what the model says, is read by other programs and by ours, or is refused in a sentence."""

import json
import re
import zipfile
from dataclasses import fields
from pathlib import Path
from typing import get_args

import numpy as np
import onnxruntime
import pytest
import torch
from tests.conftest import export_untraced

import plausible
from plausible import BayesClassifier, Run, Space, UsageError
from plausible.core.capabilities import Latent
from plausible.core.choices import ExportPart
from plausible.core.model import Explicit, Generative, models
from plausible.data.mark import SOURCE_TYPE
from plausible.data.samples import read_samples
from plausible.tasks import export
from plausible.tasks.decompositions import exponential, softplus, solved
from plausible.tasks.export import TOLERANCE
from plausible.tasks.export_formats import FACTS
from plausible.tasks.mark import weights_hash

KEPT = Path(__file__).parent.parent / "runs" / "kept"
IMAGES, BITS, POINTS = Space((1, 8, 8), 17, 3), Space((1, 4, 4), 2, 3), Space((3,), None, 3)
SMALL = {"width": 8, "hidden": 4, "blocks": 1, "layers": 1, "components": 2, "latent": 2, "prior_width": 4, "prior_blocks": 1, "sampling_steps": 2}  # fmt: skip


def made(name, space, **choices):
    """A model with weights that say something, though it has learned nothing."""
    torch.manual_seed(0)
    kind = models[name]
    known = {field.name for field in fields(kind.Config)}
    model = kind(space, kind.Config(**{k: v for k, v in SMALL.items() if k in known} | choices))
    with torch.no_grad():
        for weight in model.parameters():
            if weight.is_floating_point():
                weight.add_(0.05 * torch.randn_like(weight))
    return model.eval()


def opened(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def refused(*args, **kwargs):
    with pytest.raises(UsageError) as refusal:
        export(*args, **kwargs)
    return str(refusal.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def gan(folder):
    return export(KEPT / "gan", folder / "gan.onnx")


@pytest.fixture(scope="module")
def labelled(folder):
    """Of a VAE of digits that is asked for classes."""
    return export(KEPT / "vae", folder / "vae.onnx")


@pytest.mark.slow
def test_a_generator_is_the_model_for_any_number_of_z(gan):
    model, session = Run(KEPT / "gan").model(), opened(gan.path)
    assert (gan.part, gan.output) == ("generator", "x")
    assert 0 <= gan.difference <= TOLERANCE
    assert [side.shape for side in session.get_inputs()] == [["N", 8]]
    assert [side.shape for side in session.get_outputs()] == [["N", 1, 8, 8]]
    z = torch.randn(70, 8, generator=torch.Generator().manual_seed(5))
    (x,) = session.run(None, {"z": z.numpy()})
    assert np.allclose(x, model.decode(z).detach().clamp(0, 1), atol=1e-5)
    drawn = model.sample(70, generator=torch.Generator().manual_seed(5)).x
    assert np.abs(np.rint(x * 16) / 16 - drawn.numpy()).mean() < 1e-3  # but for rounding


@pytest.mark.slow
def test_it_says_what_goes_in_and_comes_out(gan, labelled):
    said = opened(gan.path).get_modelmeta().custom_metadata_map
    assert said.items() >= gan.facts.items()
    assert said["weights_sha256"] == weights_hash(Run(KEPT / "gan").model())
    assert said["digitalSourceType"] == SOURCE_TYPE
    assert said["values"] == "0 (black) to 1 (white): level k of 17 is k / 16"
    assert (json.loads(said["x_shape"]), said["channels"]) == (["N", 1, 8, 8], "grey")
    assert "class_prior" not in said
    asked = opened(labelled.path).get_modelmeta().custom_metadata_map
    assert json.loads(asked["class_names"]) == list("0123456789")
    assert sum(json.loads(asked["class_prior"])) == pytest.approx(1)


@pytest.mark.slow
def test_nothing_of_this_machine_is_in_a_file(gan, folder):
    export(KEPT / "gan", folder / "gan.pt2")
    with zipfile.ZipFile(folder / "gan.pt2") as archive:
        parts = [archive.read(name) for name in archive.namelist()]
    here = (str(Path(plausible.__file__).parent), str(Path(torch.__file__).parent), str(KEPT))
    for content in (gan.path.read_bytes(), *parts):
        assert not [place for place in here if place.encode() in content]


@pytest.mark.slow
def test_our_own_reader_draws_from_it(gan, labelled):
    space = Run(KEPT / "gan").space
    part, notes = read_samples(str(gan.path), space, tuple("0123456789"))
    assert part.values.shape == (5000, 1, 8, 8)
    assert part.y is None
    assert any("z ~ N(0, I) of 8 numbers" in note for note in notes)
    part, notes = read_samples(str(labelled.path), space, tuple("0123456789"))
    shares = torch.bincount(part.y, minlength=10) / len(part.y)
    assert (shares - Run(KEPT / "vae").model().log_prior.exp()).abs().max() < 0.03
    assert any("y by the shares of the 10 classes" in note for note in notes)
    drawn = Run(KEPT / "vae").sample(500).x
    assert part.as_batch().x.mean() == pytest.approx(drawn.mean().item(), abs=0.03)


@pytest.mark.slow
def test_it_is_judged_like_any_other_generator(gan, labelled):
    data = plausible.load("digits")
    report = plausible.evaluate_samples(str(gan.path), data, n=40)
    assert report.evalset.samples.part.values.shape[1:] == (1, 8, 8)
    assert report.verdict is not None
    asked = plausible.evaluate_samples(str(labelled.path), data, n=40)
    assert asked["asked class"].value is not None  # which needs labels


@pytest.mark.slow
def test_every_sample_of_a_vae_lies_on_a_level(labelled):
    session = opened(labelled.path)
    assert [(side.name, side.shape) for side in session.get_inputs()] == [
        ("z", ["N", 4 + 64]), ("y", ["N"]),
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    fed = {"z": rng.normal(size=(6, 68)).astype(np.float32), "y": np.arange(6)}
    (x,) = session.run(None, fed)
    assert np.array_equal(np.rint(x * 16), x * 16)


@pytest.mark.slow
def test_log_p_and_classes_are_those_of_the_model(folder):
    model = Run(KEPT / "mixture").model()
    x = model.sample(9, generator=torch.Generator().manual_seed(0)).x
    done = export(KEPT / "mixture", folder / "mixture.onnx", "log-prob")
    (nats,) = opened(done.path).run(None, {"x": x.numpy()})
    assert np.allclose(nats, model.log_prob(x).nats, atol=1e-5)
    done = export(KEPT / "mixture", folder / "classes.pt2", "classifier")
    again = torch.export.load(done.path).module()
    assert torch.allclose(again(x), BayesClassifier(model).log_posterior(x), atol=1e-5)
    done = export(KEPT / "mixture", folder / "one.pt2", "log-prob", label="1")
    again = torch.export.load(done.path).module()
    assert torch.allclose(again(x), model.log_prob(x, 1).nats, atol=1e-5)
    assert done.facts["class"] == "1"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "space"),
    [  # the second is a part of what all families are asked below
        ("naive-bayes", IMAGES),
        pytest.param("rbm", BITS, marks=pytest.mark.scheduled),
    ],
)
def test_what_onnx_has_no_words_for_is_said_by_others(name, space, folder):
    model = made(name, space)
    done = export(model, folder / f"{name}.onnx", "log-prob")
    x = space.quantise(torch.rand(5, *space.shape))
    (nats,) = opened(done.path).run(None, {"x": x.numpy()})
    assert np.allclose(nats, model.log_prob(x).nats, rtol=1e-5)


@pytest.mark.slow
def test_a_program_of_torch_says_the_same_of_itself(folder):
    done = export(KEPT / "pixelcnn", folder / "pixelcnn.pt2")
    assert done.part == "log-prob"
    found = {FACTS: ""}
    again = torch.export.load(done.path, extra_files=found).module()
    assert json.loads(found[FACTS]) == dict(done.facts)
    model = Run(KEPT / "pixelcnn").model()
    x = model.space.quantise(torch.rand(4, 1, 8, 8))
    assert torch.allclose(again(x), model.log_prob(x).nats, rtol=1e-5)


@pytest.mark.slow
def test_the_label_of_all_may_be_fixed(folder):
    done = export(KEPT / "vae", folder / "threes.pt2", "decoder", label="3")
    assert list(done.inputs) == ["z"]
    model, z = Run(KEPT / "vae").model(), torch.randn(4, 4)
    again = torch.export.load(done.path).module()
    with torch.no_grad():
        wanted = model.decode(z, torch.full((4,), 3))
    assert torch.allclose(again(z), wanted, atol=1e-5)
    assert "digitalSourceType" in done.facts


@pytest.mark.slow
def test_the_way_of_a_diffusion_model_is_unrolled(folder):
    model = made("diffusion", POINTS, sampling_steps=4)
    done = export(model, folder / "steps.pt2", sampling_steps=2)
    z = torch.randn(3, 3)
    with torch.no_grad(), model.sampling(2):
        wanted = model.decode(z)
    assert torch.allclose(torch.export.load(done.path).module()(z), wanted, atol=1e-5)


@pytest.mark.slow
def test_nothing_of_the_model_is_changed_by_it(folder):
    model = made("vae", POINTS, conditional=True)
    before = weights_hash(model)
    export(model, folder / "same.pt2", "encoder")
    assert weights_hash(model) == before
    assert "len" not in vars(__import__("plausible.models.vae.vae", fromlist=["vae"]))
    with pytest.raises(UsageError, match="label 7 is out of range"):
        model.labels(2, 7)


@pytest.mark.parametrize(
    ("source", "part", "words"),
    [
        ("rbm", "generator", "not made of z .* by a fixed number of operations"),
        ("pixelcnn", "generator", "has the parts: log-prob"),
        ("gan", "encoder", "has no network that finds z: this gan has the parts: generator, decoder"),
        ("gan", "log-prob", "cannot say how probable x is"),
        ("vae", "log-prob", "says log p.x. as a bound, and not exactly"),
        ("vae", "classifier", "as a bound, and not exactly: this vae has the parts: generator, decoder, encoder"),
        ("pixelcnn", "classifier", r"says no p\(y \| x\)"),
        ("gan", "soul", "unknown part 'soul': choose from generator"),
    ],
)  # fmt: skip
def test_what_a_model_has_not_is_refused_with_what_it_has(source, part, words, folder):
    with pytest.raises(UsageError, match=words):
        export(KEPT / source, folder / "no.onnx", part)
    assert not (folder / "no.onnx").exists()


def test_other_endings_and_labels_are_refused(folder, monkeypatch):
    assert "must end in one of .onnx .pt2" in refused(KEPT / "gan", folder / "gan.h5")
    assert "takes no label" in refused(KEPT / "gan", folder / "no.onnx", label="3")
    assert "of diffusion models" in refused(KEPT / "gan", folder / "no.onnx", sampling_steps=2)
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    said = refused(KEPT / "gan", folder / "no.onnx")
    assert "pip install 'plausible[onnx]', or choose a name ending in .pt2" in said


def test_a_file_that_differs_from_its_model_is_not_written(folder, monkeypatch):
    module = __import__("plausible.tasks.export", fromlist=["export"])
    export_untraced(monkeypatch)
    usual = module.written

    def shifted(*args):
        found = usual(*args)
        return found._replace(function=lambda *inputs: found.function(*inputs) + 1e-3)

    monkeypatch.setattr(module, "written", shifted)
    said = refused(KEPT / "gan", folder / "shifted.pt2")
    assert re.search(r"differs from the model by \d\.\de-03", said)
    assert not (folder / "shifted.pt2").exists()


def test_decompositions_are_what_torch_has():
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(2, 4, 4, generator=generator, dtype=torch.float64)
    b = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64)
    for upper in (False, True):
        triangle = (a.triu() if upper else a.tril()) + 3 * torch.eye(4)
        wanted = torch.linalg.solve_triangular(triangle, b, upper=upper)
        assert torch.allclose(solved(triangle, b, upper=upper), wanted)
    odd = torch.randn(3, 37, 37, generator=generator).tril() + 9 * torch.eye(37)
    wanted = torch.linalg.solve_triangular(odd, odd[..., :2], upper=False)
    assert torch.allclose(solved(odd, odd[..., :2], upper=False), wanted, atol=1e-5)
    assert torch.allclose(softplus(30 * a), torch.nn.functional.softplus(30 * a), atol=1e-8)
    for size in (0.01, 1, 10):
        skew = size * (a - a.mT)
        assert torch.allclose(exponential(skew), torch.linalg.matrix_exp(skew), atol=1e-9)


def worlds():
    """{what: (name, space, choices)} of every family, on small images and points, with labels and without."""
    found = {}
    for name in models:
        known = {field.name for field in fields(models[name].Config)}
        of_images = BITS if name in ("pixelrnn", "rbm") else IMAGES
        for space in (of_images, POINTS):
            for conditional in (False, True)[: 1 + ("conditional" in known)]:
                choices = {"conditional": conditional} if "conditional" in known else {}
                kind = "images" if space.is_image else "points"
                found[f"{name} {kind}{' y' * conditional}"] = name, space, choices
    return found


@pytest.mark.scheduled
@pytest.mark.parametrize("world", worlds().values(), ids=worlds())
def test_every_part_of_every_family_is_the_same_or_a_sentence(world, tmp_path):
    """What should be there by what a model can do is there; where ONNX has no words for it, torch has."""
    name, space, choices = world
    try:
        model = made(name, space, **choices)
    except UsageError:  # of other data
        return
    parts = {
        "generator": isinstance(model, Latent),
        "log-prob": isinstance(model, Explicit) and model.kinds["log_prob"].name == "EXACT",
        "classifier": not isinstance(model, Generative),
    }
    for part in get_args(ExportPart):
        for ending in (".pt2", ".onnx"):
            try:
                done = export(model, tmp_path / f"x{ending}", part)
            except UsageError as refusal:
                sentence = str(refusal)
            else:
                sentence = ""
                assert done.difference <= TOLERANCE
            assert "\n" not in sentence
            if sentence and parts.get(part):
                assert (ending, "ending in .pt2" in sentence) == (".onnx", True), sentence
            if sentence:
                break
