"""Where four classifiers of the two moons decide, and how surely: the picture docs/boundary.png.

A line, a line with probabilities, a network, and Bayes' rule on one mixture of Gaussians for each class.
Far from all data the first three are as sure as they can be; the last can say that there is nothing.
"""

from pathlib import Path

import torch
from benchmarks.record import parser, record
from PIL import Image, ImageDraw

import plausible
from plausible import figures
from plausible.core.capabilities import Classifier
from plausible.core.model import Explicit, Model
from plausible.evaluation.metrics.classification import accuracy
from plausible.models import ConvNet, GaussianMixture, LinearRegression, LogisticRegression
from plausible.models.per_class import PerClass
from plausible.recognition.bayes import BayesClassifier

OUT = Path(__file__).parent.parent / "docs" / "boundary.png"
SIDE, TITLE = 330, 24  # pixels


def main() -> None:
    asked = parser(__doc__).parse_args()
    torch.manual_seed(asked.seed)
    data = plausible.load("moons")
    space, steps = data.space, 100 if asked.quick else 2000
    models: dict[str, tuple[Model, int]] = {
        "linear": (LinearRegression(space), 1),
        "logistic": (LogisticRegression(space), 100),
        "convnet": (ConvNet(space), steps),
        "mixture, per class": (PerClass(space, GaussianMixture), 100),
    }
    sheet = Image.new("RGB", (SIDE * len(models), SIDE + TITLE), "white")
    rows = []
    for column, (name, (model, budget)) in enumerate(models.items()):
        training = plausible.train(model, data, plausible.Settings(seed=asked.seed, steps=budget))
        list(training)
        fitted = training.averaged
        said = BayesClassifier(fitted) if isinstance(fitted, Explicit) else fitted
        assert isinstance(said, Classifier)
        right = accuracy(said, data.heldout)
        rows.append({"model": name, "accuracy": right})
        picture = figures.decision_boundary(said, data.heldout)
        picture.axes[0].set_title("")
        small = figures.rendered(picture).resize((SIDE, SIDE))
        sheet.paste(small, (column * SIDE, TITLE))
        title = f"{name}: {right:.2%}"
        ImageDraw.Draw(sheet).text((column * SIDE + 40, 6), title, fill="black", font_size=14)
    if not asked.quick:
        sheet.save(OUT)
    record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
