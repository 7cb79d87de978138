"""plausible classify."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from plausible.cli.arguments import Share
from plausible.cli.command import commands
from plausible.cli.console import progress_bar, say
from plausible.cli.questions import SHOWN, Questions, table
from plausible.core.errors import UsageError

if TYPE_CHECKING:
    from plausible.recognition.answer import Answer


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

    prior: Annotated[str | None, tyro.conf.arg(metavar="NUMBERS|estimated")] = None
    """Say how frequent the classes are, in their order, as 0.9,0.1 or counts, or have it estimated from the inputs; by default as in the training part."""

    def run(self) -> None:
        """Classify the inputs, show and write the answers."""
        self.check()
        if self.false_discovery_rate is not None and self.level != Classify.level:
            raise UsageError(
                "--level and --false-discovery-rate both say what is implausible: give one of them"
            )
        prior = _prior(self.prior)
        from plausible.tasks import classify

        trained, inputs, how = self.asked()
        with progress_bar("looking at the inputs"):
            found = classify(
                trained, inputs, reject_cost=self.reject_cost, level=self.level, prior=prior, **how
            )
        kinds = found.class_names
        shown = table(f"{len(found):,} inputs", ("input", "decision", "reason", "posterior"))
        for answer in found[:SHOWN]:
            shown.add_row(answer.name, answer.decision, answer.reason, _largest(answer, kinds))
        notes = (*found.notes, str(found.calibration))
        self.show(notes, shown, [_row(answer, kinds) for answer in found])
        say(found.cost)


def _prior(words: str | None) -> "tuple[float, ...] | Literal['estimated'] | None":
    """The numbers of --prior; whether they are a prior of these classes is for the task to say."""
    if words is None:
        return None
    if words.strip() == "estimated":
        return "estimated"
    try:
        return tuple(float(word) for word in words.split(","))
    except ValueError:
        raise UsageError(
            f"--prior {words} is neither numbers with commas between, as 0.9,0.1, nor the word estimated"
        ) from None


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
