"""Remedies: of the family, known by name, and never what the run already does."""

import re
from pathlib import Path

import pytest

import plausible
from plausible import GAN, GSN, RBM, VAE, NaiveBayes, PerClass, Settings, Space
from plausible.core.finding import Finding, Severity, alarms, checks
from plausible.core.model import models
from plausible.core.remedy import Remedy
from plausible.diagnosis.not_finite import NOT_FINITE
from plausible.diagnosis.remedies import OF_EVERY_FAMILY, OF_TRAINING, with_remedy

SPACE = Space((1, 4, 4), 2, 2)
PHENOMENA = {*alarms, *checks, NOT_FINITE, "log p not finite"}
SOURCE = Path(plausible.__file__).parent


def remedy(phenomenon, model, severity=Severity.FAILURE, settings=None):
    return with_remedy(Finding(phenomenon, severity, "a claim"), model, settings).remedy


@pytest.mark.parametrize("name", models)
def test_a_family_knows_phenomena_that_there_are(name):
    assert set(models[name].remedies) <= PHENOMENA


def test_what_helps_every_family_is_for_phenomena_that_there_are():
    assert {*OF_EVERY_FAMILY, *OF_TRAINING} <= PHENOMENA


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
