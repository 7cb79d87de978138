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
from plausible.recognition.bayes import BayesClassifier
from plausible.recognition.code_length import code_length
from plausible.recognition.inverted_noise import noise_statistics
from plausible.recognition.novelty import NoveltyInput

_CHUNK = 512


@dataclass(frozen=True)
class ModelOutputs:
    """What a model says of n inputs, on the CPU.

    log_posterior  log p(y | x) before calibration, (n, classes); None where it knows no classes.
    log_prob       log p(x); None for a discriminative model.
    code_length, background, noise   as in ``NoveltyInput``.
    """

    log_posterior: Tensor | None = None
    log_prob: LogProb | None = None
    code_length: Tensor | None = None
    background: Tensor | None = None
    noise: Tensor | None = None

    def __getitem__(self, rows: slice) -> "ModelOutputs":
        return ModelOutputs(*(None if part is None else part[rows] for part in vars(self).values()))

    def novelty_input(self) -> NoveltyInput:
        """What a novelty score reads, of a model that says p(x)."""
        assert self.log_prob is not None
        nats = self.log_prob.nats.double()
        return NoveltyInput(nats, self.code_length, self.background, noise=self.noise)


def has_code_length(space: Space) -> bool:
    """Whether points of a space have a standard lossless code."""
    return space.is_image and space.shape[0] in MODES


def posterior_of(model: Model, draws: int | None = None) -> Classifier | None:
    """p(y | x) of a model, by Bayes' rule where it says p(x | y); None where it knows no classes.

    Raises ``UsageError`` for a model that says neither p(y | x) nor p(x).
    """
    if isinstance(model, Explicit):
        return BayesClassifier(model, samples=draws) if model.conditional else None
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
    seed: int = 0,
) -> ModelOutputs:
    """Everything a model says of these inputs.

    background  a model of mutated data, which is asked for log p(x), too.
    draws       of z for each log p(x), where it is an estimate; by default the model's.
    noise       test the z that an ``Invertible`` model makes of x, too; given the most probable class, if it knows any.
    """
    classifier = posterior_of(model, draws)
    parts = []
    for batch in batches(part, _CHUNK):
        generator = torch.Generator().manual_seed(seed)
        said = _outputs(model, classifier, batch.x, background, draws, generator)
        parts.append(_with_noise(said, model, batch.x, generator) if noise else said)
    log_probs = [outputs.log_prob for outputs in parts if outputs.log_prob is not None]
    return ModelOutputs(
        _joined([outputs.log_posterior for outputs in parts]),
        LogProb.cat(log_probs) if log_probs else None,
        _joined([outputs.code_length for outputs in parts]),
        _joined([outputs.background for outputs in parts]),
        _joined([outputs.noise for outputs in parts]),
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
        return ModelOutputs(classifier.log_posterior(x).cpu())
    posterior = None
    if isinstance(classifier, BayesClassifier):
        joint = classifier.log_joint(x, generator)
        log_prob = LogProb.logsumexp(joint)
        posterior = torch.stack([part.nats for part in joint], 1).log_softmax(1).cpu()
    else:
        log_prob = model.log_prob(x, samples=draws, generator=generator)
    of_mutated = None
    if background is not None:
        said = background.log_prob(x, samples=draws, generator=generator)
        of_mutated = said.nats.cpu().double()
    length = code_length(x, model.space) if has_code_length(model.space) else None
    return ModelOutputs(posterior, log_prob, length, of_mutated)


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    tensors = [part for part in parts if part is not None]
    return torch.cat(tensors) if tensors else None
