"""What is known of an image of which a part has not been seen."""

from dataclasses import replace

import torch

from plausible.claims.claim import Claimed, Figure, claims, mean
from plausible.core.model import Model
from plausible.data.load import load
from plausible.models import LogisticRegression, NaiveBayes
from plausible.recognition.outputs import posterior_of
from plausible.recognition.uncovering import uncovering
from plausible.training import Settings, train

_FEW = 3  # rows of 8


@claims
def unseen_rows(seed: int) -> Claimed:
    """What has not been seen can be summed over by a model of p(x | y), and only be guessed by one of p(y | x).

    Naive Bayes and softmax regression learn whole 8x8 digits, of another half of the training part for each seed, and are
    asked about the first rows of held-out ones.  The first knows p(y | the rows so far) exactly, by leaving the terms of the
    others out; the second was learned for whole images, and is shown the mean of the training part in the place of what is
    not there.  Of whole images it is the better one; of three rows of eight it is not.
    Source: Ng and Jordan 2002 (On discriminative vs. generative classifiers), NIPS 14, of this pair of models.
    """
    data = load("digits")
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(seed))
    part = data.train.rows(order[: len(order) // 2])
    learned: dict[type[Model], Model] = {}
    for kind in (NaiveBayes, LogisticRegression):
        torch.manual_seed(seed)
        training = train(kind(data.space), replace(data, train=part), Settings(seed=seed))
        for _ in training:
            pass
        learned[kind] = training.averaged
    held, average = data.heldout.as_batch(), part.as_batch().x.mean(0)
    assert held.y is not None
    guesser, height = posterior_of(learned[LogisticRegression]), data.space.shape[1]
    assert guesser is not None
    by_sum = uncovering(learned[NaiveBayes], held.x)  # (N, rows + 1, classes)
    summed, guessed = [], []
    for rows in range(height + 1):
        filled = held.x.clone()
        filled[:, :, rows:] = average[:, rows:]
        said = guesser.log_posterior(filled)
        guessed.append((said.argmax(1) == held.y).double())
        summed.append((by_sum[:, rows].argmax(1) == held.y).double())
    across = list(range(height + 1))
    curves = {
        "naive Bayes, the rest summed over": (across, [right.mean().item() for right in summed]),
        "softmax regression, the rest guessed": (
            across,
            [right.mean().item() for right in guessed],
        ),
    }
    return Claimed(
        [
            mean(f"share of answers that are right more often by summing, {_FEW} rows seen", summed[_FEW] - guessed[_FEW], least=0.05),
            mean("share that softmax regression has right more often, everything seen", guessed[height] - summed[height], least=0.01),
        ],
        Figure("rows that have been seen", "share right", curves),
    )  # fmt: skip
