"""Images made strange: outliers of which nothing is another data set."""

import torch
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, avg_pool2d, grid_sample, interpolate, pad


def corrupted(x: Tensor, most: int, seed: int = 0) -> dict[str, Tensor]:
    """{how: codes (N, C, H, W) uint8} of codes from 0 to ``most``; sides that 4 divides."""
    generator = Generator().manual_seed(seed)
    grey, half, large = x.float(), x.shape[2] // 2, x.shape[2] >= 28
    mean, other = grey.mean((2, 3), keepdim=True), grey.roll(1, 0)
    step = x.shape[2] // 7 if large else 2
    made = {
        "quarters swapped": grey.roll((half, half), (2, 3)),
        "blurred": _blurred(grey, 7 if large else 3),
        "two at once": torch.maximum(grey, other),
        "plain grey": _plain(grey, most, generator),
        "turned": grey.rot90(1, (2, 3)),
        "patches moved": _patches_moved(grey, generator),
        "two halves": torch.cat([grey[:, :, :half], other[:, :, half:]], 2),
        "mean of two": (grey + other) / 2,
        "noisy": grey + torch.randn(grey.shape, generator=generator) * most / 5,
        "warped": _warped(grey, generator),
        "less contrast": 0.4 * grey + 0.6 * mean,
        "occluded": _occluded(grey, most),
        "pixelated": interpolate(avg_pool2d(grey, step), scale_factor=step),
    }
    return {
        name: values.round().clamp(0, most).to(torch.uint8).contiguous()
        for name, values in made.items()
    }


def _blurred(x: Tensor, side: int) -> Tensor:
    return avg_pool2d(x, side, 1, side // 2)


def _plain(x: Tensor, most: int, generator: Generator) -> Tensor:
    return torch.randint(most + 1, (len(x), 1, 1, 1), generator=generator).float().expand_as(x)


def _patches_moved(x: Tensor, generator: Generator) -> Tensor:
    """Each image cut into 4 x 4 patches that change places."""
    n, c, height, width = x.shape
    h, w = height // 4, width // 4
    patches = x.view(n, c, 4, h, 4, w).permute(0, 2, 4, 1, 3, 5).reshape(n, 16, c, h, w)
    order = torch.rand(n, 16, generator=generator).argsort(1)
    moved = patches[torch.arange(n)[:, None], order].view(n, 4, 4, c, h, w)
    return moved.permute(0, 3, 1, 4, 2, 5).reshape(x.shape)


def _warped(x: Tensor, generator: Generator) -> Tensor:
    """Each pixel taken from a place that is a tenth of a side away, by a smooth field."""
    field = torch.randn((len(x), 2, *x.shape[2:]), generator=generator)
    field = avg_pool2d(pad(field, (4, 4, 4, 4), mode="reflect"), 9, 1)
    field = 0.2 * field / field.std((1, 2, 3), keepdim=True)
    straight = affine_grid(torch.eye(2, 3).repeat(len(x), 1, 1), x.shape, align_corners=False)
    return grid_sample(
        x, straight + field.permute(0, 2, 3, 1), align_corners=False, padding_mode="border"
    )


def _occluded(x: Tensor, most: int) -> Tensor:
    covered, (h, w) = x.clone(), x.shape[2:]
    covered[:, :, h // 4 : h // 4 + h // 2, w // 4 : w // 4 + w // 2] = most // 2
    return covered
