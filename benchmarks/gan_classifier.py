"""The reference classifier of the GAN benchmarks, a small convnet of real data, and the columns that it gives a row."""

import os
import shutil
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

import plausible
from plausible import runs
from plausible.data.part import Data, Part
from plausible.evaluation.metrics.classification import accuracy
from plausible.evaluation.metrics.distances import frechet
from plausible.evaluation.metrics.neighbours import prdc
from plausible.models.discriminative import ConvNet

STEPS, QUICK_STEPS, WIDTH, SEED = 5000, 150, 32, 0
NEIGHBOURS, COMPARED = 5, 5000  # of precision, recall, density and coverage
CLASSES = 10
Row = dict[str, float]


def trained_classifier(data: Data, quick: bool = False) -> tuple[ConvNet, float]:
    """A ConvNet of the training part, and its accuracy on the held-out part; kept in the cache.

    The cache is $PLAUSIBLE_CACHE or ~/.cache/plausible; its entries are runs.
    """
    steps = QUICK_STEPS if quick else STEPS
    root = Path(os.environ.get("PLAUSIBLE_CACHE") or Path.home() / ".cache" / "plausible")
    # "judge" is what it was called when caches were first written: another name would learn it again
    folder = root / f"gan-judge-{data.hashes['train'][:16]}-{steps}-{WIDTH}"
    try:
        classifier = runs.Run(folder).model()
    except plausible.UsageError:
        shutil.rmtree(folder, ignore_errors=True)  # half-written, or of an older version
        classifier = _train(data, folder, steps)
    assert isinstance(classifier, ConvNet)
    return classifier, accuracy(classifier, data.heldout)


def described(data: Data, quick: bool = False) -> str:
    """The classifier in words: layers, steps, epochs, seed."""
    steps, batch = QUICK_STEPS if quick else STEPS, ConvNet.Config().batch
    return (
        f"a ConvNet (pixels in blocks of 2x2, convolutions to {WIDTH}, {2 * WIDTH} and {4 * WIDTH} "
        f"channels, linear to 64, leaky ReLU, dropout, linear to {CLASSES}), {steps} steps of {batch} "
        f"= {steps * batch / len(data.train):.1f} epochs of the training part, seed {SEED}"
    )


def _train(data: Data, folder: Path, steps: int) -> ConvNet:
    with torch.random.fork_rng(devices=[]):
        model = runs.build("convnet", ConvNet.Config(width=WIDTH), data.space, SEED)
        training = plausible.train(model, data, plausible.Settings(steps=steps, seed=SEED))
        for step in training:
            if step.clock.step % 500 == 0:
                print(f"the classifier learns: step {step.clock.step} of {steps}", flush=True)
    # Written beside its place and renamed: a killed process leaves no half of a classifier.
    draft = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    runs.save(runs.create(draft, training), training)
    draft.rename(folder)
    classifier = training.averaged
    assert isinstance(classifier, ConvNet)
    return classifier


class Bench:
    """The real side of the comparison, seen once: features of n reference and n training images.

    reference  the test images, or the validation images while something is still being chosen; where
               they are fewer than n, all of them, both for the unit and for every row.
    unit       Frechet distance of n training images to the reference images: a distance of 1 x is
               what real data have.
    """

    def __init__(self, data: Data, reference: Part, classifier: ConvNet, n: int):
        self.classifier, self.n = classifier, n
        generator = torch.Generator().manual_seed(SEED)
        self._rows = torch.randperm(len(data.train), generator=generator)[:n]
        self._train = data.train
        # Shuffled: the first half of MNIST's test images is by other writers than the second.
        rows = torch.randperm(len(reference), generator=generator)[:n]
        self.reference = self.features(reference.batch(rows).x)
        self._real = self.features(data.train.batch(self._rows).x)
        self.unit = frechet(self._real, self.reference)
        assert data.train.y is not None
        self.shares = torch.bincount(data.train.y.cpu(), minlength=CLASSES).double() / len(
            data.train
        )

    @cached_property
    def real(self) -> Row:
        """The same columns for the n training images of the unit: what a perfect generator would get."""
        return self.score(self._train.batch(self._rows).x)

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """The classifier's penultimate layer: (N, 1, 28, 28) in [0, 1] -> (N, 64)."""
        return torch.cat([self.classifier.features(part) for part in x.split(1000)])

    @torch.no_grad()
    def score(self, x: Tensor, y: Tensor | None = None) -> Row:
        """Every column for n samples (N, 1, 28, 28) in [0, 1]; with y (N,) also how many are as asked.

        Values that are not finite count as black, so that a diverged generator gets a row too.
        """
        x = x.detach().cpu().nan_to_num(0.0, 0.0, 0.0).clamp(0, 1)
        seen = self.features(x)
        many = min(COMPARED, self.n // 2, len(seen), len(self.reference))
        near = prdc(self.reference[:many], seen[:many], NEIGHBOURS)
        kinds = self.classifier.head(seen).argmax(1).cpu()  # (N, 64) -> (N,)
        q = torch.bincount(kinds, minlength=CLASSES).double() / len(kinds)
        row = {
            "x real": frechet(seen, self.reference) / self.unit,
            "precision": near.precision,
            "recall": near.recall,
            "density": near.density,
            "coverage": near.coverage,
            "classes": int((q > 0).sum()),
            "reverse KL": float(torch.special.xlogy(q, q / self.shares).sum()),
        }
        return row if y is None else row | {"as asked": float((kinds == y.cpu()).float().mean())}
