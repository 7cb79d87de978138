"""What a few patches of the training images answer, and where: features of an image in closed form, without a network.

Source: Coates, Lee and Ng 2011, https://proceedings.mlr.press/v15/coates11a.html (whitened patches of the images
themselves as filters, both signs of what they answer, pooled).
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, conv2d

from plausible.evaluation.shrink import shrunk

SMALLEST = 8  # pixels a side below which an image has no patches to speak of
LARGEST = 32  # pixels a side at which images are looked at, at most
_FILTERS, _DRAWN = 16, 640
_POOLED, _COARSE = 4, 12  # places a side where answers are averaged, and of the image itself
_FLAT = 0.04  # of [0, 1]: a patch that deviates by less is called flat, and not blown up
_WHITEN = 0.1
_THRESHOLD = 0.25
_CHUNK = 256


@dataclass(frozen=True)
class PatchFeatures:
    """x (N, C, H, W) in [0, 1] -> (N, F): how strongly 16 whitened patches answer at 4 x 4 places, and coarse pixels.

    Each place is seen less its mean and in units of its deviation, so that shapes count, not contrast.
    filters  (16, C, p, p), each without a mean.
    """

    filters: Tensor

    @torch.no_grad()
    def __call__(self, x: Tensor) -> Tensor:
        """x (N, C, H, W) -> (N, F), on the CPU."""
        return torch.cat([self._see(few) for few in x.float().cpu().split(_CHUNK)])

    def _see(self, x: Tensor) -> Tensor:
        x = shrunk(x, LARGEST)
        side = self.filters.shape[2]
        mean = avg_pool2d(x.mean(1, keepdim=True), side, 1)  # (N, C, H, W) -> (N, 1, h, w)
        square = avg_pool2d(x.square().mean(1, keepdim=True), side, 1)
        deviation = (square - mean.square()).clamp(min=0).sqrt()
        answer = conv2d(x, self.filters) / (deviation + _FLAT)  # (N, 16, h, w)
        both = torch.cat([(answer - _THRESHOLD).relu(), (-answer - _THRESHOLD).relu()], 1)
        pooled = adaptive_avg_pool2d(both, _POOLED).sqrt()  # (N, 32, 4, 4)
        return torch.cat([pooled.flatten(1), shrunk(x, _COARSE).flatten(1)], 1)


def patch_features(x: Tensor, seed: int = 0) -> PatchFeatures:
    """Patches of the images x (N, C, H, W) that are not flat, whitened, as filters; 6 pixels a side, or 3 of small images."""
    generator = torch.Generator().manual_seed(seed)
    patches = _drawn(x, generator)  # (640, C, p, p)
    rows = patches.flatten(1)
    rows = rows - rows.mean(1, keepdim=True)
    deviation = rows.std(1, keepdim=True)
    rows = rows / (deviation + _FLAT)
    values, vectors = torch.linalg.eigh(torch.cov(rows.T))
    whiten = vectors @ torch.diag((values.clamp(min=0) + _WHITEN).rsqrt()) @ vectors.T
    seen = rows[deviation[:, 0] >= deviation.median()][:_FILTERS] @ whiten
    seen = seen / seen.norm(dim=1, keepdim=True).clamp(min=1e-6)
    filters = seen @ whiten
    filters = filters - filters.mean(1, keepdim=True)
    return PatchFeatures(filters.view(-1, *patches.shape[1:]))


def _drawn(x: Tensor, generator: torch.Generator) -> Tensor:
    """Patches at places drawn evenly, of images drawn evenly."""
    few = torch.randint(len(x), (_DRAWN,), generator=generator)
    images = shrunk(x[few].float().cpu(), LARGEST)
    height, width = images.shape[2:]
    side = 6 if min(height, width) >= 16 else 3
    tops = torch.randint(height - side + 1, (_DRAWN,), generator=generator).tolist()
    lefts = torch.randint(width - side + 1, (_DRAWN,), generator=generator).tolist()
    return torch.stack(
        [
            image[:, top : top + side, left : left + side]
            for image, top, left in zip(images, tops, lefts, strict=True)
        ]
    )
