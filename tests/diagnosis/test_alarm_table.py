"""docs/diagnosis.md states every condition of every alarm: each alarm has a row, and each of its numbers is there."""

import re
import sys
from pathlib import Path
from types import CodeType, FunctionType

import pytest

from plausible.core.finding import Severity
from plausible.diagnosis import alarms
from plausible.diagnosis.not_finite import NOT_FINITE

PAGE = Path(__file__).parents[2] / "docs" / "diagnosis.md"
WORDS = {1: "one", 2: "two", 3: "three", 5: "five", 6: "six", 10: "ten"}
TINY = 1e-9  # what only keeps a number from being divided by 0


def table():
    """{phenomenon: (condition, severity)} of the page."""
    page = PAGE.read_text().partition("| alarm |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([\w ]+) \| (.+) \| (.+) \| .+ \|$", page, re.MULTILINE)
    return {name: (condition, severity) for name, condition, severity in rows}


def code_of(function):
    """The function itself, and those of its file that decide for it."""
    yield from inside(function.__code__)
    for name in function.__code__.co_names:
        called = function.__globals__.get(name)
        if isinstance(called, FunctionType) and name.startswith("_"):
            yield from code_of(called)


def inside(code):
    """Code, and that of its comprehensions."""
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from inside(each)


def numbers(function):
    """{what it compares with}: fractions that are written in an alarm, and the named numbers it uses."""
    module, found = sys.modules[function.__module__], set()
    for code in code_of(function):
        found |= {value for value in code.co_consts if isinstance(value, float)}
        named = (getattr(module, name, None) for name in code.co_names)
        found |= {value for value in named if isinstance(value, int | float)}
    return {value for value in found if value > TINY and not isinstance(value, bool)}


def is_said(value, text):
    spelled = {f"{value:g}", f"{value:.0%}", WORDS.get(value, "")} - {""}
    return any(re.search(rf"(?<![\d.]){re.escape(word)}(?!\d|\.\d)", text) for word in spelled)


def test_every_alarm_has_a_row_and_every_row_an_alarm():
    assert set(table()) == {*alarms, NOT_FINITE}


@pytest.mark.parametrize("name", alarms)
def test_the_row_of_an_alarm_has_every_number_of_it(name):
    condition, severity = table()[name]
    found = numbers(alarms[name].function)
    assert found
    missing = {value for value in found if not is_said(value, f"{condition} {severity}")}
    assert not missing, name


@pytest.mark.parametrize("name", alarms)
def test_the_row_of_an_alarm_has_every_severity_of_it(name):
    _, said = table()[name]
    names = {each for code in code_of(alarms[name].function) for each in code.co_names}
    used = {severity for severity in Severity if severity.name in names} - {Severity.FINE}
    condition, said = table()[name]
    assert used == {severity for severity in used if severity in f"{condition} {said}"}
    assert used >= {
        severity for severity in (Severity.FAILURE, Severity.WARNING) if severity in said
    }
