"""How fast a restricted Boltzmann machine learns, beside scikit-learn's, and how long annealing takes; 2 cores.

train  images/s of ``plausible.train`` and of BernoulliRBM on MNIST (static, the library's seed), 500 hidden
       units, batches of 100, one step of persistent chains an update, no momentum and no decay on either
       side: the same algorithm, by the mean-centred gradient on ours.  scikit-learn's in float64, as it comes,
       and in float32.  In turns; the ratio is the median of the turns'.
ais    seconds of the estimate of log Z by 1,000 chains and 10,000 temperatures; beside it its error.

The data must be in $PLAUSIBLE_DATA.  Set GOMP_SPINCOUNT=3000, as the command line does by itself.
"""

import time
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
import torch
from benchmarks.record import parser, record
from sklearn.neural_network import BernoulliRBM

import plausible

HIDDEN, BATCH, LR = 500, 100, 0.05


def ours(data: plausible.Data, n: int, seed: int, precision: Any) -> float:
    """Seconds of training on n images."""
    torch.manual_seed(seed)
    config = plausible.RBM.Config(hidden=HIDDEN, batch=BATCH, lr=LR, momentum=0.0, decay=0.0)
    model = plausible.RBM(data.space, config)
    settings = plausible.Settings(steps=n // BATCH, seed=seed, precision=precision)
    began = time.perf_counter()
    for _ in plausible.train(model, data, settings):
        pass
    return time.perf_counter() - began


def theirs(x: np.ndarray, seed: int) -> float:
    """Seconds of one pass over x by scikit-learn."""
    machine = BernoulliRBM(
        n_components=HIDDEN, batch_size=BATCH, learning_rate=LR, n_iter=1, random_state=seed
    )
    began = time.perf_counter()
    machine.fit(x)
    return time.perf_counter() - began


def training(data: plausible.Data, seed: int, turns: int, n: int) -> list[dict[str, Any]]:
    """Images/s of all, in turns of n images."""
    data = replace(data, train=data.train.rows(slice(0, n)))
    x = data.train.as_batch().x.flatten(1).numpy()
    who = {
        "scikit-learn, float64": lambda: theirs(x.astype(np.float64), seed),
        "scikit-learn, float32": lambda: theirs(x, seed),
        "ours, float32": lambda: ours(data, n, seed, "float32"),
        "ours, bf16": lambda: ours(data, n, seed, "bf16"),
    }
    rates: dict[str, list[float]] = {name: [] for name in who}
    for turn in range(turns + 1):
        for name in sorted(who, reverse=bool(turn % 2)):
            seconds = who[name]()
            if turn:  # the first turn warms up
                rates[name].append(n / seconds)
    rows = []
    for name, found in rates.items():
        row: dict[str, Any] = {"what": "train", "who": name, "images/s": round(median(found))}
        for dtype in ("float64", "float32"):
            pairs = zip(found, rates[f"scikit-learn, {dtype}"], strict=True)
            row[f"x {dtype}"] = median(a / b for a, b in pairs)
        rows.append(row)
        print(row, flush=True)
    return rows


def annealing(data: plausible.Data, seed: int, chains: int, steps: int, n: int) -> dict[str, Any]:
    """Seconds of the estimate of log Z of a machine that has learned from n images."""
    torch.manual_seed(seed)
    model = plausible.RBM(data.space, plausible.RBM.Config(hidden=HIDDEN, batch=BATCH))
    for _ in plausible.train(model, data, plausible.Settings(steps=n // BATCH, seed=seed)):
        pass
    began = time.perf_counter()
    (found,) = model.log_partition(chains, steps)
    seconds = time.perf_counter() - began
    return {
        "what": f"ais, {chains:,} chains, {steps:,} temperatures", "who": "ours", "seconds": seconds,
        "log Z": found.log_z, "stderr": found.error, "effective chains": found.ess,
    }  # fmt: skip


def main() -> None:
    flags = parser(__doc__).parse_args()
    data = plausible.load("mnist", plausible.Options(binarise="static"))
    turns, n = (1, 2000) if flags.quick else (5, 20_000)
    rows = training(data, flags.seed, turns, n)
    rows.append(annealing(data, flags.seed, *(100, 200) if flags.quick else (1000, 10_000), n=n))
    keys = list(dict.fromkeys(key for row in rows for key in row))
    rows = [{key: row.get(key, "") for key in keys} for row in rows]
    record(__file__, rows, seed=flags.seed, quick=flags.quick)


if __name__ == "__main__":
    main()
