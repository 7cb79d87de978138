"""Did two models that learned from disjoint halves of the data learn the same, or each its own half by heart?"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from plausible.core.choices import Device
from plausible.core.device import resolve_device, seeded
from plausible.core.errors import NotDefined, UsageError
from plausible.core.model import Generative
from plausible.data.part import Data
from plausible.evaluation.critic.critic import make_critiques
from plausible.evaluation.critic.critique import Critique
from plausible.evaluation.critic.views import WHOLE
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.measure import Measure
from plausible.evaluation.metrics.memorisation import memorisation, with_train_distances
from plausible.evaluation.permutation import holm
from plausible.evaluation.verdict.verdict import ALPHA
from plausible.tasks.embed import embed
from plausible.tasks.eyes import StageProgress
from plausible.tasks.trained import Trained, TrainedLike, open_trained

MARGIN = 0.25
"""Share of the samples that keep to their own half, above which it was learned by heart: any model leans to it a little."""


@dataclass(frozen=True)
class Twins:
    """What two models that learned from disjoint halves say of each other.

    names     of both, for people.
    n         samples of each.
    own_half  of each the "copied fraction": the share of its samples that is nearer to its own half than it would be
              had it learned from the other, with its error and its p-value.
    adjusted  those p-values, corrected for both (Holm).
    critique  what a critic says that learned to tell the samples of one from those of the other; None for want of samples.
    """

    names: tuple[str, str]
    n: int
    own_half: tuple[Measure, Measure]
    adjusted: tuple[float, float]
    critique: Critique | None

    @property
    def by_heart(self) -> tuple[str, ...]:
        """Who keeps to its own half: surely, and with more than ``MARGIN`` of its samples."""
        return tuple(name for name, p, share in self._each() if p <= ALPHA and share > MARGIN)

    def _each(self) -> Iterator[tuple[str, float, float]]:
        """(name, corrected p-value, share of the samples that keep to the own half) of both."""
        for name, p, measure in zip(self.names, self.adjusted, self.own_half, strict=True):
            yield name, p, max(measure.value or 0.0, 0.0)

    @property
    def exit_code(self) -> int:
        """1 where one of them has learned its half by heart, 0 otherwise."""
        return int(bool(self.by_heart))

    @property
    def sentence(self) -> str:
        """Who has learned by heart, and how far the two agree."""
        parts = []
        for name, p, share in self._each():
            if name in self.by_heart:
                parts.append(
                    f"{name} has learned by heart: {share:.0%} of its samples keep to its own half of the data"
                )
            elif p <= ALPHA:
                parts.append(
                    f"{name} leans to its own half of the data, with {share:.1%} of its samples, which is within {MARGIN:.0%}"
                )
        if not parts:
            parts.append(
                "neither keeps to its own half of the data, so nothing was learned by heart that this could see"
            )
        if self.critique is not None:
            critic = self.critique
            agree = (
                f"a critic tells at least {critic.bound:.0%} of their samples apart"
                if critic.bound > 0
                else f"a critic that is right about {critic.accuracy:.0%} cannot tell their samples apart"
            )
            parts.append(agree)
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"Twins {' and '.join(self.names)}: {self.sentence}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a file."""
        critic = None if self.critique is None else asdict(self.critique)
        measures = [measure.to_dict() for measure in self.own_half]
        return {
            "names": self.names, "n": self.n, "own half": measures, "adjusted": self.adjusted,
            "critic": critic, "sentence": self.sentence,
        }  # fmt: skip


def evaluate_twin(
    source: TrainedLike,
    twin: TrainedLike,
    data: Data | str | Path | None = None,
    *,
    n: int = 5000,
    seed: int = 0,
    device: Device = "auto",
    progress: StageProgress | None = None,
) -> Twins:
    """Compare two runs that learned from half 1 and half 2 of the training part of the same data.

    Had the halves been exchanged, a model that learned the distribution would draw the same; one that learned by heart
    draws near its own half.  Whose half is whose is shuffled, which is exact; the other half is as large as its own, so this
    sees far more than a held-out part can.
    data  where the data of both are now, if that is not where they were.
    n     the most samples of each.
    Raises ``UsageError`` for runs that did not learn from disjoint halves of the same data.
    Source: Kadkhodaie et al. 2024, https://arxiv.org/abs/2310.02557 (two halves, one function).
    """
    report_progress = progress or (lambda stage, share: None)
    if n < 10:
        raise UsageError(f"twins need at least 10 samples of each, not {n}")
    where = resolve_device(device)
    first, second = (open_trained(one, data, device=where) for one in (source, twin))
    halves = _halves(first, second)
    with seeded(seed):  # for whatever draws from the default generator
        models = [_generative(one) for one in (first, second)]
        both, _ = embed(models, halves, n, "auto", seed, report_progress)
        count = len(both.samples) // 2
        drawn = both.samples[slice(0, count)], both.samples[slice(count, None)]
        report_progress("looking for what keeps to its own half", 1.0)
        measures = [
            _own_half(both, own, other, samples)
            for own, other, samples in (
                (both.train, both.heldout, drawn[0]),
                (both.heldout, both.train, drawn[1]),
            )
        ]
        said = "a critic learns to tell the samples of one from those of the other"
        critique = _told_apart(both, *drawn, lambda share: report_progress(said, share))
    adjusted = holm([1.0 if one.p is None else one.p for one in measures])
    names = tuple(str(one.run.folder) if one.run else "a model" for one in (first, second))
    return Twins(
        (names[0], names[1]), count, (measures[0], measures[1]), (adjusted[0], adjusted[1]), critique
    )  # fmt: skip


def _halves(first: Trained, second: Trained) -> Data:
    """The half of the first as its training part, and that of the second in the place of held-out data."""
    halves = [one.options.half for one in (first, second)]
    same = first.data.hashes["heldout"] == second.data.hashes["heldout"]
    if sorted(half or 0 for half in halves) != [1, 2] or not same:
        raise UsageError(
            f"{first.described} and {second.described} are no twins: train one with --half 1 and the other with "
            "--half 2, of the same --data"
        )
    return replace(first.data, heldout=second.data.train).to("cpu")


def _generative(trained: Trained) -> Generative:
    if not isinstance(trained.model, Generative):
        raise UsageError(f"{trained.described}, which draws no samples")
    return trained.model


def _own_half(both: EvaluationSet, own: Embedded, other: Embedded, samples: Embedded) -> Measure:
    """How much nearer these samples are to one half than to the other, as many of both."""
    size = min(len(own), len(other))
    fresh = [replace(part, nearest_train=None, likest_train=None) for part in (own, other, samples)]
    evalset = replace(
        both, train=fresh[0][slice(0, size)], heldout=fresh[1][slice(0, size)], samples=fresh[2],
        likeness=None,
    )  # fmt: skip
    found: list[Measure] = memorisation(with_train_distances(evalset))
    return found[0]


def _told_apart(
    both: EvaluationSet, first: Embedded, second: Embedded, progress: Callable[[float], None]
) -> Critique | None:
    """One critic of all there is, which learns from a third of either's samples and is asked about the others."""
    third = len(second) // 3
    evalset = replace(
        both, train=second[slice(0, third)], heldout=second[slice(third, None)], samples=first
    )
    try:
        (critique,) = make_critiques(evalset, [WHOLE], looks=1, progress=progress)[WHOLE]
    except NotDefined:
        return None
    return critique if critique.updates or critique.learned else None
