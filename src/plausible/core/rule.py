"""What is judged, and by what: one registering rule for measures, checks, probes and alarms."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from plausible.core.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Rule:
    """A registered function of what is judged, and the capability that the model must have.

    name      what people read: the name of the function with spaces, or the one given.
    needs     a protocol of ``capabilities`` or a class; None: any model.
    function  of an evaluation set, a trained model, a snapshot or a history, as its registry says.
    data      whether it must have the data; a check that need not can be run when they are gone.
    """

    name: str
    needs: Any
    function: Callable[..., Any]
    data: bool = field(default=True, kw_only=True)

    def applies(self, model: object) -> bool:
        """Whether the model has the capability that is needed."""
        return self.needs is None or isinstance(model, self.needs)


class Rules(Registry[Any]):
    """{name: Rule} in the order of registration, filled by decorating functions.

    >>> checks = Rules("check")
    >>> @checks.rule(needs=dict)
    ... def is_empty(model, data, seed): ...
    >>> checks["is empty"].applies({}), checks["is empty"].applies([])
    (True, False)
    """

    def rule(
        self, needs: Any = None, name: str | None = None, data: bool = True
    ) -> Callable[[F], F]:
        """Register the function under ``name`` and give it back as it is; ValueError if the name is taken."""

        def register(function: F) -> F:
            self(Rule(name or function.__name__.replace("_", " "), needs, function, data=data))
            return function

        return register
