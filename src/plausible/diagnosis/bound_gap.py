"""Is the bound of log p(x) tight?"""

import math

import torch

from plausible.core.capabilities import Variational
from plausible.core.finding import Finding, Severity, check
from plausible.core.model import Explicit, Model
from plausible.data.part import Data
from plausible.evaluation.metrics.inference import iwae_bounds

_FEW = 32  # examples whose bound is taken by thousands of draws
_DRAWS = (1, 50, 5000)
_LOOSE = 1.0  # nats between 50 and 5,000 draws from which numbers by few draws mislead


@check(needs=Variational)
def bound_gap(model: Model, data: Data, seed: int) -> Finding:
    """How far the bound rises with more draws: ELBO, 50 and 5,000 draws of z.

    What is left between 50 and 5,000 is what numbers by about a hundred draws still hide.
    """
    assert isinstance(model, Explicit)
    part = data.heldout.every_kth(_FEW)
    bounds = iwae_bounds(model, part, _DRAWS, torch.Generator().manual_seed(seed))
    elbo, by_50, by_5000 = (bounds[k].nats.double().cpu() for k in _DRAWS)  # (n,) each
    over_elbo, over_50 = (by_5000 - elbo).mean().item(), (by_5000 - by_50).mean().item()
    error = ((by_5000 - by_50).std() / math.sqrt(len(by_5000))).item()
    evidence = {
        **{
            f"log p by {k:,} draw{'s' * (k > 1)} in nats, {said.kind.sign}": said.nats.mean().item()
            for k, said in ((k, bounds[k]) for k in _DRAWS)
        },
        "5,000 draws - ELBO, nats": over_elbo,
        "5,000 draws - 50 draws, nats": over_50,
        "its standard error": error,
        "examples": len(by_5000),
    }
    name = "bound gap"
    if over_50 > max(_LOOSE, 3 * error):
        return Finding(
            name,
            Severity.WARNING,
            "the posterior is far from what it stands for: log p(x) by few draws is too low",
            evidence,
            "ask with more draws (plausible score --draws 5000)",
        )
    return Finding(
        name,
        Severity.FINE,
        f"more draws raise the bound by {over_elbo:.2f} nats over the ELBO, {over_50:.2f} of them "
        f"beyond 50",
        evidence,
    )
