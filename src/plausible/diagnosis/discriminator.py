"""What D says of data and of samples, and what G hears of it: the probe that three alarms read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from plausible.core.capabilities import Adversarial, Latent
from plausible.core.finding import probe
from plausible.core.model import Model
from plausible.core.reading import Reading
from plausible.diagnosis.probe import ReferencedSnapshot
from plausible.recognition.roc import auroc

_BATCHES = 8

D_TRAIN = Reading("D, train")
D_VALIDATION = Reading("D, validation")
D_SAMPLES = Reading("D, samples")
AUC_TRAIN = Reading("AUC, train")
AUC_VALIDATION = Reading("AUC, validation")
LOGIT_GRADIENT = Reading("gradient at the logits")
SAMPLE_GRADIENT = Reading("gradient at the samples")
SIGNAL_TO_NOISE = Reading("signal to noise of the gradient")


@probe(needs=Adversarial)
def discriminator(snapshot: ReferencedSnapshot) -> Mapping[Reading, float]:
    """What D says of data it learned from, of data it did not, and of samples; and what G hears of it.

    AUC                      chance that D puts an example above a sample, whatever the level of its logits.
    gradient at the logits   median of |d cost / d D(G(z))|: s(a) or 1 - s(a) for the classical losses.
    gradient at the samples  median of |d cost / d G(z)|.
    signal to noise          of the mean of that gradient over 8 batches, squared, over that of its noise.
    """
    model, reference = snapshot.raw, snapshot.reference
    assert isinstance(model, Adversarial)
    assert isinstance(model, Latent)
    z = reference.z
    assert z is not None
    device = snapshot.train.x.device
    y = None if reference.y is None else reference.y.to(device)
    with _unchanged(model):
        with torch.no_grad():
            fake = model.space.quantise(model.decode(z.to(device), y))
            train = model.logits(snapshot.train.x, snapshot.labels(snapshot.train))
            validation = model.logits(snapshot.validation.x, snapshot.labels(snapshot.validation))
        x = fake.requires_grad_()
        logit = model.logits(x, y)
        real = validation[torch.randint(len(validation), logit.shape, device=device)]
        cost = model.generator_loss(real, logit).sum()
        by_logit, by_x = torch.autograd.grad(cost, [logit, x])
    slopes = by_x.flatten(1)  # (n, D)
    return {
        D_TRAIN: train.mean().item(),
        D_VALIDATION: validation.mean().item(),
        D_SAMPLES: logit.mean().item(),
        AUC_TRAIN: auroc(logit.detach(), train),
        AUC_VALIDATION: auroc(logit.detach(), validation),
        LOGIT_GRADIENT: by_logit.abs().median().item(),
        SAMPLE_GRADIENT: slopes.norm(dim=1).median().item(),
        SIGNAL_TO_NOISE: _signal(torch.stack([part.mean(0) for part in slopes.chunk(_BATCHES)])),
    }


@contextmanager
def _unchanged(model: Model) -> Iterator[None]:
    """The model as it plays; afterwards its buffers, which batch norm moves, are what they were."""
    model.train()
    before = [(buffer, buffer.clone()) for buffer in model.buffers()]
    try:
        yield
    finally:
        for buffer, value in before:
            buffer.copy_(value)


def _signal(means: Tensor) -> float:
    """|E g|^2 / E |g - E g|^2 of the means of batches, unbiased above: (B, D)."""
    noise = means.var(0).sum()
    signal = means.mean(0).square().sum() - noise / len(means)
    return (signal.clamp(min=0) / noise.clamp(min=1e-30)).item()
