"""Does log p(x) hold on data that were not learned?"""

import math

from plausible.core.model import Explicit
from plausible.diagnosis.finding import Case, Finding, Severity, check

_POINTS = 500
_SHARE = 0.05  # of -log p, that may be lost on new examples


@check(needs=Explicit)
def overfitting(case: Case) -> Finding:
    """E log p of training examples against held-out ones: what was learned by heart.

    Significant (3 standard errors), and more than 5% of the code length of a held-out example, or 0.05
    nats a coordinate where log p is a density.
    """
    model = case.model
    assert isinstance(model, Explicit)
    known, new = (
        model.log_prob(part.every_kth(_POINTS).as_batch().x, generator=case.generator())
        for part in (case.data.train, case.data.heldout)
    )
    learned, held = known.mean(), new.mean()
    assert learned.stderr is not None
    assert held.stderr is not None
    gap = learned.nats.item() - held.nats.item()
    error = math.hypot(learned.stderr.item(), held.stderr.item())
    evidence = {
        "log p of training examples, nats": learned.nats.item(),
        "log p of held-out examples, nats": held.nats.item(),
        "difference": gap,
        "its standard error": error,
        "examples of each": min(len(known.nats), len(new.nats)),
    }
    name = "overfitting"
    broken = sum(int((~said.nats.isfinite()).sum()) for said in (known, new))
    if broken:
        return Finding(
            name,
            Severity.WARNING,
            f"log p is not finite for {broken:,} examples, so nothing can be said of the others",
            evidence,
            "train again with a smaller --lr",
        )
    scale = abs(held.nats.item()) if model.space.levels else model.space.dims
    if gap > max(3 * error, _SHARE * scale):
        return Finding(
            name,
            Severity.WARNING,
            "training examples are more probable than new ones: part of them was learned by heart",
            evidence,
            "train with fewer --steps, a smaller --width, or more data",
        )
    return Finding(
        name, Severity.FINE, "new examples are about as probable as those it learned", evidence
    )
