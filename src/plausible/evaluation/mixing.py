"""How well the chain behind a model mixes."""

import math

import torch
from torch import Generator, Tensor

from plausible.core.mixing import measured, projections
from plausible.core.model import Generative
from plausible.core.verbs import Chain
from plausible.evaluation.measure import Measure, metric
from plausible.evaluation.study import Study

_CHAINS, _STEPS = 64, 1000
_LOOKS = 100  # states of a chain that are told apart by mode
_KNOWN = 5000  # training examples that say which mode a state is in
_SEEN = 16  # chains whose modes are counted


def walk(
    model: Chain, chains: int, steps: int, generator: Generator, y: int | None = None
) -> tuple[Tensor, Tensor | None]:
    """The way of chains from where they begin, (steps + 1, chains, *shape), and their labels; on the CPU.

    y  the label of all; by default each chain of a conditional model draws one and keeps it.
    """
    assert isinstance(model, Generative)
    device = model.offset.device
    seed = int(torch.randint(2**62, (), generator=generator))
    there = Generator(device).manual_seed(seed)
    labels = model.labels(chains, y, generator)
    labels = None if labels is None else labels.to(device)
    x = model.begin(chains, there)
    way = [x.cpu()]
    for _ in range(steps):
        x = model.transition(x, labels, there)
        way.append(x.cpu())
    return torch.stack(way), None if labels is None else labels.cpu()


@metric(needs=Chain)
def mixing(study: Study) -> list[Measure]:
    """Of 64 chains of 1,000 steps that began at noise: R-hat, autocorrelation time, and modes visited.

    R-hat and the autocorrelation time are the worst of 16 directions, over the second half of the steps.
    A state is in the mode of the training example whose features are nearest; it is looked at every 10 steps.
    """
    model = study.model
    assert isinstance(model, Chain)
    way, kept = walk(model, _CHAINS, _STEPS, study.generator())  # (T, M, *shape), (M,)
    look = projections(study.space.dims)
    found = measured(way.flatten(2) @ look, kept)
    states = way[:: _STEPS // _LOOKS, :_SEEN].flatten(0, 1)  # (T' M', *shape)
    features = torch.cat([study.extract(some) for some in states.split(_CHAINS)])
    known = study.train.features[:_KNOWN]
    nearest = torch.cdist(features, known).argmin(1)
    modes = study.train.modes[:_KNOWN][nearest].unflatten(0, (-1, _SEEN))  # (T', M')
    visited = torch.tensor([len(column.unique()) for column in modes.T]).double()
    total = len(study.train.modes.unique())
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
