"""How well the chain behind a model mixes."""

import math

import torch

from plausible.core.capabilities import Chain
from plausible.core.mcmc import measured, projections
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric
from plausible.sampling.chains import walk

_CHAINS, _STEPS = 64, 1000
_LOOKS = 100  # states of a chain that are told apart by mode
_KNOWN = 5000  # training examples that say which mode a state is in
_SEEN = 16  # chains whose modes are counted


@metric(needs=Chain)
def mixing(evalset: EvaluationSet) -> list[Measure]:
    """Of 64 chains of 1,000 steps that began at noise: R-hat, autocorrelation time, and modes visited.

    R-hat and the autocorrelation time are the worst of 16 directions, over the second half of the steps.
    A state is in the mode of the training example whose features are nearest; it is looked at every 10 steps.
    """
    model = evalset.model
    assert isinstance(model, Chain)
    way, kept = walk(model, _CHAINS, _STEPS, evalset.generator())  # (T, M, *shape), (M,)
    look = projections(evalset.space.dims)
    found = measured(way.flatten(2) @ look, kept)
    states = way[:: _STEPS // _LOOKS, :_SEEN].flatten(0, 1)  # (T' M', *shape)
    features = torch.cat([evalset.extract(some) for some in states.split(_CHAINS)])
    known = evalset.train.features[:_KNOWN]
    nearest = torch.cdist(features, known).argmin(1)
    modes = evalset.train.modes[:_KNOWN][nearest].unflatten(0, (-1, _SEEN))  # (T', M')
    visited = torch.tensor([len(column.unique()) for column in modes.T]).double()
    total = len(evalset.train.modes.unique())
    labels = "" if kept is None else " (each chain keeps its label)"
    return [
        Measure(
            "split R-hat", found.r_hat, n=_CHAINS, direction="lower",
            note="chains agree" if found.agreed else "chains still remember where they began",
        ),
        Measure(
            "autocorrelation time", found.tau, n=_CHAINS, unit="steps", direction="lower",
            note=f"{found.size:,.0f} independent draws in {_CHAINS * _STEPS // 2:,} steps",
        ),
        Measure(
            "modes per 1,000 steps", visited.mean().item(), (visited.std() / math.sqrt(_SEEN)).item(),
            n=_SEEN, direction="higher", note=f"of {total}{labels}",
        ),
    ]  # fmt: skip
