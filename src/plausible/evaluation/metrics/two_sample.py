"""Two-sample tests: can samples and held-out data be told apart at all?"""

import math
import warnings

import numpy as np
import scipy
import torch
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.core.likelihood import Kind
from plausible.evaluation.critic.critic import critiques
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.measure import Measure, metric
from plausible.evaluation.metrics.neighbours import distance_blocks, nearest_other
from plausible.evaluation.permutation import GroupLabels, observed, p_value, permuted

_SHUFFLES = 499
_BLOCK = 2**23  # entries of a kernel matrix held at once
_PAIRS = 1000  # points whose distances choose the bandwidth


def mmd(points: Tensor, labels: GroupLabels, generator: torch.Generator) -> Tensor:
    """sum_ij s_i s_j k(x_i, x_j) / n^2, s = 1 for samples and -1 for held out: the biased MMD^2.

    points (2n, d), k(x, y) = exp(-|x - y|^2 / (2 h^2)), h the median distance between 1,000 of them;
    GroupLabels with B rows -> (B,).  The kernel matrix is made once, a block of rows at a time.
    Source: Gretton et al. 2012, https://jmlr.org/papers/v13/gretton12a.html.
    """
    few = torch.randperm(len(points), generator=generator)[:_PAIRS]
    width = torch.pdist(points[few].double()).median().square().clamp(min=1e-20)
    signs = (labels.g - labels.h).T.contiguous()  # (2n, B)
    total = torch.zeros(len(labels), dtype=torch.float64)
    for rows, columns, squares in distance_blocks(
        points, points, entries=_BLOCK, dtype=torch.float32
    ):
        kernel = (squares / (-2 * width.float())).exp()  # (r, c)
        total += (signs[rows] * (kernel @ signs[columns])).sum(0).double()  # (r, B) -> (B,)
    return total / labels.g[0].sum() ** 2


def neighbour_accuracy(neighbour: Tensor, labels: GroupLabels) -> Tensor:
    """The accuracy of the leave-one-out nearest neighbour classifier of G against H: (B,).

    neighbour (2n,): the nearest other point of each; GroupLabels with B rows.  One half when G and H are
    alike; above when they lie apart, below when each sample sits on top of a held-out example.
    Source: Lopez-Paz and Oquab 2017, https://arxiv.org/abs/1610.06545.
    """
    is_sample = labels.is_sample[:, neighbour]  # (B, 2n): whether the neighbour is a sample
    correct = labels.g * is_sample + labels.h * ~is_sample
    return correct.sum(1) / (labels.g + labels.h).sum(1)


def classifier_accuracy(points: Tensor, generator: torch.Generator) -> tuple[float, float, int]:
    """The accuracy of a learned classifier of G against H on the half it has not seen.

    points (2n, d), G first -> (accuracy, exact p-value, points tested).  Logistic regression on the
    coordinates and their squares; as G and H have equal numbers in the tested half, the number it
    gets right among G is hypergeometric given how many it takes for G, whatever it learned.
    Source: Lopez-Paz and Oquab 2017; Fisher's exact test.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    n = len(points) // 2
    if n < 4:
        raise NotDefined(f"{n} examples a side are too few to train and test a classifier")
    order = torch.randperm(n, generator=generator)
    learn, test = order[: n // 2], order[n // 2 :]
    points = points.double()  # the squares of float32 may be infinite
    inputs = torch.cat([points, points.square()], 1).numpy()
    rows = [torch.cat([part, part + n]).numpy() for part in (learn, test)]
    truth = [np.repeat([1, 0], len(part)) for part in (learn, test)]
    learner = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=200))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it need not be the best classifier
        guess = learner.fit(inputs[rows[0]], truth[0]).predict(inputs[rows[1]])
    tested = len(test)
    hits = int(guess[:tested].sum())  # of G taken for G
    p = float(scipy.stats.hypergeom.sf(hits - 1, 2 * tested, tested, int(guess.sum())))
    return float((guess == truth[1]).mean()), p, 2 * tested


@metric()
def two_sample_tests(evalset: EvaluationSet) -> list[Measure]:
    """MMD, nearest neighbour and learned classifier, each with an exact p-value of G ~ H.

    The first two by shuffling G with H 499 times, the third by Fisher's exact test on the half that
    the classifier has not seen.
    """
    n = min(len(evalset.samples), len(evalset.heldout))
    points = torch.cat([evalset.samples.features[:n], evalset.heldout.features[:n]])  # (2n, d)
    if points.std(0).max() <= 0:
        raise NotDefined("samples and held-out data are all one point, so nothing tells them apart")
    now, shuffled = observed(n), permuted(n, _SHUFFLES, evalset.generator())
    distances = mmd(points, now.then(shuffled), evalset.generator())  # (1 + B,)
    neighbour = nearest_other(points, evalset.generator())  # (2n,)
    accuracies = neighbour_accuracy(neighbour, now.then(shuffled))  # (1 + B,)
    accuracy = accuracies[0].item()
    learned, p, tested = classifier_accuracy(points, evalset.generator())
    return [
        Measure(
            "MMD^2", distances[0].item(), p=p_value(distances[0].item(), distances[1:]), n=n,
            note="Gaussian kernel, median width",
        ),
        Measure(
            "1-NN accuracy", accuracy, math.sqrt(accuracy * (1 - accuracy) / (2 * n)),
            p=p_value(accuracy, accuracies[1:]), n=n, direction="like real",
            note="0.5 is the best there is; the error takes the points for independent",
        ),
        Measure(
            "classifier accuracy", learned, math.sqrt(learned * (1 - learned) / tested), p=p, n=n,
            direction="like real", note="logistic regression, tested on the half it has not seen",
        ),
    ]  # fmt: skip


@metric()
def total_variation(evalset: EvaluationSet) -> list[Measure]:
    """sup_A G(A) - H(A) is at least 2 accuracy - 1 of a critic, here with a confidence of 95%; see ``critic``.

    After a first look and, where that left something to learn, after a long one: the verdict's.
    """
    names = ("total variation, first look", "total variation")
    said = critiques(evalset)
    return [
        Measure(
            name, critique.bound, p=critique.p, n=critique.asked, kind=Kind.LOWER,
            note=(
                f"{critique.critic} after {critique.updates:,} of at most {critique.budget:,} updates, "
                f"learned from {critique.learned:,} samples and right about {critique.accuracy:.1%} of others"
            ),
        )
        for name, critique in zip(names[-len(said) :], said, strict=True)
    ]  # fmt: skip
