"""Three sentences on a comparison: which family for these data, why, and what would change it."""

from plausible.evaluation.paired import Answer, Comparison
from plausible.tasks.compared import Compared, FamilyResult, number
from plausible.tasks.plain_words import CRITIC

TOLD, MULTIPLE = "total variation", "Frechet multiple"
_TOLD_BY_ALL = (
    0.75  # of the samples proved to differ, from which on nobody would take them for real
)
_FASTER = 10.0  # times as many samples a second, from which on that is worth a thought
_WORSE = 2.0  # times the Frechet multiple that is put up with for it


def recommend(compared: Compared) -> tuple[str, ...]:
    """Which family to take, why, and what would change it; a single sentence where nothing draws samples.

    The first of the table is taken, unless paired tests find the second better in more than they find it worse.
    """
    drawing = [family for family in compared.families if family.draws]
    if not drawing:
        return (_without_samples(compared),)
    best, *others = drawing
    if others and compared.paired is not None and _second_wins(compared.paired):
        best, others = others[0], [drawing[0], *others[1:]]
    return (
        _which(compared, best, others),
        _why(compared, best, others),
        _change(compared, best, others),
    )


def _second_wins(paired: Comparison) -> bool:
    return len(paired.of(Answer.B)) > len(paired.of(Answer.A))


def _without_samples(compared: Compared) -> str:
    right = [family for family in compared.families if family.interval("accuracy")]
    if not right:
        return f"Nothing came of any of them on {compared.data}."
    best = max(right, key=lambda family: _mean(family, "accuracy"))
    return f"Take {best.name} for {compared.data}: it is right about {_mean(best, 'accuracy'):.1%} of the held-out labels."


def _which(compared: Compared, best: FamilyResult, others: list[FamilyResult]) -> str:
    plan, second = compared.plan, others[0] if others else None
    after = f" after {plan.budget}" if plan.minutes or plan.steps else ""
    lead = f"Take {best.name} for {compared.data}{after}"
    if best.verdict == "FAIL" and _mean(best, TOLD) >= _TOLD_BY_ALL:
        lead = (
            f"None of these is good yet on {compared.data}{after}, and {best.name} is the nearest"
        )
    parts = []
    if best.interval(TOLD) is not None:
        beside = _beside(second, TOLD, "{:.0%}")
        parts.append(
            f"a critic proves at least {_mean(best, TOLD):.0%} of its samples to differ from real data{beside}"
        )
    if best.interval(MULTIPLE) is not None:
        beside = _beside(second, MULTIPLE, "{:.3g}")
        parts.append(
            f"its Frechet distance is {_mean(best, MULTIPLE):.3g} times that of real data{beside}"
        )
    return f"{lead}: {', and '.join(parts)}." if parts else f"{lead}."


def _beside(other: FamilyResult | None, column: str, form: str) -> str:
    """The number of the next best in brackets, where it has one."""
    if other is None or other.interval(column) is None:
        return ""
    return f" ({other.name}: {form.format(_mean(other, column))})"


def _why(compared: Compared, best: FamilyResult, others: list[FamilyResult]) -> str:
    worst = [run.worst for run in best.finished if run.worst]
    failing = sorted(
        {defect for run in best.finished for defect, state in run.defects.items() if state == "FAIL"}
    )  # fmt: skip
    undecided = any("INCONCLUSIVE" in run.defects.values() for run in best.finished)
    said = "No defect of its samples was found" + ", and not all could be decided" * undecided
    if failing:
        first = worst[0] if worst else failing[0]
        rest = [name for name in failing if name not in (first, CRITIC)]
        said = f"What is not yet right in it is first of all {first}" + (
            f", then {', '.join(rest)}" if rest else ""
        )
    if compared.paired is None or not others:
        return f"{said}."
    words = _paired_words(compared.paired, best, others[0])
    return f"{words}; {said[:1].lower()}{said[1:]}."


def _paired_words(paired: Comparison, best: FamilyResult, other: FamilyResult) -> str:
    first = paired.names[0] == best.name
    wins = [row.name for row in paired.of(Answer.A if first else Answer.B)]
    losses = [row.name for row in paired.of(Answer.B if first else Answer.A)]
    alike = [row.name for row in paired.of(Answer.ALIKE)]
    parts = [f"it is better in {', '.join(wins)}"] * bool(wins)
    parts += [f"worse in {', '.join(losses)}"] * bool(losses)
    parts += [f"alike in {', '.join(alike)}"] * bool(alike and not wins and not losses)
    if not parts:
        return (
            f"Paired tests of {paired.n:,} samples each decide nothing between it and {other.name}"
        )
    return f"By paired tests {' and '.join(parts)} than {other.name}".replace(
        f"alike in {', '.join(alike)} than", f"alike in {', '.join(alike)} as"
    )


def _change(compared: Compared, best: FamilyResult, others: list[FamilyResult]) -> str:
    parts = [*_more(best), *_faster(best, others), *_likelihood(compared, best)]
    if not parts:
        return "Nothing that was measured here speaks for another family."
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."


def _more(best: FamilyResult) -> list[str]:
    """What the best lacks."""
    limits = [run.limit for run in best.finished]
    words = {
        "time": "more minutes would make it better, by its learning curve, and may change the order",
        "data": "more data would make it better, by its learning curve",
        "capacity": "a larger model would make it better, by its learning curve",
    }
    return next(([words[limit]] for limit in limits if limit in words), [])


def _faster(best: FamilyResult, others: list[FamilyResult]) -> list[str]:
    """A family that draws far faster and hardly worse."""
    speed, multiple = _mean(best, "drawing speed"), _mean(best, MULTIPLE)
    for other in sorted(others, key=lambda family: _mean(family, MULTIPLE, 1e9)):
        theirs = _mean(other, "drawing speed")
        near = _mean(other, MULTIPLE, 1e9) <= _WORSE * multiple
        if speed and near and theirs >= _FASTER * speed:
            return [
                f"where speed counts, {other.name} draws {number(theirs)} samples a second beside {number(speed)}"
            ]
    return []


def _likelihood(compared: Compared, best: FamilyResult) -> list[str]:
    """Who says log p(x), where the best does not; only exact ones are put in order."""
    name = "log likelihood"
    if best.interval(name) is not None:
        return []
    exact = [f for f in compared.families if f.interval(name) and f.sign(name) == "="]
    bounds = [f for f in compared.families if f.interval(name) and f.sign(name) != "="]
    if exact:
        most = max(exact, key=lambda family: _mean(family, name))
        return [f"where log p(x) is asked for, {most.name} says it exactly ({number(_mean(most, name))} nats)"]  # fmt: skip
    if bounds:
        return [f"where log p(x) is asked for, {bounds[0].name} says {bounds[0].cell(name)} nats, and {best.name} nothing"]  # fmt: skip
    return []


def _mean(family: FamilyResult, column: str, missing: float = 0.0) -> float:
    found = family.interval(column)
    return missing if found is None else found.mean
