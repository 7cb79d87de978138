"""Do samples lie where no real data are?  The same measure as the verdict's."""

from collections.abc import Mapping

import scipy

from plausible.core.capabilities import Latent
from plausible.core.finding import Finding, Severity, alarm, probe
from plausible.core.reading import Reading
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.history import History
from plausible.diagnosis.probe import ReferencedSnapshot

GARBAGE = Reading("share of garbage")
GARBAGE_AT_LEAST = Reading("share of garbage, at least")
MARGIN = 0.03  # of the samples: the verdict's
_WARM = 0.2  # of the budget: before, every generator is far off ...
_HALF = 0.5  # of it, from which on much that does not become less is worth a note
_LATE = 0.9  # of it: and many a one is that ends well
_MANY = 0.25  # of the samples
_FALLS = 0.82  # of what it was in the middle of the training
_LEVEL = 0.025  # of each of the two bounds


@probe(needs=Latent)
def garbage_share(snapshot: ReferencedSnapshot) -> Mapping[Reading, float]:
    """P_G(d > tau) - P_V(d > tau), d the distance to the training part, tau beyond what real data keep: see ``reach``.

    Of the samples of 256 z that stay the same, G, and of examples of the validation part, V; and what is certain
    of it: the exact lower bound of the one less the exact upper bound of the other, 97.5% each (Clopper and
    Pearson 1934, doi:10.1093/biomet/26.4.404).
    """
    made, reference = snapshot.samples, snapshot.reference
    if made is None:
        return {}
    g, v = reference.reach.misses(made.raw), reference.validation_misses  # (n,), (m,)
    least = scipy.stats.beta.ppf(_LEVEL, int(g.sum()), int((~g).sum()) + 1) if g.any() else 0.0
    most = scipy.stats.beta.isf(_LEVEL, int(v.sum()) + 1, int((~v).sum())) if not v.all() else 1.0
    return {
        GARBAGE: (g.double().mean() - v.double().mean()).item(),
        GARBAGE_AT_LEAST: max(0.0, float(least - most)),
    }


@alarm()
def garbage(history: History) -> Finding | None:
    """In the last tenth of the budget: certainly more garbage than the verdict's margin, and it becomes no less.

    Three times in a row; it becomes less if the mean of the three is under 0.82 of the median of the middle
    third of the rounds so far, which is worth a note.  From half of the budget on another note: where it is certainly
    over a quarter of the samples, and becomes no less.
    """
    three = history.last(IN_A_ROW, GARBAGE, GARBAGE_AT_LEAST, since=_WARM)
    if three is None:
        return None
    share, least = three
    steps, every = history.series(GARBAGE)
    middle = every[(3 * steps >= history.steps) & (3 * steps <= 2 * history.steps)]
    before = (middle if len(middle) else share[:1]).median().item()
    evidence = {
        "share of the samples": share[-1].item(),
        "at least": least[-1].item(),
        "in the middle of the training": before,
        "probes": float(len(every)),
    }
    falls = bool(share.mean() < _FALLS * before)
    if history.last(1, GARBAGE, since=_LATE) is None:
        if history.last(1, GARBAGE, since=_HALF) is None or falls or (least <= _MANY).any():
            return not_raised("garbage", evidence)
        claim = (
            "garbage so far: many samples lie where no real data are, and they do not become fewer"
        )
        return Finding("garbage", Severity.NOTE, claim, evidence)
    if (least <= MARGIN).any():
        return not_raised("garbage", evidence)
    claim = "garbage: samples lie where no real data are, far from every training example"
    if falls:
        claim = f"{claim}; they become fewer, and more rounds would help"
        return Finding("garbage", Severity.NOTE, claim, evidence)
    severity = Severity.FAILURE if (least > _MANY).all() else Severity.WARNING
    return Finding("garbage", severity, claim, evidence)
