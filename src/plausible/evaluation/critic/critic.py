"""Critics for an evaluation set: they learn from T and some of the samples, and are asked about H and the others."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from plausible.core.errors import NotDefined
from plausible.evaluation.critic.convolutional import learn_convnet, learnable
from plausible.evaluation.critic.critique import Critique
from plausible.evaluation.critic.lesson import Learned, Lesson, split
from plausible.evaluation.critic.tabular import learn_linear, learn_trees
from plausible.evaluation.evaluation_set import EvaluationSet

ASKED = 2 / 3  # of the samples are asked about at most; the others are learned from
_FEWEST = 5  # samples and training examples from which something can be learned


def critiques(evalset: EvaluationSet) -> tuple[Critique, ...]:
    """What the critics of this set said, a first look and a long one; made here where it is not known yet."""
    if evalset.critiques is None:
        return make_critiques(evalset)
    return evalset.critiques


def with_critiques(
    evalset: EvaluationSet, progress: Callable[[float], None] = lambda share: None
) -> EvaluationSet:
    """The same set with its critics asked once, for all who want to know."""
    try:
        return replace(evalset, critiques=make_critiques(evalset, progress))
    except NotDefined:  # whoever asks is told why
        return evalset


def make_critiques(
    evalset: EvaluationSet, progress: Callable[[float], None] = lambda share: None
) -> tuple[Critique, ...]:
    """Critics that learn to tell samples from T, asked about as many fresh samples as examples of H.

    At most two thirds of the samples are asked about, and no more than H has; the others, and T,
    teach.  At each budget of updates the better of two critics is asked, chosen by slices of T and of
    the samples that neither learned from: a convnet (boosted trees where the points are no images)
    and a linear classifier of the features.  As the critic is fixed before H and the fresh samples are
    looked at, its p-value is exact under the hypothesis that these two are drawn alike, whatever T is.
    Source: Lopez-Paz and Oquab 2017, https://arxiv.org/abs/1610.06545.
    """
    train, heldout, samples = evalset.train, evalset.heldout, evalset.samples
    generator = evalset.generator()
    asked = min(len(heldout), math.floor(ASKED * len(samples)))
    if len(train) < _FEWEST:
        raise NotDefined(f"{len(train)} training examples teach a critic nothing")
    if asked < 1:
        raise NotDefined(f"{len(samples)} samples are too few to teach a critic and to ask it")
    order = torch.randperm(len(samples), generator=generator)  # files often have an order
    fresh, learned = samples[order[:asked]], samples[order[asked:]]
    held = heldout[torch.randperm(len(heldout), generator=generator)[:asked]]
    if len(learned) < _FEWEST:
        return (Critique(0, 0, asked, len(learned), 0, 0, "no critic, for want of samples"),)
    sides = [split(side, generator) for side in (train, learned)]
    (real, real_validation), (made, made_validation) = sides
    lesson = Lesson(
        evalset.space, real, made, real_validation, made_validation, evalset.seed, progress
    )
    answers = []
    for critic in _critics(lesson):
        answers.append(
            Critique(
                _taken(critic.critic(fresh)),
                _taken(critic.critic(held)),
                asked,
                len(learned),
                critic.updates,
                critic.budget,
                critic.description,
            )
        )
    return tuple(answers)


def _critics(lesson: Lesson) -> Iterator[Learned]:
    """The better critic at each budget."""
    (linear,) = learn_linear(lesson)
    learn = learn_convnet if learnable(lesson.space) else learn_trees
    for main in learn(lesson):
        yield min(main, linear, key=lambda critic: critic.loss)


def _taken(log_odds: Tensor) -> int:
    """How many are taken for samples."""
    return int((log_odds > 0).sum())
