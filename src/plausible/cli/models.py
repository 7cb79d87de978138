"""plausible models."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from plausible.cli import documents
from plausible.cli.answer import answer
from plausible.cli.command import Command, commands
from plausible.cli.console import console

if TYPE_CHECKING:
    from plausible.core.model import Model


@commands
@dataclass(frozen=True)
class Models(Command):
    """The taxonomy: every model, where it stands, what it can do and its kind of probability.

    Example: plausible models
    """

    answers: ClassVar[type[Any]] = documents.Taxonomy

    def run(self) -> None:
        """Print the tree."""
        from rich.text import Text
        from rich.tree import Tree

        import plausible.models  # noqa: F401  # fills the registry
        from plausible.core.model import capabilities, models

        answer(documents.Taxonomy(tuple(map(_entry, models.values()))))
        root = Tree("models")
        branches: dict[tuple[str, ...], Tree] = {(): root}
        for model in models.values():
            for depth in range(len(model.place)):
                place = model.place[: depth + 1]
                if place not in branches:
                    branches[place] = branches[place[:-1]].add(place[-1])
            can = capabilities(model)
            offered = ", ".join(f"{what} {kind}".strip() for what, kind in can.items())
            if "log_prob" not in can:
                offered += "; no probability of x"
            first = (model.__doc__ or "").splitlines()[0]
            words = (model.name, "bold"), f"  {first}\n  can: {offered}"
            branches[model.place].add(Text.assemble(*words))
        console.print(root, highlight=False)


def _entry(model: "type[Model]") -> documents.ModelEntry:
    from plausible.core.model import capabilities

    first = (model.__doc__ or "").splitlines()[0]
    return documents.ModelEntry(model.name, tuple(model.place), first, capabilities(model))
