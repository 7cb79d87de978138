"""A preset as flags and as a line of a table."""

from dataclasses import dataclass

import pytest
from docs.quoted_tables import NO_FIGURE, preset_table

from plausible.core.preset import Preset, flags


@dataclass(frozen=True)
class Config:
    batch: int = 64
    lr: float = 2e-3
    names: tuple[str, ...] = ("a", "b")
    decay: tuple[float, float] = (0.4, 1.0)
    bare: bool = True
    warm_up: bool = False
    width: int | None = 3


@pytest.mark.parametrize(
    ("changed", "typed"),
    [
        ({}, ""),
        ({"names": ()}, "--names"),
        ({"names": ("a",), "batch": 5}, "--batch 5 --names a"),
        ({"decay": (0.0, 0.5)}, "--decay 0 0.5"),
        ({"bare": False, "warm_up": True}, "--no-bare --warm-up"),
        ({"width": None}, "--width None"),
        ({"lr": 2e-4}, "--lr 2e-4"),
        ({"lr": 5e-5}, "--lr 5e-5"),
        ({"lr": 0.001234567891}, "--lr 0.001234567891"),
        ({"lr": 1.5e-10}, "--lr 1.5e-10"),
        ({"lr": 500_000.0}, "--lr 500000"),
    ],
)
def test_flags_are_what_differs_from_the_default_as_it_is_typed(changed, typed):
    config = Config(**changed)
    assert flags(Preset("x", config, "")) == typed
    if "lr" in changed:
        assert float(typed.split()[-1]) == config.lr


def test_a_table_has_a_line_a_preset_and_says_where_there_is_no_figure():
    a = Preset("a", Config(batch=5), "A 2014", "MNIST: 7", "shorter")
    b = Preset("b", Config(), "B 2015")
    head, line, first, second = preset_table({"a": a, "b": b}).splitlines()
    assert head.startswith("| preset |")
    assert first == "| `a` | `--batch 5` | MNIST: 7 | shorter | A 2014 |"
    assert NO_FIGURE in second
    assert len({row.count("|") for row in (head, line, first, second)}) == 1
