"""By what shall the implausible be told?  A default chosen where it is not reported.

Naive Bayes, which is weak and learns at once, learns p(x | y) of seven sets, and every candidate is shown what is of another kind:
signs, tiles, digits of handwriting, and the toys of digits and letters, where they are not what was learned from, and images of
its own training part with their quarters swapped, blurred, laid over another, turned, cut into patches, half another, averaged with
another, and so on (``corrupted``).  Of MNIST and Fashion-MNIST only that is shown which is made of their own training parts, so
that nothing of the tables of ``outliers`` has a part in this: no other set, no uniform noise, nothing inverted, no letters.  Tiles,
signs and toys are grey and 28 pixels a side, but for digits, which have 8 and 17 levels as the digits do.

aspects     what may be unusual about an input: probable, improbable, too simple for that, and three distances.
rule        how they are one score: the sum of their surprisals (Fisher), the largest (the smallest p), the log of the sum of
            their exponentials (the harmonic mean of p), the sum of their standardised values; "" of one alone.
AUROC       the chance that an outlier scores higher than data that nothing was learned from, mean over the kinds, and the least.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import mean
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import source
from experiments.outlier_corruptions import corrupted
from experiments.slices import learned
from torch import Tensor
from torch.nn.functional import interpolate

import plausible
from plausible.data.options import Options
from plausible.data.part import Data, Part
from plausible.models import NaiveBayes
from plausible.recognition.familiarity import DISTANCES
from plausible.recognition.novelty import novelties
from plausible.recognition.outputs import ModelOutputs
from plausible.recognition.recogniser import Recogniser
from plausible.recognition.roc import auroc
from plausible.recognition.tails import tail_surprisal

SETS = ("digits", "signs", "tiles", "glyphs", "letters", "mnist", "fashion-mnist")
OWN = ("mnist", "fashion-mnist")  # which are shown nothing but what is made of themselves
SHOWN, INSIDE = 200, 500
_GREY = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)

DISTANT = tuple(f"distance: {name}" for name in DISTANCES)
MODEL = ("probable", "improbable", "simple")
CHOICES = {
    "model and distances": (*MODEL, *DISTANT),
    "model, distances without the turn": (*MODEL, *DISTANT[:2]),
    "improbable, simple, distances": (*MODEL[1:], *DISTANT),
    "model": MODEL,
    "distances": DISTANT,
}
RULES: dict[str, Callable[[Tensor], Tensor]] = {
    "sum (Fisher)": lambda s: s.sum(0),
    "largest (Bonferroni)": lambda s: s.amax(0),
    "harmonic mean": lambda s: s.logsumexp(0),
}


def loaded(name: str) -> Data:
    """A set by name, where it has a folder in grey and 28 pixels a side."""
    if name in ("signs", "tiles"):
        return plausible.load(source(name), Options(size=28, channels=1))
    data = plausible.load(name)
    return data if data.space.shape[0] == 1 else _grey(data)


def _grey(data: Data) -> Data:
    space = replace(data.space, shape=(1, 28, 28))
    parts = {
        name: Part(resized(getattr(data, name).values, 28), getattr(data, name).y, space)
        for name in ("train", "validation", "heldout")
    }
    return replace(data, space=space, **parts)


def resized(values: Tensor, side: int, levels: int = 256, shown: int = 256) -> Tensor:
    """Images of so many levels in grey, of so many pixels a side and of other levels: (N, C, H, W) -> (N, 1, side, side)."""
    x = values.float() / (levels - 1)
    x = x if x.shape[1] == 1 else (x * _GREY).sum(1, keepdim=True)
    if x.shape[-1] != side:
        x = interpolate(x, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return (x.clamp(0, 1) * (shown - 1)).round().to(torch.uint8)


def strangers(data: Data, sets: Mapping[str, Data]) -> dict[str, Part]:
    """{what is shown: outliers of it}."""
    space = data.space
    assert space.levels is not None
    train = data.train.every_kth(SHOWN).rows(slice(0, SHOWN))
    values = corrupted(train.values, space.levels - 1)
    for name, other in sets.items():
        if data.name not in OWN and name not in (*OWN, data.name):
            assert other.space.levels is not None
            few = other.heldout.values[:SHOWN]
            values[name] = resized(few, space.shape[2], other.space.levels, space.levels)
    return {name: Part(v, None, space) for name, v in values.items()}


def aspects(said: ModelOutputs) -> dict[str, Tensor]:
    """{aspect: (n,)}, larger for what is more unusual."""
    known = said.novelty_input()
    assert known.distances is not None
    alone = {
        "probable": known.log_prob,
        "improbable": -known.log_prob,
        "simple": novelties["complexity"](known),
    }
    return alone | dict(zip(DISTANT, known.distances.T, strict=True))


def candidates(asked: Recogniser, said: ModelOutputs) -> dict[tuple[str, str], Tensor]:
    """{(aspects, rule): score}."""
    usual, ours = aspects(asked.calibration.validation), aspects(said)
    made: dict[tuple[str, str], Tensor] = {
        (name, ""): ours[name] for name in (*MODEL[1:], *DISTANT)
    }
    for score in ("typicality", "either"):
        made[score, "as it is"] = asked.novelty_score(said, score)
    surprisal = {name: tail_surprisal(ours[name], usual[name]) for name in ours}
    standard = {n: (ours[n] - usual[n].mean()) / usual[n].std().clamp(min=1e-12) for n in ours}
    for words, names in CHOICES.items():
        several = torch.stack([surprisal[name] for name in names])
        made |= {(words, rule): f(several) for rule, f in RULES.items()}
        made[words, "sum of standardised"] = torch.stack([standard[name] for name in names]).sum(0)
    return made


def rows_of(data: Data, sets: Mapping[str, Data], seed: int) -> list[dict[str, Any]]:
    """A row for each candidate: how well it tells each kind of outlier on average, and the one it tells worst."""
    asked = Recogniser(learned(NaiveBayes(data.space), data, seed), data, seed=seed)
    inside = data.heldout if data.name not in OWN else data.validation.rows(slice(1, None, 2))
    near = candidates(asked, asked.outputs(inside.every_kth(INSIDE)))
    shown = {
        name: candidates(asked, asked.outputs(part)) for name, part in strangers(data, sets).items()
    }
    rows = []
    for words, rule in near:
        told = {name: auroc(near[words, rule], far[words, rule]) for name, far in shown.items()}
        worst = min(told, key=told.__getitem__)
        rows.append({
            "learned": data.name, "kinds": len(told), "aspects": words, "rule": rule,
            "AUROC": mean(told.values()), "least": told[worst], "least of": worst,
        })  # fmt: skip
    return rows


def best(rows: list[dict[str, Any]]) -> str:
    """The mean AUROC over all pairs of each candidate, the best first."""
    means: dict[tuple[str, str], float] = {}
    for pair in dict.fromkeys((r["aspects"], r["rule"]) for r in rows):
        own = [r for r in rows if (r["aspects"], r["rule"]) == pair]
        means[pair] = sum(r["kinds"] * r["AUROC"] for r in own) / sum(r["kinds"] for r in own)
    ordered = sorted(means, key=lambda pair: -means[pair])
    return "; ".join(f"{' by '.join(filter(None, pair))} {means[pair]:.4f}" for pair in ordered)


def main() -> None:
    asked = parser(__doc__).parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    names = ("digits",) if asked.quick else SETS
    sets = {name: loaded(name) for name in names}
    for name, data in sets.items():
        if any(row["learned"] == name for row in rows):
            continue
        print(name, flush=True)
        torch.manual_seed(asked.seed)
        rows += rows_of(data, sets, asked.seed)
        record(__file__, rows, seed=asked.seed, quick=asked.quick, notes=best(rows))


if __name__ == "__main__":
    main()
