"""A model with an exact log p(x) as torch.distributions has them, to be combined with others from there."""

from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Size, Tensor
from torch.distributions import Distribution, constraints

from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind
from plausible.core.space import Space

if TYPE_CHECKING:
    from plausible.core.model import Explicit, Generative


class OnLevels(constraints.Constraint):
    """Coordinates k / (L - 1), k = 0 .. L - 1, of points of this shape."""

    is_discrete = True

    def __init__(self, space: Space):
        self.space, self.event_dim = space, len(space.shape)
        super().__init__()

    def check(self, value: Tensor) -> Tensor:
        """Whether each point lies on the levels, to the precision of float32: (..., *shape) -> (...)."""
        near = (value - self.space.quantise(value)).abs() < 1e-5
        return near.flatten(-self.event_dim).all(-1)  # (..., *shape) -> (...)


class ModelDistribution(Distribution):
    """p(x), or p(x | y) of each label: event_shape is the shape of x, batch_shape that of y.

    log_prob   in nats, of a mass where the space has levels, else of a density; without a gradient, as the model's.
    sample     by torch's own generator, as all torch.distributions draw.
    support    all of R^shape, or what lies on the levels; values beside it raise ValueError.
    What torch derives from closed forms (mean, entropy, cdf) is not there.
    """

    arg_constraints: ClassVar[dict[str, constraints.Constraint]] = {}
    has_rsample = False

    def __init__(self, model: "Explicit", y: Tensor | None = None, validate_args: bool = True):
        # said here, because torch.compile changes the default of all distributions of a process to False
        self.model, self.y = model, y
        super().__init__(Size() if y is None else y.shape, Size(model.space.shape), validate_args)

    @property
    def support(self) -> constraints.Constraint:
        """Where x lies."""
        space = self.model.space
        real = constraints.independent(constraints.real, len(space.shape))
        return OnLevels(space) if space.levels else real

    @property
    def has_enumerate_support(self) -> bool:  # type: ignore[override]
        """Whether the space is so small that all of it can be listed."""
        space = self.model.space
        return bool(space.levels and space.levels**space.dims <= 2**20)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All points of a small space, (L^D, *batch_shape, *event_shape), or with ones for the batch_shape."""
        every, ones = self.model.space.enumerate(), (1,) * len(self.batch_shape)
        every = every.view(-1, *ones, *self.event_shape)
        return every.expand(-1, *self.batch_shape, *self.event_shape) if expand else every

    def log_prob(self, value: Tensor) -> Tensor:
        """log p of values (*sample_shape, *batch_shape, *event_shape), in nats."""
        if self._validate_args:
            self._validate_sample(value)
        dims = len(self.event_shape)
        lead = torch.broadcast_shapes(value.shape[: value.dim() - dims], self.batch_shape)
        x = value.expand(*lead, *self.event_shape).reshape(-1, *self.event_shape)  # (N, *shape)
        y = None if self.y is None else self.y.expand(lead).reshape(-1)
        return self.model.log_prob(x, y).nats.view(lead)

    def sample(self, sample_shape: Any = Size()) -> Tensor:  # noqa: B008  # as torch has it
        """Draws, (*sample_shape, *batch_shape, *event_shape)."""
        lead = Size(sample_shape) + self.batch_shape
        y = None if self.y is None else self.y.expand(lead).reshape(-1)
        if not lead.numel():
            return torch.empty(*lead, *self.event_shape)
        return self.model.sample(lead.numel(), y).x.view(*lead, *self.event_shape)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Self:
        """The same with a larger batch_shape."""
        made: Self = type(self).__new__(type(self)) if _instance is None else _instance
        made.model, shape = self.model, Size(batch_shape)
        made.y = None if self.y is None else self.y.expand(shape)
        super(ModelDistribution, made).__init__(shape, self.event_shape, validate_args=False)
        made._validate_args = self._validate_args
        return made


def distribution(model: "Generative", y: Tensor | int | None = None) -> ModelDistribution:
    """``ModelDistribution`` of p(x), or of p(x | y) for a label or labels of any shape.

    UsageError where log p(x) is not exact, with what says it instead; labels that the model does not know.
    """
    kind = model.kinds.get("log_prob")
    if kind is None:
        raise UsageError(
            f"a {model.name} says no log p(x), so it is no torch.distributions.Distribution: sample() draws from it, and a "
            "flow, a mixture or an autoregressive model learns a p(x) that has one"
        )
    if kind is not Kind.EXACT:
        says = {
            Kind.LOWER: "bounds log p(x) from below",
            Kind.UPPER: "bounds log p(x) from above",
        }.get(kind, "estimates log p(x)")
        raise UsageError(
            f"this {model.name} {says}, and a torch.distributions.Distribution has log p(x) itself: log_prob() says it with "
            "its sign and error"
        )
    labels = None if y is None else torch.as_tensor(y)
    if labels is not None:
        model.labels(labels.numel(), labels.reshape(-1))  # refuses those that are unknown
    return ModelDistribution(model, labels)  # type: ignore[arg-type]  # it has a log_prob, so it is explicit
