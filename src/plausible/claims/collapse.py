"""Who drops modes."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from plausible.claims.claim import Claimed, Figure, claims, resampled
from plausible.data.load import load
from plausible.data.part import Data
from plausible.data.toys import toys
from plausible.evaluation.embedding import fit_embedding
from plausible.evaluation.features import pca
from plausible.models import GAN
from plausible.training import Settings, train

_RING_STEPS, _DIGITS_STEPS, _LOOKS, _DRAWN = 3000, 1500, 8, 1000
_NEAR, _RARE = (
    0.4,
    0.1,
)  # how near a sample of a mode lies; the share of a mode's due below which it is dropped
_PLAIN = {
    "loss": "minimax", "penalties": (), "augment": (), "architecture": "mlp", "beta1": 0.5, "lr_discriminator": 2e-4,
    "ema": 1.0,
}  # fmt: skip
_KINDS: dict[str, dict[str, Any]] = {"minimax, no penalties": _PLAIN, "the default": {}}


@claims
def mode_collapse(seed: int) -> Claimed:
    """Minimax without penalties drops modes, of the ring and of the digits; the default does not.

    On the ring of 8 Gaussians a mode is found if at least a tenth of the samples that it should have lie within 0.4 of
    its centre; on the 8x8 digits a bin of 20 (k-means in 32 principal components) is found if it has a tenth of its
    share.  Minimax is played as in 2014, by perceptrons without augmentation and averaged weights, D at a tenth of G's
    learning rate: G then answers a D that stands still, and the best answer to that is the one place where it is
    highest, so G hops from mode to mode.  Both by the weights that a run saves, at the end; the figure shows the
    ring on the way.
    Sources: Goodfellow 2016, https://arxiv.org/abs/1701.00160, section 5.1.1; Metz et al. 2017, https://arxiv.org/abs/1611.02163; Mescheder et al. 2018,
    https://arxiv.org/abs/1801.04406; Huang et al. 2024, https://arxiv.org/abs/2501.05441.
    """
    toy, even, measured, curves = toys["ring"](), torch.full((8,), 1 / 8), [], {}
    for name, config in _KINDS.items():
        least, most = (1.0, 7.0) if config else (7.0, 8.0)
        rounds, counts = [], []
        for steps, x in _samples("ring", config, _RING_STEPS, seed):
            near = torch.cdist(x.double(), toy.centres).min(1)
            modes = torch.where(near.values < _NEAR, near.indices, len(toy.centres))  # (n,)
            rounds.append(float(steps))
            counts.append(_found(modes, even))
        curves[name] = (rounds, counts)
        what = f"modes of 8 found, {name}"
        measured.append(resampled(what, partial(_found, share=even), modes, least=least, most=most))
    data = load("digits")
    real, assign = _bins(data)
    for name, config in _KINDS.items():
        *_, (_, x) = _samples("digits", config, _DIGITS_STEPS, seed)
        least, most = (0.1, 1.0) if config else (0.0, 0.02)
        what = f"share of the digits in bins not found, {name}"
        measured.append(
            resampled(what, partial(_missed, real=real), assign(x), least=least, most=most)
        )
    return Claimed(measured, Figure("round", "modes of the ring found", curves))


def _samples(name: str, config: dict[str, Any], steps: int, seed: int) -> Any:
    """(rounds, samples) eight times on the way of a training."""
    data = load(name)
    torch.manual_seed(seed)
    model = GAN(data.space, GAN.Config(**config))
    training = train(model, data, Settings(steps=steps, seed=seed))
    for step in training:
        done = step.clock.step + 1
        if done % (steps // _LOOKS) == 0:
            generator = torch.Generator().manual_seed(seed)
            yield done, training.averaged.sample(_DRAWN, generator=generator).x


def _found(modes: Tensor, share: Tensor) -> float:
    """How many modes have at least a tenth of their share: (n,), (K,) -> 0 to K."""
    shares = torch.bincount(modes, minlength=len(share) + 1)[: len(share)] / len(modes)
    return float((shares >= _RARE * share).sum())


def _missed(modes: Tensor, real: Tensor) -> float:
    """The share of the data in modes that have less than a tenth of it: (n,), shares (K,) -> 0 to 1."""
    share = torch.bincount(modes, minlength=len(real)) / len(modes)  # (K,)
    return real[share < _RARE * real].sum().item()


def _bins(data: Data) -> tuple[Tensor, Any]:
    """Real shares of the bins (K,), and x -> bin."""
    x = data.train.as_batch().x
    embedding = fit_embedding(data.train, 1000, features=(pca(x, 32), "principal components"))
    modes = embedding.embed(data.train).modes
    share = torch.bincount(modes, minlength=len(embedding.names)) / len(modes)
    return share, lambda made: embedding.assign(made, embedding.extract(made))
