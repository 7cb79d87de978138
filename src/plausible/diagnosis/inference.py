"""Does the decoder listen to z, and is the bound of log p(x) tight?"""

import math
from collections.abc import Mapping

from plausible.core.capabilities import Variational
from plausible.core.model import Explicit
from plausible.diagnosis.finding import Case, Finding, Severity, check
from plausible.evaluation.metrics.inference import bounds, gain, inferred

_POINTS = 1000
_HARDLY = 2  # coordinates of z that are hardly any, where there are many
_ALLOWED = 3.0  # nats of free bits that a remedy allows, all coordinates together
_LISTED = 8  # coordinates of z whose KL is told
_FEW = 32  # examples whose bound is taken by thousands of draws
_DRAWS = (1, 50, 5000)
_NOTHING = 0.1  # nats of KL that carry nothing
_LOOSE = 1.0  # nats between 50 and 5,000 draws from which numbers by few draws mislead


@check(needs=Variational)
def posterior_collapse(case: Case) -> Finding:
    """z says nothing of x: the KL is nothing and x is as probable given the z of another x.

    Both together, because a small KL alone may be right for simple data, and an unused z alone may come
    from a poor decoder.
    Source: Bowman et al. 2016, https://arxiv.org/abs/1511.06349.
    """
    model, part = case.model, case.data.heldout.every_kth(_POINTS)
    assert isinstance(model, Variational)
    posterior = inferred(model, part, case.generator())
    n, dims = posterior.z.shape
    each = posterior.kl.mean(0).sort(descending=True).values  # (d,)
    kl = each.sum().item()
    used = int(posterior.active.sum())
    apart = gain(model, part, posterior)  # (n,)
    error = apart.std().item() / math.sqrt(n)
    evidence: dict[str, float | str] = {
        "KL, nats": kl,
        "KL of the largest coordinates": " ".join(
            f"{nats:.2f}" for nats in each[:_LISTED].tolist()
        ),
        "coordinates used": used,
        "coordinates": dims,
        "log p(x | own z) - log p(x | z of another), nats": apart.mean().item(),
        "its standard error": error,
    }
    return collapse(kl, used, dims, bool(apart.mean() >= 3 * error), evidence)


def collapse(
    kl: float, used: int, dims: int, heard: bool, evidence: Mapping[str, float | str]
) -> Finding:
    """What to say of a posterior of so many nats that uses so many of its coordinates.

    heard  whether x is more probable given its own z than given that of another.
    """
    name = "posterior collapse"
    remedy = f"--beta 1 or less; if it stays so with --warm-up 0.3 or, without --importance, --free-bits {_ALLOWED / dims:.2g}"
    if kl < _NOTHING and not heard:
        return Finding(
            name,
            Severity.FAILURE,
            "the posterior has collapsed: z says nothing of x, and the decoder ignores it",
            evidence,
            f"train again with {remedy}, or a smaller --lr",
        )
    if used <= _HARDLY < dims // _HARDLY:
        return Finding(
            name,
            Severity.WARNING,
            f"hardly any of z is used, {used} of {dims} coordinates",
            evidence,
            f"train again with {remedy}",
        )
    if used < dims:
        return Finding(
            name,
            Severity.NOTE,
            f"{used} of {dims} coordinates of z are used; the others cost nothing and say nothing",
            evidence,
        )
    return Finding(name, Severity.FINE, "every coordinate of z is used", evidence)


@check(needs=Variational)
def bound_gap(case: Case) -> Finding:
    """How far the bound rises with more draws: ELBO, 50 and 5,000 draws of z.

    What is left between 50 and 5,000 is what numbers by about a hundred draws still hide.
    """
    model = case.model
    assert isinstance(model, Explicit)
    part = case.data.heldout.every_kth(_FEW)
    found = bounds(model, part, _DRAWS, case.generator())
    one, some, many = (found[k].nats.double().cpu() for k in _DRAWS)  # (n,) each
    over_elbo, over_some = (many - one).mean().item(), (many - some).mean().item()
    error = ((many - some).std() / math.sqrt(len(many))).item()
    evidence = {
        **{
            f"bound by {k:,} {'draw' if k == 1 else 'draws'}, nats": found[k].nats.mean().item()
            for k in _DRAWS
        },
        "5,000 draws - ELBO, nats": over_elbo,
        "5,000 draws - 50 draws, nats": over_some,
        "its standard error": error,
        "examples": len(many),
    }
    name = "bound gap"
    if over_some > max(_LOOSE, 3 * error):
        return Finding(
            name,
            Severity.WARNING,
            "the posterior is far from what it stands for: log p(x) by few draws is too low",
            evidence,
            "ask with more draws (plausible score --draws 5000); or train with --importance 5, or a larger "
            "--width",
        )
    return Finding(
        name,
        Severity.FINE,
        f"more draws raise the bound by {over_elbo:.2f} nats over the ELBO, {over_some:.2f} of them "
        f"beyond 50",
        evidence,
    )
