"""Which features see most of what is planted into real data: also the trunk of a critic that learned to see it?

Of tiles, signs, Fashion-MNIST and glyphs, the share of trials in which a defect of three times its margin is seen, as an
evaluation chooses its features by it: for a classifier's penultimate layer, random convolutions, principal components, and

trunk, taught      the last hidden layer of a critic's convnet that learned from T to tell these very defects apart
trunk, untaught    of one that learned half of the kinds of defects, asked about the other half, either way round; the
                   other columns are means over the same defects

Nothing learns from the points into which defects are planted.  A row that is there is kept.  The data must be in
$PLAUSIBLE_DATA.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import FOLDERS, source
from torch import Generator, nn
from torch.nn.functional import cross_entropy

import plausible
from plausible.core.device import seeded
from plausible.core.errors import NotDefined, UsageError
from plausible.data.options import Options
from plausible.data.part import Part
from plausible.evaluation.critic.networks import convnet
from plausible.evaluation.embedding import convolutional_features
from plausible.evaluation.eyes import Eyes, choose_features
from plausible.evaluation.features import pca
from plausible.evaluation.verdict.defect import defects
from plausible.evaluation.verdict.power import real_points
from plausible.tasks.reference_classifier import reference_classifier

SETS = ("tiles", "signs", "fashion-mnist", "glyphs")
UPDATES, EACH, RATE = 400, 12, 2e-3  # of how many of each kind
LEARN = 4000


def changing(train: Part) -> list[str]:
    """The defects that change how a point looks: only these can be told from one point."""
    few, found = train.rows(slice(0, 100)), []
    for name, defect in defects.items():
        try:
            if defect.plant and defect.plant(few, few, 0.5, Generator().manual_seed(0)).points is not few:  # fmt: skip
                found.append(name)
        except NotDefined:
            continue
    return found


def trunk(train: Part, taught: Sequence[str], updates: int) -> Eyes:
    """Principal components of the last hidden layer of a convnet that tells real points and these defects apart."""
    generator = Generator().manual_seed(0)
    few = train.rows(torch.randperm(len(train), generator=generator)[:LEARN])
    kinds = [few]
    for name in taught:
        defect = defects[name]
        assert defect.plant is not None
        kinds.append(defect.plant(few, few, min(3 * defect.margin, 0.9), generator).points)
    with seeded(0):
        net = convnet(train.space.shape)
        assert isinstance(net, nn.Sequential)
        net[-1] = nn.Linear(net[-1].in_features, len(kinds))
        optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, betas=(0.9, 0.99))
        labels = torch.arange(len(kinds)).repeat_interleave(EACH)
        for _ in range(updates):
            rows = torch.randint(len(few), (len(kinds), EACH), generator=generator)
            x = torch.cat([kind.batch(some).x for kind, some in zip(kinds, rows, strict=True)])
            optimizer.zero_grad()
            cross_entropy(net(x), labels).backward()
            optimizer.step()
    body = net[:-2].eval()  # without dropout and the last map
    with torch.no_grad():
        axes = pca(body(few.batch(slice(0, LEARN)).x))
    return (lambda x: axes(body(x))), "trunk"


@contextmanager
def only(names: Sequence[str]) -> Iterator[None]:
    """Within it these defects alone are planted."""
    whole = dict(defects)
    defects.clear()
    defects.update({name: whole[name] for name in names})
    try:
        yield
    finally:
        defects.clear()
        defects.update(whole)


def row_of(name: str, updates: int) -> dict[str, Any]:
    """What each sees of one data set."""
    data = plausible.load(source(name) if name != "glyphs" else name, Options(size=32) if name in FOLDERS else Options())  # fmt: skip
    train = data.train.frozen(0)
    candidates: list[Eyes] = [
        (reference_classifier(data, lambda share: None).features, "classifier"),
        (convolutional_features(train)[0], "random convolutions"),
        (pca(train.batch(slice(0, 5000)).x), "principal components"),
    ]
    real = real_points([data.heldout.frozen(1), data.validation.frozen(2)], len(data.heldout), Generator().manual_seed(0))  # fmt: skip
    names, taught = list(defects), changing(train)

    def seen(looking: Sequence[str], lesson: Sequence[str]) -> list[float]:
        eyes = [*candidates, trunk(train, lesson, updates)]
        with only(looking):
            return choose_features(eyes, real, train, Generator().manual_seed(0))[1]

    everything = seen(names, taught)
    halves = [seen([n for n in names if n not in half], half) for half in (taught[::2], taught[1::2])]  # fmt: skip
    others = [sum(share) / 2 for share in zip(*halves, strict=True)]
    columns = [*(eye for _, eye in candidates), "trunk"]
    return {
        "data": name,
        **{f"{column}, taught": share for column, share in zip(columns, everything, strict=True)},
        **{f"{column}, untaught": share for column, share in zip(columns, others, strict=True)},
    }


def main() -> None:
    asked = parser(__doc__).parse_args()
    torch.set_num_threads(1)
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in SETS[-1:] if asked.quick else SETS:
        if any(row["data"] == name for row in rows):
            continue
        try:
            rows.append(row_of(name, 20 if asked.quick else UPDATES))
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            continue
        print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
