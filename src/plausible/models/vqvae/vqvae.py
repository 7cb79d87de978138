"""VQ-VAE: x as a small grid of codes, p(codes) by a PixelCNN, p(x | codes) by a decoder."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn

from plausible.core.errors import UsageError
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Examples, Explicit, models
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.models.pixelcnn.pixelcnn import PixelCNN
from plausible.models.vqvae.codebook import Codebook
from plausible.nn.networks import DepthToSpace, SpaceToDepth
from plausible.nn.observation import Params, observation
from plausible.nn.residual import FEW_IMAGES, Convolutional, drop, normalised


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
    kinds: ClassVar[dict[str, str]] = {"log_prob": "≥"}

    @dataclass(frozen=True)
    class Config(Explicit.Config):
        """A vector quantised autoencoder with a PixelCNN over its codes."""

        batch: int = 128
        """Training examples in one update."""
        conditional: bool = False
        """Learn p(x | y) from labelled data: the codes depend on y."""
        codes: int = 64
        """Vectors to choose from at each place, a power of 2."""
        patch: int | None = None
        """Pixels a side that a code stands for; by default 4, 2 up to 16 pixels, 1 under 8."""
        features: int = 16
        """Coordinates of these vectors."""
        width: int = 64
        """Channels of encoder and decoder."""
        blocks: int = 3
        """Residual blocks of each."""
        commitment: float = 0.25
        """Weight of |e - c|^2, which keeps what the encoder says near the vectors."""
        prior_width: int = 64
        """Channels of the PixelCNN over the codes."""
        prior_blocks: int = 5
        """Its layers behind the first one."""
        dropout: float | None = None
        """Share of each block's units left out while it learns; by default 0.5 for few images."""
        logistics: int | None = None
        """Say p(x_i | k) as a mixture of so many logistics; by default 3 beyond 32 grey levels."""
        lr: float = 2e-3
        """Learning rate at the start; it falls to 1% of this."""
        ema: float = 500_000
        """Half-life, in training examples, of the averaged weights; at most 5% of those seen."""

        def __post_init__(self) -> None:
            super().__post_init__()
            if self.codes < 2 or self.codes & (self.codes - 1):
                raise UsageError(f"--codes must be a power of 2, and at least 2, not {self.codes}")
            for name in (
                "patch",
                "features",
                "width",
                "blocks",
                "prior_width",
                "prior_blocks",
                "logistics",
            ):
                value = getattr(self, name)
                if value is not None and value < 1:
                    raise UsageError(f"--{name.replace('_', '-')} must be at least 1, not {value}")
            if not (self.lr > 0 and self.ema > 0 and self.commitment >= 0):
                raise UsageError("--lr and --ema must be more than 0, and --commitment at least 0")
            if self.dropout is not None and not 0 <= self.dropout < 1:
                raise UsageError(f"--dropout must be at least 0 and below 1, not {self.dropout}")

    config: Config

    def __init__(self, space: Space, config: Config | None = None):
        config = config or self.Config()
        super().__init__(space, config)
        if not space.is_image or not space.levels:
            raise UsageError(
                "a vq-vae puts codes in the place of patches of images, and these data are vectors"
            )
        self.observation = observation(space.levels, config.logistics, usual=3)
        channels, height, width = space.shape
        largest = max(height, width)
        patch = config.patch or (4 if largest > 16 else 2 if largest >= 8 else 1)
        self.grid = -(-height // patch), -(-width // patch)
        wide, features = config.width, config.features
        size = channels * self.observation.size
        self.encoder = nn.Sequential(
            SpaceToDepth(patch),
            nn.Conv2d(channels * patch**2, wide, 3, padding=1),
            *(Convolutional(wide) for _ in range(config.blocks)),
            normalised(wide),
            nn.SiLU(),
            nn.Conv2d(wide, features, 1),
        )  # (N, C, H, W) -> (N, F, h, w)
        self.decoder = nn.Sequential(
            nn.Conv2d(features, wide, 3, padding=1),
            *(Convolutional(wide) for _ in range(config.blocks)),
            normalised(wide),
            nn.SiLU(),
            nn.Conv2d(wide, size * patch**2, 3, padding=1),
            DepthToSpace(height, width, patch),
            Params(channels),
        )  # (N, F, h, w) -> (N, C, H, W, size)
        self.codebook = Codebook(config.codes, features)
        self.bits = config.codes.bit_length() - 1
        written = Space((self.bits, *self.grid), 2, space.classes if config.conditional else 0)
        self.prior = PixelCNN(
            written,
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
        drop(self, share if share is not None else 0.5 if few else 0.0)

    def players(self) -> Sequence[Player]:
        """The autoencoder, and the PixelCNN, which learns the codes as they are now."""
        config = self.config
        lr = cosine(config.lr, config.lr / 100)
        autoencoder = nn.ModuleList([self.encoder, self.decoder])
        return [
            Player(
                "autoencoder", autoencoder, self.compress, lr=lr, ema=config.ema,
                adapt=self.adapt, shared=self.codebook, whole_batch=True,
            ),
            Player("prior", self.prior, self.foretell, lr=lr, ema=config.ema),
        ]  # fmt: skip

    def compress(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(x | k(x)) and |e - c|^2."""
        e = self._encoded(batch.x)  # (M, F), M = N h w
        codes = self.codebook.distances(e.detach()).argmin(1)  # (M,)
        chosen = self.codebook.vectors[codes]
        passed = e + (chosen - e).detach()  # the value of c, the gradient of e
        likelihood = self._likelihood(batch.x, self._map(passed))
        apart = (e - chosen).square().sum(1).unflatten(0, (len(batch), -1)).sum(1)  # (M,) -> (N,)
        if self.training:
            self.codebook.learn(e.detach(), codes)
        terms = {"reconstruction": -likelihood, "commitment": self.config.commitment * apart}
        return Loss(terms, {"codes used": self.codebook.perplexity})

    def foretell(self, batch: Batch, clock: Clock) -> Loss:
        """-log p(k(x) | y)."""
        bits = self._written(self.codes(batch.x))
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
            codes = self.codebook.distances(self._encoded(self._to_device(x)[0])).argmin(1)
        return codes.view(-1, *self.grid)

    @torch.no_grad()
    def reconstruct(self, x: Tensor, y: Tensor | int | None = None) -> Tensor:
        """E[x' | k(x)]: (N, *shape) in data units -> the same, off the grid.  y changes nothing."""
        with self.evaluating():
            return self.observation.mean(self._given(self._vectors(self.codes(x))))

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        """log p(k(x) | y) + log p(x | k(x)); there is nothing to draw, so ``samples`` changes nothing."""
        codes = self.codes(x)
        log_p = self.prior._log_prob(self._written(codes), y, None, None).nats  # (N,) float64
        return LogProb(log_p + self._likelihood(x, self._vectors(codes)), Kind.LOWER)

    def _noise(self, n: int, generator: Generator | None) -> Tensor:
        """What decides the bits of the codes, then each coordinate given them: (n, B + D) uniform."""
        return torch.rand(n, self.prior.space.dims + self.space.dims, generator=generator)

    def _sample(self, noise: Tensor, y: Tensor | None) -> Tensor:
        first, rest = noise.split([self.prior.space.dims, self.space.dims], 1)
        bits = self.prior._sample(first.unflatten(1, self.prior.space.shape), y)
        given = self._given(self._vectors(self._read(bits)))
        return self.space.decode(self.observation.draw(given, rest.unflatten(1, self.space.shape)))

    def _encoded(self, x: Tensor) -> Tensor:
        """e at every place, (N, *shape) in data units -> (N h w, F) float32."""
        return self.encoder(self.standardise(x)).float().movedim(1, 3).flatten(0, 2)

    def _map(self, vectors: Tensor) -> Tensor:
        """(N h w, F) -> (N, F, h, w)."""
        return vectors.unflatten(0, (-1, *self.grid)).movedim(3, 1)

    def _vectors(self, codes: Tensor) -> Tensor:
        """(N, h, w) -> (N, F, h, w)."""
        return self._map(self.codebook.vectors[codes.flatten()])

    def _given(self, vectors: Tensor) -> Tensor:
        """What decides each p(x_i | k): (N, F, h, w) -> (N, C, H, W, size)."""
        return self.decoder(vectors).float()

    def _likelihood(self, x: Tensor, vectors: Tensor) -> Tensor:
        """log p(x | k): (N, *shape), (N, F, h, w) -> (N,)."""
        return (
            self.observation.log_prob(self._given(vectors), self.space.codes(x)).flatten(1).sum(1)
        )

    def _written(self, codes: Tensor) -> Tensor:
        """Codes as bits, one channel each: (N, h, w) -> (N, B, h, w) of 0.0 and 1.0."""
        place = torch.arange(self.bits, device=codes.device).view(-1, 1, 1)
        return (codes[:, None] >> place & 1).float()

    def _read(self, bits: Tensor) -> Tensor:
        """Bits as codes: (N, B, h, w) -> (N, h, w)."""
        place = torch.arange(self.bits, device=bits.device).view(-1, 1, 1)
        return (bits.long() << place).sum(1)
