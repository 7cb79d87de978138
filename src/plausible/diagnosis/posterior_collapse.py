"""Does the decoder listen to z?"""

import math
from collections.abc import Mapping

import torch

from plausible.core.capabilities import Variational
from plausible.core.finding import Finding, Severity, alarm, check, probe
from plausible.core.reading import Reading
from plausible.data.part import Data
from plausible.diagnosis.alarm import IN_A_ROW
from plausible.diagnosis.history import History
from plausible.diagnosis.probe import ReferencedSnapshot
from plausible.evaluation.metrics.inference import infer_posterior, latent_gain

NAME = "posterior collapse"
KL = Reading("KL(q || p)")
ACTIVE_UNITS = Reading("active units")
LATENT_DIMS = Reading("coordinates of z")
LATENT_GAIN = Reading("log-likelihood gain of z")
LATENT_GAIN_ERROR = Reading("log-likelihood gain of z, standard error")
_POINTS, _PROBED = 1000, 128  # examples of a check, and of a probe
_HARDLY = 2  # coordinates of z that are hardly any, where there are many
_LISTED = 8  # coordinates of z whose KL is reported
_NOTHING = 0.1  # nats of KL that carry nothing
_RISING = 1.5  # times the KL of two probes before
_WARM = 0.2  # of the budget: before, every decoder ignores z


@check(needs=Variational, name=NAME)
def unused_posterior(model: Variational, data: Data, seed: int) -> Finding:
    """z says nothing of x: the KL is nothing and x is as probable given the z of another x.

    Both together, because a small KL alone may be right for simple data, and an unused z alone may come
    from a poor decoder.
    Source: Bowman et al. 2016, https://arxiv.org/abs/1511.06349.
    """
    part = data.heldout.every_kth(_POINTS)
    posterior = infer_posterior(model, part, torch.Generator().manual_seed(seed))
    n, dims = posterior.z.shape
    each = posterior.kl.mean(0).sort(descending=True).values  # (d,)
    kl = each.sum().item()
    used = int(posterior.active.sum())
    nats = latent_gain(model, part, posterior)  # (n,)
    error = nats.std().item() / math.sqrt(n)
    evidence: dict[str, float | str] = {
        "KL, nats": kl,
        "KL of the largest coordinates": " ".join(f"{k:.2f}" for k in each[:_LISTED].tolist()),
        "coordinates used": used,
        "coordinates": dims,
        "log p(x | own z) - log p(x | z of another), nats": nats.mean().item(),
        "its standard error": error,
    }
    return _judged(kl, used, dims, bool(nats.mean() >= 3 * error), evidence)


@probe(needs=Variational)
def latent_use(snapshot: ReferencedSnapshot) -> Mapping[Reading, float]:
    """Of 128 new examples: the KL of q(z | x), how many coordinates it uses, and what z is worth."""
    model, reference = snapshot.model, snapshot.reference
    assert isinstance(model, Variational)
    part = reference.validation_part.rows(slice(0, _PROBED))
    with torch.no_grad():
        posterior = infer_posterior(model, part, torch.Generator().manual_seed(reference.seed))
        nats = latent_gain(model, part, posterior)  # (n,)
    return {
        KL: posterior.kl.sum(1).mean().item(),
        ACTIVE_UNITS: float(posterior.active.sum()),
        LATENT_DIMS: float(posterior.z.shape[1]),
        LATENT_GAIN: nats.mean().item(),
        LATENT_GAIN_ERROR: nats.std().item() / math.sqrt(len(nats)),
    }


@alarm(name=NAME)
def collapsing_posterior(history: History) -> Finding | None:
    """The best of the last three probes, after a fifth of the budget, is that of a collapsed posterior.

    And its KL does not rise any more: a decoder that begins to listen is none that has stopped.
    """
    three = history.last(
        IN_A_ROW, KL, ACTIVE_UNITS, LATENT_DIMS, LATENT_GAIN, LATENT_GAIN_ERROR, since=_WARM
    )
    if three is None:
        return None
    kl, used, dims, nats, error = three
    evidence: dict[str, float | str] = {
        "KL, nats": kl[-1].item(),
        "coordinates used": used[-1].item(),
        "coordinates": dims[-1].item(),
        "log p(x | own z) - log p(x | z of another), nats": nats[-1].item(),
    }
    heard = bool((nats > 3 * error).any() or kl[-1] > _RISING * kl[0])
    return _judged(kl.max().item(), int(used.max()), int(dims[-1]), heard, evidence)


def _judged(
    kl: float, used: int, dims: int, heard: bool, evidence: Mapping[str, float | str]
) -> Finding:
    """What to say of a posterior of so many nats that uses so many of its coordinates.

    heard  whether x is more probable given its own z than given that of another.
    """
    if kl < _NOTHING and not heard:
        return Finding(
            NAME,
            Severity.FAILURE,
            "the posterior has collapsed: z says nothing of x, and the decoder ignores it",
            evidence,
        )
    if used <= _HARDLY < dims // _HARDLY:
        return Finding(
            NAME,
            Severity.WARNING,
            f"hardly any of z is used, {used} of {dims} coordinates",
            evidence,
        )
    if used < dims:
        return Finding(
            NAME,
            Severity.NOTE,
            f"{used} of {dims} coordinates of z are used; the others cost nothing and say nothing",
            evidence,
        )
    return Finding(NAME, Severity.FINE, "every coordinate of z is used", evidence)
