"""Small variational models that several tests make."""

import torch
from tests.conftest import make_data

from plausible import VAE, Settings, Space, train

BINARY = Space((1, 2, 2), 2, 2)
GREY = Space((1, 8, 8), 17, 3)
SPACES = {
    "binary": BINARY,
    "grey": GREY,
    "many levels": Space((1, 9, 8), 256, 3),
    "colour": Space((3, 17, 18), 256, 3),
    "vectors": Space((3,), None, 3),
}
NETS = {
    "mlp": {"width": 16, "latent": 3},
    "two layers": {"width": 16, "latent": 3, "layers": 2},
    "conv": {"architecture": "conv", "width": 4, "latent": 3, "layers": 2},
    "residual": {"architecture": "residual", "width": 8, "latent": 2, "layers": 5, "blocks": 1},
}


def made(space, seed=0, **config):
    torch.manual_seed(seed)
    model = VAE(space, VAE.Config(**{"batch": 16, **config}))
    with torch.no_grad():  # layers that start at nothing count from the start
        for param in model.parameters():
            param.add_(0.1 * torch.randn_like(param))
    return model.eval()


def trained(space, steps=300, n=900, data=None, **config):
    torch.manual_seed(0)
    training = train(
        VAE(space, VAE.Config(**config)), data or make_data(space, n), Settings(steps=steps)
    )
    *_, last = training
    return training.averaged, last
