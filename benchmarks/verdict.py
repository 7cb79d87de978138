"""How often the verdict is right: false alarms on real data, and power against planted defects.

Three settings, each judged as a user's samples would be: 10 Gaussian modes in 16 dimensions (n =
1,000, without labels, drawn anew each time), MNIST (n = 1,000) and scikit-learn's 8x8 digits (n =
500).  The held-out side and the samples are disjoint random parts of real data that the classifier
has not seen; a defect is then planted in the samples.  Each row says how often the test that owns
the defect is significant after Holm's correction over all tests, how often it fails the samples, how
often all tests pass, and what other tests fail more than one time in five, with exact 95% intervals;
for copies also how often the two measures that shuffle T with H are significant.
"""

import math
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context

import torch
from benchmarks.record import parser, record
from scipy import stats
from torch import Tensor, nn

import plausible
from plausible.core.errors import UsageError
from plausible.core.space import Batch, Space
from plausible.data.part import Part
from plausible.evaluation.embedding import Embedding, fit_embedding
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.metrics.memorisation import memorisation, with_train_distances
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.verdict import ALPHA, State, run_tests
from plausible.models import ConvNet

MODES = 10
OWNERS = {
    "none": "any",
    "one of ten modes dropped": "missing modes",
    "three of ten modes at a fifth": "uneven modes",
    "spread x 0.85": "too narrow",
    "spread x 1.1": "too wide",
    "one mode a point": "one mode a point",
    "20% copies": "copies",
    "5% copies": "copies",
    "5% garbage": "garbage",
    "blur of half a pixel": "blur or noise",
}


@dataclass
class Setting:
    """Where G and H come from, and how both are seen.

    draw(generator) -> (H, G), both real, disjoint, independent of T.
    centres  (K, *shape), the middle of each mode, about which spread is planted.
    """

    embedding: Embedding
    train: Embedded
    draw: Callable[[torch.Generator], tuple[Batch, Batch]]
    centres: Tensor
    space: Space


def gaussians() -> Setting:
    """Ten modes of unit variance, 6 from the middle in random directions of R^16; |T| = 2,000."""
    space, generator = Space((16,)), torch.Generator().manual_seed(987_654_321)
    centres = 6 * nn.functional.normalize(torch.randn(MODES, 16, generator=generator), dim=1)

    def drawn(n: int, generator: torch.Generator) -> Batch:
        y = torch.randint(MODES, (n,), generator=generator)
        return Batch(centres[y] + torch.randn(n, 16, generator=generator), y)

    train = drawn(2000, generator)
    embedding = fit_embedding(Part(train.x, None, space), 1000)
    embedded = embedding.embed(Part(train.x, None, space))
    return Setting(embedding, embedded, lambda g: (drawn(1000, g), drawn(1400, g)), centres, space)


def images(name: str, n: int, pool: int, shown: int, steps: int) -> Setting:
    """A labelled set: ``pool`` examples that the classifier never saw are split anew each time."""
    data = plausible.load(name)
    space = data.space
    parts = (data.train, data.validation, data.heldout)
    values = torch.cat([part.values for part in parts])
    y = torch.cat([part.y for part in parts if part.y is not None])
    real = Part(values[-pool:], y[-pool:], space)
    train = Part(values[:-pool], y[:-pool], space)
    torch.manual_seed(0)
    learner = plausible.Data(name, space, train, data.validation, real, data.class_names)
    training = plausible.train(ConvNet(space), learner, plausible.Settings(steps=steps))
    list(training)
    classifier = training.averaged.eval()
    embedding = fit_embedding(
        train, n, data.class_names, classifier, (classifier.features, "classifier")
    )
    rows = torch.arange(min(shown, len(train)))
    few = train.batch(rows)
    assert few.y is not None
    centres = torch.stack([few.x[few.y == k].mean(0) for k in range(MODES)])
    embedded = embedding.embed(train.rows(rows))

    def draw(generator: torch.Generator) -> tuple[Batch, Batch]:
        order = torch.randperm(pool, generator=generator)
        return real.batch(order[:n]), real.batch(order[n:])

    return Setting(embedding, embedded, draw, centres, space)


SETTINGS: dict[str, Callable[[], Setting]] = {
    "10 Gaussians": gaussians,
    "digits": lambda: images("digits", 500, 1000, 10_000, 1500),
    "mnist": lambda: images("mnist", 1000, 10_000, 2000, 2000),
}
SIZES = {"10 Gaussians": 1000, "digits": 500, "mnist": 1000}


def plant(case: str, spare: Batch, n: int, setting: Setting, generator: torch.Generator) -> Tensor:
    """n samples (fewer where the pool is small) with a defect, from spare real data."""
    x, y = spare.x, spare.y
    assert y is not None
    chance = torch.rand(len(x), generator=generator)
    mode = int(torch.randint(MODES, (1,), generator=generator))
    if case == "one of ten modes dropped":
        x = x[y != mode]
    if case == "three of ten modes at a fifth":
        x = x[(((y - mode) % MODES) >= 3) | (chance < 0.2)]
    x, y = x[:n], y[:n]
    if case.startswith("spread"):
        centres = setting.centres[y]
        x = centres + float(case.split()[-1]) * (x - centres)
    if case == "one mode a point":  # its most typical example
        mine = (y == mode).nonzero()[:, 0]
        away = (x[mine] - setting.centres[mode]).flatten(1).norm(dim=1)
        x = x.index_copy(0, mine, x[mine[away.argmin()]].expand_as(x[mine]))
    few = torch.randperm(len(x), generator=generator)[
        : len(x) * (20 if "20%" in case else 5) // 100
    ]
    if "copies" in case:
        rows = torch.randint(len(setting.train), (len(few),), generator=generator)
        x = x.index_copy(0, few, setting.train.part.batch(rows).x)
    if "garbage" in case:
        x = x.index_copy(0, few, garbage(x[few], setting, generator))
    if "blur" in case:
        x = blurred(x, 0.5)
    return setting.space.quantise(x)


def garbage(x: Tensor, setting: Setting, generator: torch.Generator) -> Tensor:
    """Images with their pixels shuffled; vectors uniform in the box that holds the training part."""
    flat = x.flatten(1)
    if setting.space.is_image:
        order = torch.rand(flat.shape, generator=generator).argsort(1)
        return flat.gather(1, order).view_as(x)
    seen = setting.train.part.values
    low, high = seen.amin(0), seen.amax(0)
    return low + (high - low) * torch.rand(flat.shape, generator=generator)


def blurred(x: Tensor, sigma: float) -> Tensor:
    """Convolution with a Gaussian of ``sigma`` pixels, edges repeated: (N, 1, H, W)."""
    offsets = torch.arange(-2, 3)
    kernel = (-offsets.square() / (2 * sigma**2)).exp()
    kernel = kernel / kernel.sum()
    x = nn.functional.pad(x, (2, 2, 2, 2), mode="replicate")
    x = nn.functional.conv2d(x, kernel.view(1, 1, 5, 1))
    return nn.functional.conv2d(x, kernel.view(1, 1, 1, 5))


def once(job: tuple[str, str, int]) -> dict[str, tuple[str, float | None]]:
    """{defect: (state, adjusted p)} of one planted defect, and of the copied fraction alone."""
    name, case, seed = job
    setting = _settings(name)
    generator = torch.Generator().manual_seed(seed)
    heldout, spare = setting.draw(generator)
    space, embedding = setting.space, setting.embedding
    x = plant(case, spare, len(heldout), setting, generator)

    def part(x: Tensor) -> Part:
        return Part(space.codes(x) if space.levels else x, None, space)

    views = embedding.embed(part(heldout.x)), embedding.embed(part(x))
    names, labelled = embedding.names, embedding.labelled
    evalset = with_train_distances(
        EvaluationSet(space, setting.train, *views, names, labelled, embedding.extract, seed=seed)
    )
    found = {r.name: (str(r.state), r.adjusted) for r in run_tests(evalset).results}
    tests = sum(state != State.UNDEFINED for state, _ in found.values())
    for measure in memorisation(evalset):  # as if each were one more test of the verdict
        found[measure.name] = "", min(1.0, tests * (1.0 if measure.p is None else measure.p))
    return found


_BUILT: dict[str, Setting] = {}


def _settings(name: str) -> Setting:
    if name not in _BUILT:
        torch.set_num_threads(1)
        _BUILT[name] = SETTINGS[name]()
    return _BUILT[name]


def interval(k: int, n: int) -> str:
    """k / n with its exact 95% interval (Clopper and Pearson 1934)."""
    low = stats.beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = stats.beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    return f"{k / n:.3f} ({low:.3f} to {high:.3f})"


def row(
    name: str, case: str, results: list[dict[str, tuple[str, float | None]]]
) -> dict[str, object]:
    """One line of the table."""
    owner, n = OWNERS[case], len(results)
    fails = [{d for d, (state, _) in r.items() if state == State.FAIL} for r in results]
    others = Counter(d for failed in fails for d in failed if d != owner)
    passed = sum(
        all(state in (State.PASS, State.UNDEFINED, "") for state, _ in r.values()) for r in results
    )
    open_ = Counter(
        d for r in results for d, (state, _) in r.items() if state == State.INCONCLUSIVE
    )
    tests = list(defects) if owner == "any" else [owner]
    low = [min(r[d][1] for d in tests if r[d][1] is not None) for r in results]
    significant = interval(sum(p <= ALPHA for p in low), n)
    failed = interval(sum(bool(f & set(tests)) for f in fails), n)
    shuffled = {}
    for name_ in ("copied fraction", "near duplicates"):
        low = [r[name_][1] for r in results]
        shuffled[name_] = interval(sum(p <= ALPHA for p in low if p is not None), n)
    return {
        "data": name,
        "n": SIZES[name],
        "planted": case,
        "test": owner,
        "repetitions": n,
        "significant": significant,
        "FAIL": failed,
        "all PASS": interval(passed, n),
        "copied fraction significant": shuffled["copied fraction"] if "copies" in case else "",
        "near duplicates significant": shuffled["near duplicates"] if "copies" in case else "",
        "others that FAIL in over 20%": ", ".join(d for d, k in others.items() if k > n / 5),
        "INCONCLUSIVE": ", ".join(f"{d} {k}" for d, k in open_.items()),
    }


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--workers", type=int, default=os.cpu_count())
    flags.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    flags = flags.parse_args()
    null, each = (6, 3) if flags.quick else (200, 100)
    rows = []
    with get_context("spawn").Pool(flags.workers) as pool:
        for name in ["digits"] if flags.quick else flags.settings:
            try:
                plausible.load(name) if name == "mnist" else None
            except UsageError as refusal:
                print(f"skipped: {refusal}")
                continue
            for case in OWNERS:
                if "blur" in case and name == "10 Gaussians":
                    continue
                seeds = range(flags.seed, flags.seed + (null if case == "none" else each))
                jobs = [(name, case, seed) for seed in seeds]
                chunk = math.ceil(len(jobs) / 8 / flags.workers)
                rows.append(row(name, case, pool.map(once, jobs, chunk)))
                print({k: v for k, v in rows[-1].items() if v}, flush=True)
    record(__file__, rows, seed=flags.seed, quick=flags.quick)


if __name__ == "__main__":
    main()
