"""Names that choose: a dict that is also the decorator that fills it."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, TypeVar

T = TypeVar("T", bound=Callable[..., Any])


class Refused(ValueError):
    """A request that cannot be met, said in one sentence that names the value and the choices.

    The command line prints the sentence and exits with code 2; anything else that is raised is a
    mistake of the program and keeps its traceback.
    """


class Registry(dict[str, T]):
    """{name: entry}, filled by using the registry itself as a decorator.

    The name is the entry's own ``name`` where it has one, otherwise its ``__name__`` in lower case
    with dashes for underscores, so that what Python calls ``wgan_gp`` is ``wgan-gp`` on the command
    line.  Looking up an unknown name raises ``Refused`` with the choices.

    >>> losses = Registry("loss")
    >>> @losses
    ... def hinge(real, fake): ...
    >>> losses["hinge"] is hinge
    True
    """

    def __init__(self, noun: str):
        super().__init__()
        self.noun = noun

    def __call__(self, entry: T) -> T:
        """Register ``entry`` and return it; ValueError if its name is taken."""
        name = getattr(entry, "name", None) or entry.__name__.lower().replace("_", "-")
        if name in self:
            raise ValueError(f"two entries called {name!r} in the registry of {self.noun}")
        self[name] = entry
        return entry

    def __hash__(self) -> int:  # type: ignore[override]  # typing wants to hash what annotates
        return id(self)

    def __missing__(self, name: str) -> T:
        raise Refused(unknown(self.noun, name, list(self)))


def unknown(noun: str, name: object, choices: list[str]) -> str:
    """The sentence for a name that is not among the choices, with the nearest one suggested."""
    near = get_close_matches(str(name), choices, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {noun} {str(name)!r}: choose from {', '.join(choices)}{hint}"
