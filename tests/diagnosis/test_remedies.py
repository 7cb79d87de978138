"""Remedies: of the family, known by name, and never what the run already does."""

import functools
import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

import plausible
from plausible import (
    GAN,
    GSN,
    RBM,
    VAE,
    ConvNet,
    GaussianMixture,
    NaiveBayes,
    PerClass,
    Settings,
    Space,
)
from plausible.cli.flags import model_config, train_flags
from plausible.cli.parser import parse
from plausible.core.finding import Finding, Severity, alarms, checks
from plausible.core.model import models
from plausible.core.remedy import words
from plausible.diagnosis.not_finite import LOG_P_NOT_FINITE, NOT_FINITE
from plausible.diagnosis.remedies import OF_EVERY_FAMILY, OF_TRAINING, with_remedy
from plausible.models.discriminative import convnet
from plausible.models.gan import remedies as gan_remedies
from plausible.models.gsn import remedies as gsn_remedies
from plausible.models.rbm import remedies as rbm_remedies
from plausible.models.vae import remedies as vae_remedies

SPACE = Space((1, 4, 4), 2, 2)
PHENOMENA = {*alarms, *checks, NOT_FINITE, LOG_P_NOT_FINITE}
SOURCE = Path(plausible.__file__).parent


def remedy(phenomenon, model, severity=Severity.FAILURE, settings=None):
    return with_remedy(Finding(phenomenon, severity, "a claim"), model, settings).remedy


@pytest.mark.parametrize("name", models)
def test_a_family_knows_phenomena_that_there_are(name):
    assert set(models[name].remedies) <= PHENOMENA


def test_what_helps_every_family_is_for_phenomena_that_there_are():
    assert {*OF_EVERY_FAMILY, *OF_TRAINING} <= PHENOMENA


PLANE = Space((2,), None, 2)
# of each family, beside its default: choices that leave much to be changed
LACKING = {
    "gan": [
        {"loss": "minimax", "penalties": ("r1",), "augment": (), "updates": 5, "lr": 0.1, "lr_discriminator": 1e-9},
        {"penalties": (), "architecture": "r3gan", "width": 48},
    ],
    "vae": [{"beta": 200.0, "lr": 0.5}, {"architecture": "linear"}, {"importance": 3, "width": 8}],
    "rbm": [{"persistent": False}, {"hidden": 7, "lr": 3.0, "decay": 0.0}],
    "gsn": [{"noise": 0.0, "width": 9}, {"architecture": "conv"}],
    "mixture": [{"components": 40}],
    "naive-bayes": [{"smoothing": 1e-9}],
    "pixelcnn": [{"dropout": 0.6, "width": 3}],
    "vq-vae": [{"dropout": 0.1}, {"dropout": 0.6}],
    "convnet": [{"width": 5}],
}  # fmt: skip


def space_of(kind, config):
    if kind is GaussianMixture:
        return PLANE
    sizes = {"r3gan": 16, "conv": 8}
    side = sizes.get(getattr(config, "architecture", None), 4)
    return Space((1, side, side), 2, 2)


def some(kind):
    """Models of the family that lack nothing and much."""
    for choices in ({}, *LACKING.get(kind.name, ())):
        config = kind.Config(**choices)
        yield kind(space_of(kind, config), config)


def every_advice(model, phenomenon):
    """What is said at the worst, one by one."""
    said = remedy(phenomenon, model, settings=Settings(steps=700, simultaneous=True))
    return re.sub("^train again with (one or more of: )?", "", said).split("; ") if said else []


def typed(flags, *words):
    """{field: value} of a training of 700 rounds, played at once, where the flags say nothing else."""
    usual = () if "--steps" in words else ("--steps", "700")
    found = parse(flags, ["--simultaneous", *usual, *words], "x")
    groups = (found, found.training, found.model, getattr(found, "advanced", None))
    return {key: value for group in groups if group for key, value in vars(group).items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", models)
def test_a_remedy_is_a_flag_of_the_model_with_a_value_that_it_takes_and_the_one_it_has(name):
    kind, given = models[name], set()
    for model in some(kind):
        flags, asked = train_flags(kind, model.config), {}
        before = typed(flags)
        for line in {line for phenomenon in PHENOMENA for line in every_advice(model, phenomenon)}:
            if line.startswith(("more data", "a smaller network", "in the place of")):
                continue
            assert re.fullmatch(r"--\S+( [\w.-]+)* \(now .+?\)?", line), line
            words = line.split(" (now ")[0].split()
            field = re.sub("^--(no-)?", "", words[0]).replace("-", "_")
            asked.setdefault(field, []).append(words)
            given.add(words[0])
        for layer in itertools.zip_longest(*asked.values()):  # every flag once: to parse takes long
            after = typed(flags, *(word for words in layer for word in words or ()))
            for field, words in zip(asked, layer, strict=True):
                assert words is None or after[field] != before[field], words
                if words and hasattr(model.config, field):
                    kind(model.space, replace(model.config, **{field: after[field]}))
    lacking = {f"--{field.replace('_', '-')}" for more in LACKING.get(name, ()) for field in more}
    assert given & lacking or not LACKING.get(name)


def parse_words(flags, words):
    return parse(flags, words.split(), "plausible train")


@pytest.mark.slow
@pytest.mark.parametrize("name", models)
def test_what_is_advised_can_be_given_together(name):
    """All that the family says, but for what is said to stand in the place of another."""
    kind = models[name]
    for model in some(kind):
        parsed = functools.cache(functools.partial(parse_words, train_flags(kind, model.config)))
        for phenomenon in kind.remedies:
            said = [row.advice(model) for row in kind.remedies.get(phenomenon, ())]
            words = " ".join(line.split(" (now ")[0] for line in said if "in the place" not in line)
            if words.split():
                config = model_config(kind, parsed(words))
                assert config != model.config
                again = [row.advice(kind(model.space, config)) for row in kind.remedies[phenomenon]]
                assert not set(filter(None, again)) & set(said)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (GAN(Space((1, 8, 8), 256), GAN.Config(batch=32)), "--batch 64 (now 32)"),
        (GAN(SPACE, GAN.Config(loss="minimax")), "--loss relativistic (now minimax)"),
        (GAN(SPACE, GAN.Config(penalties=())), "--penalties r1 r2 (now none)"),
        (GAN(SPACE, GAN.Config(lr_discriminator=2e-5)), "--lr-discriminator 0.002 (now 2e-05)"),
        (GAN(SPACE, GAN.Config(lr=0.01)), "--lr 0.002 (now 0.01)"),
    ],
)
def test_a_remedy_says_from_what_to_what_and_nothing_that_is_done(model, said):
    found = every_advice(model, "missing modes")
    assert said in found
    default = every_advice(GAN(SPACE), "missing modes")
    assert default == ["--batch 128 (now 64)"]
    assert len(found) <= 2


@pytest.mark.parametrize(
    "choices",
    [{"architecture": kind} for kind in ("mlp", "conv", "dcgan", "resnet", "r3gan")] + [{}],
)
def test_the_width_that_a_gan_is_said_to_have_is_the_one_it_has(choices):
    space = Space((3, 32, 32), 256)
    gan = GAN(space, GAN.Config(**choices))
    same = GAN(space, GAN.Config(**choices, width=gan_remedies.width(gan)))
    assert shapes(gan) == shapes(same)


@pytest.mark.parametrize("kind", ["mlp", "conv", "residual", None])
@pytest.mark.parametrize("space", [Space((3, 32, 32), 256), Space((1, 8, 8), 256)])
def test_the_width_that_a_vae_is_said_to_have_is_the_one_it_has(kind, space):
    vae = VAE(space, VAE.Config(architecture=kind))
    same = VAE(space, VAE.Config(architecture=kind, width=vae_remedies.width(vae)))
    assert shapes(vae) == shapes(same)
    assert vae_remedies.importance(vae) == vae.importance
    plane = VAE(PLANE)
    assert vae_remedies.importance(plane) == plane.importance


def test_the_size_that_others_are_said_to_have_is_the_one_they_have():
    large = Space((1, 28, 28), 2, 2)
    for kind, size, name, all_choices in (
        (GSN, gsn_remedies.width, "width", ({}, {"architecture": "conv"})),
        (RBM, rbm_remedies.hidden_units, "hidden", ({},)),
        (ConvNet, convnet.width, "width", ({},)),
    ):
        for space in (SPACE, large):
            for choices in all_choices:
                if choices and space is SPACE:
                    continue
                model = kind(space, kind.Config(**choices))
                same = kind(space, kind.Config(**choices, **{name: size(model)}))
                assert shapes(model) == shapes(same)


def shapes(model):
    return [weight.shape for weight in model.parameters()]


def test_a_mixture_is_told_to_have_fewer_components_and_nothing_that_it_has_not():
    plane = Space((2,), None, 2)
    said = remedy("overfitting", GaussianMixture(plane, GaussianMixture.Config(components=10)))
    assert said == "train again with one or more of: --components 5 (now 10); more data"
    one = GaussianMixture(plane, GaussianMixture.Config(components=1))
    assert remedy("overfitting", one) == "train again with more data"
    by_the_data = GaussianMixture(plane)  # chosen as well as they allow
    assert remedy("overfitting", by_the_data) == "train again with more data"
    assert remedy("missing modes", by_the_data) == ""  # it has no batches to enlarge
    ten = GaussianMixture.Config(components=10)
    each = PerClass(plane, lambda space: GaussianMixture(space, ten))
    assert "--components" in remedy("overfitting", each)
    assert "--smoothing" in remedy("overfitting", NaiveBayes(SPACE))
    assert "--steps" not in remedy("overfitting", NaiveBayes(SPACE))
    assert "--hidden" in remedy("overfitting", RBM(SPACE))
    linear = VAE(SPACE, VAE.Config(architecture="linear"))
    assert "--width" not in remedy("overfitting", linear) + remedy("bound gap", linear)
    assert "--latent" in remedy("overfitting", linear)


def test_a_gan_is_told_what_its_configuration_lacks_and_no_more():
    bare = GAN(SPACE, GAN.Config(loss="minimax", penalties=("r1",), augment=(), updates=5))
    assert "--loss relativistic" in remedy("vanishing gradient", bare)
    assert "--penalties r1 r2" in remedy("vanishing gradient", bare)
    assert "--updates 1" in remedy("vanishing gradient", bare)
    default = GAN(SPACE)
    for phenomenon in GAN.remedies:
        said = remedy(phenomenon, default)
        assert not re.search("--loss|--penalties|--updates|--augment|default", said)
        assert said, phenomenon
    frozen = GAN(SPACE, GAN.Config(lr_discriminator=1e-30))
    assert "--lr-discriminator" in remedy("frozen player", frozen)


def test_a_vae_is_told_what_its_configuration_lacks_and_no_more():
    said = remedy("posterior collapse", VAE(SPACE, VAE.Config(beta=200.0)))
    assert all(flag in said for flag in ("--beta 1", "--warm-up", "--free-bits", "--lr"))
    warm = VAE(SPACE, VAE.Config(warm_up=0.5, free_bits=0.1))
    said = remedy("posterior collapse", warm)
    assert not re.search("--beta|--warm-up|--free-bits", said)
    assert "--lr" not in remedy("posterior collapse", warm, Severity.WARNING)
    weighted = VAE(SPACE, VAE.Config(importance=5))  # which goes without free bits
    assert "--free-bits" not in remedy("posterior collapse", weighted)


def test_chains_are_told_by_their_family():
    assert "--corruption" in remedy("chain mixing", GSN(SPACE), Severity.NOTE)
    assert "--temperatures" in remedy("chain mixing", RBM(SPACE), Severity.NOTE)
    tempered = RBM(SPACE, RBM.Config(temperatures=10, gibbs=5))
    assert remedy("chain mixing", tempered) == ""
    assert "--lr" in remedy("normalising constant", tempered)
    assert "--persistent" in remedy("chain mixing", RBM(SPACE, RBM.Config(persistent=False)))


def test_a_learning_rate_is_named_where_there_is_one_and_turns_where_there_are_none():
    assert remedy(NOT_FINITE, VAE(SPACE)) == "train again with --lr 0.001 (now 0.002)"
    assert remedy(NOT_FINITE, NaiveBayes(SPACE)) == ""
    assert remedy(NOT_FINITE, None) == ""
    assert "--width" not in remedy("overfitting", NaiveBayes(SPACE))
    assert "--simultaneous" not in remedy("oscillation", GAN(SPACE), settings=Settings())
    at_once = Settings(simultaneous=True)
    assert "--simultaneous" in remedy("oscillation", GAN(SPACE), settings=at_once)


def test_what_is_fine_needs_nothing_and_one_model_for_each_class_has_the_remedies_of_its_family():
    assert remedy("posterior collapse", VAE(SPACE), Severity.FINE) == ""
    assert remedy("posterior collapse", VAE(SPACE), Severity.NOTE) == ""
    each = PerClass(SPACE, lambda space: VAE(space, VAE.Config(width=4)))
    assert "--warm-up" in remedy("posterior collapse", each)


def test_a_remedy_is_worth_it_from_a_severity_on_and_follows_what_the_finding_says_itself():
    assert words("--flag").advice(None) == "--flag"
    assert words("--flag", lambda model: False).advice(None) == ""
    finding = Finding("overfitting", Severity.WARNING, "a claim", {}, "the best weights are kept")
    assert with_remedy(finding, VAE(SPACE)).remedy.startswith("the best weights are kept; or train")


def test_core_and_diagnosis_name_no_family_and_no_flag_of_one():
    flags = {
        f"--{field.replace('_', '-')}"
        for kind in models.values()
        for field in kind.Config.__dataclass_fields__
    } - {"--batch", "--lr", "--width"}  # which are of many
    files = [*(SOURCE / "diagnosis").glob("*.py"), *(SOURCE / "core").glob("*.py")]
    assert len(files) > 20
    for path in files:
        text = path.read_text()
        imported = re.findall(r"plausible\.models\.\w+|import plausible\.models", text)
        assert not imported, path
        if path.parent.name == "diagnosis":
            assert not flags & set(re.findall(r"--[a-z][a-z-]*", text)), path
            assert not re.search(r"\.name == |\"(gan|vae|rbm|gsn)\"", text), path
