"""Critics for an evaluation set: they learn from T and some of the samples, and are asked about H and the others."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice

import torch
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.evaluation.critic.convolutional import learn_convnet, updates
from plausible.evaluation.critic.critique import Critique
from plausible.evaluation.critic.lesson import Learned, Lesson, split
from plausible.evaluation.critic.tabular import learn_linear, learn_trees
from plausible.evaluation.critic.views import VIEWS, WHOLE
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet

ASKED = 2 / 3  # of the samples are asked about at most; the others are learned from
_SHOWN = 16  # samples and held-out examples that a critic is surest of
FEWEST = 5  # samples and training examples from which something can be learned


Critiques = Mapping[str, tuple[Critique, ...]]
"""{aspect: what critics of it said, a first look and where it was not enough a long one}."""


def critiques(evalset: EvaluationSet, aspect: str = WHOLE) -> tuple[Critique, ...]:
    """What the critics of one aspect said; made here where it is not known yet.  Raises ``NotDefined``."""
    if evalset.critiques is None:
        return make_critiques(evalset, [aspect])[aspect]
    if aspect not in evalset.critiques:
        raise NotDefined("a critic is asked once, and about the samples")
    return evalset.critiques[aspect]


def with_critiques(
    evalset: EvaluationSet, progress: Callable[[float], None] = lambda share: None
) -> EvaluationSet:
    """The same set with its critics asked once, for all who want to know."""
    try:
        return replace(evalset, critiques=make_critiques(evalset, progress=progress))
    except NotDefined:  # whoever asks is told why
        return evalset


def aspects(space: Space) -> list[str]:
    """What critics can look at in points of this space; all of it in any case."""
    return [name for name, view in VIEWS.items() if name == WHOLE or view.fits(space)]


def make_critiques(
    evalset: EvaluationSet,
    names: Sequence[str] | None = None,
    *,
    looks: int = 2,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, tuple[Critique, ...]]:
    """Critics that learn to tell samples from T, asked about as many fresh samples as examples of H.

    At most two thirds of the samples are asked about, and no more than H has; the others, and T, teach.  The whole
    is looked at by the better of two critics at each budget of updates, chosen by slices of T and of
    the samples that neither learned from: a convnet (boosted trees where the points are no images)
    and a linear classifier of the features.  An aspect of an image has one critic and the first budget.
    As a critic is fixed before H and the fresh samples are
    looked at, its p-value is exact under the hypothesis that these two are drawn alike, whatever T is.
    names  of the aspects, by default all that these points have.
    looks  1 for the first budget alone.
    Source: Lopez-Paz and Oquab 2017, https://arxiv.org/abs/1610.06545.
    """
    names = aspects(evalset.space) if names is None else list(names)
    train, heldout, samples = evalset.train, evalset.heldout, evalset.samples
    generator = evalset.generator()
    asked = min(len(heldout), math.floor(ASKED * len(samples)))
    if len(train) < FEWEST:
        raise NotDefined(f"{len(train)} training examples teach a critic nothing")
    if asked < 1:
        raise NotDefined(f"{len(samples)} samples are too few to teach a critic and to ask it")
    order = torch.randperm(len(samples), generator=generator)  # files often have an order
    fresh, learned = order[:asked], samples[order[asked:]]
    held = torch.randperm(len(heldout), generator=generator)[:asked]
    if len(learned) < FEWEST:
        nobody = Critique(0, 0, asked, len(learned), 0, 0, "no critic, for want of samples")
        return {name: (nobody,) for name in names}
    return {
        name: tuple(
            _asked(critic, lesson, samples, fresh, heldout, held)
            for critic in critics(lesson, name, looks)
        )
        for name, lesson in lessons(evalset, learned, names, generator, progress)
    }


def lessons(
    evalset: EvaluationSet,
    learned: Embedded,
    names: Sequence[str],
    generator: torch.Generator,
    progress: Callable[[float], None],
) -> Iterator[tuple[str, Lesson]]:
    """(aspect, what its critic learns from): T and the samples ``learned``, split once for all of them."""
    (real, real_validation), (made, made_validation) = (
        split(side, generator) for side in (evalset.train, learned)
    )
    for i, name in enumerate(names):
        yield name, Lesson(
            evalset.space, real, made, real_validation, made_validation, evalset.seed,
            partial(_progress, progress, i, len(names)),
        )  # fmt: skip


def _asked(
    learned: Learned,
    lesson: Lesson,
    samples: Embedded,
    fresh: Tensor,
    heldout: Embedded,
    held: Tensor,
) -> Critique:
    """What a critic says of these rows of both."""
    threshold, taught = lesson.threshold(learned.critic), len(samples) - len(fresh)
    of_samples, of_heldout = learned.critic(samples[fresh]), learned.critic(heldout[held])
    return Critique(
        int((of_samples > threshold).sum()),
        int((of_heldout > threshold).sum()),
        len(fresh),
        taught,
        learned.updates,
        learned.budget,
        learned.description,
        tuple(fresh[of_samples.argsort(descending=True)[:_SHOWN]].tolist()),
        tuple(held[of_heldout.argsort()[:_SHOWN]].tolist()),
    )


def _progress(progress: Callable[[float], None], done: int, total: int, share: float) -> None:
    progress((done + share) / total)


def critics(lesson: Lesson, name: str, looks: int) -> Iterator[Learned]:
    """The critic at each budget; of the whole the better of two."""
    view = VIEWS[name]
    if name != WHOLE:
        yield from learn_convnet(lesson, view, updates(lesson.space, 1))
        return
    (linear,) = learn_linear(lesson)
    images = view.fits(lesson.space)
    main = (
        learn_convnet(lesson, view, updates(lesson.space, looks)) if images else learn_trees(lesson)
    )
    for critic in islice(main, looks):
        yield min(critic, linear, key=lambda critic: critic.loss)
