"""Published recipes of GANs: each one entry, with its source and what was measured there.

Every choice of this library's default that the recipe does not have is undone: no penalty, augmentation or
average of weights that the paper lacks, a constant learning rate where the paper has one.  A half-life of
one example is no average: samples come from G as it is.  What is left is said in the note.
"""

from dataclasses import replace

from plausible.core.preset import Preset
from plausible.core.registry import Registry
from plausible.models.gan.config import GANConfig

presets: Registry[Preset] = Registry("preset")
"""{name: Preset}, the oldest first."""

_RAW = 1.0  # half-life of an average of weights that is none

_DCGAN = GANConfig(
    loss="nonsaturating",
    penalties=(),
    architecture="dcgan",
    batch=128,
    latent=100,
    lr=2e-4,
    lr_end=2e-4,
    beta1=0.5,
    beta2=0.999,
    augment=(),
    symmetries=(),
    ema=_RAW,
)

presets(
    Preset(
        "goodfellow2014",
        replace(_DCGAN, architecture="mlp", width=1200, batch=100),
        "Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661",
        "MNIST: 225 ± 2 nats by a Parzen window (a legacy measure)",
        "leaky rectifiers for maxout and dropout in D, no sigmoid after G, Adam as in DCGAN for momentum",
    )
)
presets(
    Preset(
        "dcgan",
        _DCGAN,
        "Radford et al. 2016, https://arxiv.org/abs/1511.06434",
        "Stacked MNIST: 99 of 1,000 modes, reverse KL 3.40 (Srivastava et al. 2017)",
        "z ~ N(0, I), not uniform",
    )
)
presets(
    Preset(
        "lsgan",
        replace(_DCGAN, loss="least-squares"),
        "Mao et al. 2017, https://arxiv.org/abs/1611.04076",
        note="networks, learning rate and batch of DCGAN",
    )
)
presets(
    Preset(
        "wgan",
        replace(
            _DCGAN,
            loss="wasserstein",
            clip=0.01,
            updates=5,
            batch=64,
            lr=5e-5,
            lr_end=5e-5,
            beta1=0.0,
            beta2=0.99,
        ),
        "Arjovsky et al. 2017, https://arxiv.org/abs/1701.07875",
        note="Adam without a first moment for RMSProp, which it is but for the first steps; no round of "
        "100 updates of D",
    )
)
presets(
    Preset(
        "wgan-gp",
        GANConfig(
            loss="wasserstein",
            penalties=("wgan-gp",),
            penalty_weight=10.0,
            penalty_weight_end=10.0,
            penalty_every=1,
            updates=5,
            architecture="resnet",
            width=128,
            batch=64,
            latent=128,
            lr=1e-4,
            lr_end=1e-4,
            beta1=0.0,
            beta2=0.9,
            augment=(),
            symmetries=(),
            ema=_RAW,
        ),
        "Gulrajani et al. 2017, https://arxiv.org/abs/1704.00028",
        "Stacked MNIST: 959 of 1,000 modes, reverse KL 0.73 (as listed by Huang et al. 2024)",
        "numbers of its algorithm 1 with networks like those for CIFAR-10, whose rate fell from 2e-4",
    )
)
presets(
    Preset(
        "sngan",
        GANConfig(
            loss="hinge",
            penalties=(),
            spectral_norm=True,
            updates=5,
            architecture="resnet",
            width=128,
            batch=64,
            latent=128,
            lr=2e-4,
            lr_end=2e-6,
            decay=(0.0, 1.0),
            beta1=0.0,
            beta2=0.9,
            augment=(),
            symmetries=(),
            ema=_RAW,
        ),
        "Miyato et al. 2018, https://arxiv.org/abs/1802.05957",
        "CIFAR-10: inception score 8.22, FID 21.7",
        "128 channels in G as in D, not 256, and a batch of 64 for both, not 128 for G; the rate falls "
        "by a cosine to 1%, not in a line to 0",
    )
)
presets(
    Preset(
        "pacgan",
        replace(_DCGAN, pack=2),
        "Lin et al. 2018, https://arxiv.org/abs/1712.04086",
        "Stacked MNIST: 992 of 1,000 modes, reverse KL 0.28 (as listed by Huang et al. 2024)",
        "D judges 64 pairs an update; one update of G for one of D, not two",
    )
)
presets(
    Preset(
        "r3gan",
        GANConfig(
            loss="relativistic",
            penalties=("r1", "r2"),
            penalty_weight=1.0,
            penalty_weight_end=0.1,
            penalty_every=1,
            architecture="r3gan",
            batch=512,
            latent=64,
            lr=2e-4,
            lr_end=2e-4,
            burn_in=0.2,
            beta1=0.0,
            beta2=0.9,
            beta2_end=0.99,
            augment=(),
            symmetries=(),
            ema=500_000,
        ),
        "Huang et al. 2024, https://arxiv.org/abs/2501.05441",
        "Stacked MNIST: 1,000 of 1,000 modes, reverse KL 0.029",
        "the recipe for Stacked MNIST; 128 channels at the smallest sizes, not 768 (`--width 768` on a GPU)",
    )
)
