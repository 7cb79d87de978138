"""VQ-VAE: x as a small grid of codes, p(codes) by a PixelCNN, p(x | codes) by a decoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.bounds import BELOW_ONE, COUNT, DEPTH, NON_NEGATIVE, POSITIVE
from plausible.core.errors import UsageError
from plausible.core.examples import Examples
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Explicit, Model, models
from plausible.core.remedy import Remedy, change, smaller
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.core.synthesis import Synthesis
from plausible.models.pixelcnn.pixelcnn import PixelCNN
from plausible.models.vqvae.codebook import Codebook
from plausible.nn.networks import DepthToSpace, SpaceToDepth
from plausible.nn.observation import Params, observation
from plausible.nn.residual import FEW_IMAGES, ResidualConv, group_norm, set_dropout

_ROWS = 512  # pairs of a grid of codes and a class at once


def _dropout(vq_vae: Model) -> float | str:
    share: float | None = getattr(vq_vae.config, "dropout", None)
    return "at most 0.5, by default" if share is None else share


def _more_dropout(vq_vae: Model, now: float | str) -> float | None:
    if isinstance(now, str):  # half, where images are few
        return 0.7
    return next((share for share in (0.5, 0.7) if now < share), None)


@models
class VQVAE(Explicit):
    """p(x) = sum_k p(k) p(x | k) over grids k of codes, log p(x) >= log p(k(x)) + log p(x | k(x)).

    The encoder puts a vector e at each place of the grid, k(x) is the nearest of K learned vectors, and
    the decoder says p(x | k), every coordinate independent given k.  The gradient passes from the chosen
    vector to e as if nothing had been rounded.  The second player is a PixelCNN over the codes of the
    data, written as bits, so that p(k) is exact and is drawn fast.

    The bound is one term of the sum over k: exact in itself, without draws, and never above log p(x).
    Source: van den Oord et al. 2017, https://arxiv.org/abs/1711.00937.
    """

    name: ClassVar[str] = "vq-vae"
    place: ClassVar[tuple[str, ...]] = (
        "generative, p(x) or p(x | y)", "explicit", "approximate", "variational",
    )  # fmt: skip
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_prob": Kind.LOWER}
    remedies: ClassVar[Mapping[str, Sequence[Remedy]]] = {
        "overfitting": (change("dropout", _more_dropout, _dropout), smaller("prior_width"))
    }

    @dataclass(frozen=True)
    class Config(Explicit.Config):
        """A vector quantised autoencoder with a PixelCNN over its codes."""

        batch: Annotated[int, COUNT] = 128
        """The number of training examples in one update."""
        conditional: bool = False
        """Learn p(x | y) from labelled data: the codes depend on y."""
        codes: int = 64
        """The number of vectors to choose from at each place, a power of 2."""
        patch: Annotated[int, COUNT] | None = None
        """The pixels a side that a code stands for; by default 4, 2 up to 16 pixels, 1 under 8."""
        features: Annotated[int, COUNT] = 16
        """The number of coordinates of the vectors of the codebook."""
        width: Annotated[int, COUNT] = 64
        """The channels of encoder and decoder."""
        blocks: Annotated[int, DEPTH] = 3
        """The number of residual blocks of encoder and decoder each."""
        commitment: Annotated[float, NON_NEGATIVE] = 0.25
        """The weight of |e - c|^2, which keeps what the encoder says near the vectors."""
        prior_width: Annotated[int, COUNT] = 64
        """The channels of the PixelCNN over the codes."""
        prior_blocks: Annotated[int, DEPTH] = 5
        """The layers of the PixelCNN over the codes behind its first one."""
        dropout: Annotated[float, BELOW_ONE] | None = None
        """The share of each block's units left out while it learns; by default 0.5 for few images."""
        logistics: Annotated[int, COUNT] | None = None
        """Say p(x_i | k) as a mixture of so many logistics; by default 3 beyond 32 grey levels."""
        lr: Annotated[float, POSITIVE] = 2e-3
        """The learning rate at the start; it falls to 1% of this."""
        ema: Annotated[float, POSITIVE] = 500_000
        """The half-life of the averaged weights in training examples; at most 5% of those seen."""

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.codes < 2 or self.codes & (self.codes - 1):
                raise UsageError(f"--codes must be a power of 2, and at least 2, not {self.codes}")

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        if not space.is_image or not space.levels:
            raise UsageError(
                "a vq-vae puts codes in the place of patches of images, and these data are vectors"
            )
        self.observation = observation(space.levels, config.logistics, default_logistics=3)
        channels, height, width = space.shape
        largest = max(height, width)
        patch = config.patch or (4 if largest > 16 else 2 if largest >= 8 else 1)
        self.grid = -(-height // patch), -(-width // patch)
        wide, features = config.width, config.features
        size = channels * self.observation.size
        self.encoder = nn.Sequential(
            SpaceToDepth(patch),
            nn.Conv2d(channels * patch**2, wide, 3, padding=1),
            *(ResidualConv(wide) for _ in range(config.blocks)),
            group_norm(wide),
            nn.SiLU(),
            nn.Conv2d(wide, features, 1),
        )  # (N, C, H, W) -> (N, F, h, w)
        self.decoder = nn.Sequential(
            nn.Conv2d(features, wide, 3, padding=1),
            *(ResidualConv(wide) for _ in range(config.blocks)),
            group_norm(wide),
            nn.SiLU(),
            nn.Conv2d(wide, size * patch**2, 3, padding=1),
            DepthToSpace(height, width, patch),
            Params(channels),
        )  # (N, F, h, w) -> (N, C, H, W, size)
        self.codebook = Codebook(config.codes, features)
        self.bits = config.codes.bit_length() - 1
        code_space = Space((self.bits, *self.grid), 2, space.classes if config.conditional else 0)
        self.prior = PixelCNN(
            code_space,
            PixelCNN.Config(
                conditional=config.conditional,
                width=config.prior_width,
                blocks=config.prior_blocks,
                kernel=3,
            ),
        )

    def setup(self, train: Examples) -> None:
        """Units and class prior, and what part of the units drops out: half where images are few."""
        super().setup(train)
        share, few = self.config.dropout, len(train) < FEW_IMAGES
        set_dropout(self, share if share is not None else 0.5 if few else 0.0)

    def players(self) -> Sequence[Player]:
        """The autoencoder, and the PixelCNN, which learns the codes as they are now."""
        config = self.config
        lr = cosine(config.lr, config.lr / 100)
        autoencoder = nn.ModuleList([self.encoder, self.decoder])
        return [
            Player(
                "autoencoder", autoencoder, self.autoencoder_loss, lr=lr, ema=config.ema,
                adapt=self.adapt, shared=self.codebook, whole_batch=True,
            ),
            Player("prior", self.prior, self.prior_loss, lr=lr, ema=config.ema),
        ]  # fmt: skip

    def autoencoder_loss(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(x | k(x)) and |e - c|^2."""
        e = self._encode(batch.x)  # (M, F), M = N h w
        codes = self.codebook.distances(e.detach()).argmin(1)  # (M,)
        chosen = self.codebook.vectors[codes]
        straight = e + (chosen - e).detach()  # the value of c, the gradient of e: straight through
        likelihood = self._likelihood(batch.x, self._as_map(straight))
        squares = (e - chosen).square().sum(1)  # (M,)
        distance = squares.view(len(batch), -1).sum(1)  # (M,) -> (N,)
        if self.training:
            self.codebook.update(e.detach(), codes)
        terms = {"reconstruction": -likelihood, "commitment": self.config.commitment * distance}
        return Loss(terms, {"codes used": self.codebook.perplexity})

    def prior_loss(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(k(x) | y)."""
        bits = self._to_bits(self.codes(batch.x))
        return self.prior.loss(Batch(bits, batch.y if self.conditional else None), clock)

    def adapt(self, batch: Batch, clock: Clock) -> None:
        """In the first half, codes that stand for hardly anything are put where something is."""
        if clock.progress < 0.5:
            self.codebook.revive()

    @torch.no_grad()
    def codes(self, x: Tensor) -> Tensor:
        """k(x), the code at each place of the grid: x (N, *shape) in data units -> (N, h, w) int64."""
        with (
            self.evaluating()
        ):  # also while it learns: the prior is to know the codes that are scored
            codes = self.codebook.distances(self._encode(self._to_device(x))).argmin(1)
        return codes.view(-1, *self.grid)

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | int | None = None) -> Tensor:
        """E[x' | k(x)]: (N, *shape) in data units -> the same, off the grid.  y changes nothing."""
        with self.evaluating():
            return self.observation.mean(self._params(self._embed(self.codes(x))))

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        """log p(k(x) | y) + log p(x | k(x)); there is nothing to draw, so ``samples`` changes nothing."""
        codes = self.codes(x)
        log_p = self.prior._log_prob(self._to_bits(codes), y, None, None).nats  # (N,) float64
        return LogProb(log_p + self._likelihood(x, self._embed(codes)), Kind.LOWER)

    def class_log_probs(
        self, x: Tensor, samples: int | None, generator: Generator | None
    ) -> list[LogProb]:
        """``_log_prob`` of every class: k(x) and log p(x | k(x)) know no label, and the prior is asked for several at once."""
        codes, n = self.codes(x), len(x)
        bits, likelihood = self._to_bits(codes), self._likelihood(x, self._embed(codes))
        said: list[Tensor] = []
        labels = torch.arange(self.space.classes, device=x.device)
        for some in labels.split(max(1, _ROWS // max(1, n))):
            many, y = bits.repeat(len(some), 1, 1, 1), some.repeat_interleave(n)
            said += self.prior._log_prob(many, y, None, None).nats.split(n)
        return [LogProb(log_p + likelihood, Kind.LOWER) for log_p in said]

    def synthesis(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Synthesis:
        """The lower half of its codes drawn under each label, given the upper one, and decoded."""
        bits = self.prior.synthesis(self._to_bits(self.codes(x)), y, generator).x
        back = self.observation.mean(self._params(self._embed(self._from_bits(bits))))
        return Synthesis(
            back, "the lower half of its codes drawn anew, as if it were of that class"
        )

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        """What decides the bits of the codes, then each coordinate given them: (n, B + D) uniform."""
        return torch.rand(n, self.prior.space.dims + self.space.dims, generator=generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        of_codes = noise[:, : self.prior.space.dims].reshape(-1, *self.prior.space.shape)
        of_x = noise[:, self.prior.space.dims :].reshape(-1, *self.space.shape)
        codes = self._from_bits(self.prior._sample(of_codes, y))
        return self.space.decode(self.observation.draw(self._params(self._embed(codes)), of_x))

    def _encode(self, x: Tensor) -> Tensor:
        """e at every place, (N, *shape) in data units -> (N h w, F) float32."""
        e: Tensor = self.encoder(self.standardise(x))  # (N, F, h, w)
        return e.float().movedim(1, 3).flatten(0, 2)

    def _as_map(self, vectors: Tensor) -> Tensor:
        """(N h w, F) -> (N, F, h, w)."""
        return vectors.view(-1, *self.grid, vectors.shape[1]).movedim(3, 1)

    def _embed(self, codes: Tensor) -> Tensor:
        """(N, h, w) -> (N, F, h, w)."""
        return self._as_map(self.codebook.vectors[codes.flatten()])

    def _params(self, vectors: Tensor) -> Tensor:
        """What decides each p(x_i | k): (N, F, h, w) -> (N, C, H, W, size)."""
        params: Tensor = self.decoder(vectors)
        return params.float()

    def _likelihood(self, x: Tensor, vectors: Tensor) -> Tensor:
        """log p(x | k): (N, *shape), (N, F, h, w) -> (N,)."""
        log_p = self.observation.log_prob(self._params(vectors), self.space.codes(x))
        return log_p.flatten(1).sum(1)  # (N, *shape) -> (N,)

    def _to_bits(self, codes: Tensor) -> Tensor:
        """Codes as bits, one channel each: (N, h, w) -> (N, B, h, w) of 0.0 and 1.0."""
        place = torch.arange(self.bits, device=codes.device).view(-1, 1, 1)
        return (codes[:, None] >> place & 1).float()

    def _from_bits(self, bits: Tensor) -> Tensor:
        """Bits as codes: (N, B, h, w) -> (N, h, w)."""
        place = torch.arange(self.bits, device=bits.device).view(-1, 1, 1)
        return (bits.long() << place).sum(1)
