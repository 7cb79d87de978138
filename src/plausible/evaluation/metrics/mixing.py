"""How well the chain behind a model mixes."""

import math

import torch

from plausible.core.capabilities import Chain
from plausible.core.mcmc import measure_mixing, random_projections
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric
from plausible.sampling.chains import chain_states

_CHAINS, _STEPS = 64, 1000
_KEPT = 100  # states of a chain whose modes are told apart
_NEIGHBOURS = 5000  # training examples that say which mode a state is in
_COUNTED = 16  # chains whose modes are counted


@metric(needs=Chain)
def mixing(evalset: EvaluationSet) -> list[Measure]:
    """Of 64 chains of 1,000 steps that began at noise: R-hat, autocorrelation time, and modes visited.

    R-hat and the autocorrelation time are the worst of 16 directions, over the second half of the steps.
    A state is in the mode of the training example whose features are nearest; every 10th state counts.
    """
    model = evalset.model
    assert isinstance(model, Chain)
    # (T, M, *shape), (M,)
    states, labels = chain_states(model, _CHAINS, _STEPS, evalset.generator())
    directions = random_projections(evalset.space.dims)
    found = measure_mixing(states.flatten(2) @ directions, labels)
    few = states[:: _STEPS // _KEPT, :_COUNTED].flatten(0, 1)  # (T' M', *shape)
    features = torch.cat([evalset.extract(x) for x in few.split(_CHAINS)])
    known = evalset.train.features[
        :_NEIGHBOURS
    ]  # (N, d), flat and of one type whatever the extractor
    nearest = torch.cdist(features.to(known).reshape(len(few), -1), known).argmin(1)  # (T' M',)
    modes = evalset.train.modes[:_NEIGHBOURS][nearest].unflatten(0, (-1, _COUNTED))  # (T', M')
    visited = torch.tensor([len(column.unique()) for column in modes.T]).double()
    total = len(evalset.train.modes.unique())
    note = f"of {total}" + ("" if labels is None else " (each chain keeps its label)")
    return [
        Measure(
            "split R-hat", found.r_hat, n=_CHAINS, direction="lower",
            note="chains agree" if found.converged else "chains still remember where they began",
        ),
        Measure(
            "autocorrelation time", found.tau, n=_CHAINS, unit="steps", direction="lower",
            note=f"{found.ess:,.0f} independent draws in {_CHAINS * _STEPS // 2:,} steps",
        ),
        Measure(
            "modes per 1,000 steps", visited.mean().item(), (visited.std() / math.sqrt(_COUNTED)).item(),
            n=_COUNTED, direction="higher", note=note,
        ),
    ]  # fmt: skip
