"""What to do about a finding: what helps the family, which it says itself, and what helps whatever is trained."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from plausible.core.finding import Finding
from plausible.core.model import Model
from plausible.core.remedy import Remedy
from plausible.diagnosis.not_finite import LOG_P_NOT_FINITE, NOT_FINITE
from plausible.training import Settings


def _has_lr(config: Any) -> bool:
    return hasattr(config, "lr")


_SMALLER_LR = Remedy("a smaller --lr", _has_lr)
# what has no learning rate is fitted by a method of its own, and neither batch nor steps are to blame
_LESS_MEMORY = (Remedy("fewer --steps", _has_lr), Remedy("more data"))

OF_EVERY_FAMILY: Mapping[str, Sequence[Remedy]] = {
    "overfitting": _LESS_MEMORY,
    "discriminator overfitting": _LESS_MEMORY,
    "frozen player": (Remedy("a larger --lr", _has_lr),),
    "mode collapse": (Remedy("a larger --batch", _has_lr),),
    "dead units": (_SMALLER_LR, Remedy("a smaller network, where all is well otherwise")),
    "divergence": (_SMALLER_LR,),
    "oscillation": (_SMALLER_LR,),
    NOT_FINITE: (_SMALLER_LR,),
    LOG_P_NOT_FINITE: (_SMALLER_LR,),
}
"""{phenomenon: what helps}, ``missing`` asked of the model's Config."""

OF_TRAINING: Mapping[str, Sequence[Remedy]] = {
    "oscillation": (
        Remedy("players that move in turn, without --simultaneous", lambda s: s.simultaneous),
    ),
}
"""The same, ``missing`` asked of the ``Settings`` of the training."""


def with_remedy(
    finding: Finding, model: Model | None = None, settings: Settings | None = None
) -> Finding:
    """The finding with what the run does not do yet and would help, the family's own remedies first."""
    name = finding.phenomenon
    advice = [
        *_missing(OF_TRAINING.get(name, ()), settings or Settings(), finding),
        *(() if model is None else _missing(model.remedies.get(name, ()), model.config, finding)),
        *_missing(OF_EVERY_FAMILY.get(name, ()), None if model is None else model.config, finding),
    ]
    if not advice:
        return finding
    again = (
        f"train again with {advice[0]}"
        if len(advice) == 1
        else f"train again with one or more of: {'; '.join(advice)}"
    )
    return replace(finding, remedy=f"{finding.remedy}; or {again}" if finding.remedy else again)


def _missing(remedies: Iterable[Remedy], choices: Any, finding: Finding) -> list[str]:
    return [
        remedy.advice
        for remedy in remedies
        if finding.severity.rank >= remedy.least.rank and remedy.missing(choices)
    ]
