"""How near the density of a flow comes to the truth, where it is known; and on two tables beside a mixture and kernels.

Toys are learned for --minutes of one core's own time, that is for as many updates as it plays in them, whatever else the
machine does: once from the 7,200 training points that ``plausible.load`` draws, once from 200,000, because with few points
what is left is what they do not say.  They are judged by 20,000 points that nobody saw.  Tables are scikit-learn's wine and
breast cancer, judged by their held-out part.  Every flow keeps the weights of the best validation loss, as
``plausible train`` does; the mixture chooses its number of Gaussians; the kernels are Gaussian, of one width in standard
units that the validation part chooses.  In nats and in the units of the data:

nats       E log p_model(x), exact
reference  E log p(x) of the truth on the same points; of tables that of the mixture
gap        E[log p(x) - log p_model(x)], of toys the Kullback-Leibler divergence from the model to the truth, with its stderr

A row that is there is kept.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch
from benchmarks.record import kept, parser, record
from experiments.slices import updates_in
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.neighbors import KernelDensity
from torch import Tensor

import plausible
from plausible.data.part import Part
from plausible.data.toys import toys
from plausible.models import Flow, GaussianMixture

SETS = ("ring", "grid", "moons", "spiral")
TABLES = {"wine": load_wine, "breast cancer": load_breast_cancer}
ARCHITECTURES = ("coupling", "autoregressive")
WIDTHS = np.geomspace(0.05, 2, 30)
_LEARNED = (7_200, 200_000)  # points: as plausible.load has them, and too many to be known by heart
_JUDGED = 20_000
_TABLE_STEPS = 3000

Row = dict[str, Any]


def toy(name: str, points: int, architecture: str, minutes: float, seed: int) -> Row:
    data, truth = of_points(name, points), toys[name]()
    config = Flow.Config(architecture=architecture)
    torch.manual_seed(seed)
    steps = updates_in(minutes, Flow(data.space, config), data)
    model = plausible.fit("flow", data, seed=seed, steps=steps, architecture=architecture).model
    x = truth.sample(_JUDGED, torch.Generator().manual_seed(2)).x
    return {
        **key_of(name, points, architecture, minutes), "updates": steps,
        **compared(model.log_prob(x).nats, truth.log_prob(x).nats),
    }  # fmt: skip


def key_of(name: str, points: int, architecture: str, minutes: float) -> Row:
    return {"data": name, "points": points, "model": f"flow, {architecture}", "minutes": minutes}


def of_points(name: str, points: int) -> plausible.Data:
    """A toy with so many training points: those that it comes with, or others."""
    data = plausible.load(name)
    if points == len(data.train):
        return data
    drawn = toys[name]().sample(points, torch.Generator().manual_seed(1))
    return replace(data, train=Part(drawn.x, drawn.y, data.space))


def table(name: str, seed: int, steps: int) -> Iterator[Row]:
    found = TABLES[name]()
    data = plausible.from_arrays(found.data, name=name.replace(" ", "-"))
    x = data.heldout.as_batch().x
    mixture = plausible.fit("mixture", data, seed=seed)
    beside = mixture.model.log_prob(x).nats
    components = mixture.model.components
    width, nats = kernels(data)
    yield of_table(name, f"mixture of {components}", None, beside, beside)
    yield of_table(name, f"kernels of width {width:.2f}", None, nats, beside)
    for architecture in ARCHITECTURES:
        flow = plausible.fit("flow", data, seed=seed, steps=steps, architecture=architecture)
        nats = flow.model.log_prob(x).nats
        yield of_table(name, f"flow, {architecture}", steps, nats, beside)


def of_table(name: str, model: str, steps: int | None, nats: Tensor, reference: Tensor) -> Row:
    key = {"data": name, "points": None, "model": model, "minutes": None, "updates": steps}
    return {**key, **compared(nats, reference)}


def compared(nats: Tensor, reference: Tensor) -> Row:
    gap = reference.double() - nats.double()
    return {
        "nats": nats.mean().item(),
        "reference": reference.mean().item(),
        "gap": gap.mean().item(),
        "stderr": gap.std().item() / len(gap) ** 0.5,
        "judged": len(gap),
    }


def kernels(data: plausible.Data) -> tuple[float, Tensor]:
    """The width in standard units that makes the validation part most probable, and log p of the held-out part."""
    units = GaussianMixture(data.space, GaussianMixture.Config(components=1))
    units.setup(data.train)
    parts = (data.train, data.validation, data.heldout)
    train, validation, heldout = (units.standardise(p.as_batch().x).numpy() for p in parts)
    fits = {width: KernelDensity(bandwidth=width).fit(train) for width in WIDTHS}
    best = max(fits, key=lambda width: fits[width].score(validation))
    nats = torch.from_numpy(fits[best].score_samples(heldout))
    return float(best), nats - units.scale.double().log().sum()


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=2.0)
    asked = flags.parse_args()
    torch.set_num_threads(1)
    minutes = 0.01 if asked.quick else asked.minutes
    rows = [] if asked.quick else kept(__file__, quick=False)

    def add(row: Row) -> None:
        rows.append(row)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)

    for name in SETS[:1] if asked.quick else SETS:
        for points, architecture in product(_LEARNED, ARCHITECTURES):
            key = key_of(name, points, architecture, minutes)
            if not any(key.items() <= row.items() for row in rows):
                add(toy(name, points, architecture, minutes, asked.seed))
    for name in list(TABLES)[:1] if asked.quick else TABLES:
        if not any(row["data"] == name for row in rows):
            for row in table(name, asked.seed, 30 if asked.quick else _TABLE_STEPS):
                add(row)


if __name__ == "__main__":
    main()
