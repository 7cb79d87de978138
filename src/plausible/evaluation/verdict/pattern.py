"""Does a regular pattern lie over the samples, a grid or stripes, that real images do not have?"""

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.permutation import GroupLabels
from plausible.evaluation.verdict.defect import PreparedTest, defect, detectable_excess
from plausible.evaluation.verdict.planting import Planted, everywhere, with_x

_SMALLEST = 16  # pixels a side: below, a pattern is not told from what surrounds it
_LARGEST = 128  # pixels a side that are looked at, from the middle, which bounds memory and time
_VALUES = 2**20  # numbers in one chunk of images


def checkered(points: Part, train: Part, effect: float, generator: Generator) -> Planted:
    """A checkerboard over every image that adds ``effect`` times the amplitude that is at its frequency."""
    _need(points.space)
    height, width = points.space.shape[1:]
    board = (torch.arange(height)[:, None] + torch.arange(width)) % 2 * 2.0 - 1  # (H, W)
    x = points.as_batch().x  # (N, C, H, W)
    size = effect * (x * board).mean((2, 3)).square().mean().sqrt()
    return everywhere(with_x(points, x + max(size.item(), 1 / 255) * board))


@defect(
    "regular pattern",
    1.0,
    "a regular pattern, a grid or stripes: the amplitude of one spatial frequency stands out by {effect}",
    "no regular pattern: the amplitude of no spatial frequency stands out by {margin}",
    effect=lambda peak: torch.expm1(peak / 2),
    plant=checkered,
)
def regular_pattern(evalset: EvaluationSet) -> PreparedTest:
    """max_f E_G s_f - E_H s_f, s_f the log power at frequency f less the median of those around it.

    Blur and noise change neighbouring frequencies alike and leave s_f as it is; a layer that puts
    pixels together out of blocks adds power at single ones.  Its effect is that of amplitudes, exp(./2) - 1.
    Source: Odena et al. 2016, doi:10.23915/distill.00003 (checkerboard artefacts); Durall et al. 2020,
    https://arxiv.org/abs/2003.01826 (seen in the spectrum).
    """
    _need(evalset.space)
    scores = torch.cat([_standing_out(v) for v in (evalset.samples, evalset.heldout)])  # (N, F)

    def statistic(labels: GroupLabels) -> Tensor:
        apart = labels.g @ scores / labels.g.sum(1, keepdim=True)
        apart -= labels.h @ scores / labels.h.sum(1, keepdim=True)  # (B, N), (N, F) -> (B, F)
        return apart.amax(1)  # (B, F) -> (B,)

    return PreparedTest(statistic, detectable_excess)


def _need(space: Space) -> None:
    if not space.is_image:
        raise NotDefined("a pattern is that of images, and these data are vectors")
    if min(space.shape[1:]) < _SMALLEST:
        raise NotDefined(f"a pattern needs images of at least {_SMALLEST} pixels a side")


def _standing_out(embedded: Embedded) -> Tensor:
    """s_f of each image: (N, H (W / 2 + 1)) float32."""
    space = embedded.part.space
    chunks = torch.arange(len(embedded)).split(max(1, _VALUES // space.dims))
    return torch.cat([peaks(embedded.part.batch(rows).x, space.levels) for rows in chunks]).cpu()


def peaks(x: Tensor, levels: int | None) -> Tensor:
    """log |F x|^2 less its median over the 16 frequencies two steps away: (N, C, H, W) -> (N, H (W/2 + 1)).

    The power is the mean over channels, and never below what rounding to ``levels`` leaves.
    """
    height, width = (min(side, _LARGEST) for side in x.shape[2:])
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    x = x[..., top : top + height, left : left + width]
    # without it the jump between opposite edges is a cross of power, which stands out once noise is gone
    window = torch.hann_window(height)[:, None] * torch.hann_window(width)  # (H, W)
    window = window.to(x.device) / window.square().mean().sqrt()
    power = torch.fft.fft2(x * window).abs().square().mean(1)  # (N, C, H, W) -> (N, H, W)
    step = 1 / ((levels or 256) - 1)
    log_power = (power + height * width * step**2 / 12).log()
    wide = pad(log_power[:, None], (2, 2, 2, 2), mode="circular")[:, 0]  # (N, H + 4, W + 4)
    around = wide.unfold(1, 5, 1).unfold(2, 5, 1)  # (N, H, W, 5, 5), of which the rim is taken
    rim = torch.cat([around[..., ::4, :].flatten(3), around[..., 1:-1, ::4].flatten(3)], 3)
    stands_out = log_power - rim.median(3).values  # (N, H, W, 16) -> (N, H, W)
    for row in (0, 1, -1):  # the brightness, which the window spreads, is no pattern
        stands_out[:, row, [0, 1, -1]] = 0
    return stands_out[:, :, : width // 2 + 1].flatten(1)  # the rest is its mirror image
