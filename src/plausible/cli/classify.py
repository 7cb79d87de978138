"""plausible classify."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from plausible.cli.arguments import Share
from plausible.cli.command import commands
from plausible.cli.console import progress_bar
from plausible.cli.questions import SHOWN, Questions, table

if TYPE_CHECKING:
    from plausible.recognition.recogniser import Answer


@commands
@dataclass(frozen=True)
class Classify(Questions):
    """Which class is it?  Or none of these: implausible, or too close to call.

    Example: plausible classify runs/naive-bayes-mnist-20260101-120000 photo.png more/
    """

    reject_cost: Share = 0.2
    """Name no class that is less sure than 1 minus this (a wrong answer costs 1); 1 always answers."""
    level: Share = 0.05
    """Reject as implausible what is as novel as this share of good data; 0 rejects nothing."""

    def run(self) -> None:
        """Classify the inputs, show and write the answers."""
        self.check()
        from plausible.tasks import classify

        trained, inputs, how = self.asked()
        with progress_bar("looking at the inputs"):
            found = classify(trained, inputs, reject_cost=self.reject_cost, level=self.level, **how)
        kinds = found.class_names
        shown = table(f"{len(found):,} inputs", ("input", "decision", "reason", "posterior"))
        for answer in found[:SHOWN]:
            shown.add_row(answer.name, answer.decision, answer.reason, _largest(answer, kinds))
        self.show(found.notes, shown, [_row(answer, kinds) for answer in found])


def _row(answer: "Answer", class_names: tuple[str, ...]) -> dict[str, Any]:
    """One row of a file: what was decided, then p(y | x) class by class."""
    row = asdict(answer)
    posterior = row.pop("posterior")
    del row["label"]
    return row | {f"p({name})": p for name, p in zip(class_names, posterior, strict=True)}


def _largest(answer: "Answer", class_names: tuple[str, ...]) -> str:
    """The three most probable classes."""
    order = sorted(zip(answer.posterior, class_names, strict=True), reverse=True)[:3]
    return "  ".join(f"{name} {p:.1%}" for p, name in order)
