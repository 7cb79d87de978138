"""Softmax regression on MNIST: time to the optimum and accuracy, beside scikit-learn's.

Both learn from the same training part, pixels in [0, 1] for scikit-learn as in its own examples and in
[-1, 1] for ours; scikit-learn with max_iter=100, its default, at which it stops before the optimum, and
its default penalty, which is weaker than ours.  One thread each, in turns.  The data must be in $PLAUSIBLE_DATA.
"""

import time
import warnings
from statistics import median

import numpy as np
import torch
from benchmarks.record import parser, record
from sklearn.linear_model import LogisticRegression as Peer

import plausible
from plausible.evaluation.metrics.classification import accuracy
from plausible.models import LogisticRegression


def main() -> None:
    asked = parser(__doc__).parse_args()
    torch.set_num_threads(1)
    data = plausible.load("mnist")
    n, turns = (2000, 1) if asked.quick else (len(data.train), 3)
    train = data.train.rows(slice(0, n))
    data = plausible.Data("mnist", data.space, train, data.validation, data.heldout)
    x, y = train.as_batch().x.flatten(1).numpy(), train.y.numpy()
    held = data.heldout.as_batch()
    hx, hy = held.x.flatten(1).numpy(), held.y.numpy()
    rows: dict[str, list] = {"ours": [], "scikit-learn": []}
    for _ in range(turns):
        began = time.perf_counter()
        training = plausible.train(
            LogisticRegression(data.space), data, plausible.Settings(seed=asked.seed)
        )
        list(training)
        took = time.perf_counter() - began
        model = training.averaged
        log_p = model.log_posterior(held.x).numpy()
        rows["ours"].append(
            (took, accuracy(model, data.heldout), loss(log_p, hy), training.finished)
        )
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it does not converge, and says so
            peer = Peer(max_iter=100).fit(x, y)
        took = time.perf_counter() - began
        rows["scikit-learn"].append(
            (
                took,
                peer.score(hx, hy),
                loss(peer.predict_log_proba(hx), hy),
                bool(peer.n_iter_[0] < 100),
            )
        )
    ours, theirs = (median(row[0] for row in rows[who]) for who in rows)
    table = [
        {
            "who": who,
            "seconds": median(row[0] for row in found),
            "test accuracy": found[0][1],
            "test log loss": found[0][2],
            "converged": found[0][3],
            "time / scikit-learn": median(row[0] for row in found) / theirs,
        }
        for who, found in rows.items()
    ]
    note = f"{n:,} examples, {turns} turns, medians; ours takes {ours / theirs:.2f} of the time"
    record(__file__, table, seed=asked.seed, quick=asked.quick, notes=note)


def loss(log_p: np.ndarray, y: np.ndarray) -> float:
    """Mean of -log p(y | x) in nats: log_p (N, classes), y (N,)."""
    return float(-log_p[np.arange(len(y)), y].mean())


if __name__ == "__main__":
    main()
