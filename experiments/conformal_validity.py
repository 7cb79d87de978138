"""Are at most 5% of good inputs refused at a level of 5%?  Eight sets, 100 splits each, every score that a model has.

A model learns once, from the training part: naive Bayes of images, with one of mutated data behind it, and a mixture of
Gaussians for each class of vectors.  What it did not learn from, validation and held-out part together, is split 100 times
by chance into calibration examples (half, 500 at most) and inputs (the rest, ``--inputs`` at most), which are good by construction.

refused     share of the inputs refused, over all splits, and in the split with the most.
drawn       how many of single inputs are refused, each held against calibration examples that were drawn anew.  However the
            data are, these draws depend on nothing but chance, so their number is binomial with a probability of at
            most 5%.
low, high   the exact 95% interval of that probability (Clopper and Pearson 1934); ``valid``: it does not lie above 5%.

Sets that are not there ($PLAUSIBLE_DATA) are left out; what has its row is not asked again.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from experiments.slices import learned

import plausible
from plausible.core.errors import UsageError
from plausible.core.model import Explicit
from plausible.data.mutation import mutated
from plausible.data.part import Data, Part
from plausible.models import GaussianMixture, NaiveBayes, PerClass
from plausible.recognition.conformal import full_conformal
from plausible.recognition.familiarity import familiarity
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.outputs import model_outputs

LEVEL = 0.05
SETS = ("digits", "wine", "breast-cancer", "moons", "spiral", "letters", "mnist", "fashion-mnist")
SPLITS, MOST = 100, 500
MUTATED = 0.2  # the share of coordinates of the model behind


def loaded(name: str) -> Data:
    """A set by name, tables from scikit-learn."""
    if name in ("wine", "breast-cancer"):
        from sklearn import datasets

        read = datasets.load_wine if name == "wine" else datasets.load_breast_cancer
        return replace(plausible.load(read(return_X_y=True)), name=name)
    return plausible.load(name)


def pool(data: Data) -> Part:
    """What nothing was learned from."""
    parts = (data.validation, data.heldout)
    return Part(torch.cat([part.values for part in parts]), None, data.space)


def said(data: Data, seed: int, most: int) -> NoveltyInput:
    """What a model that was learned once says of the pool, ``most`` items of it at most."""
    behind: Explicit | None = None
    model: Any
    if data.space.is_image:
        model = learned(NaiveBayes(data.space), data, seed)
        behind = learned(NaiveBayes(data.space), mutated(data, MUTATED, seed), seed)
    else:
        config = GaussianMixture.Config(components=None if data.space.dims == 2 else 1)
        model = learned(
            PerClass(data.space, lambda single: GaussianMixture(single, config)), data, seed
        )
    part = pool(data).every_kth(most)
    near = familiarity(data.train, seed)
    return model_outputs(model, part, background=behind, familiarity=near).novelty_input()


def scores(known: NoveltyInput) -> Iterator[str]:
    """The scores that these outputs have."""
    for name, score in novelties.items():
        try:
            score(replace(known, in_distribution=known))
        except UsageError:
            continue
        yield name


def p_values(score: Any, known: NoveltyInput, rows: torch.Tensor, n: int) -> torch.Tensor:
    """Of rows[n:] held against rows[:n]."""
    return full_conformal(score, known[rows[:n]], known[rows[n:]])


def row(data: Data, name: str, known: NoveltyInput, asked: Any) -> dict[str, Any]:
    """Splits, and single draws, of one score."""
    from scipy.stats import binomtest

    generator = torch.Generator().manual_seed(asked.seed)
    score, total = novelties[name], len(known)
    n = min(total // 2, MOST)
    m = min(total - n, asked.inputs)
    splits, draws = (3, 40) if asked.quick else (SPLITS, asked.draws)
    shares = [
        (p_values(score, known, torch.randperm(total, generator=generator)[: n + m], n) <= LEVEL).double().mean().item()
        for _ in range(splits)
    ]  # fmt: skip
    refused = sum(
        bool(p_values(score, known, torch.randperm(total, generator=generator)[: n + 1], n) <= LEVEL)
        for _ in range(draws)
    )  # fmt: skip
    interval = binomtest(refused, draws).proportion_ci(0.95, "exact")
    mean = sum(shares) / splits
    spread = math.sqrt(sum((s - mean) ** 2 for s in shares) / max(1, splits - 1))
    return {
        "data": data.name, "score": name, "calibration examples": n, "inputs": m, "splits": splits,
        "refused": mean, "spread": spread, "most": max(shares),
        "draws": draws, "drawn": refused, "low": interval.low, "high": interval.high, "valid": interval.low <= LEVEL,
    }  # fmt: skip


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--inputs", type=int, default=20, help="of each split, at most")
    flags.add_argument("--draws", type=int, default=1000, help="single inputs")
    flags.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    asked = flags.parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in ("digits", "moons") if asked.quick else asked.sets:
        try:
            data = loaded(name)
        except UsageError as reason:
            print(f"{name} is left out: {reason}", flush=True)
            continue
        known = said(data, asked.seed, 2000)
        for score in scores(known):
            if any((made["data"], made["score"]) == (name, score) for made in rows):
                continue
            print(name, score, flush=True)
            rows.append(row(data, score, known, asked))
        rows.sort(key=lambda made: SETS.index(made["data"]))
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
