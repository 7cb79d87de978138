"""Two GANs as tutorials write them: non-saturating BCE, Adam 2e-4 with beta1 0.5, batch 64, batch norm."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

LATENT = 100
RECIPE = (
    "dcgan, mlp: BCE, Adam 2e-4 with beta1 0.5, batch 64, float32, a DataLoader over the training part "
    "in memory with shuffle and no workers (its default); samples of G in evaluation mode; mlp has "
    "batch norm with eps 0.8, as the usual recipe does, and mlp-eps with 1e-5"
)


def dcgan() -> tuple[nn.Module, nn.Module]:
    """G and D of the usual DCGAN for 28x28 images, 64 channels at 14x14, batch norm, N(0, 0.02) weights."""
    generator = nn.Sequential(
        nn.Unflatten(1, (LATENT, 1, 1)),
        nn.ConvTranspose2d(LATENT, 256, 7, 1, 0, bias=False),  # (N, 100, 1, 1) -> (N, 256, 7, 7)
        nn.BatchNorm2d(256),
        nn.ReLU(True),
        nn.ConvTranspose2d(256, 128, 4, 2, 1, bias=False),  # (N, 256, 7, 7) -> (N, 128, 14, 14)
        nn.BatchNorm2d(128),
        nn.ReLU(True),
        nn.ConvTranspose2d(128, 1, 4, 2, 1, bias=False),  # (N, 128, 14, 14) -> (N, 1, 28, 28)
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(1, 64, 4, 2, 1, bias=False),  # (N, 1, 28, 28) -> (N, 64, 14, 14)
        nn.LeakyReLU(0.2, True),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False),  # (N, 64, 14, 14) -> (N, 128, 7, 7)
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2, True),
        nn.Conv2d(128, 1, 7, 1, 0, bias=False),  # (N, 128, 7, 7) -> (N, 1, 1, 1)
        nn.Flatten(),
    )
    for network in (generator, discriminator):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(layer.weight, 0.0, 0.02)
            elif isinstance(layer, nn.BatchNorm2d):
                nn.init.normal_(layer.weight, 1.0, 0.02)
    return generator, discriminator


def mlp(eps: float = 0.8) -> tuple[nn.Module, nn.Module]:
    """G 100-128-256-512-1024-784 with batch norm, D 784-512-256-1, leaky ReLU 0.2.

    The usual recipe passes 0.8 where PyTorch expects batch norm's eps, probably for the momentum.
    That slip is part of it; the row ``mlp-eps`` is the same with PyTorch's own eps.
    """
    sizes, layers = [128, 256, 512, 1024], [nn.Linear(LATENT, 128), nn.LeakyReLU(0.2, True)]
    for inputs, outputs in pairwise(sizes):
        norm = nn.BatchNorm1d(outputs, eps=eps)
        layers += [nn.Linear(inputs, outputs), norm, nn.LeakyReLU(0.2, True)]
    layers += [nn.Linear(1024, 784), nn.Tanh(), nn.Unflatten(1, (1, 28, 28))]
    discriminator = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 512),
        nn.LeakyReLU(0.2, True),
        nn.Linear(512, 256),
        nn.LeakyReLU(0.2, True),
        nn.Linear(256, 1),
    )
    return nn.Sequential(*layers), discriminator


BOOK: dict[str, Callable[[], tuple[nn.Module, nn.Module]]] = {
    "dcgan": dcgan,
    "mlp": mlp,
    "mlp-eps": partial(mlp, eps=1e-5),
}


def loop(
    name: str, x: Tensor, seed: int, marks: list[float], fresh: bool = False
) -> Iterator[tuple[float, int, nn.Module]]:
    """Train on x (N, 1, 28, 28) in [0, 1]; yields (minutes, images, G) at each mark of minutes.

    The time the caller takes at a mark is not counted.  With ``fresh``, G learns from samples that D has not seen,
    as in the algorithm of Goodfellow et al. 2014; loops of textbooks let it learn from those that D has judged.
    """
    torch.manual_seed(seed)
    g, d = BOOK[name]()
    by_g = torch.optim.Adam(g.parameters(), lr=2e-4, betas=(0.5, 0.999))
    by_d = torch.optim.Adam(d.parameters(), lr=2e-4, betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    loader = DataLoader(TensorDataset(x * 2 - 1), batch_size=64, shuffle=True)
    marks, images, began = sorted(marks), 0, time.perf_counter()
    while True:
        for (real,) in loader:
            ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
            fake = g(torch.randn(len(real), LATENT))
            by_d.zero_grad()
            (bce(d(real), ones) + bce(d(fake.detach()), zeros)).backward()
            by_d.step()
            by_g.zero_grad()
            fake = g(torch.randn(len(real), LATENT)) if fresh else fake
            bce(d(fake), ones).backward()
            by_g.step()
            images += len(real)
            minutes = (time.perf_counter() - began) / 60
            if minutes >= marks[0]:
                paused = time.perf_counter()
                yield minutes, images, g
                began += time.perf_counter() - paused
                marks = marks[1:]
                if not marks:
                    return


@torch.no_grad()
def draw(g: nn.Module, n: int, seed: int) -> Tensor:
    """n samples of G in evaluation mode, (n, 1, 28, 28) in [0, 1]."""
    z = torch.randn(n, LATENT, generator=torch.Generator().manual_seed(seed))
    g.eval()
    x = torch.cat([g(some) for some in z.split(500)])
    g.train()
    return (x + 1) / 2
