"""Do samples reach what data reach?  The same z at every probe."""

from collections.abc import Mapping

import torch
from torch import Tensor

from plausible.core.capabilities import Latent
from plausible.core.finding import Finding, Severity, alarm, probe
from plausible.core.reading import Reading
from plausible.data.part import Part
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.history import History
from plausible.diagnosis.probe import ReferencedSnapshot
from plausible.evaluation.metrics.distances import frechet
from plausible.sampling.latent import decode_on_levels

FRECHET_RATIO = Reading("Frechet distance, ratio to real data")
MISSED_SHARE = Reading("share of the data in missed modes")
PAIRWISE_RATIO = Reading("pairwise distance, ratio to real data")
_ENOUGH = 40  # real examples of each part, below which nothing can be compared
_WARM = 0.2  # of the budget: before, every generator is narrow
_RARE = 0.1  # of its real share, below which a mode is missed
_MANY = 0.1  # of the data, in modes that are missed
_NARROW = 0.9  # of the distance between pairs of real examples


@probe(needs=Latent)
def samples(snapshot: ReferencedSnapshot) -> Mapping[Reading, float]:
    """Of the samples of 256 z that stay the same, by the weights that a run saves.

    Frechet distance   to the training part over that of new examples, in at most 32 principal components.
    missed modes       share of the data in bins (20 at most) that hold less than a tenth of the samples they should.
    pairwise distance  mean between samples over that between new examples.

    ``NotDefined`` where samples are too far away to be measured.
    """
    model, reference = snapshot.model, snapshot.reference
    assert isinstance(model, Latent)
    z = reference.z
    assert z is not None
    if min(len(reference.validation_part), len(reference.train_part)) < _ENOUGH:
        return {}
    x = model.space.quantise(decode_on_levels(model, z, reference.y)).cpu()  # (n, *shape)
    if not x.isfinite().all():
        return {}
    space = model.space
    values = space.codes(x).to(torch.uint8) if space.levels else x
    made = reference.embedding.embed(Part(values, None, space))
    distance = frechet(made.features, reference.embedded_train.features)
    return {
        FRECHET_RATIO: distance / max(reference.frechet, 1e-12),
        MISSED_SHARE: missed_share(made.modes, reference.mode_shares),
        PAIRWISE_RATIO: torch.pdist(made.raw).mean().item()
        / max(reference.pairwise_distance, 1e-12),
    }


def missed_share(modes: Tensor, real: Tensor) -> float:
    """The share of the data in modes that have less than a tenth of it: (n,), shares (K,) -> 0 to 1."""
    share = torch.bincount(modes, minlength=len(real)) / len(modes)  # (K,)
    return real[share < _RARE * real].sum().item()


@alarm()
def mode_collapse(history: History) -> Finding | None:
    """Samples miss a part of the data and lie closer together, and it does not get better.

    After a fifth of the budget, three times in a row: over 10% of the data lie in bins that samples
    hardly reach, and pairs of samples are closer than pairs of data.
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
    name = "mode collapse"
    falling = missed[-1] < 0.7 * missed[0]  # it recovers
    if (missed > _MANY).all() and (pairs < _NARROW).all() and not falling:
        return Finding(
            name,
            Severity.FAILURE,
            "mode collapse: samples miss a part of the data and lie closer together than data do",
            evidence,
        )
    return not_raised(name, evidence)
