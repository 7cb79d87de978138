"""The class of the classes of models."""

import inspect
from abc import ABCMeta
from typing import Any

from plausible.core.space import Space


class ModelClass(ABCMeta):
    """A class of models: it is called with a space, or with data, of which it takes the space."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """A new model."""
        if args and isinstance(space := getattr(args[0], "space", None), Space):
            args = space, *args[1:]
        return super().__call__(*args, **kwargs)

    @property
    def __signature__(cls) -> inspect.Signature:
        """That of its constructor, which notebooks and editors show."""
        whole = inspect.signature(cls.__init__)  # type: ignore[misc]  # of this very class
        return whole.replace(parameters=list(whole.parameters.values())[1:])
