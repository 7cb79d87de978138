"""Does the decoder listen to z?"""

import math
from collections.abc import Mapping

import torch

from plausible.core.capabilities import Variational
from plausible.diagnosis.alarm import alarms
from plausible.diagnosis.finding import Finding
from plausible.diagnosis.history import History
from plausible.diagnosis.inference import collapse
from plausible.diagnosis.probe import Snapshot, look
from plausible.evaluation.metrics.inference import gain, inferred

_POINTS = 128
_IN_A_ROW = 3
_RISING = 1.5  # times the KL of two looks before
_WARM = 0.2  # of the budget: before, every decoder ignores z


@look(needs=Variational)
def inference(snapshot: Snapshot) -> Mapping[str, float]:
    """Of 128 held-out examples: the KL of q(z | x), how many coordinates it uses, and what z is worth."""
    model, beside = snapshot.model, snapshot.reference
    assert isinstance(model, Variational)
    part = beside.other.rows(slice(0, _POINTS))
    with torch.no_grad():
        posterior = inferred(model, part, torch.Generator().manual_seed(beside.seed))
        apart = gain(model, part, posterior)  # (n,)
    return {
        "KL": posterior.kl.sum(1).mean().item(),
        "coordinates used": float(posterior.active.sum()),
        "coordinates": float(posterior.z.shape[1]),
        "worth of z": apart.mean().item(),
        "its error": apart.std().item() / math.sqrt(len(apart)),
    }


@alarms
def posterior_collapse(history: History) -> Finding | None:
    """The best of the last three looks, after a fifth of the budget, is that of a collapsed posterior.

    And its KL does not rise any more: a decoder that begins to listen is none that has stopped.
    """
    kinds = "KL", "coordinates used", "coordinates", "worth of z", "its error"
    three = history.last(_IN_A_ROW, *kinds, since=_WARM)
    if three is None:
        return None
    kl, used, dims, worth, error = three
    evidence: dict[str, float | str] = {
        "KL, nats": kl[-1].item(),
        "coordinates used": used[-1].item(),
        "coordinates": dims[-1].item(),
        "log p(x | own z) - log p(x | z of another), nats": worth[-1].item(),
    }
    heard = bool((worth > 3 * error).any() or kl[-1] > _RISING * kl[0])
    return collapse(kl.max().item(), int(used.max()), int(dims[-1]), heard, evidence)
