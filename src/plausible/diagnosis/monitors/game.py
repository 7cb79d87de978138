"""Does the discriminator leave the generator something to learn from?"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from plausible.core.capabilities import Adversarial, Latent
from plausible.core.model import Model
from plausible.diagnosis.alarm import alarms, calm
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import LOOK, History
from plausible.diagnosis.probe import Snapshot, look
from plausible.recognition.roc import auroc

_BATCHES = 8
_IN_A_ROW = 3  # looks that must agree
_SURE = 0.9  # AUC from which D is seldom wrong
_STOPPED = 0.05  # of the slope of its loss, that still reaches G
_FELL = 0.1  # of the largest gradient so far
_BY_HEART = 0.5  # of what D tells apart on data it learned, lost on data it did not


@look(needs=Adversarial)
def game(snapshot: Snapshot) -> Mapping[str, float]:
    """What D says of data it learned from, of data it did not, and of samples; and what G hears of it.

    AUC         chance that D puts an example above a sample, whatever the level of its logits.
    multiplier  median of |d cost / d D(G(z))|: s(a) or 1 - s(a) for the classical losses.
    slope       median of |d cost / d G(z)|.
    signal      of the mean slope over 8 batches, squared, over that of its noise.
    """
    model, beside = snapshot.raw, snapshot.reference
    assert isinstance(model, Adversarial)
    assert isinstance(model, Latent)
    z = beside.z
    assert z is not None
    device = beside.train.x.device
    y = None if beside.y is None else beside.y.to(device)
    with _unchanged(model):
        with torch.no_grad():
            fake = model.space.quantise(model.decode(z.to(device), y))
            train = model.logits(beside.train.x, snapshot.labels(beside.train))
            held = model.logits(beside.held.x, snapshot.labels(beside.held))
        x = fake.requires_grad_()
        logit = model.logits(x, y)
        real = held[torch.randint(len(held), logit.shape, device=device)]
        cost = model.generator_loss(real, logit).sum()
        by_logit, by_x = torch.autograd.grad(cost, [logit, x])
    slopes = by_x.flatten(1)  # (n, D)
    return {
        "D, learned": train.mean().item(),
        "D, held out": held.mean().item(),
        "D, samples": logit.mean().item(),
        "AUC, learned": auroc(logit.detach(), train),
        "AUC, held out": auroc(logit.detach(), held),
        "multiplier": by_logit.abs().median().item(),
        "slope": slopes.norm(dim=1).median().item(),
        "signal": _signal(torch.stack([part.mean(0) for part in slopes.chunk(_BATCHES)])),
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


@alarms
def vanishing_gradient(history: History) -> Finding | None:
    """D is sure of every sample, hardly any of its slope passes the loss, and what G hears has faded.

    All three, at three looks in a row.
    Source: Arjovsky and Bottou 2017, https://arxiv.org/abs/1701.04862.
    """
    three = history.last(_IN_A_ROW, "multiplier", "AUC, learned")
    if three is None:
        return None
    multiplier, auc = three
    _, slopes = history.series(LOOK, "slope")
    most, now = slopes.max().item(), slopes[-_IN_A_ROW:]
    evidence = {
        "multiplier on the generator's gradient": multiplier[-1].item(),
        "AUC of D": auc[-1].item(),
        "gradient at the samples": now[-1].item(),
        "the largest it was": most,
        "signal to noise": history.series(LOOK, "signal")[1][-1].item(),
    }
    name = "vanishing gradient"
    if (multiplier < _STOPPED).all() and (auc > _SURE).all() and (now < _FELL * most).all():
        return Finding(
            name,
            Severity.FAILURE,
            "the generator's gradient has vanished: the discriminator is sure of every sample, and the loss "
            "passes hardly anything on",
            evidence,
            "train with the default --loss relativistic --penalties r1 r2 --updates 1",
        )
    return calm(name, evidence)


@alarms
def discriminator_overfitting(history: History) -> Finding | None:
    """D tells data it learned from samples far better than data it did not.

    (E D(learned) - E D(held out)) / (E D(learned) - E D(samples)) over one half, while D orders learned
    examples above samples and held-out ones less often, at three looks in a row.
    Source: Karras et al. 2020, https://arxiv.org/abs/2006.06676, equation 1.
    """
    kinds = "D, learned", "D, held out", "D, samples", "AUC, learned", "AUC, held out"
    three = history.last(_IN_A_ROW, *kinds)
    if three is None:
        return None
    learned, held, samples, auc, auc_held = three
    lost = (learned - held) / (learned - samples).clamp(min=1e-12)
    evidence = {
        "lost on held-out data": lost[-1].item(),
        "AUC on data it learned": auc[-1].item(),
        "AUC on held-out data": auc_held[-1].item(),
    }
    name = "discriminator overfitting"
    if (lost > _BY_HEART).all() and (auc > 0.9).all() and (auc - auc_held > 0.1).all():
        return Finding(
            name,
            Severity.FAILURE,
            "the discriminator knows its examples by heart: held-out ones look like samples to it",
            evidence,
            "more data, --augment color translation cutout (images), a smaller --width, or fewer --steps",
        )
    return calm(name, evidence)


@alarms
def starved_generator(history: History) -> Finding | None:
    """D is never wrong, on held-out data either, and samples do not come nearer to data meanwhile.

    A D that is never wrong alone is no failure: with the losses of today G learns from it all the same.
    """
    six = history.last(2 * _IN_A_ROW, "AUC, held out", "distance")
    if six is None:
        return None
    auc, distance = six
    before, after = distance[:_IN_A_ROW].mean().item(), distance[_IN_A_ROW:].mean().item()
    evidence = {
        "AUC on held-out data": auc.min().item(),
        "distance of samples, times that of data": after,
        "a few looks before": before,
    }
    name = "starved generator"
    if (auc > 0.999).all() and after > 3 and after > 0.95 * before:
        return Finding(
            name,
            Severity.WARNING,
            "the discriminator is never wrong, and samples come no nearer: it has outrun the generator",
            evidence,
            "a smaller --lr-discriminator, --updates 1, or --penalties r1 r2 with a larger --penalty-weight",
        )
    return calm(name, evidence)
