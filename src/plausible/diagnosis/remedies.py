"""What to do about a finding: what helps the family, which it says itself, and what helps whatever is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from plausible.core.finding import Finding, Severity
from plausible.core.model import Model
from plausible.core.remedy import Remedy, change, larger, smaller, words
from plausible.diagnosis.not_finite import LOG_P_NOT_FINITE, NOT_FINITE
from plausible.training import Settings

_SMALLER_LR = smaller("lr")
_MORE_DATA = words("more data")
_LARGER_BATCH = change(
    "batch", lambda model, now: max(2 * now, model.default_batch), lambda model: model.batch
)


def _of_batches(model: Model | None) -> str:
    """A larger batch, of a model that learns by batches: another is fitted to all examples at once."""
    return _LARGER_BATCH.advice(model) if model is not None and model.iterates else ""


OF_EVERY_FAMILY: Mapping[str, Sequence[Remedy]] = {
    "overfitting": (_MORE_DATA,),
    "discriminator overfitting": (_MORE_DATA,),
    "frozen player": (larger("lr"),),
    "missing modes": (Remedy(_of_batches),),
    "garbage": (Remedy(_of_batches),),
    "dead units": (_SMALLER_LR, words("a smaller network, where all is well otherwise")),
    "divergence": (_SMALLER_LR,),
    "oscillation": (_SMALLER_LR,),
    NOT_FINITE: (_SMALLER_LR,),
    LOG_P_NOT_FINITE: (_SMALLER_LR,),
}
"""{phenomenon: what helps}, asked of the model."""

_FEWER = smaller("steps"), smaller("minutes")
_MORE = larger("steps", least=Severity.NOTE), larger("minutes", least=Severity.NOTE)

OF_TRAINING: Mapping[str, Sequence[Remedy]] = {
    "oscillation": (change("simultaneous", lambda settings, now: False),),
    "overfitting": _FEWER,
    "discriminator overfitting": _FEWER,
    "garbage": _MORE,
}
"""The same, asked of the ``Settings`` of the training."""


def with_remedy(
    finding: Finding, model: Model | None = None, settings: Settings | None = None
) -> Finding:
    """The finding with what the run does not do yet and would help, the family's own remedies first."""
    name = finding.phenomenon
    own = () if model is None else model.remedies.get(name, ())
    advice = [
        remedy.advice(asked)
        for remedies, asked in (
            (own, model),
            (OF_TRAINING.get(name, ()), _played(model, settings)),
            (OF_EVERY_FAMILY.get(name, ()), model),
        )
        for remedy in remedies
        if finding.severity.rank >= remedy.least.rank
    ]
    advice = [change for change in advice if change]
    if not advice:
        return finding
    again = (
        f"train again with {advice[0]}"
        if len(advice) == 1
        else f"train again with one or more of: {'; '.join(advice)}"
    )
    return replace(finding, remedy=f"{finding.remedy}; or {again}" if finding.remedy else again)


def _played(model: Model | None, settings: Settings | None) -> Settings | None:
    """How the model was trained; None where it does not learn by rounds.

    Such a model is fitted by a method of its own, and how long is not to blame.
    """
    if model is None or not model.iterates:
        return None
    settings = settings or Settings()
    if settings.steps is None and settings.minutes is None:
        return replace(settings, steps=model.default_steps)
    return settings
