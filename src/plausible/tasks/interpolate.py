"""Walks through the space of z: between draws of it, or between the z of two inputs."""

import torch
from torch import Tensor

from plausible.core.allocation import need_memory
from plausible.core.capabilities import Encoder, LabelFinder, Latent
from plausible.core.choices import Device
from plausible.core.errors import UsageError
from plausible.core.model import Explicit, Generative
from plausible.recognition.bayes import BayesClassifier
from plausible.sampling.latent import decode_on_levels, latent_walks, slerp_path
from plausible.tasks.inputs import InputLike, as_inputs
from plausible.tasks.trained import Trained, TrainedLike, described, open_trained


def interpolate(
    source: TrainedLike,
    rows: int = 8,
    columns: int = 12,
    label: str | int | None = None,
    *,
    seed: int = 0,
    device: Device = "auto",
) -> Tensor:
    """x along great circles between draws of z, ``rows`` walks of ``columns`` points: (rows, columns, *shape).

    label  of all walks; by default each walk of a conditional model has a drawn one.
    Raises UsageError for a model without z.
    """
    if rows < 1 or columns < 2:
        raise UsageError("--rows must be at least 1 and --columns at least 2")
    trained = open_trained(source, device=device)
    model = _latent(trained)
    _need_memory(model, rows * columns)
    generator = torch.Generator().manual_seed(seed)
    x = latent_walks(model, rows, columns, trained.label(label), generator)
    return x.unflatten(0, (rows, columns))


def interpolate_between(
    source: TrainedLike,
    ends: InputLike,
    columns: int = 12,
    label: str | int | None = None,
    *,
    device: Device = "auto",
) -> Tensor:
    """x along the great circle between the z of two inputs: (columns, *shape).

    ends   two files, or x (2, *shape).
    label  a conditional model that is given none takes the most probable one of each end, and changes from
           the first to the second half-way.
    Raises UsageError for a model that cannot encode, or another number of inputs than two.
    """
    trained = open_trained(source, device=device)
    model = _latent(trained)
    _need_memory(model, columns)
    x = as_inputs(ends, trained).part.as_batch().x
    if not isinstance(model, Encoder):
        raise UsageError(
            f"--between needs a model that can encode (gan, vae, flow, diffusion), and this is {described(trained.model)}"
        )
    if len(x) != 2:
        raise UsageError(f"--between needs two inputs, and these files hold {len(x):,}")
    labels = likely_labels(model, x, trained.label(label))
    z = model.encode(x, labels, torch.Generator().manual_seed(0), mean=True).cpu()  # (2, d)
    way = slerp_path(z[:1], z[1:], columns)[0]  # (columns, d)
    half = (torch.arange(columns) >= columns / 2).long()
    return decode_on_levels(model, way, None if labels is None else labels[half])


def likely_labels(model: object, x: Tensor, y: int | None) -> Tensor | None:
    """(N,) labels of x (N, ...): y for all, or of each the most probable one, or that by which x is best drawn.

    None for a model without labels.
    """
    assert isinstance(model, Generative)
    if y is not None or not model.conditional:
        return model.labels(len(x), y)
    generator = torch.Generator().manual_seed(0)
    if isinstance(model, LabelFinder):
        return model.closest_labels(x, generator)
    assert isinstance(model, Explicit)
    return BayesClassifier(model).log_posterior(x, generator).argmax(1).cpu()


def _need_memory(model: Latent, points: int) -> None:
    """UsageError: a walk of so many points takes more memory than there is."""
    assert isinstance(model, Generative)
    size = model.latent(1, torch.Generator()).shape[1]
    needed = 4 * points * (2 * size + 3 * model.space.dims)
    need_memory(needed, f"walks of {points:,} points take", "lower --rows or --columns")


def _latent(trained: Trained) -> Latent:
    if not isinstance(trained.model, Latent):
        raise UsageError(f"{trained.described}, which has no latent z to walk in")
    return trained.model
