"""Do the players chase each other in circles?"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.core.finding import Finding, Severity, alarm
from plausible.core.reading import D_FAKE, D_REAL
from plausible.diagnosis.alarm import not_raised
from plausible.diagnosis.history import History
from plausible.diagnosis.missing_modes import FRECHET_RATIO

_ORDER = 12  # of the autoregression: what is measured is a circle and the noise of batches
_LEAST = 200  # rounds
_WARM = 0.2  # of the budget
_SURROGATES = 99  # the fewest of which none makes p 0.01
_QUICK = 20.0  # rounds: what is quicker is the rhythm of penalties that are taken every few updates
_CIRCLE = 0.9  # modulus from which a pair of roots is near the unit circle
_SWING = 0.1  # standard deviation of D's opinion, as a probability, that is worth the name


class Cycle(NamedTuple):
    """modulus and period of the slowest-fading complex pair, and its p-value."""

    modulus: float
    period: float
    p: float


def cycle(values: Tensor, seed: int = 0) -> Cycle:
    """The complex pair of an autoregression of order 12 nearest the unit circle: (n,) -> Cycle.

    x_t = sum_k a_k x_t-k + e_t by least squares, after the straight line is taken off; the roots of its
    characteristic polynomial are r e^(+-i w), of period 2 pi / w.  Tested against 99 surrogates without a
    cycle, autoregressions of order 1 with the same variance and memory: p is the share, of them and the
    series, in which a pair within the series' range of periods is as near the circle.
    Period is inf where there is no pair, and p is 1, untested, where the pair is far from the circle.
    Sources: Theiler et al. 1992, doi:10.1016/0167-2789(92)90102-S; Allen and Smith 1996,
    doi:10.1175/1520-0442(1996)009<3373:MCSDIO>2.0.CO;2 (red noise as the null).
    """
    x = _level(values[None].double())  # (1, n)
    n = x.shape[1]
    if x.square().mean() < 1e-24:
        return Cycle(0.0, math.inf, 1.0)
    (modulus,), (period,) = (part.tolist() for part in _pairs(x))
    if modulus < _CIRCLE:
        return Cycle(modulus, period, 1.0)
    memory = ((x[:, 1:] * x[:, :-1]).sum() / x[:, :-1].square().sum()).clamp(-0.999, 0.999)
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(_SURROGATES, n, generator=generator, dtype=torch.float64)
    t = torch.arange(n)
    kernel = memory ** (t[:, None] - t).clamp(min=0).double()  # (n, n)
    kernel = kernel.tril()
    kernel[:, 0] /= (1 - memory**2).sqrt()  # it begins as it goes on
    red = noise @ kernel.T  # (S, n), red_t = memory red_t-1 + noise_t
    others, _ = _pairs(_level(red))  # (S,)
    p = (int((others >= modulus).sum()) + 1) / (_SURROGATES + 1)
    return Cycle(modulus, period, p)


def _level(x: Tensor) -> Tensor:
    """Without its straight line: (S, n) -> the same."""
    t = torch.linspace(-1, 1, x.shape[1], dtype=x.dtype)
    x = x - x.mean(1, keepdim=True)
    return x - (x @ t / t.square().sum())[:, None] * t


def _pairs(x: Tensor) -> tuple[Tensor, Tensor]:
    """Modulus and period of the complex pair nearest the circle: (S, n) -> (S,) each.

    Of those that turn at least twice within n, and no quicker than in 20 rounds.
    """
    n = x.shape[1]
    past = torch.stack([x[:, _ORDER - k - 1 : n - k - 1] for k in range(_ORDER)], 2)  # (S, n-p, p)
    a = torch.linalg.lstsq(past, x[:, _ORDER:, None]).solution[..., 0]  # (S, p)
    companion = torch.diag_embed(x.new_ones(len(x), _ORDER - 1), -1)  # (S, p, p)
    companion[:, 0] = a
    roots = torch.linalg.eigvals(companion)  # (S, p)
    angle = roots.angle().abs()
    turns = (angle > 2 * math.pi * 2 / n) & (angle < 2 * math.pi / _QUICK)
    modulus = torch.where(turns, roots.abs(), torch.zeros_like(angle))
    most, at = modulus.max(1)
    period = 2 * math.pi / angle.gather(1, at[:, None])[:, 0]
    return most, torch.where(most > 0, period, torch.full_like(period, math.inf))


@alarm()
def oscillation(history: History) -> Finding | None:
    """Both opinions of D swing with one period, near the unit circle and beyond chance, and samples do not
    come nearer to data for it.
    """
    both = [history.trace(reading, _WARM) for reading in (D_REAL, D_FAKE)]
    if min(len(values) for values in both) < _LEAST:
        return None
    name = "oscillation"
    swings = [values.std().item() for values in both]
    evidence = {"swing of D(x)": swings[0], "swing of D(G(z))": swings[1]}
    if min(swings) < _SWING or not _stands(history.series(FRECHET_RATIO, _WARM)[1]):
        return not_raised(name, evidence)
    real, fake = (cycle(values) for values in both)
    evidence |= {
        "period, rounds": fake.period,
        "modulus": fake.modulus,
        "p of no cycle": max(real.p, fake.p),
    }
    cyclic = all(found.p <= 0.01 and found.modulus > _CIRCLE for found in (real, fake))
    if cyclic and 0.67 < real.period / fake.period < 1.5:
        return Finding(
            name,
            Severity.FAILURE,
            "the players go round in circles: what D says of data and of samples swings with one period, and "
            "samples come no nearer",
            evidence,
        )
    return not_raised(name, evidence)


def _stands(distance: Tensor) -> bool:
    """Whether the last third of the probes is no nearer to data than the third before, and not near: (n,)."""
    third = len(distance) // 3
    if third < 2:
        return False
    now, before = distance[-third:].median(), distance[-2 * third : -third].median()
    return bool(now > 2.0 and now > 0.9 * before)
