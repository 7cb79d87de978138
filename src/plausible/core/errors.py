"""Two ways in which an answer may be missing: a request that cannot be met, and a quantity that is not defined."""

from difflib import get_close_matches


class UsageError(ValueError):
    """A request that cannot be met, said in one sentence that names the value and the choices.

    The command line prints the sentence and exits with code 2; anything else that is raised is a
    mistake of the program and keeps its traceback.
    """


class NotDefined(ValueError):
    """A quantity that is not defined for these data or this model; the sentence says why.

    A measure, a test or a check that raises it becomes a row with its reason.  Whoever asked for nothing
    but this quantity reads the sentence.
    """


def unknown(noun: str, name: object, choices: list[str]) -> str:
    """The sentence for a name that is not among the choices, with the nearest one suggested."""
    near = get_close_matches(str(name), choices, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {noun} {str(name)!r}: choose from {', '.join(choices)}{hint}"
