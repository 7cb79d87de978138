"""How right is each classifier, and does it know when it is not?  MNIST, Fashion-MNIST and the embedded digits.

Each learns from the training part; the temperature is fitted on the validation part; everything is
measured on the 10,000 test images, of the embedded digits on 500.  LinearRegression, logistic, naive Bayes and mixtures take what they take, all others
``--minutes`` of wall-clock time (the convnet 5).  The data must be in $PLAUSIBLE_DATA.

Explicit families classify by Bayes' rule, most of MNIST alone, and where p(x | y) takes long on ``--images`` of the test and half as many
of the validation images.  A row that is there is not made again, so the script can be stopped and called again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from benchmarks.record import kept, parser, record

import plausible
from plausible.core.model import Explicit, Model
from plausible.core.space import Space
from plausible.data.part import Data, Part
from plausible.data.quantise import binarise
from plausible.models import (
    RBM,
    VAE,
    VQVAE,
    ConvNet,
    Diffusion,
    Flow,
    GaussianMixture,
    LinearRegression,
    LogisticRegression,
    NaiveBayes,
    PerClass,
    PixelCNN,
    PixelRNN,
)
from plausible.recognition.bayes import BayesClassifier
from plausible.tasks.evaluate import classified

SETS = ["mnist", "fashion-mnist", "digits"]
CONVNET = 5.0  # minutes
# of MNIST beside mixtures, and therefore learned from Fashion-MNIST too
BEST = ["rbm, hybrid", "vae, per class"]


@dataclass(frozen=True)
class Contender:
    """A model to be made for a space, small for a quick look.

    minutes  None: it takes what it takes; 0: as many as are asked for.
    slow     p(x | y) is asked of some images only.
    """

    build: Callable[[Space, bool], Model]
    minutes: float | None = 0.0
    slow: bool = True
    binary: bool = False
    optimise_posterior: int = 0


def conditional(kind: Any, **small: Any) -> Callable[[Space, bool], Model]:
    """One model of all classes."""
    return lambda space, quick: kind(space, kind.Config(conditional=True, **small if quick else {}))


def per_class(kind: Any, **small: Any) -> Callable[[Space, bool], Model]:
    """A model for each class."""
    return lambda space, quick: PerClass(
        space, lambda single: kind(single, kind.Config(**small if quick else {}))
    )


def fitted(kind: Any) -> Callable[[Space, bool], Model]:
    """As it is by default."""
    return lambda space, quick: kind(space, kind.Config())


def hybrid(space: Space, quick: bool) -> Model:
    """A Boltzmann machine that learns p(y | x) beside p(x, y)."""
    return RBM(
        space, RBM.Config(conditional=True, discriminative=30.0, hidden=16 if quick else 1000)
    )


def hybrid_mixtures(space: Space, quick: bool) -> Model:
    """A mixture for each class, which learn p(y | x) together in the end; five of them are averaged."""
    config = GaussianMixture.Config(discriminative=30.0, ensemble=1 if quick else 5)
    if quick:
        config = replace(config, components=1, principal=4)
    return PerClass(space, lambda single: GaussianMixture(single, config))


PIXELS, LATENT = {"width": 4, "blocks": 1}, {"width": 8, "latent": 4}
ANY = {
    "linear": Contender(fitted(LinearRegression), None, slow=False),
    "logistic": Contender(fitted(LogisticRegression), None, slow=False),
    "naive-bayes": Contender(fitted(NaiveBayes), None, slow=False),
    "mixture, per class": Contender(per_class(GaussianMixture, components=1), None, slow=False),
    "mixture, hybrid": Contender(hybrid_mixtures, None, slow=False),
    "convnet": Contender(fitted(ConvNet), CONVNET, slow=False),
}
BY_BAYES = {
    "pixelcnn": Contender(conditional(PixelCNN, **PIXELS)),
    "pixelcnn, per class": Contender(per_class(PixelCNN, **PIXELS)),
    "pixelrnn": Contender(conditional(PixelRNN, hidden=4, layers=1)),
    "vae": Contender(conditional(VAE, **LATENT)),
    "vae, per class": Contender(per_class(VAE, **LATENT)),
    "vae, optimised posterior": Contender(conditional(VAE, **LATENT), optimise_posterior=50),
    "vq-vae": Contender(conditional(VQVAE, width=8, blocks=1, prior_width=8, prior_blocks=1)),
    "rbm": Contender(conditional(RBM, hidden=16), slow=False, binary=True),
    "rbm, hybrid": Contender(hybrid, slow=False, binary=True),
    "rbm, per class": Contender(per_class(RBM, hidden=16), slow=False, binary=True),
    "flow": Contender(conditional(Flow, width=8, layers=2, blocks=1)),
    "diffusion": Contender(conditional(Diffusion, width=8)),
}


def black_and_white(data: Data) -> Data:
    """Each pixel 1 with its grey value as probability, drawn once."""

    def drawn(part: Part) -> Part:
        assert part.space.levels is not None
        values = torch.from_numpy(binarise(part.values.numpy(), part.space.levels))
        return Part(values, part.y, replace(part.space, levels=2))

    train, validation, heldout = map(drawn, (data.train, data.validation, data.heldout))
    return replace(data, space=train.space, train=train, validation=validation, heldout=heldout)


def row(name: str, contender: Contender, data: Data, asked: Any) -> dict[str, Any]:
    """What one classifier knows of one data set."""
    data = black_and_white(data) if contender.binary else data
    torch.manual_seed(asked.seed)
    minutes = contender.minutes or asked.minutes
    budget: dict[str, Any] = {} if contender.minutes is None else {"minutes": minutes}
    if asked.quick and budget:
        budget = {"steps": 3}
    settings = plausible.Settings(seed=asked.seed, **budget)
    training = plausible.train(contender.build(data.space, asked.quick), data, settings)
    for step in training:
        if step.clock.step % 1000 == 999:
            print(f"  {name}: {step.clock.progress:.0%}", flush=True)
    model = training.averaged
    if contender.slow or asked.quick:
        n = 20 if asked.quick else asked.images
        data = replace(
            data, validation=data.validation.every_kth(n // 2), heldout=data.heldout.every_kth(n)
        )
    classifier: Any = model
    if isinstance(model, Explicit):
        steps = (
            min(contender.optimise_posterior, 2) if asked.quick else contender.optimise_posterior
        )
        classifier = BayesClassifier(model, optimise_posterior=steps)
    began = time.perf_counter()
    with plausible.core.device.seeded(asked.seed):
        _, measures = classified(classifier, data)
    took, n = time.perf_counter() - began, len(data.validation) + len(data.heldout)
    found = {measure.name: measure for measure, _ in measures}
    names = ["accuracy", "log loss", "calibration error", "risk over coverage"]
    names += ["log loss, calibrated", "calibration error, calibrated"]
    return {
        "data": data.name,
        "model": name,
        "seconds": round(training.seconds, 1),
        **{name: found[name].value for name in names},
        "images": len(data.heldout),
        "ms an image": 1000 * took / n,
    }


def asked_of(name: str, source: str) -> bool:
    """Whether there is to be a row: of what takes long, MNIST, and of the best of it Fashion-MNIST."""
    return name in ANY or source == SETS[0] or (name in BEST and source == SETS[1])


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--minutes", type=float, default=30.0, help="of training, each family")
    made.add_argument(
        "--images", type=int, default=2000, help="of the test part, for slow families"
    )
    made.add_argument("--models", nargs="*", default=[*ANY, *BY_BAYES], help="only these rows")
    asked = made.parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    contenders = {name: one for name, one in (ANY | BY_BAYES).items() if name in asked.models}
    for source in SETS:
        data = plausible.load(source)
        for name, contender in contenders.items():
            there = any((r["data"], r["model"]) == (source, name) for r in rows)
            if there or not asked_of(name, source):
                continue
            rows.append(row(name, contender, data, asked))
            record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
