"""What a model says of inputs: p(y | x), p(x), and what they would cost another."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from plausible.core.capabilities import Classifier, Invertible
from plausible.core.errors import UsageError
from plausible.core.examples import batches
from plausible.core.likelihood import LogProb
from plausible.core.model import Explicit, Model
from plausible.core.space import Space
from plausible.data.images import MODES
from plausible.data.part import Part
from plausible.recognition.bayes import BayesClassifier, check_optimised, optimising_posterior
from plausible.recognition.code_length import code_length
from plausible.recognition.familiarity import Familiarity
from plausible.recognition.inverted_noise import noise_statistics
from plausible.recognition.novelty import NoveltyInput

_CHUNK = 512


@dataclass(frozen=True)
class ModelOutputs:
    """What a model says of n inputs, on the CPU.

    log_posterior  log p(y | x) before calibration, (n, classes); None where it knows no classes.
    log_prob       log p(x); None for a discriminative model.
    code_length, background, noise, distances   as in ``NoveltyInput``.
    paired         the Monte Carlo error of log p(y | x) against that of one class, (n, classes), see
                   ``ClassLikelihoods``; None where nothing is drawn, or nobody knows.
    evaluations    pairs of an input and a class, each as often as there were draws, that the model was asked for.
    """

    log_posterior: Tensor | None = None
    log_prob: LogProb | None = None
    code_length: Tensor | None = None
    background: Tensor | None = None
    noise: Tensor | None = None
    paired: Tensor | None = None
    evaluations: int = 0
    distances: Tensor | None = None

    def __len__(self) -> int:
        if self.log_posterior is not None:
            return len(self.log_posterior)
        return 0 if self.log_prob is None else len(self.log_prob.nats)

    def novelty_input(self) -> NoveltyInput:
        """What a novelty score reads, of a model that says p(x)."""
        assert self.log_prob is not None
        nats = self.log_prob.nats.double()
        return NoveltyInput(
            nats, self.code_length, self.background, noise=self.noise, distances=self.distances
        )

    def log_likelihoods(self, log_prior: Tensor) -> Tensor:
        """log p(x | y) = log p(y | x) + log p(x) - log p(y), of a conditional model with this p(y): (n, classes)."""
        assert self.log_posterior is not None
        assert self.log_prob is not None
        joint = self.log_posterior.double() + self.log_prob.nats.double()[:, None]
        return (joint - log_prior.double().cpu()).nan_to_num(nan=-torch.inf)


def has_code_length(space: Space) -> bool:
    """Whether points of a space have a standard lossless code."""
    return space.is_image and space.shape[0] in MODES


def posterior_of(
    model: Model, draws: int | None = None, optimise_posterior: int = 0
) -> Classifier | None:
    """p(y | x) of a model, by Bayes' rule where it says p(x | y); None where it knows no classes.

    Raises ``UsageError`` for a model that says neither p(y | x) nor p(x), or a posterior to optimise where there is none.
    """
    check_optimised(model, optimise_posterior)
    if isinstance(model, Explicit):
        if not model.conditional:
            return None
        return BayesClassifier(model, samples=draws, optimise_posterior=optimise_posterior)
    if isinstance(model, Classifier):
        return model
    raise UsageError(f"a {model.name} says neither p(y | x) nor p(x), so it cannot be asked")


def model_outputs(
    model: Model,
    part: Part,
    *,
    background: Explicit | None = None,
    draws: int | None = None,
    noise: bool = False,
    optimise_posterior: int = 0,
    familiarity: Familiarity | None = None,
    seed: int = 0,
) -> ModelOutputs:
    """Everything a model says of these inputs.

    background  a model of mutated data, which is asked for log p(x), too.
    draws       of z for each log p(x), where it is an estimate; by default the model's.
    optimise_posterior   steps by which the q(z | x) of a vae is found, see ``BayesClassifier``.
    noise       test the z that an ``Invertible`` model makes of x, too; given the most probable class, if it knows any.
    familiarity   how far each x is from the training part, too.
    """
    classifier = posterior_of(model, draws, optimise_posterior)
    parts = []
    for batch in batches(part, _CHUNK):
        generator = torch.Generator().manual_seed(seed)
        with optimising_posterior(model, optimise_posterior):
            said = _outputs(model, classifier, batch.x, background, draws, generator)
        said = _with_noise(said, model, batch.x, generator) if noise else said
        parts.append(said if familiarity is None else replace(said, distances=familiarity(batch.x)))
    log_probs = [outputs.log_prob for outputs in parts if outputs.log_prob is not None]
    return ModelOutputs(
        _joined([outputs.log_posterior for outputs in parts]),
        LogProb.cat(log_probs) if log_probs else None,
        _joined([outputs.code_length for outputs in parts]),
        _joined([outputs.background for outputs in parts]),
        _joined([outputs.noise for outputs in parts]),
        _joined([outputs.paired for outputs in parts]),
        sum(outputs.evaluations for outputs in parts),
        _joined([outputs.distances for outputs in parts]),
    )


def _with_noise(
    said: ModelOutputs, model: Model, x: Tensor, generator: torch.Generator
) -> ModelOutputs:
    """With statistics of the z of each x, given the most probable class."""
    assert isinstance(model, Invertible)
    y = None if said.log_posterior is None else said.log_posterior.argmax(1)  # (N, classes) -> (N,)
    z = model.inverted_noise(x, y, generator)  # (K, N, d)
    statistics = torch.stack([noise_statistics(one) for one in z])
    return replace(said, noise=statistics.mean(0))


def _outputs(
    model: Model,
    classifier: Classifier | None,
    x: Tensor,
    background: Explicit | None,
    draws: int | None,
    generator: torch.Generator,
) -> ModelOutputs:
    if not isinstance(model, Explicit):
        assert classifier is not None
        return ModelOutputs(classifier.log_posterior(x).cpu(), evaluations=len(x))
    posterior = paired = None
    evaluations = len(x)
    if isinstance(classifier, BayesClassifier):
        likelihoods = classifier.class_likelihoods(x, generator)
        log_prob = likelihoods.evidence(classifier.log_prior)
        posterior = (likelihoods.nats + classifier.log_prior).log_softmax(1).cpu()
        paired = None if likelihoods.paired is None else likelihoods.paired.cpu()
        evaluations = likelihoods.evaluations
    else:
        log_prob = model.log_prob(x, samples=draws, generator=generator)
    of_mutated = None
    if background is not None:
        said = background.log_prob(x, samples=draws, generator=generator)
        of_mutated = said.nats.cpu().double()
    length = code_length(x, model.space) if has_code_length(model.space) else None
    return ModelOutputs(posterior, log_prob, length, of_mutated, None, paired, evaluations)


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    tensors = [part for part in parts if part is not None]
    return torch.cat(tensors) if tensors else None
