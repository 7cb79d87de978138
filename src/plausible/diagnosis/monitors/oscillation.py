"""Do the players chase each other in circles?"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.diagnosis.alarm import alarms
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import LOOK, History

_ORDER = 4  # of the autoregression
_LEAST = 64  # points
_MOST = 512
_SURROGATES = 199
_CIRCLE = 0.9  # modulus from which a pair of roots is near the unit circle
_SWING = 0.02  # standard deviation of D's opinion, as a probability, that is worth the name


class Cycle(NamedTuple):
    """modulus and period (in points) of the slowest-fading complex pair, and its p-value."""

    modulus: float
    period: float
    p: float


def cycle(values: Tensor, seed: int = 0) -> Cycle:
    """The complex pair of an autoregression of order 4 nearest the unit circle: (n,) -> Cycle.

    x_t = sum_k a_k x_t-k + e_t by least squares, after the straight line is taken off; the roots of its
    characteristic polynomial are r e^(+-i w), of period 2 pi / w.  Tested against 199 surrogates without a
    cycle, autoregressions of order 1 with the same variance and memory: p is the share, of them and the
    series, in which a pair within the series' range of periods is as near the circle.
    Period is inf where there is no pair.
    Sources: Theiler et al. 1992, doi:10.1016/0167-2789(92)90102-S; Allen and Smith 1996,
    doi:10.1175/1520-0442(1996)009<3373:MCSDIO>2.0.CO;2 (red noise as the null).
    """
    x = _level(values[None].double())  # (1, n)
    n = x.shape[1]
    if x.square().mean() < 1e-24:
        return Cycle(0.0, math.inf, 1.0)
    memory = ((x[:, 1:] * x[:, :-1]).sum() / x[:, :-1].square().sum()).clamp(-0.999, 0.999)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(_SURROGATES, n, generator=generator, dtype=torch.float64)
    t = torch.arange(n)
    kernel = memory ** (t[:, None] - t).clamp(min=0).double()  # (n, n)
    kernel = kernel.tril()
    kernel[:, 0] /= (1 - memory**2).sqrt()  # it begins as it goes on
    red = noise @ kernel.T  # (S, n), red_t = memory red_t-1 + noise_t
    modulus, period = _pairs(torch.cat([x, _level(red)]))  # (1 + S,) each
    p = (modulus[1:] >= modulus[0]).sum().add(1) / (_SURROGATES + 1)
    return Cycle(modulus[0].item(), period[0].item(), p.item())


def _level(x: Tensor) -> Tensor:
    """Without its straight line: (S, n) -> the same."""
    t = torch.linspace(-1, 1, x.shape[1], dtype=x.dtype)
    x = x - x.mean(1, keepdim=True)
    return x - (x @ t / t.square().sum())[:, None] * t


def _pairs(x: Tensor) -> tuple[Tensor, Tensor]:
    """Modulus and period of the complex pair nearest the circle that turns at least twice: (S, n) -> (S,)."""
    n = x.shape[1]
    past = torch.stack([x[:, _ORDER - k - 1 : n - k - 1] for k in range(_ORDER)], 2)  # (S, n-p, p)
    a = torch.linalg.lstsq(past, x[:, _ORDER:, None]).solution[..., 0]  # (S, p)
    companion = torch.diag_embed(x.new_ones(len(x), _ORDER - 1), -1)  # (S, p, p)
    companion[:, 0] = a
    roots = torch.linalg.eigvals(companion)  # (S, p)
    angle = roots.angle().abs()
    turns = angle > 2 * math.pi * 2 / n  # slower than that is a trend
    real = (math.pi - angle) < 1e-9
    modulus = torch.where(turns & ~real, roots.abs(), torch.zeros_like(angle))
    most, at = modulus.max(1)
    period = 2 * math.pi / angle.gather(1, at[:, None])[:, 0]
    return most, torch.where(most > 0, period, torch.full_like(period, math.inf))


@alarms
def oscillation(history: History) -> Finding | None:
    """Both opinions of D swing with one period, near the unit circle and beyond chance, and samples do not
    come nearer to data for it.
    """
    late = history.since(0.2)
    cycles, swings = [], []
    for what in ("D(x)", "D(G(z))"):
        steps, values = late.series("discriminator", what)
        if len(values) < _LEAST:
            return None
        cycles.append(cycle(values[-_MOST:]))
        swings.append(values[-_MOST:].std().item())
    every = (steps[-1] - steps[0]).item() / (len(steps) - 1)  # steps between two points
    _, distance = late.series(LOOK, "distance")
    real, fake = cycles
    evidence = {
        "period, steps": fake.period * every,
        "modulus": fake.modulus,
        "p of no cycle": max(real.p, fake.p),
        "swing of D(G(z))": swings[1],
    }
    name = "oscillation"
    cyclic = all(c.p <= 0.01 and c.modulus > _CIRCLE for c in cycles)
    together = cyclic and 0.67 < real.period / fake.period < 1.5
    if together and min(swings) > _SWING and _stands(distance):
        return Finding(
            name,
            Severity.FAILURE,
            "the players go round in circles: what D says of data and of samples swings with one period, and "
            "samples come no nearer",
            evidence,
            "train with --penalties r1 r2, without --simultaneous, or with a smaller --lr",
        )
    return Finding(name, Severity.FINE, "the players do not go round in circles", evidence)


def _stands(distance: Tensor) -> bool:
    """Whether the last third of the looks is no nearer to data than the third before, and not near: (n,)."""
    third = len(distance) // 3
    if third < 2:
        return False
    now, before = distance[-third:].median(), distance[-2 * third : -third].median()
    return bool(now > 2.0 and now > 0.9 * before)
