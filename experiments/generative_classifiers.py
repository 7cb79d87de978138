"""Does it pay to classify by generation?  The embedded digits, and MNIST.

labels      accuracy by so many labels a class (1, 3, 10, 100, all), the mean of several draws of them where they are few.
            Families learn from labelled images alone, but for those that say "and images without labels": Gaussians with one
            covariance in principal components, or in the z of a VAE of all images.  They are made here and are no ``mixture`` of the
            package, because that one, for each class, takes no example without its label, and has covariances of its own for each
            class, which is another model with other numbers; it is a row.  For the same reason a semi-supervised VAE in the narrow
            sense is not among them.
shortcut    a white mark at an edge goes with the label in 95% of the training part; share right where it always does, and where it never does.
corrupted   share right when held-out images are changed: noise (a tenth of the pixels drawn anew), shift (by a tenth of the side),
            occlusion (a grey square over a tenth of the image), contrast (halved).
missing     share right of the upper half alone.  Models that say x pixel by pixel know p(y | the rows so far) exactly; others are
            shown the mean of the training part below.
nonsense    mean of the largest calibrated p(y | x) of uniform noise: small is better.

low and high are the 95% interval, Wilson's of one share, and of several draws that of their mean.  A part that is there is not made again, so the
script can be stopped and called again.  MNIST must be in $PLAUSIBLE_DATA.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from experiments.semi_supervised import SharedGaussians
from experiments.slices import learned
from torch import Tensor

import plausible
from plausible.claims.shortcut import marked, planted
from plausible.core.errors import UsageError
from plausible.core.synthesis import coordinate_nats_of
from plausible.data.part import Data, Part
from plausible.evaluation.features import pca
from plausible.models import (
    VAE,
    ConvNet,
    GaussianMixture,
    LogisticRegression,
    NaiveBayes,
    PerClass,
    PixelCNN,
)
from plausible.recognition.calibration import temper
from plausible.recognition.outputs import posterior_of
from plausible.recognition.uncovering import uncovering

SETS = ("digits", "mnist")
LABELS = (1, 3, 10, 100, 0)  # a class; 0 is all
DIMS = 24  # principal components


@dataclass(frozen=True)
class Size:
    """How large and how long: of the digits a few seconds of one core each, of MNIST ``--minutes``.

    updates  of a whole training part; with few labels as many fewer as there are fewer batches, but a fifth at least.
    """

    width: int
    blocks: int
    updates: int | None
    held: int
    draws: int


SIZES = {"digits": Size(16, 2, 400, 500, 16), "mnist": Size(32, 5, None, 1000, 50)}
_ENCODERS: dict[str, Any] = {}
Maker = Callable[[Data, Data, Size, Any], Any]


def _budget(size: Size, data: Data, whole: Data, asked: Any) -> dict[str, Any]:
    if asked.quick:
        return {"steps": 3}
    share = max(0.2, len(data.train) / len(whole.train))
    if size.updates is None:
        return {"minutes": asked.minutes * share}
    return {"steps": round(size.updates * share)}


def logistic(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """Softmax regression."""
    return learned(LogisticRegression(data.space), data, asked.seed)


def convnet(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """A convolutional network."""
    model = ConvNet(data.space)
    return learned(model, data, asked.seed, **_budget(size, data, whole, asked))


def naive_bayes(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """Naive Bayes."""
    return learned(NaiveBayes(data.space), data, asked.seed)


def vae(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """p(x | y) by a VAE."""
    config = VAE.Config(conditional=True, width=2 * size.width)
    return learned(VAE(data.space, config), data, asked.seed, **_budget(size, data, whole, asked))


def pixelcnn(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """p(x | y) by a PixelCNN."""
    config = PixelCNN.Config(conditional=True, width=size.width, blocks=size.blocks)
    model = PixelCNN(data.space, config)
    return learned(model, data, asked.seed, **_budget(size, data, whole, asked))


def mixture(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """A mixture of Gaussians in principal components for each class, as it is by default."""
    config = GaussianMixture.Config(components=1 if asked.quick else None)
    each = PerClass(data.space, lambda single: GaussianMixture(single, config))
    return learned(each, data, asked.seed)


def gaussians(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """A Gaussian for each class, of one covariance, in principal components."""
    batch = data.train.as_batch()
    assert batch.y is not None
    axes = pca(batch.x.double(), DIMS)
    return SharedGaussians(axes, batch.x, batch.y, batch.x[:0], data.space.classes)


def gaussians_and_others(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """The same, of all images, with labels or not."""
    batch, others = data.train.as_batch(), whole.train.every_kth(5000).as_batch().x
    assert batch.y is not None
    axes = pca(others.double(), DIMS)
    return SharedGaussians(axes, batch.x, batch.y, others, data.space.classes)


def latent_and_others(data: Data, whole: Data, size: Size, asked: Any) -> Any:
    """A Gaussian for each class in the z of a VAE that learned from all images without labels."""
    if whole.name not in _ENCODERS:  # the same for any labels
        torch.manual_seed(asked.seed)
        found = VAE(whole.space, VAE.Config(width=2 * size.width))
        budget = _budget(size, whole, whole, asked)
        _ENCODERS[whole.name] = learned(found, whole, asked.seed, **budget)
    encoder = _ENCODERS[whole.name]
    batch, others = data.train.as_batch(), whole.train.every_kth(5000).as_batch().x
    assert batch.y is not None

    def z(x: Tensor) -> Tensor:
        means: Tensor = encoder.encode(x, mean=True).cpu()
        return means

    return SharedGaussians(z, batch.x, batch.y, others, data.space.classes)


MAKERS: dict[str, Maker] = {
    "logistic": logistic,
    "convnet": convnet,
    "naive-bayes": naive_bayes,
    "mixture, per class": mixture,
    "Gaussians of principal components": gaussians,
    "vae": vae,
    "pixelcnn": pixelcnn,
}
WITH_OTHERS: dict[str, Maker] = {
    "Gaussians of principal components, and images without labels": gaussians_and_others,
    "Gaussians of the z of a vae of all images": latent_and_others,
}
BY_DISCRIMINATION = ("logistic", "convnet")
REPEATS = {1: 3, 3: 3}  # draws of so few labels


def log_posterior(model: Any, x: Tensor, size: Size) -> Tensor:
    """log p(y | x) of whatever was made, (N, classes)."""
    asked = (
        model if isinstance(model, SharedGaussians) else posterior_of(model, _draws(model, size))
    )
    assert asked is not None
    return torch.cat([asked.log_posterior(some).detach().cpu() for some in x.split(500)])


def _draws(model: Any, size: Size) -> int | None:
    return size.draws if isinstance(model, VAE) else None


def row(data: str, part: str, condition: str, model: str, value: float, low: float, high: float, n: int) -> dict[str, Any]:  # fmt: skip
    """One number with its interval."""
    way = "discrimination" if model in BY_DISCRIMINATION else "generation"
    return {"data": data, "part": part, "condition": condition, "model": model, "by": way,
            "value": value, "low": low, "high": high, "n": n}  # fmt: skip


def share(data: str, part: str, condition: str, model: str, right: Tensor) -> dict[str, Any]:
    """The share that is right of (n,), with Wilson's interval."""
    from scipy.stats import binomtest

    found = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, "wilson")
    return row(data, part, condition, model, right.double().mean().item(), found.low, found.high, len(right))  # fmt: skip


def with_labels(data: Data, n: int, seed: int) -> Data:
    """n labelled examples of each class, drawn by a seed; 0: all."""
    y, generator = data.train.y, torch.Generator().manual_seed(seed)
    assert y is not None
    if not n:
        return data
    order = torch.randperm(len(y), generator=generator)
    rows = torch.cat([order[y[order] == k][:n] for k in range(data.space.classes)])
    return replace(data, train=data.train.rows(rows))


def labels(data: Data, name: str, make: Maker, size: Size, asked: Any) -> Iterator[dict[str, Any]]:
    """Accuracy by the number of labels."""
    held = data.heldout.every_kth(size.held).as_batch()
    for n in LABELS:
        repeats = 1 if asked.quick else REPEATS.get(n, 1)
        rights = []
        for seed in range(asked.seed, asked.seed + repeats):
            torch.manual_seed(seed)
            model = make(with_labels(data, n, seed), data, size, asked)
            rights.append((log_posterior(model, held.x, size).argmax(1) == held.y).double())
        said, means = str(n or "all"), torch.stack(rights).mean(1)
        if repeats == 1:
            yield share(data.name, "labels", said, name, rights[0])
            continue
        # of the draws, and of the images that were asked about
        mean, n_held = means.mean().item(), len(rights[0])
        error = math.sqrt(means.var().item() / repeats + mean * (1 - mean) / n_held)
        yield row(data.name, "labels", said, name, mean, mean - 1.96 * error, mean + 1.96 * error, n_held)  # fmt: skip


def shortcut(data: Data, name: str, make: Maker, size: Size, asked: Any) -> Iterator[dict[str, Any]]:  # fmt: skip
    """Share right with marks that agree, and with marks that never do."""
    model = make(planted(data, seed=asked.seed), data, size, asked)
    held = data.heldout.every_kth(size.held)
    assert held.y is not None
    generator = torch.Generator().manual_seed(asked.seed)
    other = torch.randint(1, data.space.classes, held.y.shape, generator=generator)
    for condition, which in (("the mark agrees", held.y), ("the mark never agrees", (held.y + other) % data.space.classes)):  # fmt: skip
        x = marked(held, which).as_batch().x
        yield share(data.name, "shortcut", condition, name, log_posterior(model, x, size).argmax(1) == held.y)  # fmt: skip


def corrupted(x: Tensor, seed: int) -> dict[str, Tensor]:
    """Images x (N, C, H, W), changed."""
    generator = torch.Generator().manual_seed(seed)
    n, _, height, width = x.shape
    noisy = torch.where(torch.rand(x.shape, generator=generator) < 0.1, torch.rand(x.shape, generator=generator), x)  # fmt: skip
    by = max(1, round(height / 10))
    shifted = torch.zeros_like(x)
    shifted[:, :, :, by:] = x[:, :, :, :-by]
    side = round(math.sqrt(height * width / 10))
    hidden = x.clone()
    for k in range(n):
        top, left = (int(torch.randint(edge - side + 1, (), generator=generator)) for edge in (height, width))  # fmt: skip
        hidden[k, :, top : top + side, left : left + side] = 0.5
    return {"unchanged": x, "noise": noisy, "shift": shifted, "occlusion": hidden, "contrast": x / 2 + 0.25}  # fmt: skip


def changed(data: Data, name: str, make: Maker, size: Size, asked: Any) -> Iterator[dict[str, Any]]:
    """Corrupted, missing, nonsense: of one model of the whole training part."""
    model = make(data, data, size, asked)
    held = data.heldout.every_kth(size.held).as_batch()
    assert held.y is not None
    for condition, x in corrupted(held.x, asked.seed).items():
        answers = log_posterior(model, data.space.quantise(x), size).argmax(1)
        yield share(data.name, "corrupted", condition, name, answers == held.y)
    half = data.space.shape[1] // 2
    answers, way = upper_half(model, data, held.x, half, size)
    yield share(data.name, "missing", way, name, answers == held.y)
    noise = Part(
        torch.randint(data.space.levels or 256, held.x.shape, dtype=torch.uint8), None, data.space
    ).as_batch()
    y = data.validation.every_kth(500).as_batch()
    said = log_posterior(model, y.x, size)
    assert y.y is not None
    temperature = temper(model, said, y.y).temperature
    sure = (log_posterior(model, noise.x, size) / temperature).softmax(1).amax(1).double()
    error = 1.96 * sure.std().item() / math.sqrt(len(sure))
    mean = sure.mean().item()
    yield row(data.name, "nonsense", "uniform noise", name, mean, mean - error, mean + error, len(sure))  # fmt: skip


def upper_half(model: Any, data: Data, x: Tensor, half: int, size: Size) -> tuple[Tensor, str]:
    """The answers to the upper half alone, and how the rest was dealt with."""
    try:
        said = None if isinstance(model, SharedGaussians) else coordinate_nats_of(model, x[:1], torch.zeros(1, dtype=torch.long))  # fmt: skip
    except UsageError:
        said = None
    if said is not None and said.in_order:
        return uncovering(model, x)[:, half].argmax(1), "summed over, exactly"
    filled = x.clone()
    filled[:, :, half:] = data.train.every_kth(2000).as_batch().x.mean(0)[:, half:]
    return log_posterior(model, data.space.quantise(filled), size).argmax(1), "filled with the mean"


PARTS = {"labels": labels, "shortcut": shortcut, "changed": changed}


def less(data: Data) -> Data:
    """A few examples, for a quick look."""
    cut = {part: getattr(data, part).rows(slice(0, 300)) for part in ("train", "validation", "heldout")}  # fmt: skip
    return replace(data, **cut)


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=10.0, help="of training on MNIST, each")
    flags.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    flags.add_argument("--models", nargs="+", default=[*MAKERS, *WITH_OTHERS])
    asked = flags.parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    for source in SETS[:1] if asked.quick else asked.only:
        data, size = plausible.load(source), SIZES[source]
        data, size = (less(data), replace(size, width=4, blocks=1, held=40, draws=2)) if asked.quick else (data, size)  # fmt: skip
        for name, make in (MAKERS | WITH_OTHERS).items():
            for part, measure in PARTS.items():
                only_labels = name in WITH_OTHERS and part != "labels"
                if only_labels or name not in asked.models or _there(rows, data.name, part, name):
                    continue
                began = time.process_time()
                torch.manual_seed(asked.seed)
                rows += list(measure(data, name, make, size, asked))
                print(data.name, name, part, f"{time.process_time() - began:.0f} s of one core", flush=True)  # fmt: skip
                record(__file__, rows, seed=asked.seed, quick=asked.quick)


def _there(rows: list[dict[str, Any]], data: str, part: str, model: str) -> bool:
    wanted = "nonsense" if part == "changed" else part
    return any((r["data"], r["part"], r["model"]) == (data, wanted, model) for r in rows)


if __name__ == "__main__":
    main()
