"""Do samples reach what data reach?  The same z at every look."""

from collections.abc import Mapping

import torch
from torch import Tensor

from plausible.core.capabilities import Latent
from plausible.core.errors import NotDefined
from plausible.data.part import Part
from plausible.diagnosis.alarm import alarms, calm
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import LOOK, History
from plausible.diagnosis.probe import Snapshot, look
from plausible.evaluation.metrics.distances import frechet
from plausible.sampling.latent import decoded

_ENOUGH = 40  # real examples of each part, below which nothing can be compared
_IN_A_ROW = 3
_WARM = 0.2  # of the budget: before, every generator is narrow
_RARE = 0.1  # of its real share, below which a bin is lost
_LOST = 0.1  # of the data, in bins that are lost
_NARROW = 0.9  # of the distance between pairs of real examples


@look(needs=Latent)
def samples(snapshot: Snapshot) -> Mapping[str, float]:
    """Of the samples of 256 z that stay the same, by the weights that a run saves.

    distance   Frechet distance to the training part over that of held-out examples, in at most 32
               principal components.
    lost       share of the data in bins (20 at most) that hold less than a tenth of the samples they should.
    pairs      mean distance between samples over that between held-out examples.
    """
    model, beside = snapshot.model, snapshot.reference
    assert isinstance(model, Latent)
    z = beside.z
    assert z is not None
    if min(len(beside.other), len(beside.known)) < _ENOUGH:
        return {}
    x = model.space.quantise(decoded(model, z, beside.y)).cpu()  # (n, *shape)
    if not x.isfinite().all():
        return {}
    space = model.space
    values = space.codes(x).to(torch.uint8) if space.levels else x
    try:
        made = beside.embedding.embed(Part(values, None, space))
    except NotDefined:  # too far away to be measured
        return {}
    return {
        "distance": frechet(made.features, beside.seen.features) / max(beside.distance, 1e-12),
        "lost": lost(made.modes, beside.shares),
        "pairs": torch.pdist(made.raw).mean().item() / max(beside.apart, 1e-12),
    }


def lost(modes: Tensor, real: Tensor) -> float:
    """The share of the data in bins that have less than a tenth of it: (n,), shares (K,) -> 0 to 1."""
    share = torch.bincount(modes, minlength=len(real)) / len(modes)  # (K,)
    return real[share < _RARE * real].sum().item()


@alarms
def mode_collapse(history: History) -> Finding | None:
    """Samples miss a part of the data and lie closer together, and it does not get better.

    After a fifth of the budget, at three looks in a row: over 10% of the data lie in bins that samples
    hardly reach, and pairs of samples are closer than pairs of data.
    Of games only.
    """
    if len(history.players) < 2:  # likelihood pays for every mode
        return None
    three = history.last(_IN_A_ROW, "lost", "pairs", since=_WARM)
    if three is None:
        return None
    missed, pairs = three
    _, every = history.series(LOOK, "lost")
    evidence = {
        "share of the data not reached": missed[-1].item(),
        "the smallest it was": every.min().item(),
        "distance of pairs, times that of data": pairs[-1].item(),
        "looks": float(len(every)),
    }
    name = "mode collapse"
    falling = missed[-1] < 0.7 * missed[0]  # it recovers
    if (missed > _LOST).all() and (pairs < _NARROW).all() and not falling:
        return Finding(
            name,
            Severity.FAILURE,
            "mode collapse: samples miss a part of the data and lie closer together than data do",
            evidence,
            "train with the default --loss relativistic --penalties r1 r2 and learning rates, or else a larger --batch",
        )
    return calm(name, evidence)
