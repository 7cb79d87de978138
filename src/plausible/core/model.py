"""A model lives in a space and learns by playing a game; once trained it is known by its capabilities.

A new one is a room or a file of ``models``, under ``@models``, and a line in its ``__init__.py``.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, overload

import torch
from torch import Generator, Tensor, nn

from plausible.core.allocation import MANY, need_memory_of_samples
from plausible.core.bounds import COUNT, check_bounds
from plausible.core.capabilities import Latent
from plausible.core.classes_at_once import each_class
from plausible.core.device import device_generator
from plausible.core.distribution import ModelDistribution, distribution
from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model_class import ModelClass
from plausible.core.preset import Preset
from plausible.core.ranks import all_shares, own_share
from plausible.core.registry import Registry
from plausible.core.remedy import Remedy
from plausible.core.space import Batch, Space
from plausible.core.spread import mean_and_spread


class Model(nn.Module, metaclass=ModelClass):
    """A family member on one space: a Config, the players of its game, and its capabilities.

    name          what the command line calls it.
    place         where it stands in the taxonomy, from the root to its branch.
    family_kinds  {capability: how what it says about probability relates to the truth}, of the family in
                  general; ``kinds`` is that of a model on its space.
    presets       {name: a published recipe} of the family.
    remedies      {phenomenon: what helps this family}, see ``diagnosis``.
    probe_every   rounds between two probes while it trains: more where samples take long to draw.
    learns_in_bf16  the family learns as well in bf16, and does so by itself where the processor is faster.
    loss_per_coordinate  whether ``loss`` is a mean over the coordinates of x, and not nats of all of them.
    iterates      whether it learns by rounds; a family with a ``fit`` of its own takes all examples at once.
    own_networks  {name: network} of those that were given to its constructor: a run keeps their weights, not their code.
    whole_spread  of a model of one class: the standard deviation of each coordinate in the data of all, for ``setup``.
    """

    name: ClassVar[str]
    place: ClassVar[tuple[str, ...]]
    family_kinds: ClassVar[Mapping[str, Kind]] = {}
    presets: ClassVar[Mapping[str, Preset]] = {}
    remedies: ClassVar[Mapping[str, Sequence[Remedy]]] = {}
    probe_every: ClassVar[int] = 100
    learns_in_bf16: ClassVar[bool] = False
    loss_per_coordinate: ClassVar[bool] = False
    iterates: ClassVar[bool] = True
    own_networks: Mapping[str, nn.Module] = MappingProxyType({})
    whole_spread: Tensor | None = None
    offset: Tensor
    scale: Tensor
    log_prior: Tensor

    @dataclass(frozen=True)
    class Config:
        """Choices of a model; every subclass adds its own, and impossible values raise ``UsageError``."""

        batch: Annotated[int, COUNT] = 64
        """The number of training examples in one update."""

        def __post_init__(self) -> None:
            check_bounds(self)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.iterates = cls.fit is Model.fit

    def __init__(self, space: Space, config: "Config | None" = None):
        if not isinstance(space, Space):
            raise UsageError(
                f"a model lives in a space: give data (plausible.load) or their space, not a {type(space).__name__}"
            )
        super().__init__()
        self.space, self.config = space, config or self.Config()
        # Standard units: [-1, 1] for a grid; of vectors mean 0 and variance 1, once ``setup`` has seen the training part.
        shape = () if space.levels else space.shape
        self.register_buffer("offset", torch.full(shape, 0.5 if space.levels else 0.0))
        self.register_buffer("scale", torch.full(shape, 0.5 if space.levels else 1.0))
        if self.conditional:
            space.need_classes("a conditional model")
        classes = space.classes if self.conditional else 0
        self.register_buffer("log_prior", torch.full((classes,), -1.0).log_softmax(0))

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """{capability: the kind of what it says about probability} of this model: what is small may be exact."""
        return self.family_kinds

    @property
    def notes(self) -> tuple[str, ...]:
        """What it decided about itself when it saw the training part, one sentence each."""
        return ()

    @property
    def conditional(self) -> bool:
        """Whether the model is p(x | y): the field ``conditional`` of its config."""
        return bool(getattr(self.config, "conditional", False))

    @property
    def batch(self) -> int:
        """The number of training examples in one update: what its config says, or by default."""
        return self.config.batch or self.default_batch

    @property
    def decided(self) -> Config:
        """Its config with what it decided by its space, as a run keeps it, so that other defaults do not change the run."""
        return self.config

    @classmethod
    def as_chosen(cls, kept: Mapping[str, Any], space: Space) -> Mapping[str, Any]:
        """The choices that a run keeps, ``decided``, as they are made today: None where they are today's default."""
        return kept

    @classmethod
    def decided_by(cls, config: Any, space: Space, train: Examples) -> tuple[Any, tuple[str, ...]]:
        """A config whose open choices the training part has decided, and a sentence on each; by default there are none."""
        return config, ()

    @classmethod
    def widths(cls, space: Space) -> dict[int, int]:
        """{width of its networks: examples seen before it is better than the next smaller one}, where minutes choose it."""
        return {}

    @property
    def default_batch(self) -> int:
        """The number of training examples in one update when nobody says how many."""
        return type(self.config)().batch

    @property
    def default_steps(self) -> int:
        """Rounds to train when nobody says how long: more for images beyond 16 pixels a side."""
        return 20_000 if self.space.is_image and max(self.space.shape[1:]) > 16 else 1_500

    def setup(self, train: Examples) -> None:
        """Take class prior and units from the training part: vectors are standardised by coordinate, a constant one by ``whole_spread`` or 1."""
        if not self.space.levels:
            offset, scale = mean_and_spread(train.as_batch().x, self.whole_spread)
            self.offset.copy_(offset)
            self.scale.copy_(scale)
        if self.conditional and train.y is not None:
            counts = torch.bincount(train.y, minlength=self.space.classes)  # (classes,)
            self.log_prior.copy_((counts / counts.sum()).log())

    def setup_common(self, train: Examples) -> None:
        """Before ``setup`` on one class of the data, what the models of all classes have in common, from all of them."""
        if not self.space.levels:
            _, self.whole_spread = mean_and_spread(train.as_batch().x)

    def standardise(self, x: Tensor) -> Tensor:
        """Data units to standard units, (N, *shape) -> (N, *shape)."""
        return (x - self.offset) / self.scale

    def restore(self, x: Tensor) -> Tensor:
        """Standard units to data units: the inverse of ``standardise``."""
        return x * self.scale + self.offset

    def targets(self, x: Tensor) -> Tensor:
        """x (N, *shape) as a likelihood takes it: its codes where the space has levels, else in standard units."""
        return self.space.codes(x) if self.space.levels else self.standardise(x)

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """What the one player of a game for one minimises."""
        raise NotImplementedError(f"{type(self).__name__} must list its players or define a loss")

    def players(self) -> Sequence[Player]:
        """Who plays, in the order of their turns; by default one player that moves every weight."""
        return [Player("model", self, self.loss)]

    def fit(self, train: Examples) -> Iterator[Mapping[str, Tensor]] | None:
        """Learn by a method of its own instead of a game: closed form, EM, a quasi-Newton method.

        An iterator that sets the weights further at each step and says what it saw, {name: ()}; it ends when there is
        nothing more to learn, and depends on nothing but ``train``.  None: this model has players.
        """
        return None

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Evaluation mode for a while: no unit drops out."""
        was_training = self.training
        self.eval()
        try:
            yield
        finally:
            self.train(was_training)

    @overload
    def _to_device(self, tensor: Tensor) -> Tensor: ...
    @overload
    def _to_device(self, tensor: Tensor | None) -> Tensor | None: ...
    def _to_device(self, tensor: Tensor | None) -> Tensor | None:
        """The tensor where the model is."""
        return None if tensor is None else tensor.to(self.offset.device)


def truncated(z: Tensor, t: float) -> Tensor:
    """z ~ N(0, 1) to N(0, 1) given |z| <= t, coordinate by coordinate, of any shape.

    By the inverse of the distribution function, so that the same draw of z, more typical, comes out.
    """
    if not t > 0:
        raise UsageError(f"the bound of a truncated z must be more than 0, not {t}")
    share = torch.erf(torch.tensor(t / 2**0.5, dtype=torch.float64))  # P(|z| <= t)
    inside = torch.erf(z.double() / 2**0.5) * share
    return (torch.erfinv(inside) * 2**0.5).to(z.dtype).clamp(-t, t)


class Generative(Model):
    """A model that can be sampled; an implicit one stops here.

    A family writes ``_noise``, everything random that n samples need, and ``_sample``, the
    deterministic map from noise to x.  All noise is drawn before any x is made, so the draws do not
    depend on how memory splits the batch, nor on the device.

    sampled_jointly  the family makes all samples at once, by ``_sample_jointly`` alone, because its noise
                     is too large to be drawn before.
    """

    sampled_jointly: bool = False

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        """(n, ...) on the CPU: all that is random in n samples."""
        raise NotImplementedError(f"{type(self).__name__} must say what is random in a sample")

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        """x in data units, (N, *shape), a function of noise (N, ...) and labels (N,)."""
        raise NotImplementedError(f"{type(self).__name__} must say how a sample is made")

    def _sample_jointly(self, n: int, y: Tensor | None, generator: Generator) -> Tensor:
        """n draws of x in data units, (n, *shape), for labels y (n,), by a generator where the model is."""
        raise NotImplementedError(f"{type(self).__name__} makes samples one by one")

    @torch.no_grad()
    def sample(
        self,
        n: int,
        y: Tensor | int | None = None,
        *,
        truncation: float | None = None,
        generator: Generator | None = None,
    ) -> Batch:
        """n draws x ~ p(x) or p(x | y), on the levels of the space.

        y           a label for all, (n,) labels, or None; None on a conditional model draws y from
                    the prior.
        truncation  t: z ~ N(0, I) given that every |z_i| <= t, so that samples are more typical and
                    vary less (Brock et al. 2019, https://arxiv.org/abs/1809.11096); they then no
                    longer follow p(x).  Where x is drawn given z, that noise is held as close.
        Returns a ``Batch`` with x (n, *shape) and, when conditional, y (n,).
        Raises ``UsageError`` for n < 1, a label out of range, labels on an unconditional model, or a
        truncation without z.
        """
        if n < 1:
            raise UsageError(f"the number of samples must be at least 1, not {n}")
        if truncation is not None and not isinstance(self, Latent):
            raise UsageError(f"a {self.name} has no z ~ N(0, I) to truncate")
        if n > MANY:
            random = 0 if self.sampled_jointly else self._noise(1, Generator()).numel()
            need_memory_of_samples(n, random, self.space.dims, self.name)
        labels = self._to_device(self.labels(n, y, generator))
        with self.evaluating():
            if self.sampled_jointly:
                on_device = device_generator(self.offset.device, generator)
                x = self._sample_jointly(n, labels, on_device)
            else:
                noise = self._noise(n, generator)
                x = self._of_noise(
                    noise if truncation is None else truncated(noise, truncation), labels
                )
        x = self.space.quantise(x)  # (n, *shape)
        if x.shape != (n, *self.space.shape):
            raise RuntimeError(f"{self.name} made samples of shape {tuple(x.shape)}")
        return Batch(x, labels)

    def distribution(self, y: Tensor | int | None = None) -> ModelDistribution:
        """p(x), or p(x | y) for labels of any shape, as a ``torch.distributions.Distribution``, where log p is exact."""
        return distribution(self, y)

    def _of_noise(self, noise: Tensor, y: Tensor | None) -> Tensor:
        """``_sample`` of so many at once as memory allows: noise (n, ...), y (n,) -> (n, *shape)."""
        size = min(max(2**22 // self.space.dims, 16), 1024)
        mine = own_share(len(noise))  # of several processes each makes a part
        starts = range(mine.start, mine.stop, size)
        chunks = [slice(start, min(start + size, mine.stop)) for start in starts]
        labels = [None if y is None else y[rows] for rows in chunks]
        none = self.offset.new_zeros(0, *self.space.shape)
        pairs = zip(chunks, labels, strict=True)
        parts = [self._sample(self._to_device(noise[rows]), few) for rows, few in pairs]
        return all_shares(torch.cat(parts or [none]), len(noise))

    def labels(
        self, n: int, y: Tensor | int | None = None, generator: Generator | None = None
    ) -> Tensor | None:
        """(n,) labels: those given, checked, or drawn from the prior; None when unconditional."""
        if not self.conditional:
            if y is not None:
                raise UsageError("this model is not conditional, so it takes no label")
            return None
        if y is None:
            prior = self.log_prior.cpu().exp()
            return torch.multinomial(prior, n, replacement=True, generator=generator)
        labels = torch.as_tensor(y).cpu().expand(n).long()
        none_such = labels[(labels < 0) | (labels >= self.space.classes)]
        if len(none_such):
            worst = int(none_such.min())
            raise UsageError(f"label {worst} is out of range: choose 0 to {self.space.classes - 1}")
        return labels

    def need_labels(self, y: Tensor | int | None) -> None:
        """Refuse to go on without the labels of x where the model is conditional."""
        if self.conditional and y is None:
            raise UsageError(f"this {self.name} is conditional: give the labels of x")

    def labels_of(self, x: Tensor, y: Tensor | int | None) -> Tensor | None:
        """The labels (N,) of x (N, *shape), where the model is; a conditional model needs them, another has none."""
        self.need_labels(y)
        return self._to_device(self.labels(len(x), y))


class Explicit(Generative):
    """A model that can say how probable an x is.

    A family writes ``_log_prob`` in standard units of a continuous space, or as the mass of a grid point; the change of
    units and the mixture over labels are done here, once.

    log_prob_has_gradient  whether ``_log_prob`` by one draw is log p or estimates its bound, with all of its gradient.
    """

    log_prob_has_gradient: bool = False

    @property
    def exact_log_prob(self) -> bool:
        """Whether log p(x) is the number itself; an estimate draws for one chunk of points after the other."""
        return self.kinds.get("log_prob") is Kind.EXACT

    @abstractmethod
    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        """log p(x | y) of x (N, *shape) in data units on a grid, in standard units otherwise."""

    @torch.no_grad()
    def log_prob(
        self,
        x: Tensor,
        y: Tensor | int | None = None,
        *,
        samples: int | None = None,
        generator: Generator | None = None,
    ) -> LogProb:
        """log p(x | y) in nats, (N,); y=None on a conditional model is log sum_y p(y) p(x | y).

        x        (N, *shape) in data units.
        samples  draws per x where the family estimates; None is its default.
        Raises ``UsageError`` for x of another shape, or fewer than 1 samples.
        """
        n = len(x)
        if samples is not None and samples < 1:
            raise UsageError(f"an estimate of log p needs at least 1 draw, not {samples}")
        if x.shape[1:] != self.space.shape:
            raise UsageError(
                f"x of {self.space} has shape (N, *{self.space.shape}), not {tuple(x.shape)}"
            )
        x = self._to_device(x)
        x = x if self.space.levels else self.standardise(x)
        with self.evaluating():
            if self.conditional and y is None:
                said = each_class(self, x, samples, generator)
                parts = [part + self.log_prior[k] for k, part in enumerate(said)]
                answer = LogProb.logsumexp(parts)
            else:
                answer = self._log_prob(x, self._to_device(self.labels(n, y)), samples, generator)
        return answer if self.space.levels else answer - self.scale.log().sum()


def capabilities(model: type[Model]) -> dict[str, str]:
    """{capability: the sign of what it says} of a model class, in the order of the taxonomy table."""
    names = (
        "sample", "log_prob", "encode", "decode", "reconstruct", "transition", "log_posterior",
    )  # fmt: skip
    signs = {name: kind.sign for name, kind in model.family_kinds.items()}
    return {name: signs.get(name, "") for name in names if callable(getattr(model, name, None))}


models: Registry[type[Model]] = Registry("model")
"""Every model the command line can train, by name."""
