"""Why an answer: how probable an input is under each class, what the class makes of it, and which coordinates decide."""

from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.likelihood import LogProb
from plausible.core.model import Explicit, Model
from plausible.core.synthesis import coordinate_nats_of, synthesis_of
from plausible.recognition.answer import Answer
from plausible.recognition.bayes import BayesClassifier, optimising_posterior
from plausible.recognition.class_likelihoods import ClassLikelihoods
from plausible.recognition.recogniser import Recogniser
from plausible.recognition.uncovering import uncovering

_CHUNK = 512  # inputs at once, as the answers are asked for


@dataclass(frozen=True, eq=False)
class Explanation:
    """One input as its most probable classes see it, the most probable one first.

    answer      what was said of it.
    x           (*shape) in data units.
    labels      of the classes, (k,).
    log_prob    log p(x | y) of each, (k,), with its kind and error.
    synthesis   what each makes of x, (k, *shape) in data units; None of a family that makes nothing of it.
    difference  the nats by which each coordinate speaks for the first class and against the second, (*shape); None where
                log p is no sum over coordinates.
    uncovered   p(y | the first rows) of all classes, (rows + 1, classes), before calibration; None where that is not exact.
    """

    answer: Answer
    x: Tensor
    labels: Tensor
    log_prob: LogProb
    synthesis: Tensor | None
    difference: Tensor | None
    uncovered: Tensor | None


@dataclass(frozen=True)
class Legend:
    """In words, what the synthesis and the coordinates' nats are; "" where a family has none."""

    synthesis: str = ""
    difference: str = ""


def explanations(
    recogniser: Recogniser, x: Tensor, answers: tuple[Answer, ...], classes: int
) -> tuple[tuple[Explanation, ...], Legend]:
    """Of each input x (N, *shape) the most probable ``classes``, by what was said of it.

    Raises ``UsageError`` for a model without p(x | y), or no class at all.
    """
    model = need_class_likelihoods(recogniser.model)
    if classes < 1:
        raise UsageError(f"an explanation shows at least 1 class, not {classes}")
    made: list[Explanation] = []
    legend = Legend()
    for rows in torch.arange(len(x)).split(_CHUNK):
        few = tuple(answers[k] for k in rows.tolist())
        some, legend = _explained(recogniser, model, x[rows], few, classes)
        made += some
    return tuple(made), legend


def need_class_likelihoods(model: Model) -> Explicit:
    """The model as one that says p(x | y), which an explanation is of; ``UsageError`` where it does not."""
    if isinstance(model, Explicit) and model.conditional:
        return model
    raise UsageError(
        f"an explanation shows what each class makes of an input, by p(x | y), which this {model.name} does not say: ask a "
        f"generative model that was trained with classes"
    )


def _explained(
    recogniser: Recogniser, model: Explicit, x: Tensor, answers: tuple[Answer, ...], classes: int
) -> tuple[list[Explanation], Legend]:
    posterior = torch.tensor([answer.posterior for answer in answers]).nan_to_num(-1.0)
    k = min(classes, posterior.shape[1])
    best = posterior.argsort(dim=1, descending=True, stable=True)[:, :k]  # (n, k)
    steps = recogniser.optimise_posterior
    bayes = BayesClassifier(model, samples=recogniser.draws, optimise_posterior=steps)
    said = bayes.class_likelihoods(x, torch.Generator().manual_seed(recogniser.seed))
    with optimising_posterior(model, steps):
        made = synthesis_of(
            model, x.repeat_interleave(k, 0), best.flatten(), torch.Generator().manual_seed(recogniser.seed)
        )  # fmt: skip
        # the second of all classes, also where one alone is shown
        both = posterior.argsort(dim=1, descending=True, stable=True)[:, :2]
        nats = [coordinate_nats_of(model, x, y) for y in both.T]
    first, second = (*nats, None)[:2]
    uncovered = difference = None
    if first is not None and second is not None:
        difference = (first.nats - second.nats).cpu()
        uncovered = uncovering(model, x).exp() if first.in_order else None
    legend = Legend(made.words if made else "", first.words if first else "")
    synthesis = None if made is None else made.x.cpu().unflatten(0, (len(x), k))
    return [
        Explanation(
            answer, x[n].cpu(), best[n], _of_labels(said, n, best[n]),
            None if synthesis is None else synthesis[n],
            None if difference is None else difference[n],
            None if uncovered is None else uncovered[n],
        )
        for n, answer in enumerate(answers)
    ], legend  # fmt: skip


def _of_labels(said: ClassLikelihoods, n: int, labels: Tensor) -> LogProb:
    """log p(x | y) of one input under some labels, (k,)."""
    nats = said.nats.cpu()[n, labels]
    stderr = None if said.stderr is None else said.stderr.cpu()[n, labels]
    shared = 0.0 if said.shared is None else float(said.shared.max())
    return LogProb(nats, said.kind, said.reference, stderr, shared)
