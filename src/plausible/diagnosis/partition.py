"""Is the constant that makes probabilities of an energy known?"""

import math

from plausible.core.capabilities import EnergyBased
from plausible.core.model import Explicit
from plausible.diagnosis.finding import Case, Finding, Severity, check

_POINTS = 48
_FEW = 10  # walks that count, below which their mean is that of a few


@check(needs=EnergyBased)
def normalising_constant(case: Case) -> Finding:
    """log Z from both sides: annealing forwards makes log p(x) too high, backwards from x too low.

    The truth lies between where both walk well.  Where they are the wrong way round there are modes that no
    walk finds, and neither is to be believed.
    Source: Burda et al. 2015, https://arxiv.org/abs/1412.8566.
    """
    model = case.model
    assert isinstance(model, EnergyBased)
    assert isinstance(model, Explicit)
    name, found = "normalising constant", model.log_partition()
    if all(math.isinf(one.size) for one in found):
        return Finding(name, Severity.FINE, "log Z is exact, a sum over all states of one side")
    batch = case.data.heldout.every_kth(_POINTS).as_batch()
    x, y = batch.x[:_POINTS], None
    if model.conditional and batch.y is not None:
        y = batch.y[:_POINTS]
    high = model.log_prob(x, y, generator=case.generator()).nats.double().cpu()
    low = model.raise_lower_bound(x, y, case.generator()).cpu()
    apart = high - low  # (n,)
    sigma = max(one.error for one in found)
    size = min(one.size for one in found)
    error = math.hypot(apart.std().item() / math.sqrt(len(apart)), sigma)
    evidence: dict[str, float | str] = {
        "optimistic log p(x), nats": high.mean().item(),
        "conservative log p(x), nats": low.mean().item(),
        "difference": apart.mean().item(),
        "3 standard errors of log Z": 3 * sigma,
        "walks that count": size,
        "held-out examples": len(x),
    }
    remedy = (
        "train again with --gibbs 5, --temperatures 10 or --fast-weights, or with a smaller --lr"
    )
    if apart.mean() < -3 * error:
        return Finding(
            name,
            Severity.WARNING,
            "the two estimates of log p(x) are the wrong way round: the machine has modes that no walk finds",
            evidence,
            remedy,
        )
    if size < _FEW:
        return Finding(
            name,
            Severity.WARNING,
            f"only {size:.0f} of the walks that estimate log Z count: log p(x) may be too high by more than its error",
            evidence,
            remedy,
        )
    return Finding(
        name,
        Severity.FINE,
        "log p(x) lies between two estimates that agree as they should",
        evidence,
    )
