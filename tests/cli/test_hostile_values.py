"""Every number that can be typed is taken, or refused in a sentence, before it costs memory or time.

Values come from the flags of the commands themselves, so that a new flag is tried without anybody thinking of it.
"""

import dataclasses
import functools
import math
from typing import get_args, get_type_hints

import numpy as np
import pytest
from tests.conftest import refused

from plausible import runs, tasks
from plausible.cli.command import commands
from plausible.cli.flags import TrainFlags, TrainingFlags, train_flags
from plausible.cli.help import flags_of
from plausible.cli.main import main
from plausible.cli.parser import parse
from plausible.core.errors import UsageError
from plausible.core.model import models
from plausible.core.space import Space
from plausible.data.options import Options

HUGE = (10**9, 10**12, 2**62, 10**30)
NO_NUMBERS = (
    "nan",
    "inf",
    "-inf",
    str(10**30),
    "-" + str(10**30),
    "9" * 5000,
    "1e308",
    "0x10",
)
SPACES = (Space((1, 8, 8), 17, 3), Space((1, 8, 8), 2, 3), Space((5,), None, 3), Space((5,)))
MOST = 2**28  # bytes that are free on the machine of these tests


def is_number(hint):
    """Whether a field is a number, perhaps with bounds, or none; or several numbers."""
    if hint in (int, float):
        return True
    return any(is_number(part) for part in get_args(hint) if part not in (str, bool))


def numbers(kind):
    """(field, hint) of every number of a dataclass and of those in it."""
    for each in dataclasses.fields(kind):
        hint = get_type_hints(kind, include_extras=True)[each.name]
        inside = get_args(hint)[0] if get_args(hint) else hint
        if dataclasses.is_dataclass(hint) or dataclasses.is_dataclass(inside):
            yield from numbers(inside if dataclasses.is_dataclass(inside) else hint)
        elif is_number(hint):
            yield each.name, hint


def typed(kind):
    """[way to type it] of every flag that takes a number alone."""
    names = dict(numbers(kind))
    return [
        flag.known[0]
        for flag in flags_of(kind)
        if flag.known and flag.name in names and "Literal" not in str(names[flag.name])
    ]


@pytest.fixture
def little(monkeypatch):
    """A machine with 256 MiB free, on which nothing larger is made."""
    monkeypatch.setattr("plausible.core.allocation.available_memory", lambda: float(MOST))
    monkeypatch.setattr("plausible.models.mixture.mixture.available_memory", lambda: float(MOST))


def needed(kind):
    """What must be typed before a flag can be looked at."""
    values = {
        "RUN": "run",
        "PATH...": "x.png",
        "MODEL|RUN...": "gan",
        "MODEL": "gan",
        "RUN|COMPARISON": "run",
    }
    words = []
    for flag in flags_of(kind):
        if flag.needed:
            words += [values[flag.spelled]] if not flag.known else [flag.known[-1], "x.png"]
    return words


COMMANDS = [(name, kind) for name, kind in commands.items() if name != "train" and typed(kind)]


@pytest.mark.parametrize(
    ("name", "kind"), [*COMMANDS, *(("train gan", train_flags(models["gan"])),)], ids=str
)
def test_what_is_no_number_is_refused_by_every_flag_of_every_command(name, kind):
    before = [] if name.startswith("train") else needed(kind)
    for way in typed(kind):
        several = 2 if way in ("--value-range", "--decay") else 1
        for value in NO_NUMBERS if way in ("-n", "--minutes", "--seed") else NO_NUMBERS[:1]:
            dashed = [f"{way}={value}"] if value.startswith("-") else [way, *[value] * several]
            with pytest.raises(UsageError) as refusal:
                parse(kind, [*before, *dashed], f"plausible {name}")
            said = str(refusal.value)
            assert way in said or way == "--size", said
            assert "Got errors" not in said
            assert len(said) < 300, said
            assert "\n" not in said


def test_every_command_with_a_number_was_tried():
    assert {name for name, _ in COMMANDS} >= {
        "sample", "interpolate", "directions", "complete", "score", "classify", "evaluate", "compare", "resume", "data",
        "app", "claims", "report", "diagnose",
    }  # fmt: skip
    assert {"--steps", "--minutes", "--processes", "--width", "--batch", "--lr", "--size"} <= set(
        typed(train_flags(models["gan"]))
    )


@pytest.mark.parametrize("name", models)
def test_every_choice_of_every_model_takes_a_number_or_refuses_it(little, name):
    kind = models[name]
    for field, hint in numbers(kind.Config):
        several = 2 if "tuple" in str(hint) else 1
        whole = "int" in str(hint) and "float" not in str(hint)
        for value in (
            (0, -1, math.nan, math.inf, 1e-300, 1e30, *HUGE) if not whole else (0, -1, *HUGE)
        ):
            given = (value,) * several if several > 1 else value
            make = functools.partial(kind.Config, **{field: given})
            config = made_or_said(make, f"--{field.replace('_', '-')}")
            if config is None:
                continue
            assert math.isfinite(value), (field, value)
            if whole and value in (HUGE[0], HUGE[2]) and field != "batch":
                for space in SPACES[: 1 if value == HUGE[2] else None]:
                    build_or_refuse(name, config, space)


def made_or_said(make, words):
    """What is made; None where a sentence with these words refuses it."""
    said = None
    try:
        return make()
    except UsageError as refusal:
        said = str(refusal)
    assert words in said
    assert "\n" not in said
    return None


def build_or_refuse(name, config, space):
    model = made_or_said(lambda: runs.build(name, config, space, 0, learns=True), "")
    if model is not None:
        assert sum(each.nbytes for each in (*model.parameters(), *model.buffers())) < MOST


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Runs that draw, walk, complete and score."""
    folder = tmp_path_factory.mktemp("hostile")
    x = np.random.default_rng(0).integers(0, 4, (60, 4, 4)).astype(np.uint8)
    np.savez(folder / "x.npz", x=x, levels=4)
    np.savez(folder / "bits.npz", x=x // 2, levels=2)
    found = {}
    for name, model, data, config in (
        ("vae", "vae", "x", {"width": 4, "latent": 2}),
        ("cnn", "pixelcnn", "x", {"width": 4, "blocks": 1}),
        ("rbm", "rbm", "bits", {"hidden": 3}),
        ("diffusion", "diffusion", "x", {"width": 8, "blocks": 1}),
    ):
        out = folder / name
        tasks.fit(model, folder / f"{data}.npz", steps=1, out=out, watch=False, **config)
        found[name] = str(out)
    return found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sample @vae --out x.npz -n 1000000000", ["1,000,000,000 samples", "vae", "GiB are free", "-n"]),
        ("sample @vae --out x.npz -n 1000000000000", ["GiB are free"]),
        ("sample @vae --out x/ --mean -n 1000000000", ["GiB are free"]),
        ("sample @rbm --out x.npz -n 1000000000", ["GiB are free"]),
        ("sample @diffusion --out x.npz -n 1000000000", ["GiB are free"]),
        ("sample @vae --out x.png -n 1000000", ["1,000,000 images side by side", ".npz"]),
        ("sample @vae --out x.npz --seed 18446744073709551616", ["--seed", "less than 2^63"]),
        ("sample @vae --out x.npz --seed -1", ["--seed must be at least 0, not -1"]),
        ("sample @vae --out x.npz --truncation nan", ["--truncation must be more than 0, not nan"]),
        ("sample @vae --out x.npz --truncation 1e308", ["--truncation", "less than 3.4e+38"]),
        ("sample @diffusion --out x.npz --sampling-steps 1000000", ["lie between 1 and 10,000"]),
        ("sample @rbm --chain x.gif -n 2 --steps 1000000000", ["at most 10,000 pictures"]),
        ("sample @rbm --chain x.gif -n 1000000000", ["side by side"]),
        ("interpolate @vae --out x.png --rows 1000000000", ["side by side"]),
        ("interpolate @vae --out x.png --columns 1000000000", ["side by side"]),
        ("interpolate @vae --out x.gif --columns 1000000000", ["at most 10,000 pictures"]),
        ("directions @vae --out x.npz --rows 2 --columns 1000000000", ["GiB are free", "--columns"]),
        ("directions @vae --out x.npz --rows 2 --draws 1000000000", ["--draws", "1,000,000"]),
        ("complete @cnn heldout:0-2 --rows 1 --out x.png -n 1000000000", ["side by side"]),
        ("complete @cnn heldout:0-2 --rows 1 --out x.npz -n 1000000000", ["GiB are free"]),
        ("score @vae heldout:0-2 --draws 1000000000", ["--draws must lie between 1 and 1,000,000"]),
        ("evaluate @vae -n 1000000000", ["-n must lie between 2 and 1,000,000"]),
        ("train gan --data digits --processes 1000", ["1,000 processes", "GiB are free"]),
        ("sample @vae --out x.npz --processes 1000", ["1,000 processes", "GiB are free"]),
        ("train gan --data digits --processes 1000000000", ["--processes", "between 1 and 1,000"]),
        ("train gan --data ring --steps 1 --batch 1000000000", ["1,000,000,000 examples", "--batch"]),
        ("train gan --data ring --steps 1 --width 100000", ["of memory", "lower --width"]),
        ("train gan --data ring --steps 1 --latent 9000000000000000000", ["lower --latent"]),
        ("train gan --data ring --minutes 1e308", ["--minutes", "at most 5,256,000"]),
        ("train vae --data ring --steps 1 --layers 1000000", ["--layers", "between 1 and 1,000"]),
        ("compare gan vae --seeds 1000000000", ["--seeds", "between 1 and 1,000"]),
    ],
)  # fmt: skip
def test_a_huge_number_is_one_sentence_before_anything_large_is_made(
    little, world, capsys, tmp_path, monkeypatch, line, words
):
    monkeypatch.chdir(tmp_path)
    typed = [world[word[1:]] if word.startswith("@") else word for word in line.split()]
    sentence = refused(capsys, *typed)
    assert all(word in sentence for word in words), sentence
    assert not list(tmp_path.iterdir())


def test_what_is_large_and_possible_is_still_done(world, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["sample", world["vae"], "-n", "5000", "--seed", str(2**63 - 1), "--out", "x.npz"])
    assert np.load("x.npz")["x"].shape == (5000, 1, 4, 4)
    flags = parse(train_flags(models["gan"]), ["--steps", str(10**18)], "plausible train gan")
    assert flags.steps == 10**18


def test_flags_of_the_budget_are_those_of_the_settings():
    for kind in (TrainFlags, TrainingFlags, Options):
        assert dict(numbers(kind))
