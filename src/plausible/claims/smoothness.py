"""How far x moves when z does."""

import torch
from torch import Tensor

from plausible.claims.claim import Claimed, Figure, claims, exact, resampled
from plausible.data.load import load
from plausible.models import GAN
from plausible.training import Settings, train

_STEPS, _POINTS = 1500, 500
_SIZES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@claims
def smooth_latent(seed: int) -> Claimed:
    """A small change of z is a small change of x.

    A GAN learns the 8x8 digits for 1,500 rounds.  500 z are moved by steps of several lengths in random
    directions, and |G(z + d) - G(z)| is taken as a share of the distance between two unrelated samples.  A
    step of one thousandth of the distance between two z moves x by as little, not by a jump; and the longest
    step arrives at another sample.
    Source: Radford et al. 2016, https://arxiv.org/abs/1511.06434, section 6.1.
    """
    data = load("digits")
    torch.manual_seed(seed)
    training = train(GAN(data.space), data, Settings(steps=_STEPS, seed=seed))
    for _ in training:
        pass
    model, generator = training.averaged, torch.Generator().manual_seed(seed)
    z, other = model.latent(_POINTS, generator), model.latent(_POINTS, generator)
    way = torch.randn(z.shape, generator=generator)
    way = way / way.norm(dim=1, keepdim=True)  # (n, d)
    with torch.no_grad():
        x = model.decode(z).flatten(1)
        far = (model.decode(other).flatten(1) - x).norm(dim=1).mean()  # between unrelated samples
        moved = [(model.decode(z + size * way).flatten(1) - x).norm(dim=1) / far for size in _SIZES]
    across = (z - other).norm(dim=1).mean().item()

    def average(rows: Tensor) -> float:
        return rows.mean().item()

    short = _SIZES.index(0.01)
    doubled = torch.stack([moved[short], moved[short + 2]], 1)  # (n, 2), ten times as far
    return Claimed(
        [
            resampled(f"change of x, a step of {0.01 / across:.2%} of the way between two z", average, moved[short], most=0.01),
            exact("the largest of these 500", moved[short].max().item(), most=0.1),
            resampled("change by a step ten times as long, over that", lambda rows: (rows[:, 1].mean() / rows[:, 0].mean()).item(), doubled, least=5.0, most=15.0),
            resampled("change of x by the longest step", average, moved[-1], least=0.5),
        ],
        Figure("|d|, length of the step in z", "|G(z + d) - G(z)|, share of the distance of two samples",
               {"mean": (list(_SIZES), [m.mean().item() for m in moved]), "largest": (list(_SIZES), [m.max().item() for m in moved])}, log="xy"),
    )  # fmt: skip
