"""How right is each classifier, and does it know when it is not?  MNIST and Fashion-MNIST.

Each learns from the training part; the temperature is fitted on the validation part; everything is
measured on the 10,000 test images.  LinearRegression, logistic and naive Bayes take what they take, the convnet
5 minutes of wall-clock time.  The data must be in $PLAUSIBLE_DATA.
"""

from typing import Any

import torch
from benchmarks.record import kept, parser, record

import plausible
from plausible.core.model import Explicit, Model
from plausible.data.part import Data
from plausible.models import ConvNet, LinearRegression, LogisticRegression, NaiveBayes
from plausible.recognition.bayes import BayesClassifier
from plausible.tasks.evaluate import classified

SETS = ["mnist", "fashion-mnist"]
KINDS: list[type[Model]] = [LinearRegression, LogisticRegression, NaiveBayes, ConvNet]
MINUTES = 5.0


def row(kind: type[Model], data: Data, seed: int, minutes: float) -> dict[str, Any]:
    torch.manual_seed(seed)
    budget = {"minutes": minutes} if kind is ConvNet else {}
    settings = plausible.Settings(seed=seed, **budget)  # type: ignore[arg-type]
    training = plausible.train(kind(data.space, kind.Config()), data, settings)
    for step in training:
        if step.clock.step % 1000 == 999:
            print(f"  {kind.name}: {step.clock.progress:.0%}", flush=True)
    model = training.averaged
    _, measures = classified(BayesClassifier(model) if isinstance(model, Explicit) else model, data)
    found = {measure.name: measure for measure, _ in measures}
    names = ["accuracy", "log loss", "calibration error", "risk over coverage"]
    names += ["log loss, calibrated", "calibration error, calibrated"]
    return {
        "data": data.name,
        "model": kind.name,
        "seconds": round(training.seconds, 1),
        **{name: found[name].value for name in names},
    }


def main() -> None:
    asked = parser(__doc__).parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    for name in SETS:
        data = plausible.load(name)
        for kind in KINDS:
            if any((r["data"], r["model"]) == (name, kind.name) for r in rows):
                continue
            rows.append(row(kind, data, asked.seed, 0.05 if asked.quick else MINUTES))
            record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
