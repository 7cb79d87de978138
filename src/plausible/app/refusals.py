"""What cannot be done, said in the page as one sentence: never a traceback, and never as markup."""

import traceback
from collections.abc import Callable
from functools import wraps
from html import escape
from typing import Any, TypeVar

import gradio as gr

from plausible.core.errors import NotDefined, UsageError
from plausible.core.memory import out_of_memory

_SECONDS = 15.0  # for which a sentence is shown; it can be closed before
_MISTAKE = "a mistake of the program: the terminal in which plausible app runs shows where"
F = TypeVar("F", bound=Callable[..., Any])


def in_words(function: F) -> F:
    """The same function for a control of the page: whatever stops it becomes a sentence that the page shows."""

    @wraps(function)
    def answer(*args: Any, **choices: Any) -> Any:
        try:
            return function(*args, **choices)
        except (gr.Error, GeneratorExit):
            raise
        except Exception as error:
            raise shown(error) from None

    return answer  # type: ignore[return-value]


def shown(error: Exception) -> gr.Error:
    """The sentence of an error; one that is a mistake of the program is printed in the terminal, with its traceback."""
    if isinstance(error, UsageError | NotDefined):
        return _sentence(str(error))
    memory = out_of_memory(error) if isinstance(error, MemoryError | RuntimeError) else None
    if memory is not None:
        return _sentence(memory)
    traceback.print_exception(error)
    return _sentence(_MISTAKE)


def _sentence(text: str) -> gr.Error:
    words = escape(text[:1].upper() + text[1:])
    return gr.Error(words, duration=_SECONDS, title="This cannot be done", print_exception=False)
