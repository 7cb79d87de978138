"""Draw from a trained model: samples, and the walks of the chains behind them."""

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from plausible.core.allocation import need_memory, need_memory_of_samples
from plausible.core.capabilities import Chain, Latent, StepSampler
from plausible.core.choices import Device, Which
from plausible.core.errors import UsageError
from plausible.core.model import Generative, Model, truncated
from plausible.core.space import Batch
from plausible.sampling.chains import chain_states
from plausible.sampling.latent import decode_on_levels
from plausible.tasks.trained import Trained, TrainedLike, described, open_trained


def sample(
    source: TrainedLike,
    n: int = 64,
    label: str | int | None = None,
    *,
    truncation: float | None = None,
    mean: bool = False,
    sampling_steps: int | None = None,
    solver: str | None = None,
    guidance: float | None = None,
    weights: Which = "best",
    seed: int = 0,
    device: Device = "auto",
) -> Batch:
    """n draws x ~ p(x), or p(x | y) of one class: a Batch with x (n, *shape) on the CPU, y (n,) if conditional.

    label       a class by name or number; by default each y is drawn from the prior.
    truncation  keeps every coordinate of z within so many standard deviations.
    mean        E[x | z] in the place of x: without the noise that a model of single pixels adds.
    sampling_steps, solver, guidance  of a diffusion model, see its ``Config``; by default those that it was made with.
    The same seed draws the same samples.  Raises UsageError for a model that draws nothing.
    """
    trained = open_trained(source, device=device, weights=weights)
    model = trained.model
    if not isinstance(model, Generative):
        raise UsageError(f"{trained.described}, p(y | x), which has no samples to draw")
    y, generator = trained.label(label), torch.Generator().manual_seed(seed)
    with sampled_by(model, sampling_steps, solver, guidance):
        if mean:
            return _means(model, n, y, truncation, generator)
        return model.sample(n, y, truncation=truncation, generator=generator).to("cpu")


def sample_chain(
    source: TrainedLike,
    n: int = 64,
    steps: int = 100,
    label: str | int | None = None,
    *,
    weights: Which = "best",
    seed: int = 0,
    device: Device = "auto",
) -> Tensor:
    """The states of n Markov chains from where they begin: (steps + 1, n, *shape) on the CPU.

    Raises UsageError for a model without a chain.
    """
    trained = open_trained(source, device=device, weights=weights)
    model = trained.model
    if not isinstance(model, Chain):
        raise UsageError(
            f"--chain is of models with a Markov chain (rbm, gsn), and a {model.name} has none"
        )
    if n < 1 or steps < 1:
        raise UsageError("-n and --steps must be at least 1")
    needed = 2 * 4 * (steps + 1) * n * model.space.dims
    need_memory(needed, f"{n:,} chains of {steps:,} steps take", "lower -n or --steps")
    generator = torch.Generator().manual_seed(seed)
    return chain_states(model, n, steps, generator, trained.label(label))[0]


def sampled_by(
    model: Model, steps: int | None, solver: str | None, guidance: float | None
) -> AbstractContextManager[None]:
    """Samples are drawn so for a while, where anything is asked for; UsageError by a model that has no steps."""
    if steps is None and solver is None and guidance is None:
        return nullcontext()
    if not isinstance(model, StepSampler):
        raise UsageError(
            f"--sampling-steps, --solver and --guidance are of diffusion models, and this is {described(model)}"
        )
    return model.sampling(steps, solver, guidance)


def weights_used(source: TrainedLike, which: Which = "best") -> str:
    """A sentence on which weights of a run are used; empty where there is no choice."""
    run = source.run if isinstance(source, Trained) else open_trained(source).run
    if run is None:
        return ""
    best, last = run.steps("best"), run.steps("last")
    if best is None or last is None or best == last:
        return ""
    if which == "last":
        return f"the last weights, after {last:,} steps; the best are those after {best:,}"
    return f"the best weights, after {best:,} of {last:,} rounds"


@torch.no_grad()
def _means(
    model: Generative,
    n: int,
    y: int | None,
    truncation: float | None,
    generator: torch.Generator,
) -> Batch:
    """E[x | z] of drawn z in the place of draws of x, on the levels of the space."""
    if not isinstance(model, Latent):
        raise UsageError(f"--mean is of models with a z ~ N(0, I), and a {model.name} has none")
    size = model.latent(1, torch.Generator()).shape[1]
    need_memory_of_samples(n, size, model.space.dims, model.name)
    labels = model.labels(n, y, generator)
    z = model.latent(n, generator)
    z = z if truncation is None else truncated(z, truncation)
    return Batch(decode_on_levels(model, z, labels), labels)
