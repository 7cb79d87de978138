"""Do the chains of a model forget where they began?"""

from plausible.core.capabilities import Chain
from plausible.core.mcmc import AGREE, measured, projections
from plausible.diagnosis.finding import Case, Finding, Severity, check
from plausible.sampling.chains import walk

_CHAINS, _STEPS = 64, 1000
_APART = 1.5  # R-hat from which chains live in places of their own


@check(needs=Chain)
def chain_mixing(case: Case) -> Finding:
    """Chains that began at noise agree after 500 steps, or they do not.

    Samples of chains that do not mix are not samples of the model's distribution, and learning by them
    raises what they have not visited.
    """
    model = case.model
    assert isinstance(model, Chain)
    way, kept = walk(model, _CHAINS, _STEPS, case.generator())
    found = measured(way.flatten(2) @ projections(case.data.space.dims), kept)
    evidence: dict[str, float | str] = {
        "chains": _CHAINS,
        "steps": _STEPS,
        "split R-hat": found.r_hat,
        "autocorrelation time, steps": found.tau,
        "independent draws in the second half": found.size,
    }
    if found.agreed:
        return Finding("chain mixing", Severity.FINE, "chains forget where they began", evidence)
    if found.r_hat < _APART:
        return Finding(
            "chain mixing",
            Severity.NOTE,
            f"chains mix slowly: R-hat is {found.r_hat:.2f} after {_STEPS:,} steps, where {AGREE} would do",
            evidence,
            remedy(case.model.name),
        )
    return Finding(
        "chain mixing",
        Severity.WARNING,
        "chains do not mix: each stays near the mode it found first",
        evidence,
        remedy(case.model.name),
    )


def remedy(name: str) -> str:
    """What makes the chains of a family mix."""
    if name == "gsn":
        return "train with more --corruption or --noise"
    return "train with --temperatures 10 or --fast-weights, or --gibbs 5"
