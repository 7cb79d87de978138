"""Names that choose: a dict that is also the decorator that fills it."""

from typing import TypeVar

from plausible.core.errors import UsageError, unknown

T = TypeVar("T")


class Registry(dict[str, T]):
    """{name: entry}, filled by using the registry itself as a decorator.

    The name is the entry's own ``name`` where it has one, otherwise its ``__name__`` in lower case
    with dashes for underscores, so that what Python calls ``wgan_gp`` is ``wgan-gp`` on the command
    line.  Looking up an unknown name raises ``UsageError`` with the choices.

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
        spelled = getattr(entry, "__name__", "").lower().replace("_", "-")
        name = getattr(entry, "name", None) or spelled
        if name in self:
            raise ValueError(f"two entries called {name!r} in the registry of {self.noun}")
        self[name] = entry
        return entry

    def __hash__(self) -> int:  # type: ignore[override]  # typing wants to hash what annotates
        return id(self)

    def __missing__(self, name: str) -> T:
        raise UsageError(unknown(self.noun, name, list(self)))
