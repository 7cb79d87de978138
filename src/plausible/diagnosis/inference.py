"""Does the decoder listen to z, and is the bound of log p(x) tight?"""

import math

from plausible.core.model import Explicit
from plausible.core.verbs import Variational
from plausible.diagnosis.finding import Case, Finding, Severity, check
from plausible.evaluation.inference import active, bounds, gain, inferred

_POINTS = 1000
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
    model, part = case.model, case.data.heldout.rows(slice(0, _POINTS))
    assert isinstance(model, Variational)
    posterior = inferred(model, part, case.generator())
    n, dims = posterior.z.shape
    kl = posterior.kl.sum(1).mean().item()
    used = int(active(posterior).sum())
    apart = gain(model, part, posterior)  # (n,)
    error = apart.std().item() / math.sqrt(n)
    evidence = {
        "KL, nats": kl,
        "coordinates used": used,
        "coordinates": dims,
        "log p(x | own z) - log p(x | z of another), nats": apart.mean().item(),
        "its standard error": error,
    }
    name = "posterior collapse"
    if kl < _NOTHING and apart.mean() < 3 * error:
        return Finding(
            name,
            Severity.FAILURE,
            "the posterior has collapsed: z says nothing of x, and the decoder ignores it",
            evidence,
            "train again with --warm-up 0.3 --free-bits 0.05, with --beta 1 or less, and if it stays so "
            "with a smaller --lr",
        )
    if used <= dims // 10 and dims >= 10:
        return Finding(
            name,
            Severity.WARNING,
            f"hardly any of z is used, {used} of {dims} coordinates",
            evidence,
            "train again with --warm-up 0.3 or --free-bits 0.05; with --beta above 1, lower it",
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
    part = case.data.heldout.rows(slice(0, _FEW))
    found = bounds(model, part, _DRAWS, case.generator())
    one, some, many = (found[k].nats.double().cpu() for k in _DRAWS)  # (n,) each
    posterior, exact = (many - one).mean().item(), (many - some).mean().item()
    error = ((many - some).std() / math.sqrt(len(many))).item()
    evidence = {
        **{f"bound by {k:,} draws, nats": found[k].nats.mean().item() for k in _DRAWS},
        "5,000 draws - ELBO, nats": posterior,
        "5,000 draws - 50 draws, nats": exact,
        "its standard error": error,
        "examples": len(many),
    }
    name = "bound gap"
    if exact > max(_LOOSE, 3 * error):
        return Finding(
            name,
            Severity.WARNING,
            "the posterior is far from what it stands for: log p(x) by few draws is too low",
            evidence,
            "ask with more draws, log_prob(x, samples=5000); or train with --importance 5, or a wider "
            "encoder (--width)",
        )
    return Finding(
        name,
        Severity.FINE,
        f"more draws raise the bound by {posterior:.2f} nats over the ELBO, {exact:.2f} of them beyond 50",
        evidence,
    )
