"""Do samples reach what data reach?  The same z at every probe, the same measure as the verdict's."""

from collections.abc import Mapping

import torch
from torch import Tensor

from plausible.core.capabilities import Latent
from plausible.core.finding import Finding, Severity, alarm, probe
from plausible.core.reading import Reading
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.history import History
from plausible.diagnosis.probe import ReferencedSnapshot
from plausible.evaluation.metrics.distances import frechet
from plausible.evaluation.missing_share import missing_by_chance, missing_share

FRECHET_RATIO = Reading("Frechet distance, ratio to real data")
MISSED_SHARE = Reading("share of the data in missed modes")
"""In logs of runs made before: that of bins with less than a tenth of their due, which is a little less."""
PAIRWISE_RATIO = Reading("pairwise distance, ratio to real data")
MARGIN = 0.05  # of the data, in modes that are missed: the verdict's
_LATE = 0.8  # of the budget, from which on the verdict's margin holds
_WARM = 0.2  # of the budget: before, every generator is narrow
_YOUNG = 0.4  # of the data, that no generator may miss after that: one that ends well missed 30% for a while
_MANY = 0.25  # of the data, from which on it is a failure
_NARROW = 0.9  # of the distance between pairs of real examples
_RECOVERS = 0.7  # of what it was two probes before


@probe(needs=Latent)
def samples(snapshot: ReferencedSnapshot) -> Mapping[Reading, float]:
    """Of the samples of 256 z that stay the same, by the weights that a run saves.

    Frechet distance   to the training part over that of new examples, in at most 32 principal components.
    missed modes       sum_k max(0, p_k - 2 q_k) over bins (20 at most) of shares p of the training part and q of
                       the samples, without what chance adds.
    pairwise distance  mean between samples over that between new examples.
    """
    made, reference = snapshot.samples, snapshot.reference
    if made is None:
        return {}
    distance = frechet(made.features, reference.embedded_train.features)
    return {
        FRECHET_RATIO: distance / max(reference.frechet, 1e-12),
        MISSED_SHARE: _missed(made.modes, reference.mode_shares),
        PAIRWISE_RATIO: torch.pdist(made.raw).mean().item()
        / max(reference.pairwise_distance, 1e-12),
    }


def _missed(modes: Tensor, real: Tensor) -> float:
    """The missing share beyond chance, at least 0: modes (n,), real shares (K,)."""
    share = torch.bincount(modes, minlength=len(real)) / len(modes)  # (K,)
    return max(0.0, missing_share(real, share).item() - missing_by_chance(real, len(modes)))


@alarm()
def missing_modes(history: History) -> Finding | None:
    """Samples miss a part of the data and lie closer together, and it does not get better.

    Three times in a row pairs of samples are closer than 0.9 of pairs of data, and the missing share is over
    the verdict's margin in the last fifth of the budget, or over 40% after the first.
    Of games only.
    """
    if len(history.players) < 2:  # likelihood pays for every mode
        return None
    three = history.last(IN_A_ROW, MISSED_SHARE, PAIRWISE_RATIO, since=_WARM)
    if three is None:
        return None
    missed, pairs = three
    _, every = history.series(MISSED_SHARE)
    evidence = {
        "share of the data not reached": missed[-1].item(),
        "the smallest it was": every.min().item(),
        "distance of pairs, times that of data": pairs[-1].item(),
        "probes": float(len(every)),
    }
    name = "missing modes"
    late = history.last(IN_A_ROW, MISSED_SHARE, since=_LATE) is not None
    falling = missed[-1] < _RECOVERS * missed[0]
    if (pairs >= _NARROW).any() or falling or (missed <= (MARGIN if late else _YOUNG)).any():
        return not_raised(name, evidence)
    return Finding(
        name,
        Severity.FAILURE if (missed > _MANY).all() else Severity.WARNING,
        "mode collapse: samples miss a part of the data and lie closer together than data do",
        evidence,
    )
