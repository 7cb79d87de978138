"""The judge of the GAN benchmarks: a small convnet of real data, and every column that it gives a row."""

import os
from pathlib import Path

import torch
from torch import Tensor

import plausible
from plausible import runs
from plausible.data.part import Data, Part
from plausible.evaluation.distances import frechet
from plausible.evaluation.neighbours import prdc
from plausible.models.discriminative import ConvNet

STEPS, WIDTH, SEED = 5000, 32, 0
NEIGHBOURS = 5


def trained_judge(data: Data, quick: bool = False) -> tuple[ConvNet, float]:
    """A ConvNet of the training part, and its accuracy on the held-out part; kept in the cache."""
    steps = 150 if quick else STEPS
    root = Path(os.environ.get("PLAUSIBLE_CACHE") or Path.home() / ".cache" / "plausible")
    folder = root / f"gan-judge-{data.hashes['train'][:16]}-{steps}-{WIDTH}"
    if (folder / "weights.safetensors").exists():
        judge = runs.Run(folder).model()
    else:
        model = runs.build("convnet", ConvNet.Config(width=WIDTH), data.space, SEED)
        training = plausible.train(model, data, plausible.Settings(steps=steps, seed=SEED))
        for step in training:
            if step.clock.step % 500 == 0:
                print(f"the judge learns: step {step.clock.step} of {steps}", flush=True)
        runs.save(runs.create(folder, training), training)
        judge = training.averaged
    assert isinstance(judge, ConvNet)
    test = data.heldout
    right = [
        (judge.log_posterior(some.x).argmax(1) == some.y).float()
        for some in (test.batch(slice(i, i + 1000)) for i in range(0, len(test), 1000))
    ]
    return judge, torch.cat(right).mean().item()


class Bench:
    """The real side of the comparison, seen once: features of N reference and N training images.

    unit  Frechet distance of n training images to the reference images: a distance of 1 x is what
          real data have.
    """

    def __init__(self, data: Data, reference: Part, judge: ConvNet, n: int):
        self.judge, self.n = judge, n
        generator = torch.Generator().manual_seed(SEED)
        rows = torch.randperm(len(data.train), generator=generator)[:n]
        self.reference = self.features(reference.everything().x[:n])
        self.unit = frechet(self.features(data.train.batch(rows).x), self.reference)
        assert data.train.y is not None
        self.shares = torch.bincount(data.train.y, minlength=10) / len(data.train)

    @torch.no_grad()
    def features(self, x: Tensor) -> Tensor:
        """The judge's penultimate layer: (N, 1, 28, 28) in [0, 1] -> (N, 64)."""
        return torch.cat([self.judge.features(some) for some in x.split(1000)])

    def score(self, x: Tensor, y: Tensor | None = None) -> dict[str, float]:
        """Every column for n samples (N, 1, 28, 28) in [0, 1]; with y (N,) also how many are as asked."""
        seen, half = self.features(x), self.n // 2
        near = prdc(self.reference[:half], seen[:half], NEIGHBOURS)
        kinds = torch.cat([self.judge.log_posterior(some).argmax(1) for some in x.split(1000)])
        q = torch.bincount(kinds, minlength=10) / len(kinds)
        there = q > 0
        row = {
            "x real": frechet(seen, self.reference) / self.unit,
            "precision": near.precision,
            "recall": near.recall,
            "density": near.density,
            "coverage": near.coverage,
            "digits": int(there.sum()),
            "reverse KL": float((q[there] * (q[there] / self.shares[there]).log()).sum()),
        }
        return row if y is None else row | {"as asked": float((kinds == y.cpu()).float().mean())}
