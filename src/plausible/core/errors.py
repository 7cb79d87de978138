"""Two ways in which an answer may be missing: a request that cannot be met, and a quantity that is not defined."""

import re
from difflib import get_close_matches

_LINE_ENDS = re.compile(r"\s*[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]\s*")


def one_line(text: str) -> str:
    """A text on one line: the ends of lines as spaces, and what cannot be printed as its escape.

    Names of files and columns are chosen by whoever made them, and a terminal obeys some of their characters.

    >>> one_line("line 2\\nof '\\x1b[2J'")
    "line 2 of '\\\\x1b[2J'"
    """
    if text.isprintable():
        return text
    plain = _LINE_ENDS.sub(" ", text).strip()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in plain)


class _Sentence(ValueError):
    """An error of one sentence, on one line whatever is quoted in it."""

    def __init__(self, sentence: str = ""):
        super().__init__(one_line(sentence))


class UsageError(_Sentence):
    """A request that cannot be met, said in one sentence that names the value and the choices.

    The command line prints the sentence and exits with code 2; anything else that is raised is a
    mistake of the program and keeps its traceback.
    """


class NotDefined(_Sentence):
    """A quantity that is not defined for these data or this model; the sentence says why.

    A measure, a test or a check that raises it becomes a row with its reason.  Whoever asked for nothing
    but this quantity reads the sentence.
    """


def unknown(noun: str, name: object, choices: list[str]) -> str:
    """The sentence for a name that is not among the choices, with the nearest one suggested."""
    near = get_close_matches(str(name), choices, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {noun} {str(name)!r}: choose from {', '.join(choices)}{hint}"
