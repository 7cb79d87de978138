"""Generative stochastic network: a Markov chain that was taught where to go."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from torch import Generator, Tensor, nn

from plausible.core.bounds import COUNT, DEPTH, NON_NEGATIVE, POSITIVE, REPEATS, Bounds
from plausible.core.errors import UsageError
from plausible.core.examples import Examples, mean
from plausible.core.game import Clock, Loss, Player
from plausible.core.mcmc import Mixing, run_until_mixed
from plausible.core.model import Generative, models
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.models.gsn.remedies import REMEDIES
from plausible.models.gsn.tied import Tied, TiedConv, TiedLinear, TiedMap
from plausible.nn.observation import Params, observation

_MOST_CHAINS = 256  # at once, when many samples are asked for ...
_LEAST_CHAINS = 64  # ... and at least, to see whether they agree
_THINNING = 64  # steps at most between two samples of a chain, where it does not mix
Architecture = Literal["mlp", "conv"]


@models
class GSN(Generative):
    """x_t+1 ~ p(x | h(C(x_t))): corrupt, take in, and draw again; p(x) is where the chain stays.

    Learning is to say x from what a few steps of the chain have made of it (walk-back), one term a step;
    nothing is ever said about p(x) itself, which is the stationary distribution of the chain.  Samples
    begin at noise, never at data; how long chains walk before and between samples is decided by what they
    show: until R-hat of chains that began apart is under 1.05 (or 1,024 steps), then an autocorrelation time
    each (or 64 steps).

    Sources: Bengio et al. 2013, https://arxiv.org/abs/1305.6663 (walk-back); Bengio et al. 2014,
    https://arxiv.org/abs/1306.1091.
    """

    name: ClassVar[str] = "gsn"
    place: ClassVar[tuple[str, ...]] = (
        "generative, p(x) or p(x | y)", "implicit", "Markov chain",
    )  # fmt: skip
    sampled_jointly = True
    remedies = REMEDIES

    @dataclass(frozen=True)
    class Config(Generative.Config):
        """A generative stochastic network."""

        batch: Annotated[int, COUNT] = 100
        """The number of training examples in one update."""
        conditional: bool = False
        """Learn p(x | y) from labelled data, so that a class can be asked for."""
        architecture: Architecture = "mlp"
        """The networks: perceptrons, or convolutions for images."""
        width: Annotated[int, COUNT] | None = None
        """The units of each layer, or the channels of the first; by default 1,500, or what suits small data."""
        layers: Annotated[int, DEPTH] = 2
        """The number of layers between x and the highest one."""
        walk_back: Annotated[int, REPEATS] = 4
        """The steps of the chain, from each training example, that learn to come back to it."""
        corruption: Annotated[float, Bounds(above=0, below=1)] = 0.4
        """The share of the coordinates replaced by black or white (vectors: by noise) in every step."""
        noise: Annotated[float, NON_NEGATIVE] = 2.0
        """The standard deviation of the noise before and after the tanh of all layers but the first."""
        logistics: Annotated[int, COUNT] | None = None
        """Say p(x_i | h) as a mixture of so many logistics; by default 3 beyond 32 grey levels."""
        lr: Annotated[float, POSITIVE] = 1e-3
        """The learning rate at the start; it falls to 1% of this."""
        ema: Annotated[float, POSITIVE] = 500_000
        """The half-life of the averaged weights in training examples; at most 5% of those seen."""

    config: Config
    mean: Tensor

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        self.observation = observation(space.levels, config.logistics, default_logistics=3)
        ways = _maps(space, config)
        self.net = Tied(ways, config.noise, space.classes if config.conditional else 0)
        size = self.observation.size
        self.numbers = None if size == 1 else _output_map(space, size, ways[0])
        self.register_buffer("mean", torch.full(space.shape, 0.5))
        self.mixing: Mixing | None = None

    def setup(self, train: Examples) -> None:
        """Units and class prior, and the mean of each pixel, where chains begin."""
        super().setup(train)
        if self.space.levels:
            self.mean.copy_(mean(train))

    def players(self) -> Sequence[Player]:
        """One player that moves every weight."""
        config = self.config
        lr = cosine(config.lr, config.lr / 100)
        return [Player(self.name, self, self.loss, lr=lr, ema=config.ema)]

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(x | h) after 1, 2, ... steps that began at x, in nats."""
        y = batch.y if self.conditional else None
        targets, x, terms = self.targets(batch.x), batch.x, {}
        for step in range(1, self.config.walk_back + 1):
            params = self._params(x, y, None)
            log_p = self.observation.log_prob(params, targets).flatten(1).sum(1)  # (N,)
            terms[f"step {step}"] = -log_p / self.config.walk_back
            with torch.no_grad():
                x = self._draw(params, None)
        return Loss(terms)

    @torch.no_grad()
    def transition(
        self, x: Tensor, y: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """x' ~ p(x' | h(C(x))): x (N, *shape) in data units -> the same; conditional models need y."""
        self.need_labels(y)
        with self.evaluating():
            params = self._params(self._to_device(x), self._to_device(y), generator)
            return self._draw(params, generator)

    @torch.no_grad()
    def denoised(
        self, x: Tensor, y: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """E[x' | h(C(x))], the mean of a transition: (N, *shape) -> the same, off the grid."""
        with self.evaluating():
            params = self._params(self._to_device(x), self._to_device(y), generator)
            x = self.observation.mean(params)
        return x if self.space.levels else self.restore(x)

    def initial_state(self, n: int, generator: Generator | None = None) -> Tensor:
        """Noise: black or white pixels with the means of the data, or N(0, I) in standard units."""
        shape, device = (n, *self.space.shape), self.offset.device
        if not self.space.levels:
            return self.restore(torch.randn(shape, generator=generator, device=device))
        return (torch.rand(shape, generator=generator, device=device) < self.mean).float()

    def _sample_jointly(self, n: int, y: Tensor | None, generator: Generator) -> Tensor:
        """States of chains that have mixed, the samples of one chain an autocorrelation time apart."""
        device = generator.device
        rounds = math.ceil(n / _MOST_CHAINS)  # samples of each chain, all of one label
        of_sample = torch.zeros(n, dtype=torch.long, device=device) if y is None else y
        of_sample, order = of_sample.sort(stable=True)
        index = torch.arange(n, device=device) - torch.searchsorted(of_sample, of_sample)
        turn = index % rounds  # which of its chain's samples each is
        chain, labels = (turn == 0).cumsum(0) - 1, of_sample[turn == 0]
        # a few more where there are few, or nobody could say whether they agree
        labels = labels[torch.arange(max(len(labels), _LEAST_CHAINS), device=device) % len(labels)]
        kept = labels if self.conditional else None

        def step(x: Tensor) -> Tensor:
            return self.transition(x, kept, generator)

        start = self.initial_state(len(labels), generator)
        x, self.mixing = run_until_mixed(step, start, kept)
        samples = x.new_empty(n, *self.space.shape)
        for now in range(rounds):
            for _ in range(min(math.ceil(self.mixing.tau), _THINNING) if now else 0):
                x = step(x)
            here = turn == now
            samples[order[here]] = x[chain[here]]
        return samples

    def _params(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Tensor:
        """What decides x' after x (N, *shape) in data units: (N, *shape, size)."""
        h = self.net.lowest_layer(self.standardise(self._corrupt(x, generator)), y, generator)
        if self.numbers is None:
            return self.net.ways[0].down(h).float()[..., None]
        params: Tensor = self.numbers(h)
        return params.float()

    def _corrupt(self, x: Tensor, generator: Generator | None) -> Tensor:
        """C(x): a share of the coordinates black or white (N(0, 1) in standard units without levels)."""
        share = torch.rand(x.shape, generator=generator, device=x.device)
        if self.space.levels:
            salt = (share < self.config.corruption / 2).to(x.dtype)
        else:
            salt = self.restore(torch.randn(x.shape, generator=generator, device=x.device))
        return torch.where(share < self.config.corruption, salt, x)

    def _draw(self, params: Tensor, generator: Generator | None) -> Tensor:
        """x' in data units: params (N, *shape, size) -> (N, *shape)."""
        shape = params.shape[:-1]
        if not self.space.levels:
            e = torch.randn(shape, generator=generator, device=params.device)
            return self.restore(self.observation.draw(params, e))
        u = torch.rand(shape, generator=generator, device=params.device)
        return self.space.decode(self.observation.draw(params, u))


def _maps(space: Space, config: GSN.Config) -> list[TiedMap]:
    """The maps of the network, from x upwards."""
    if config.architecture == "conv":
        if not space.is_image or min(space.shape[1:]) < 8:
            raise UsageError(
                "--architecture conv is for images with sides of at least 8: choose mlp"
            )
        ways: list[TiedMap] = []
        shape, width = space.shape, config.width or 32
        for layer in range(config.layers):
            ways.append(TiedConv(shape, width * 2**layer))  # type: ignore[arg-type]
            shape = (width * 2**layer, -(-shape[1] // 2), -(-shape[2] // 2))
        return [*ways, TiedLinear(shape, 16 * width)]
    width = config.width or min(1500, 4 * space.dims + 64)
    shapes = [space.shape, *[(width,)] * (config.layers - 1)]
    return [TiedLinear(shape, width) for shape in shapes]


def _output_map(space: Space, size: int, first: TiedMap) -> nn.Module:
    """A last map down of its own, where a coordinate takes more numbers than the one that W^T h gives.

    (N, ...), the layer next to x -> (N, *shape, size).
    """
    first.below.requires_grad_(False)  # in the place of which it stands
    outputs, units = space.dims * size, len(first.above)
    if isinstance(first, TiedLinear):
        return nn.Sequential(nn.Linear(units, outputs), nn.Unflatten(1, (*space.shape, size)))
    assert isinstance(first, TiedConv)
    channels = space.shape[0]
    back = nn.ConvTranspose2d(
        units, channels * size, 5, stride=2, padding=2, output_padding=first.odd
    )
    return nn.Sequential(back, Params(channels))
