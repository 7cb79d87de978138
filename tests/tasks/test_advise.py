"""What a verdict means in plain words, what limits a training by its own curve, and commands that exist."""

import functools
import itertools
import json
import math
import re
import shlex
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

import plausible.cli.listing  # noqa: F401  # fills the registry of commands
from plausible.cli import display
from plausible.cli.command import commands
from plausible.cli.flags import model_config, train_flags
from plausible.cli.parser import parse
from plausible.core.errors import UsageError
from plausible.core.model import models
from plausible.core.space import Space
from plausible.data.options import Options
from plausible.diagnosis.discriminator import (
    AUC_TRAIN,
    AUC_VALIDATION,
    D_SAMPLES,
    D_TRAIN,
    D_VALIDATION,
)
from plausible.diagnosis.history import History
from plausible.diagnosis.missing_modes import FRECHET_RATIO
from plausible.diagnosis.overfitting import VALIDATION_ERROR, VALIDATION_LOSS
from plausible.evaluation.report import Report
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.verdict import State, Verdict
from plausible.evaluation.verdict.verdict import TestResult as Result
from plausible.models import GAN, RBM, VAE, GaussianMixture, NaiveBayes, PixelCNN
from plausible.runs import build
from plausible.tasks import commands as commands_of_runs
from plausible.tasks.advise import advise, by_weight
from plausible.tasks.commands import train_command
from plausible.tasks.course import Course
from plausible.tasks.limiting_factor import Limit
from plausible.tasks.plain_words import PLAIN_WORDS
from plausible.training import Settings

GREY = Space((1, 8, 8), levels=17)
BINARY = Space((1, 8, 8), levels=2)
PLANE = Space((2,), levels=None)
STEPS = 1500


@pytest.fixture(scope="module", autouse=True)
def _sizes_are_counted_once():
    """The width of a model, which is found by building others, is asked for again with every verdict."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(commands_of_runs, "size_of", functools.cache(commands_of_runs.size_of))
        yield


def course(model, lines, train=1168, source="digits", **choices):
    """A training of 1,500 rounds, 129 examples for validation and 500 held out."""
    settings = choices.pop("settings", Settings(steps=STEPS))
    sizes = {"train": train, "validation": 129, "heldout": 500, "folder": Path("runs/a")}
    return Course(model, settings, History(lines), source=source, **sizes, **choices)


def lines(who, probes, losses=lambda share: 1.0, steps=STEPS):
    """A log that is probed every 100 rounds; each number is a function of the share of the training."""
    for step in [*range(100, steps, 100), steps - 1]:
        share = step / steps
        line = {"step": step, "images": 64 * step, "progress": share, "seconds": step / 10}
        players = {name: {"loss": losses(share)} for name in who}
        yield line | players | {"probes": {key: f(share) for key, f in probes.items()}}


def vae(validation, training=lambda share: 100.0, **choices):
    """A VAE with these losses."""
    wave = lambda share: validation(share) + 0.05 * math.sin(40 * share)  # noqa: E731
    probes = {VALIDATION_LOSS: wave, VALIDATION_ERROR: lambda share: 1.0}
    log = lines(["vae"], probes, training, choices.pop("steps", STEPS))
    return course(VAE(GREY, VAE.Config()), log, **choices)


def gan(frechet, auc=(0.75, 0.74), d=(0.1, 0.095, 0.0), **choices):
    """A GAN with this Frechet ratio, and what D says of training and of new examples and of samples."""
    names = (D_TRAIN, D_VALIDATION, D_SAMPLES)
    probes = {name: lambda share, value=value: value for name, value in zip(names, d, strict=True)}
    probes |= {
        FRECHET_RATIO: lambda share: frechet(share) * (1 + 0.01 * math.sin(40 * share)),
        AUC_TRAIN: lambda share: auc[0],
        AUC_VALIDATION: lambda share: auc[1],
    }
    model = GAN(GREY, choices.pop("config", GAN.Config()))
    log = lines(["discriminator", "generator"], probes, steps=choices.pop("steps", STEPS))
    return course(model, log, **choices)


def halving(share):
    """A score that halves in every third of the training."""
    return 8 * 2 ** (-3 * share)


def verdict(n=500, **states):
    """A verdict in which every defect passes, but for some: their effect, or the examples they need."""
    results = []
    for name, defect in defects.items():
        said = states.get(name.replace(" ", "_"))
        if said is None:
            results.append(Result(name, State.PASS, "it is fine", defect.margin, 0.0))
        elif isinstance(said, int):
            results.append(Result(name, State.INCONCLUSIVE, "too few", defect.margin, needed=said))
        else:
            results.append(Result(name, State.FAIL, "it is not", defect.margin, said))
    return Verdict(n, tuple(results))


def report(space=GREY, **states):
    return Report([], verdict(**states), evalset=SimpleNamespace(space=space))


def test_every_defect_has_words():
    assert set(defects) <= set(PLAIN_WORDS)


def test_the_worst_defect_is_the_one_a_person_would_name_first():
    order = lambda **states: [result.name for result in by_weight(verdict(**states))]  # noqa: E731
    assert order(values=0.9, garbage=0.06, copies=0.04) == ["copies", "garbage", "values"]
    assert order(anything_else=0.9, uneven_modes=0.5) == ["uneven modes", "anything else"]
    strange = Result("quite new", State.FAIL, "it is new", 0.1, 0.9)
    known = Result("values", State.FAIL, "it is off", 0.03, 0.04)
    critic = Result("anything else", State.FAIL, "a critic", 0.1, 0.4)
    found = by_weight(Verdict(9, (critic, strange, known)))
    assert [result.name for result in found] == ["values", "quite new", "anything else"]


def test_the_words_name_numbers_of_the_report():
    advice = advise(report(garbage=0.061, anything_else=0.38))
    assert advice.defect == "garbage"
    assert "About 6.1% of the samples" in advice.wrong
    assert "at least 38% of them from real images" in advice.wrong
    assert advice.right.startswith("Nothing was copied")
    assert advice.limit is None
    assert advice.next == ()
    assert "it usually comes from" in advice.because
    alone = advise(report(anything_else=0.38))
    assert alone.wrong.startswith("No defect that has a name")
    assert "38%" in alone.wrong
    strange = Result("quite new", State.FAIL, "it is {new}", 0.1, 0.9)
    assert advise(Report([], Verdict(9, (strange,)))).wrong == "It is {new}."


def test_what_is_open_names_the_examples_that_would_decide():
    advice = advise(report(copies=2160, garbage=540), vae(halving))
    assert advice.state == "INCONCLUSIVE"
    assert "2,160" in advice.undecided
    assert "2,160" in advice.next[0].what
    assert advice.wrong == ""
    found = advise(report(copies=400), vae(halving))
    assert found.next[0].command == "plausible evaluate runs/a -n 400"


def test_what_no_number_of_examples_decides_is_not_said_to_be_decided_by_them():
    few = Result("copies", State.INCONCLUSIVE, "too few", 0.03, needed=900)
    blind = [
        Result(name, State.INCONCLUSIVE, f"{name} unseen", 0.03) for name in ("garbage", "values")
    ]
    advice = advise(Report([], Verdict(9, (few, *blind))))
    assert advice.undecided.startswith("copies: about 900 held-out")
    assert advice.undecided.endswith("garbage, values: these tests see too little in such data.")
    (only,) = advise(Report([], Verdict(9, (blind[0],)))).undecided.splitlines()
    assert only == "garbage: garbage unseen."


def test_what_passes_can_be_used():
    assert advise(report(), vae(halving)).next[0].command.startswith("plausible sample runs/a ")
    assert advise(Report([])) is None


def test_held_out_copies_leave_nothing_else_to_say():
    (one,) = advise(held_out()).next
    assert "--heldout" in one.what
    advice = advise(held_out(), vae(halving))
    assert advice.limit is None
    assert advice.next[0].command == "plausible data digits"


def held_out():
    return Report([], Verdict(9, (Result("held-out copies", State.FAIL, "seen", 0.03, 1.0),)))


def test_copies_are_a_lack_of_data_whatever_the_curve_does():
    advice = advise(report(copies=0.2), vae(lambda share: 100 + 20 * (1 - share)))
    assert advice.limit is Limit.DATA
    assert "1,168" in advice.because
    assert advice.next[-1].command == "plausible train vae --data digits --steps 750"


@functools.cache
def obeyed(command):
    """Have the command line's own parser take a command: what it stands for."""
    program, name, *words = shlex.split(command)
    assert program == "plausible"
    if name != "train":
        return parse(commands[name], words, name)
    kind = models[words[0]]
    return parse(train_flags(kind), words[1:], "train")


CURVES = [
    (lambda share: 100 + 20 * (1 - share), 100.0),
    (lambda share: 100.0, 70.0),
    (lambda share: 100.0, 100.0),
]
MODELS = [
    GAN(GREY, GAN.Config()),
    GAN(PLANE, GAN.Config(penalties=(), loss="nonsaturating")),
    VAE(GREY, VAE.Config()),
    RBM(BINARY, RBM.Config(persistent=False)),
    PixelCNN(GREY, PixelCNN.Config(dropout=0.5)),
    GaussianMixture(PLANE, GaussianMixture.Config()),
    NaiveBayes(GREY, NaiveBayes.Config()),
    build("vae", VAE.Config(beta=2.0), Space((1, 8, 8), levels=17, classes=3), 0, per_class=True),
]  # fmt: skip
PLACES = [(model, "digits") for model in MODELS]
PLACES += [(model, where) for model in (MODELS[0], MODELS[5]) for where in ("a folder", "")]


@pytest.mark.slow
@pytest.mark.parametrize(("validation", "training"), CURVES)
@pytest.mark.parametrize(
    ("model", "source"), PLACES, ids=lambda value: value if isinstance(value, str) else value.name
)
def test_every_command_is_one_that_the_command_line_takes(model, validation, training, source):
    probes = {VALIDATION_LOSS: validation, VALIDATION_ERROR: lambda share: 1.0}
    log = lines([model.name], probes, lambda share: training)
    for states in ({"garbage": 0.1}, {"missing_modes": 0.2}, {"copies": 0.1}, {"copies": 400}, {}):
        advice = advise(report(model.space, **states), course(model, list(log), source=source))
        assert advice.next
        for each in advice.next:
            if each.command:
                obeyed(each.command)
        assert json.loads(json.dumps(advice.to_dict(), allow_nan=False))["state"] == advice.state


def test_a_gan_of_colour_images_is_told_of_the_family_that_learns_more_in_as_many_minutes():
    log = list(lines(["gan"], {VALIDATION_ERROR: lambda share: 1.0}, lambda share: 1.0))
    how = {"options": Options(size=32), "settings": Settings(minutes=8.0)}
    for channels, told in (
        (1, []),
        (3, ["plausible train diffusion --data p --size 32 --minutes 8"]),
    ):
        model = GAN(Space((channels, 32, 32), levels=256), GAN.Config(width=4))
        next_ = advise(report(model.space, garbage=0.1), course(model, log, source="p", **how)).next
        assert [each.command for each in next_ if "another family" in each.what] == told
        assert all(obeyed(command) for command in told)


@pytest.mark.parametrize("minutes", [None, 8.0])
def test_the_next_training_is_that_of_the_run_but_for_what_changes(minutes):
    settings = Settings(minutes=minutes, seed=3) if minutes else Settings(steps=600, seed=3)
    config = GAN.Config(conditional=True, loss="hinge", penalties=(), augment=(), clip=0.1, width=8)
    model = GAN(Space((3, 8, 8), levels=256, classes=2), config)
    options = Options(size=8, value_range=(0.0, 100.0))
    run = course(model, [], source="my pictures", options=options, settings=settings)
    flags = obeyed(train_command(run, {"--width": ["16"]}))
    assert asdict(model_config(GAN, flags)) == asdict(config) | {"width": 16}
    assert flags.preparation == options
    assert (flags.steps, flags.minutes, flags.seed) == (None if minutes else 600, minutes, 3)
    assert flags.data == "my pictures"
    assert "--value-range" not in train_command(run, {"--data": ["other"]})


def test_what_the_data_said_of_their_symmetries_is_asked_again_of_others():
    large = Space((1, 16, 16), levels=17)
    some, none = (
        course(GAN(large, GAN.Config(symmetries=found)), []) for found in (("mirror",), ())
    )
    assert "--symmetries mirror" in train_command(some)
    assert "--symmetries" not in train_command(some, {"--data": ["other"]})
    assert "--symmetries" not in train_command(none)


@pytest.mark.parametrize(
    ("model", "flag"),
    [
        (GAN(GREY, GAN.Config()), "--width 64 (now 32)"),
        (VAE(GREY, VAE.Config(width=100)), "--width 200 (now 100)"),
        (RBM(BINARY, RBM.Config()), "--hidden 256 (now 128)"),
        (PixelCNN(GREY, PixelCNN.Config()), "--width 64 (now 32)"),
        (GaussianMixture(PLANE, GaussianMixture.Config(components=10)), "--components 20 (now 10)"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_larger_model_is_named_from_what_to_what(model, flag):
    probes = {VALIDATION_LOSS: lambda share: 100.0, VALIDATION_ERROR: lambda share: 1.0}
    log = list(lines([model.name], probes, lambda share: 100.0))
    (only,) = advise(report(model.space, garbage=0.1), course(model, log)).next
    assert flag in only.what
    assert flag.partition(" (")[0] in only.command


@pytest.mark.slow
@pytest.mark.parametrize("name", models)
def test_no_advice_of_a_model_names_a_flag_that_it_has_not_or_that_changes_nothing(name):
    """Whatever fails, and whatever limits the training: commands are obeyed, and trainings are other ones."""
    kind = models[name]
    for space in (GREY, BINARY, PLANE, Space((1, 8, 8), 17, 3), Space((2,), None, 3)):
        try:
            model = kind(space)
        except UsageError:
            continue
        courses = []
        for validation, training in CURVES:
            probes = {VALIDATION_LOSS: validation, VALIDATION_ERROR: lambda share: 1.0}
            log = lines([name], probes, lambda share, loss=training: loss)
            run = course(model, log)
            courses.append((run, obeyed(train_command(run))))
        for (run, plain), defect in itertools.product(courses, PLAIN_WORDS):
            judged = report(space, **{defect.replace(" ", "_"): 0.3})
            for each in advise(judged, run).next:
                for flag in re.findall(r"--[a-z][\w-]*", each.what):
                    assert flag in each.command, each
                if each.command.startswith("plausible train"):
                    assert obeyed(each.command) != plain, each
                elif each.command not in ("", "plausible models"):
                    obeyed(each.command)
        break


def test_more_time_is_twice_as_much():
    assert (
        advise(report(garbage=0.1), gan(halving)).next[-1].command
        == "plausible resume runs/a --steps 3000"
    )
    timed = gan(halving, settings=Settings(minutes=4.0))
    assert (
        advise(report(garbage=0.1), timed).next[-1].command == "plausible resume runs/a --minutes 8"
    )
    stopped = gan(halving, steps=700)
    assert advise(report(garbage=0.1), stopped).next[-1].command == "plausible resume runs/a"


@pytest.mark.parametrize("width", [80, 100])
def test_a_command_is_never_broken_over_lines(width):
    run = gan(halving, (0.83, 0.7), (0.1, 0.05, 0.0), source="/a/very/long/" + 20 * "folder/")
    advice = advise(report(garbage=0.1, copies=900, anything_else=0.4), run)
    console = Console(width=width, record=True, quiet=False, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(display.advice(advice), crop=False, highlight=False)
    text = console.export_text()
    for each in advice.next:
        assert f"    {each.command}\n" in text
    prose = [line for line in text.splitlines() if "plausible " not in line]
    assert max(map(len, prose)) <= width
    assert "Too few data, most likely: it learned from 1,168" in " ".join(text.split())
