"""Everything that an evaluation looks at, drawn and seen once."""

from collections.abc import Sequence

import torch

from plausible.core.choices import Extractor
from plausible.core.model import Generative
from plausible.core.space import Batch
from plausible.data.part import Data, Part
from plausible.data.split import merge_parts
from plausible.evaluation.evaluation_set import EvaluationSet
from plausible.evaluation.features import Features
from plausible.evaluation.metrics.memorisation import with_train_distances
from plausible.tasks.eyes import EyesOfData, StageProgress, eyes_of
from plausible.tasks.inputs import as_points


def embed(
    sources: Sequence[Generative | Batch | Part],
    data: Data,
    n: int,
    features: Extractor | Features,
    seed: int,
    progress: StageProgress,
) -> tuple[EvaluationSet, EyesOfData]:
    """T, H and at most n samples of each source, one source after the other and as many of each; and with what eyes.

    sources  models, which draw, or points of the data's space.
    """
    space, generator = data.space, torch.Generator().manual_seed(seed)
    # each with a seed of its own, or T and H would share the noise of dynamic binarisation
    train, heldout = data.train.frozen(seed), data.heldout.frozen(seed + 1)
    order = torch.randperm(len(heldout), generator=generator)[: 2 * n]  # files often have an order
    heldout = heldout.rows(order)
    drawn: list[Part] = []
    for source in sources:
        progress("drawing samples", len(drawn) / len(sources))
        if isinstance(source, Generative):
            points = as_points(source.sample(n, generator=generator).to("cpu"), space)
        else:  # a file of samples may have an order, too
            points = as_points(source, space)
            points = points.rows(torch.randperm(len(points), generator=generator)[:n])
        drawn.append(points.rows(slice(0, n)).frozen(seed + 2 + len(drawn)))
    each = min(map(len, drawn))
    samples = merge_parts(*(points.rows(slice(0, each)) for points in drawn))
    eyes = eyes_of(data, min(len(heldout), each), features, seed, progress)
    embedding = eyes.embedding
    total, done = len(train) + len(heldout) + len(samples), 0

    def count(points: int) -> None:
        nonlocal done
        done += points
        progress("looking at the data and the samples", done / total)

    parts = (
        embedding.embed(train, modes=train.y if embedding.labelled else None, progress=count),
        embedding.embed(heldout, progress=count),
        embedding.embed(samples, progress=count),
    )
    evalset = EvaluationSet(
        space,
        *parts,
        embedding.names,
        embedding.labelled,
        embedding.extract,
        embedding.feature_description,
        sources[0] if len(sources) == 1 and isinstance(sources[0], Generative) else None,
        seed,
    )
    progress("comparing with the training data", 1.0)
    return with_train_distances(evalset), eyes
