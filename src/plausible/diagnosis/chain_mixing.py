"""Do the chains of a model forget where they began, and do they move at all while it learns?"""

from collections.abc import Mapping

import torch

from plausible.core.capabilities import Chain
from plausible.core.finding import Finding, Severity, alarm, check, probe
from plausible.core.mcmc import R_HAT_LIMIT, autocorrelation, measure_mixing, random_projections
from plausible.core.reading import Reading
from plausible.core.snapshot import Snapshot
from plausible.data.part import Data
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.history import History
from plausible.sampling.chains import chain_states

NAME = "chain mixing"
AUTOCORRELATION = Reading("autocorrelation of the chains")
_CHAINS, _STEPS = 64, 1000  # of a check
_APART = 1.5  # R-hat from which chains live in places of their own
_PROBED = 16  # chains of a probe
_FIRST, _LAG = 4, 12  # steps that lead away from the data, and steps over which chains are compared
_STUCK = 0.65  # of where a chain was, that is left after so many steps


@check(needs=Chain, name=NAME, data=False)
def agreeing_chains(model: Chain, data: Data | None, seed: int) -> Finding:
    """Chains that began at noise agree after 500 steps, or they do not.

    Samples of chains that do not mix are not samples of the model's distribution, and learning by them
    raises what they have not visited.
    """
    way, kept = chain_states(model, _CHAINS, _STEPS, torch.Generator().manual_seed(seed))
    states = way.flatten(2)  # (steps, n, *shape) -> (steps, n, D)
    mixing = measure_mixing(states @ random_projections(states.shape[2]), kept)
    evidence: dict[str, float | str] = {
        "chains": _CHAINS,
        "steps": _STEPS,
        "split R-hat": mixing.r_hat,
        "autocorrelation time, steps": mixing.tau,
        "independent draws in the second half": mixing.ess,
    }
    if mixing.converged:
        return Finding(NAME, Severity.FINE, "chains forget where they began", evidence)
    if mixing.r_hat < _APART:
        return Finding(
            NAME,
            Severity.NOTE,
            f"chains mix slowly: R-hat is {mixing.r_hat:.2f} after {_STEPS:,} steps, where {R_HAT_LIMIT} would do",
            evidence,
        )
    return Finding(
        NAME,
        Severity.WARNING,
        "chains do not mix: each stays near the mode it found first",
        evidence,
    )


@probe(needs=Chain)
def chain_autocorrelation(snapshot: Snapshot) -> Mapping[Reading, float]:
    """Of chains that begin at new examples: their autocorrelation over 12 steps, mean of 16 directions.

    Chains that keep a label all begin at examples of one, the commonest.
    """
    model, batch = snapshot.model, snapshot.validation
    assert isinstance(model, Chain)
    x, labels, y = batch.x, snapshot.labels(batch), None
    if labels is not None:
        label = labels.mode().values
        x, y = x[labels == label], label.expand(_PROBED)
    if len(x) < _PROBED:
        return {}
    x = x[:_PROBED]
    way = [x]
    for _ in range(_FIRST + _LAG):
        x = model.transition(x, y)
        way.append(x)
    states = torch.stack(way[_FIRST:]).flatten(2)  # (T, M, D)
    directions = random_projections(states.shape[2]).to(states.device)
    return {AUTOCORRELATION: autocorrelation(states @ directions)[_LAG].mean().item()}


@alarm(name=NAME)
def stuck_chains(history: History) -> Finding | None:
    """Most of where a chain was is left after 12 steps, three times in a row.

    So few steps tell chains that have stopped from those that move; how well they mix is for the check of a trained
    model to say.
    Learning by chains that do not move raises the energy of where they are, and of nothing else.
    Source: Tieleman 2008, doi:10.1145/1390156.1390290.
    """
    three = history.last(IN_A_ROW, AUTOCORRELATION)
    if three is None:
        return None
    (left,) = three
    evidence = {f"autocorrelation over {_LAG} steps": left[-1].item(), "chains": float(_PROBED)}
    if (left > _STUCK).all():
        return Finding(
            NAME,
            Severity.WARNING,
            "the chains have nearly stopped: they stay where they are",
            evidence,
        )
    return not_raised(NAME, evidence)
