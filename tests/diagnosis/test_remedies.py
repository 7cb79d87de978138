"""Remedies: of the family, known by name, and never what the run already does."""

import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import plausible
from plausible import GAN, GSN, RBM, VAE, GaussianMixture, NaiveBayes, PerClass, Settings, Space
from plausible.cli.flags import model_config, train_flags
from plausible.cli.parser import parse
from plausible.core.finding import Finding, Severity, alarms, checks
from plausible.core.model import models
from plausible.core.remedy import Remedy
from plausible.diagnosis.not_finite import LOG_P_NOT_FINITE, NOT_FINITE
from plausible.diagnosis.remedies import OF_EVERY_FAMILY, OF_TRAINING, with_remedy

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


def flags_of_training(kind):
    """{--flag} of plausible train with this model: those of every group."""
    groups = [
        get_args(hint)[0] if get_args(hint) else hint
        for hint in get_type_hints(train_flags(kind), include_extras=True).values()
    ]
    own = [field.name for field in fields(train_flags(kind))]
    inside = [field.name for group in groups if is_dataclass(group) for field in fields(group)]
    return {f"--{name.replace('_', '-')}" for name in (*own, *inside)}


@pytest.mark.parametrize("name", models)
def test_a_remedy_names_flags_that_the_model_has(name):
    kind = models[name]
    flags = flags_of_training(kind)
    assert {"--steps", "--batch", "--size", "--precision"} <= flags
    config, rows = kind.Config(), []
    for known, choices in (
        (kind.remedies, config),
        (OF_EVERY_FAMILY, config),
        (OF_TRAINING, Settings(simultaneous=True)),
    ):
        rows += [
            remedy
            for remedies in known.values()
            for remedy in remedies
            if known is kind.remedies or remedy.missing(choices)
        ]
    for row in rows:
        named = set(re.findall(r"--[a-z][a-z-]*", row.advice))
        assert named <= flags, row.advice


@pytest.mark.parametrize("name", models)
def test_what_is_advised_word_by_word_can_be_given_together(name):
    """Advice that is a flag with its value is taken by the parser, and by the Config with all others."""
    kind = models[name]
    for phenomenon in PHENOMENA:
        said = [
            row.advice for row in kind.remedies.get(phenomenon, ()) if row.missing(kind.Config())
        ]
        words = " ".join(
            row for row in said if row.startswith("--") and re.fullmatch(r"[-a-z0-9. ]+", row)
        )
        if words:
            flags = parse(train_flags(kind), words.split(), "plausible train")
            assert model_config(kind, flags) != kind.Config()


def test_a_mixture_is_told_to_have_fewer_components_and_nothing_that_it_has_not():
    plane = Space((2,), None, 2)
    said = remedy("overfitting", GaussianMixture(plane))
    assert said == "train again with one or more of: fewer --components; more data"
    one = GaussianMixture(plane, GaussianMixture.Config(components=1))
    assert remedy("overfitting", one) == "train again with more data"
    each = PerClass(plane, lambda space: GaussianMixture(space))
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
        assert not re.search("--loss|--penalties|--updates|--augment|without --lr-d|default", said)
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
    assert remedy(NOT_FINITE, VAE(SPACE)) == "train again with a smaller --lr"
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
    assert Remedy("--flag").missing(None)
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
