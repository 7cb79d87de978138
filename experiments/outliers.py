"""Shown what is none of the classes: who says so?

Every classifier learns from MNIST (Fashion-MNIST) and is shown the held-out images of the other set,
uniform noise, its own held-out images inverted, and rotated letters of the font of the plotting
library.  Models that have their rows already are skipped, unless the default score is not among them.  Discriminative models have
one score, 1 - max p(y | x); generative ones have p(x), and every score made from it is a row.  Distances to the training part,
without a model of x, stand beside them (``outlier_distances``).

max p       mean over outliers of the largest posterior probability, calibrated on the validation part; none without classes.
accepted    share of the outliers that pass where 95% of the true held-out images do.
AUROC       chance that an outlier scores higher than a held-out image.

A Boltzmann machine sees everything in black and white, each pixel drawn once with its grey value as probability.

The default score was chosen on other data (``outlier_choice``).  The data must be in $PLAUSIBLE_DATA.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import torch
from benchmarks.record import kept, parser, record
from experiments.outlier_distances import Distance, distances
from experiments.slices import learned
from PIL import Image, ImageDraw, ImageFont

import plausible
from plausible.data.mutation import mutated
from plausible.data.part import Data, Part
from plausible.data.quantise import binarise
from plausible.models import (
    RBM,
    VAE,
    ConvNet,
    Flow,
    GaussianMixture,
    LogisticRegression,
    NaiveBayes,
    PerClass,
    PixelCNN,
)
from plausible.recognition.novelty import novelties
from plausible.recognition.outputs import ModelOutputs
from plausible.recognition.recogniser import Recogniser
from plausible.recognition.roc import auroc, fpr_at_tpr

SETS = {"mnist": "fashion-mnist", "fashion-mnist": "mnist"}
DISTANCE = "distance"
WITHOUT = ("logistic", "convnet", DISTANCE)  # which have no p(x)
DEFAULT = "combined"
BACKGROUND = 0.2  # the share of mutated coordinates that suits most data (Ren et al. 2019)
SHOWN = 5000  # outliers of each kind, at most
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabdefghjkmnqrty"  # without those that look like a digit


def letters(n: int, seed: int) -> torch.Tensor:
    """n white letters on black in DejaVu Sans, 16 to 24 points, turned by any angle: (n, 1, 28, 28)."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    draw, drawn = np.random.default_rng(seed), []
    for _ in range(n):
        font = ImageFont.truetype(str(path), int(draw.integers(16, 25)))
        sheet = Image.new("L", (56, 56))
        letter = LETTERS[draw.integers(len(LETTERS))]
        ImageDraw.Draw(sheet).text((28, 28), letter, fill=255, font=font, anchor="mm")
        turned = sheet.rotate(float(draw.uniform(0, 360)), Image.Resampling.BICUBIC)
        drawn.append(np.asarray(turned.crop((14, 14, 42, 42))))
    return torch.from_numpy(np.stack(drawn))[:, None]


def reported(data: Data, other: Data, n: int, seed: int) -> dict[str, Part]:
    """The outliers of the table."""
    generator = torch.Generator().manual_seed(seed)
    held = data.heldout.values[:n]
    noise = torch.randint(256, held.shape, generator=generator, dtype=torch.uint8)
    values = {
        other.name: other.heldout.values[:n],
        "uniform noise": noise,
        "inverted": 255 - held,
        "rotated letters": letters(min(n, 2000), seed),
    }
    return {name: Part(v, None, data.space) for name, v in values.items()}


def black_and_white(part: Part) -> Part:
    """Each pixel 1 with its grey value as probability, drawn once."""
    assert part.space.levels is not None
    values = torch.from_numpy(binarise(part.values.numpy(), part.space.levels))
    return Part(values, part.y, replace(part.space, levels=2))


def rows_of(
    asked: Recogniser, data: Data, inside: Part, shown: dict[str, Part]
) -> list[dict[str, Any]]:
    """A row for each kind of outlier and each score."""
    binary = asked.model.space.levels == 2
    ours = asked.outputs(black_and_white(inside) if binary else inside)
    rows = []
    for name, part in shown.items():
        other = asked.outputs(black_and_white(part) if binary else part)
        for score, (near, far) in scores(asked, ours, other).items():
            rows.append(
                {
                    "learned": data.name,
                    "model": asked.model.name,
                    "score": score,
                    "shown": name,
                    "max p": None
                    if asked.classifier is None
                    else _sure(asked, other).exp().mean().item(),
                    "accepted": fpr_at_tpr(near, far),
                    "AUROC": auroc(near, far),
                }
            )
    return rows


def rows_of_distances(
    asked: dict[str, Distance], data: Data, inside: Part, shown: dict[str, Part]
) -> list[dict[str, Any]]:
    """The same of distances, which know of no class."""
    rows = []
    for score, far in asked.items():
        near = far(inside)
        for name, part in shown.items():
            found = far(part)
            rows.append({
                "learned": data.name, "model": DISTANCE, "score": score, "shown": name,
                "accepted": fpr_at_tpr(near, found), "AUROC": auroc(near, found),
            })  # fmt: skip
    return rows


def scores(
    asked: Recogniser, ours: ModelOutputs, other: ModelOutputs
) -> dict[str, tuple[Any, Any]]:
    """{score: (of the right kind, of the outliers)}."""
    if ours.log_prob is None:
        return {"1 - max p(y|x)": (-_sure(asked, ours), -_sure(asked, other))}
    return {
        name: (asked.novelty_score(ours, name), asked.novelty_score(other, name))
        for name in novelties
        if name != "noise" or ours.noise is not None
    }


def _sure(asked: Recogniser, seen: ModelOutputs) -> torch.Tensor:
    assert asked.classifier is not None
    assert seen.log_posterior is not None
    return (seen.log_posterior / asked.classifier.temperature).log_softmax(1).amax(1)


def logistic(data: Data, seed: int, quick: bool) -> Recogniser:
    """Softmax regression."""
    return Recogniser(learned(LogisticRegression(data.space), data, seed), data)


def convnet(data: Data, seed: int, quick: bool) -> Recogniser:
    """A convolutional classifier, 5,000 steps."""
    budget = {"steps": 60 if quick else 5000}
    return Recogniser(learned(ConvNet(data.space), data, seed, **budget), data)


def naive_bayes(data: Data, seed: int, quick: bool) -> Recogniser:
    """Naive Bayes, and the same of mutated data behind it."""
    behind = learned(NaiveBayes(data.space), mutated(data, BACKGROUND, seed), seed)
    return Recogniser(learned(NaiveBayes(data.space), data, seed), data, background=behind)


def mixture(data: Data, seed: int, quick: bool) -> Recogniser:
    """Gaussians of each class in principal components, and of mutated data of all behind them."""
    config = GaussianMixture.Config(components=2 if quick else None)
    each = PerClass(data.space, lambda single: GaussianMixture(single, config))
    behind = learned(GaussianMixture(data.space, config), mutated(data, BACKGROUND, seed), seed)
    return Recogniser(learned(each, data, seed), data, background=behind)


def pixelcnn(data: Data, seed: int, quick: bool) -> Recogniser:
    """p(x | y) by a PixelCNN, and p(x) of mutated data behind it."""
    config = PixelCNN.Config(width=8, blocks=1) if quick else PixelCNN.Config()
    return _deep(PixelCNN, config, data, seed, quick)


def vae(data: Data, seed: int, quick: bool) -> Recogniser:
    """p(x | y) by a VAE, and p(x) of mutated data behind it."""
    return _deep(VAE, VAE.Config(width=16) if quick else VAE.Config(), data, seed, quick)


def rbm(data: Data, seed: int, quick: bool) -> Recogniser:
    """p(x, y) by a Boltzmann machine, and p(x) of mutated data behind it."""
    parts = {p: black_and_white(getattr(data, p)) for p in ("train", "validation", "heldout")}
    binary = replace(data, space=parts["train"].space, **parts)
    config = RBM.Config(hidden=16) if quick else RBM.Config()
    return _deep(RBM, config, binary, seed, quick)


def flow(data: Data, seed: int, quick: bool) -> Recogniser:
    """p(x) by a flow, without classes, because it is the z of x that is tested, and p(x) of mutated data behind it."""
    config = Flow.Config(width=8, layers=2, blocks=1) if quick else Flow.Config()
    return _deep(Flow, config, data, seed, quick, conditional=False, novelty="noise")


def _deep(
    kind: Any,
    config: Any,
    data: Data,
    seed: int,
    quick: bool,
    conditional: bool = True,
    novelty: str | None = None,
) -> Recogniser:
    """A model, 10 minutes, of each class if it is conditional, and one of mutated data, 5 minutes."""
    budget = {"steps": 3} if quick else {"minutes": 10.0}
    less = {"steps": 3} if quick else {"minutes": 5.0}
    model = learned(
        kind(data.space, replace(config, conditional=conditional)), data, seed, **budget
    )
    behind = learned(kind(data.space, config), mutated(data, BACKGROUND, seed), seed, **less)
    return Recogniser(model, data, background=behind, novelty=novelty)


MODELS = {
    "logistic": logistic,
    "convnet": convnet,
    "naive-bayes": naive_bayes,
    "mixture": mixture,
    "pixelcnn": pixelcnn,
    "vae": vae,
    "rbm": rbm,
    "flow": flow,
}
FEWER = {
    "pixelcnn": 1000,
    "vae": 500,
    "flow": 500,
}  # outliers of each kind, where each takes many passes of a network


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--who", nargs="+", choices=[*MODELS, DISTANCE], default=[*MODELS, DISTANCE])
    flags.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="to learn")
    asked = flags.parse_args()
    quick, seed = asked.quick, asked.seed
    loaded = {name: plausible.load(name) for name in SETS}
    if quick:
        loaded = {name: _less(data) for name, data in loaded.items()}
    rows = [] if quick else _reported(kept(__file__, quick=False))
    for name in asked.sets[: 1 if quick else None]:
        data, beside = loaded[name], SETS[name]
        for who in asked.who:
            if quick and who == "vae":  # whose bound by many draws takes minutes also of few
                continue
            own = [row for row in rows if (row["learned"], row["model"]) == (name, who)]
            if own and (who in WITHOUT or any(row["score"] == DEFAULT for row in own)):
                continue
            print(name, who, flush=True)
            torch.manual_seed(seed)
            n = 8 if quick and who in FEWER else 100 if quick else FEWER.get(who, SHOWN)
            inside = data.heldout.rows(slice(0, None, max(1, len(data.heldout) // n)))
            shown = reported(data, loaded[beside], n, seed)
            if who == DISTANCE:
                found = rows_of_distances(distances(data, quick), data, inside, shown)
            else:
                found = rows_of(MODELS[who](data, seed, quick), data, inside, shown)
            rows = [row for row in rows if row not in own] + found
            record(__file__, rows, seed=seed, quick=quick)


def _reported(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of an earlier version without those by which it chose a score."""
    return [
        {name: value for name, value in row.items() if name != "purpose"}
        for row in rows
        if row.get("purpose") != "choice"
    ]


def _less(data: Data) -> Data:
    parts = {p: getattr(data, p).rows(slice(0, 600)) for p in ("train", "validation", "heldout")}
    return replace(data, **parts)


if __name__ == "__main__":
    main()
