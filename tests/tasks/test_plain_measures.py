"""Every measure stands under the question that it answers."""

import ast
from pathlib import Path

import plausible
from plausible.evaluation.measure import Measure
from plausible.tasks.plain_measures import OTHERS, QUESTIONS, by_question, question_of

ROOT = Path(plausible.__file__).parent


def named():
    """The names that measures are made with in the source, as far as they are written there whole."""
    for room in ("evaluation/metrics", "recognition"):
        for path in (ROOT / room).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Measure":
                    first = node.args[0]
                    if isinstance(first, ast.Constant):
                        yield first.value
                    elif isinstance(first, ast.JoinedStr):
                        yield first.values[0].value


def test_no_measure_is_left_without_a_question():
    names = set(named())
    assert len(names) > 25
    assert [name for name in names if question_of(name) == OTHERS] == []


def test_the_longest_beginning_decides():
    assert question_of("modes per 1,000 steps") == "Do its chains mix?"
    assert question_of("modes") == "Is everything there that the data have?"
    assert question_of("log loss, calibrated") == question_of("log loss")


def test_measures_come_in_the_order_of_the_questions_and_only_with_a_number():
    rows = [(Measure(name, 1.0), None) for name in ("accuracy", "unheard of", "recall")]
    rows.append((Measure("precision", None, note="why"), None))
    found = by_question(rows)
    order = [*QUESTIONS, OTHERS]
    assert [order.index(each.words) for each in found] == sorted(
        order.index(each.words) for each in found
    )
    assert [row.name for each in found for row, _ in each.rows] == [
        "recall",
        "accuracy",
        "unheard of",
    ]
