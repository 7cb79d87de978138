"""plausible classify."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from plausible.cli.arguments import Marked, Share
from plausible.cli.checks import check_output
from plausible.cli.command import commands
from plausible.cli.console import console, progress_bar, say
from plausible.cli.questions import SHOWN, Questions, table
from plausible.core.bounds import Bounds
from plausible.core.errors import UsageError

if TYPE_CHECKING:
    from plausible.data.inputs import Inputs
    from plausible.recognition.answer import Answer
    from plausible.tasks import Classification, Trained

PICTURED = 20
"""Inputs that a picture explains, at most."""


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
    explain: Annotated[Path | None, tyro.conf.arg(metavar="FILE.png")] = None
    """Also draw what each class makes of the first 20 inputs, how probable they are under it, and which pixels or columns decide."""
    until: Annotated[float, Bounds(above=0, at_most=1)] | None = None
    """Uncover each input row by row (a table column by column) and say after which a class is as sure as this, as 0.99."""
    mark: Marked = True

    def run(self) -> None:
        """Classify the inputs, show and write the answers."""
        self.check()
        if self.explain is not None:
            check_output(str(self.explain), (".png",), self.overwrite)
        if self.false_discovery_rate is not None and self.level != Classify.level:
            raise UsageError(
                "--level and --false-discovery-rate both say what is implausible: give one of them"
            )
        prior = _prior(self.prior)
        if self.until is not None and prior == "estimated":
            raise UsageError(
                "--until uncovers each input by itself, and --prior estimated is known when all are: give numbers"
            )
        from plausible.tasks import classify

        trained, inputs, how = self.asked()
        if self.explain is not None:
            from plausible.recognition.explanation import need_class_likelihoods

            need_class_likelihoods(trained.model)
        if self.until is not None:
            self._uncover(trained, inputs, self.until, prior)
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
        if self.explain is not None:
            self._explain(trained, inputs, found, self.explain)

    def _uncover(self, trained: "Trained", inputs: "Inputs", until: float, prior: Any) -> None:
        """Say after which row each input is known."""
        from plausible.tasks import uncover

        found = uncover(trained, inputs, until=until, prior=prior, device=self.device)
        columns = ("input", f"{found.step}s seen", "of it", "class", "p", "all of it")
        shown = table(
            f"until a class has p = {until:g}, not calibrated",
            columns,
            ("input", "class", "all of it"),
        )
        for one in found[:SHOWN]:
            shown.add_row(
                one.name, f"{one.after}", f"{one.share:.0%}", found.class_names[one.label], f"{one.p:.4f}",
                found.class_names[one.final],
            )  # fmt: skip
        console.print(shown, highlight=False)
        same = sum(one.label == one.final for one in found)
        seen = sum(one.share for one in found) / max(1, len(found))
        say(
            f"{seen:.0%} of an input is seen on average; {same:,} of {len(found):,} stay what they are then"
        )

    def _explain(
        self, trained: "Trained", inputs: "Inputs", found: "Classification", out: Path
    ) -> None:
        """Draw why."""
        from plausible import figures
        from plausible.tasks import explain
        from plausible.tasks.mark import mark_of
        from plausible.tasks.save import save_bytes

        few = replace(
            inputs, part=inputs.part.rows(slice(0, PICTURED)), names=inputs.names[:PICTURED]
        )
        with progress_bar("asking each class"):
            made = explain(
                trained, few, said=replace(found, rows=found.rows[:PICTURED]), draws=self.draws,
                optimise_posterior=self.optimise_posterior, seed=self.seed, device=self.device,
            )  # fmt: skip
        picture = figures.explanation(
            made.space, made.rows, made.class_names, made.legend, columns=made.columns, until=self.until
        )  # fmt: skip
        save_bytes(out, figures.png(picture, mark_of(trained, self.seed) if self.mark else None))
        first = (
            f"the first {PICTURED} of {len(inputs.names):,} inputs"
            if len(inputs.names) > PICTURED
            else f"{len(few.names):,} inputs"
        )
        say(f"why, of {first}, in {out}")


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
