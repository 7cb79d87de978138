"""Helps: what matters first, whole sentences, plain types, and words for what is misspelt or missing."""

import re
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
import tyro
from tests.conftest import refused

from plausible.claims import claims
from plausible.cli.command import commands
from plausible.cli.flags import TrainFlags, TrainingFlags, train_flags
from plausible.cli.help import field_help, flags_of, help_text, usual_flags
from plausible.cli.main import main
from plausible.cli.parser import parse
from plausible.core.model import models
from plausible.core.refinement import RefinementConfig
from plausible.data.options import Options

KINDS: dict[str, Any] = {
    **{f"train {name}": models[name].Config for name in models},
    **{kind.__name__: kind for kind in (TrainFlags, TrainingFlags, Options, RefinementConfig)},
    **{name: kind for name, kind in commands.items() if name != "train"},  # whose flags are above
}
COMMANDS: dict[str, Any] = {
    **{f"train {name}": train_flags(models[name]) for name in models},
    **{name: kind for name, kind in commands.items() if name != "train"},
}


def helps_of(kind: type[Any]) -> dict[str, str]:
    """{flag: its help} of a dataclass: the string below a field, or that of its annotation."""
    found = field_help(kind)
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for note in getattr(hint, "__metadata__", ()):
            if isinstance(note, type(tyro.conf.arg(help=""))) and note.help is not None:
                found[name] = note.help
    nested = "preparation", "game"  # Options and RefinementConfig
    names = {field.name for field in fields(kind) if field.name not in nested}
    assert found.keys() >= names
    return {name: found[name] for name in names}


def shown(capsys, *args):
    """What is printed, in one line."""
    with pytest.raises(SystemExit) as end:
        main(list(args))
    assert end.value.code == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_flag_has_a_sentence(name):
    for flag, sentence in helps_of(KINDS[name]).items():
        assert len(sentence.split()) >= 4, (flag, sentence)
        assert sentence[0].isupper(), (flag, sentence)
        assert sentence.endswith("."), (flag, sentence)
        assert not sentence.startswith(("How many ", "Of ", "Its ")), (flag, sentence)


@pytest.mark.parametrize("command", [["train", "gan"], ["resume"]])
def test_a_flag_of_several_commands_has_one_help(capsys, command):
    said = shown(capsys, *command, "--help-all")
    assert (
        "Probe the model every 100 rounds (400 of diffusion), raise alarms, and keep the best weights."
        in said
    )
    assert "warn stops, and rollback first goes back once, with half the learning rate" in said
    assert "The device to compute on; auto is a GPU where there is one." in said


@pytest.mark.parametrize("name", sorted(models))
def test_the_help_of_a_model_begins_with_the_six_flags_at_most_that_matter(capsys, name):
    kind = COMMANDS[f"train {name}"]
    usual, all_of_them = usual_flags(kind), list(flags_of(kind))
    assert 3 <= len(usual) <= 6
    assert usual[0].name == "data"
    assert list(dict.fromkeys(flag.group for flag in usual)) == ["data", "budget", "model"]
    titles = list(dict.fromkeys(flag.group for flag in all_of_them))
    assert set(titles) == {"data", "budget", "model", "training"}
    short = shown(capsys, "train", name, "--help")
    assert f"--help-all lists the other {len(all_of_them) - len(usual)}." in short
    whole = shown(capsys, "train", name, "--help-all")
    for flag in all_of_them:
        assert flag.spelled in whole
        assert flag.spelled in short or flag not in usual


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_types_are_words(name):
    text = help_text(COMMANDS[name], f"plausible {name}", everything=True).plain
    assert not re.search(r"\bNone\b|\{|\bINT\b|\bFLOAT\b|\bSTR\b|\bTEXT\b", text), text


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_help_lists_what_the_parser_knows(name, capsys):
    with pytest.raises(SystemExit):
        tyro.cli(COMMANDS[name], args=["--help"], prog="x")
    lines = capsys.readouterr().out.splitlines()
    theirs = {
        way for line in lines for way in re.findall(r"^[│| ]{,3}(?:-\w, )?(--[a-z][\w-]*)", line)
    }
    ours = {way for flag in flags_of(COMMANDS[name]) for way in flag.known}
    assert theirs - {"--help"} <= ours


@pytest.mark.parametrize("name", sorted(models))
def test_the_examples_of_a_model_are_commands_of_it(name):
    kind = COMMANDS[f"train {name}"]
    examples = re.findall(r"Example: plausible train (\S+) (.*)", kind.__doc__)
    assert len(examples) == 2
    for model, words in examples:
        assert model == name
        parse(kind, words.split(), "x")


def test_help_is_also_a_command(capsys):
    assert shown(capsys, "help", "sample") == shown(capsys, "sample", "--help")
    assert shown(capsys, "help", "train", "gan") == shown(capsys, "train", "gan", "-h")
    main(["help"])
    assert "usage: plausible COMMAND" in capsys.readouterr().out
    assert "did you mean 'sample'" in refused(capsys, "help", "sampel")


@pytest.mark.parametrize(
    ("command", "needs"),
    [("sample", "needs RUN"), ("evaluate", "needs either"), ("score", "needs RUN")],
)
def test_a_command_without_arguments_shows_its_help_and_says_what_it_needs(capsys, command, needs):
    with pytest.raises(SystemExit) as end:
        main([command])
    said = capsys.readouterr()
    assert end.value.code == 2
    assert f"usage: plausible {command}" in said.out
    assert needs in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["train", "gan", "--stepz", "3"], "has no flag --stepz; did you mean --steps?"),
        (["train", "gan", "--epochs", "3"], "has no flag --epochs; did you mean --steps?"),
        (["train", "mixture", "--width", "3"], "has no flag --width"),
        (["train", "mixture", "--batch", "3"], "has no flag --batch"),
        (["train", "gan", "--xyzzy"], "plausible train gan --help-all lists all"),
        (["sample", "r", "--ouput", "x.png"], "did you mean --out?"),
        (["train", "gan", "--minutes", "ten"], "--minutes takes NUMBER, not 'ten'"),
        (["train", "gan", "--minutes"], "--minutes needs a value: NUMBER"),
        (["train", "gan", "--loss", "hing"], "did you mean 'hinge'?"),
        (["train", "gan", "--size", "4x"], "--size is one number of pixels"),
        (["train", "--data", "x"], "needs a MODEL before --data"),
        (["interpolate", "r"], "plausible interpolate needs --out PATH"),
        (["evaluate", "a", "b"], "takes no b"),
    ],
)
def test_what_is_misspelt_or_missing_is_said(capsys, args, said):
    assert said in refused(capsys, *args)


def test_the_claims_are_listed_with_their_minutes(capsys):
    said = shown(capsys, "claims", "--help")
    named = re.findall(r"(\S+) (\d+\.\d) min ", said)
    assert [name for name, _ in named] == list(claims)
    assert all(0 < float(minutes) <= 2 for _, minutes in named)


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_written_where_the_shell_looks(capsys, monkeypatch, tmp_path, shell):
    for name, value in (("HOME", tmp_path), ("SHELL", f"/bin/{shell}")):
        monkeypatch.setenv(name, str(value))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    main(["--install-completion"])
    said = capsys.readouterr().out
    (path,) = (file for file in tmp_path.rglob("*") if file.is_file())
    assert len(said.splitlines()) == 1
    assert f"completion for {shell} is written to {path}" in said
    script = path.read_text("utf-8")
    assert all(word in script for word in ("interpolate", "naive-bayes", "--truncation", "sweep"))
    assert all(word in script for word in ("--log-to", "--config", "--json", "--workers"))


def test_what_may_be_left_out_stands_in_brackets():
    text = help_text(commands["claims"], "plausible claims").plain
    assert "usage: plausible claims [CLAIM ...] [flags]" in text
    assert (
        "usage: plausible sample RUN [flags]"
        in help_text(commands["sample"], "plausible sample").plain
    )


def test_a_shell_that_is_not_known_is_refused(capsys):
    assert "choose from bash, zsh, fish" in refused(capsys, "--install-completion", "csh")
    assert "plausible --install-completion" in refused(capsys, "completion")
