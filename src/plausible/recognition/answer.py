"""What is said of one input: its class, or why none is named."""

from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.recognition.class_likelihoods import CLOSE, best_error, lead
from plausible.recognition.prior_shift import PriorEstimate
from plausible.recognition.rejection import REJECTED, chow_rule


@dataclass(frozen=True)
class Answer:
    """What is said of one input; ``label`` is REJECTED where no class should be named.

    label   of what is too close to call it is the class that came out best.
    p       conformal: the chance that good data are as implausible; None for a model without p(x).
    stderr  the Monte Carlo error of log p(y | x) of the best class in nats, None where there is none.
    """

    name: str
    decision: str
    reason: str
    label: int
    posterior: tuple[float, ...]
    p: float | None
    stderr: float | None = None


@dataclass(frozen=True)
class Answers:
    """What is said of each input, and by what.

    rows         an answer for each.
    prior        p(y) as it was estimated from the inputs, where that was asked for.
    evaluations  pairs of an input and a class, each as often as there were draws, that the model was asked for.
    notes        sentences for people: what can be said at all, and what was estimated.
    """

    rows: tuple[Answer, ...]
    prior: PriorEstimate | None
    evaluations: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Refusals:
    """Which inputs are implausible, (n,) bool, the p-values by which, (n,) or None, and why, a sentence each."""

    implausible: Tensor
    p: Tensor | None
    reasons: tuple[str, ...]


def answers(
    names: tuple[str, ...],
    class_names: tuple[str, ...],
    log_posterior: Tensor,
    paired: Tensor | None,
    refusals: Refusals,
    reject_cost: float,
) -> tuple[Answer, ...]:
    """An answer for each of n inputs: implausible, ambiguous, too close to call, or its class.

    log_posterior  calibrated, (n, classes); NaN of what no class makes possible.
    paired         its Monte Carlo errors against one class, (n, classes); None where there are none.
    """
    labels = chow_rule(log_posterior, reject_cost)
    close = _close_calls(log_posterior, paired, reject_cost, class_names)
    errors = [None] * len(names) if paired is None else best_error(log_posterior, paired).tolist()
    p_values = [None] * len(names) if refusals.p is None else refusals.p.tolist()
    made = []
    for k, name in enumerate(names):
        log_p, label = log_posterior[k], int(labels[k])
        best = int(log_p.argmax())
        sure, class_name = f"{float(log_p[best].exp()):.1%}", class_names[best]
        if log_p.isnan().any():  # log p(x | y) is -inf for every y
            label, decision = REJECTED, "rejected: implausible"
            reason = "no class makes it possible"
        elif refusals.implausible[k]:
            label, decision, reason = REJECTED, "rejected: implausible", refusals.reasons[k]
        elif close[k]:
            label, decision, reason = best, "rejected: too close to call", close[k]
        elif label == REJECTED:
            decision = "rejected: ambiguous"
            reason = f"the most probable class, {class_name}, has only {sure}"
        else:
            decision, reason = class_name, f"{sure} sure"
        if not refusals.implausible[k] and refusals.reasons[k]:
            reason += f", but {refusals.reasons[k]}"
        posterior = tuple(log_p.exp().tolist())
        made.append(Answer(name, decision, reason, label, posterior, p_values[k], errors[k]))
    return tuple(made)


def _close_calls(
    log_posterior: Tensor, paired: Tensor | None, reject_cost: float, class_names: tuple[str, ...]
) -> list[str]:
    """Why it is too close to call which class is best, "" where it is not.

    Nor is it where two errors more would leave it ambiguous all the same, or where an answer is wanted at any price.
    """
    if paired is None or reject_cost >= 1 or log_posterior.shape[1] < 2:
        return [""] * len(log_posterior)
    ahead, error, second = lead(log_posterior, paired)
    best, first = log_posterior.max(1)
    odds = (best.exp() / (1 - best.exp()).clamp(min=1e-300)).log() + CLOSE * error
    at_best = torch.sigmoid(odds)
    close = (ahead < CLOSE * error) & error.isfinite() & (1 - at_best <= reject_cost)
    return [
        f"{class_names[a]} leads {class_names[b]} by only {nats:.2g} ± {e:.2g} nats: more draws would tell"
        if told
        else ""
        for told, a, b, nats, e in zip(
            close.tolist(), first.tolist(), second.tolist(), ahead.tolist(), error.tolist(), strict=True
        )
    ]  # fmt: skip
