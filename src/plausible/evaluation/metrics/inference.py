"""How well a model infers the z behind an x: what its posterior uses, and how tight its bound is."""

from collections.abc import Sequence

import torch
from torch import Generator

from plausible.core.capabilities import Posterior, Variational
from plausible.core.errors import NotDefined
from plausible.core.examples import batches
from plausible.core.likelihood import LogProb
from plausible.core.model import Explicit
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric

_CHUNK = 250
_POINTS = 2000


def infer_posterior(model: Variational, part: Part, generator: Generator) -> Posterior:
    """q(z | x) of every x of a part, on the CPU: (n, d) each; a conditional model is given the labels."""
    conditional = getattr(model, "conditional", False)
    posteriors = []
    for batch in batches(part, _CHUNK):
        y = batch.y if conditional else None
        posteriors.append(model.posterior(batch.x, y, generator=generator))
    return Posterior(*(torch.cat(parts).cpu() for parts in zip(*posteriors, strict=True)))


def latent_gain(model: Variational, part: Part, posterior: Posterior) -> torch.Tensor:
    """log p(x | z) - log p(x | z'), z of x and z' of another x, in nats: (n,) float64.

    Next to nothing where the decoder does not listen to z.
    """
    conditional, other = getattr(model, "conditional", False), posterior.z.roll(1, 0)
    differences = []
    for rows in torch.arange(len(part)).split(_CHUNK):
        batch = part.batch(rows)
        y = batch.y if conditional else None
        own, foreign = (model.log_likelihood(batch.x, z[rows], y) for z in (posterior.z, other))
        differences.append((own - foreign).cpu().double())
    return torch.cat(differences)


def iwae_bounds(
    model: Explicit, part: Part, draws: Sequence[int], generator: Generator
) -> dict[int, LogProb]:
    """{k: the bound of log p(x) by k draws of z} for every x of a part; a larger k is closer to log p.

    Of a VAE the importance-weighted bound, whose k = 1 is the ELBO.
    Source: Burda et al. 2016, https://arxiv.org/abs/1509.00519 (IWAE).
    """
    batch = part.as_batch()
    y = batch.y if model.conditional else None
    return {k: model.log_prob(batch.x, y, samples=k, generator=generator) for k in draws}


@metric(needs=Variational)
def latent_use(evalset: EvaluationSet) -> list[Measure]:
    """How many coordinates of z are used, and E KL(q(z | x) || p(z)) in nats, of at most 2,000 of H.

    Of a hierarchy each layer's KL is given the z above it that were drawn.
    Raises ``NotDefined`` for a conditional model of data without labels.
    """
    model, part = evalset.model, evalset.heldout.part.rows(slice(0, _POINTS))
    assert isinstance(model, Variational)
    if getattr(model, "conditional", False) and part.y is None:
        raise NotDefined("q(z | x, y) needs labels, and the held-out examples have none")
    posterior = infer_posterior(model, part, evalset.generator())
    kl = posterior.kl.sum(1).double()  # (n, d) -> (n,)
    n, dims = posterior.mean.shape
    used = int(posterior.active.sum())
    note = f"of {dims}" + ("" if used else ": the decoder ignores z")
    return [
        Measure("active units", float(used), n=n, direction="higher", note=note),
        Measure(
            "KL(q || p)", kl.mean().item(), (kl.std() / n**0.5).item(), n=n, unit="nats",
            direction="higher", note="what z tells of x at most",
        ),
    ]  # fmt: skip
