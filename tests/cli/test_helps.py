"""The help of every flag is a sentence that makes sense alone, of commands and of models."""

from dataclasses import fields
from typing import Any, get_type_hints

import pytest
import tyro

from plausible.cli.command import commands
from plausible.cli.flags import TrainFlags, TrainingFlags, field_help
from plausible.cli.main import main
from plausible.core.model import models
from plausible.data.options import Options

KINDS: dict[str, Any] = {
    **{f"train {name}": models[name].Config for name in models},
    **{kind.__name__: kind for kind in (TrainFlags, TrainingFlags, Options)},
    **{name: kind for name, kind in commands.items() if name != "train"},  # whose flags are above
}


def helps_of(kind: type[Any]) -> dict[str, str]:
    """{flag: its help} of a dataclass: the string below a field, or that of its annotation."""
    found = field_help(kind)
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for note in getattr(hint, "__metadata__", ()):
            if isinstance(note, type(tyro.conf.arg(help=""))) and note.help is not None:
                found[name] = note.help
    names = {field.name for field in fields(kind) if field.name != "preparation"}  # is Options
    assert found.keys() >= names
    return {name: found[name] for name in names}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_flag_has_a_sentence(name):
    for flag, sentence in helps_of(KINDS[name]).items():
        assert len(sentence.split()) >= 4, (flag, sentence)
        assert sentence[0].isupper(), (flag, sentence)
        assert sentence.endswith("."), (flag, sentence)
        assert not sentence.startswith(("How many ", "Of ", "Its ")), (flag, sentence)


@pytest.mark.parametrize("command", [["train", "gan"], ["resume"]])
def test_a_flag_of_several_commands_has_one_help(capsys, command):
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert (
        "Probe the model every 100 rounds (400 of diffusion), raise alarms, and keep the best weights."
        in said
    )
    assert "warn stops, and rollback first goes back once, with half the learning rate" in said
    assert "The device to compute on; auto is a GPU where there is one." in said
