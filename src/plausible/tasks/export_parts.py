"""What of a trained model is one function of its inputs, which other programs can be given: generator, decoder, encoder, classifier, log-prob.

Each part says by its capabilities alone whether a model has it, or why not.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, get_args

import torch
from torch import Generator, Tensor, nn

from plausible.core.capabilities import (
    Classifier,
    Encoder,
    Invertible,
    Latent,
    StepSampler,
    Variational,
)
from plausible.core.choices import ExportPart
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind
from plausible.core.model import Explicit, Generative, Model
from plausible.models.per_class import PerClass

Draw = Callable[[int, Generator], Tensor]
"""n rows of an input, by which an exported part is tried."""


class Argument(NamedTuple):
    """An input: its name, what it is, and n of them."""

    name: str
    says: str
    draw: Draw


@dataclass(frozen=True, eq=False)
class Exportable:
    """A part of a model as a function of tensors.

    part      its name.
    function  (inputs ...) -> (N, ...).
    inputs    in their order, each (N, ...).
    output    what the output is called, and ``says`` what it is.
    draws     whether what comes out was drawn, and not computed of an input.
    gradient  whether it is traced as if gradients were asked for, which is where no loop ends early.
    """

    part: ExportPart
    function: Callable[..., Tensor]
    inputs: tuple[Argument, ...]
    output: str
    says: str
    draws: bool = False
    gradient: bool = False


class Graph(nn.Module):
    """The function as a module that holds the weights of its model."""

    def __init__(self, model: Model, function: Callable[..., Tensor]):
        super().__init__()
        self.model, self.function = model, function

    def forward(self, *inputs: Tensor) -> Tensor:
        """What the part makes of its inputs."""
        return self.function(*inputs)


def exportable(model: Model, part: ExportPart | None, label: int | None = None) -> Exportable:
    """A part of a model, by default the first that it has; UsageError with those that it has.

    label  of which class, instead of asking for one with every input.
    """
    if part is not None and part not in _PARTS:
        raise UsageError(f"unknown part {part!r}: choose from {', '.join(get_args(ExportPart))}")
    if isinstance(model, PerClass) and label is not None:
        model, label = model.models[label], None
    found = {name: make(model, label) for name, make in _PARTS.items()}
    there = [name for name, made in found.items() if isinstance(made, Exportable)]
    chosen = found[part or (there[0] if there else "generator")]
    if isinstance(chosen, Exportable):
        return chosen
    choices = (
        f"this {model.name} has the parts: {', '.join(there)}"
        if there
        else "it has no other part to export"
    )
    wanted = part or "generator"
    raise UsageError(
        f"the {wanted} of this {model.name} cannot be exported, because {chosen}: {choices}"
    )


def _generator(model: Model, label: int | None) -> Exportable | str:
    """z ~ N(0, I), all that is random in a sample, to the sample."""
    if not isinstance(model, Generative):
        return "it draws nothing"
    if model.sampled_jointly or not isinstance(model, Latent):
        return "its samples are not made of z ~ N(0, I) by a fixed number of operations"
    size = model._noise(1, Generator()).shape[1:]

    def sampled(z: Tensor, y: Tensor | None) -> Tensor:
        x = model._sample(
            z, y
        )  # levels are left to whoever rounds: a graph that does jumps at their edges
        return x.clamp(0, 1) if model.space.levels else model.space.quantise(x)

    numbers = math.prod(size)
    z = Argument("z", f"{numbers} numbers a sample, drawn from N(0, 1)", _normal(size))
    return _labelled(
        "generator", model, sampled, z, "x", f"a sample for each z, {_units(model)}", label
    )


def _decoder(model: Model, label: int | None) -> Exportable | str:
    """z to E[x | z], or to x where that is all there is."""
    if not isinstance(model, Latent):
        return "it has no z ~ N(0, I)"
    size = tuple(model.latent(1, Generator()).shape[1:])
    mean = isinstance(model, Variational)
    says = f"{'E[x | z]' if mean else 'x'} for each z, {_units(model)}"

    def decoded(z: Tensor, y: Tensor | None) -> Tensor:
        x = model.decode(z, y)
        return x.clamp(0, 1) if model.space.levels else x

    z = Argument("z", f"{math.prod(size)} numbers a sample, drawn from N(0, 1)", _normal(size))
    return _labelled("decoder", model, decoded, z, "x", says, label)


def _encoder(model: Model, label: int | None) -> Exportable | str:
    """x to its z, of a posterior the mean."""
    if isinstance(model, StepSampler):
        return "it finds z on a way of many steps"
    if not isinstance(model, Encoder) or not isinstance(model, Variational | Invertible):
        return "it has no network that finds z"
    mean = (
        "the mean of q(z | x)" if isinstance(model, Variational) else "the z that x is drawn from"
    )

    def encoded(x: Tensor, y: Tensor | None) -> Tensor:
        return model.encode(x, y, mean=True)

    return _labelled("encoder", model, encoded, _points(model), "z", f"{mean}, for each x", label)


def _classifier(model: Model, label: int | None) -> Exportable | str:
    """x to log p(y | x)."""
    says = "log p(y | x) in nats, one column a class"
    if isinstance(model, Classifier):
        return Exportable(
            "classifier", model.log_posterior, (_points(model),), "log_posterior", says
        )
    if not isinstance(model, Explicit) or not model.conditional:
        return "it says no p(y | x)"
    if inexact := _inexact(model):
        return inexact

    def posterior(x: Tensor) -> Tensor:
        return _log_joint(model, x).log_softmax(1)

    return Exportable("classifier", posterior, (_points(model),), "log_posterior", says)


def _log_prob(model: Model, label: int | None) -> Exportable | str:
    """x to log p(x), or with a label to log p(x | y)."""
    if not isinstance(model, Explicit):
        return "it cannot say how probable x is"
    if inexact := _inexact(model):
        return inexact

    def nats(x: Tensor) -> Tensor:
        if not model.conditional:
            return _of_class(model, x, None)
        return _log_joint(model, x).logsumexp(1) if label is None else _of_class(model, x, label)

    about = "p(x)" if label is None else "p(x | y) of one class"
    measure = (
        "the mass of a point on the grid" if model.space.levels else "a density in the units of x"
    )
    says = f"log {about} in nats, exact, {measure}"
    return Exportable("log-prob", nats, (_points(model),), "log_prob", says)


_PARTS: Mapping[str, Callable[[Model, int | None], Exportable | str]] = {
    "generator": _generator,
    "decoder": _decoder,
    "encoder": _encoder,
    "classifier": _classifier,
    "log-prob": _log_prob,
}


def _inexact(model: Explicit) -> str:
    """Why log p is no function of x alone, if so."""
    kind = model.kinds.get("log_prob")
    if kind is Kind.EXACT:
        return ""
    what = "a bound" if kind in (Kind.LOWER, Kind.UPPER) else "an estimate"
    return f"it says log p(x) as {what}, and not exactly"


def _log_joint(model: Explicit, x: Tensor) -> Tensor:
    """log p(x | y) + log p(y) of each class: x (N, *shape) in data units -> (N, classes)."""
    parts = [_of_class(model, x, k) for k in range(model.space.classes)]
    return torch.stack(parts, 1) + model.log_prior


def _of_class(model: Explicit, x: Tensor, label: int | None) -> Tensor:
    """log p(x | y) of one class, or log p(x) of a model without, as ``Explicit.log_prob`` has it: (N, *shape) -> (N,)."""
    if isinstance(model, PerClass):
        assert label is not None
        return _of_class(model.models[label], x, None)
    y = None if label is None else x.new_full((x.shape[0],), label, dtype=torch.long)
    if model.space.levels:
        return model._log_prob(x, y, None, None).nats
    return model._log_prob(model.standardise(x), y, None, None).nats - model.scale.log().sum()


def _labelled(
    part: ExportPart,
    model: Model,
    function: Callable[[Tensor, Tensor | None], Tensor],
    first: Argument,
    output: str,
    says: str,
    label: int | None,
) -> Exportable:
    """A part that a conditional model makes for labels, which are a second input unless there is one for all."""
    draws = first.name == "z"
    asks = model.conditional and label is None

    def of_one(given: Tensor) -> Tensor:
        if not model.conditional:
            return function(given, None)
        return function(given, given.new_full((given.shape[0],), label or 0, dtype=torch.long))

    chosen: Callable[..., Tensor] = function if asks else of_one
    inputs = (first, _labels(model)) if asks else (first,)
    return Exportable(part, chosen, inputs, output, says, draws, gradient=draws)


def _normal(size: tuple[int, ...] | torch.Size) -> Draw:
    return lambda n, generator: torch.randn(n, *size, generator=generator)


def _points(model: Model) -> Argument:
    space = model.space

    def drawn(n: int, generator: Generator) -> Tensor:
        if space.levels:
            return space.quantise(torch.rand(n, *space.shape, generator=generator))
        return model.restore(torch.randn(n, *space.shape, generator=generator))

    shape = " x ".join(map(str, space.shape))
    what = f"images of {shape}" if space.is_image else f"rows of {shape} numbers"
    return Argument("x", f"{what}, {_units(model)}", drawn)


def _labels(model: Model) -> Argument:
    classes = model.space.classes
    return Argument(
        "y",
        f"the class of each, a number from 0 to {classes - 1}",
        lambda n, generator: torch.randint(classes, (n,), generator=generator),
    )


def _units(model: Model) -> str:
    """What the numbers of x are."""
    space = model.space
    if not space.levels:
        return "in the units of the data"
    top = space.levels - 1
    return f"from 0 to 1, level k of {space.levels} as k / {top}, so that 255 x is what an image of 8 bits holds"
