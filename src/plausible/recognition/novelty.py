"""Is x of this kind at all?  Scores that are large for what is implausible, and a p-value of each.

A high density is no proof: an image of few strokes is more probable under most models than any of the
images they learned from.  So a score may set log p(x) against what x would cost anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from plausible.core.errors import UsageError
from plausible.core.registry import Registry
from plausible.recognition.tails import tail_surprisal


@dataclass(frozen=True)
class NoveltyInput:
    """What is known of n inputs, log p(x) and code lengths in nats.

    log_prob         log p(x) of the model, (n,).
    code_length      of x in a standard lossless code, (n,), or None for x that has no such code.
    background       log p(x) of a model of mutated data, (n,), or None where there is none.
    in_distribution  the same of data of the right kind, for scores that are relative to them.
    noise            ``noise_statistics`` of the z of x, over draws where it has several, (n, 3), or None if not asked for.
    distances        from the training part, (n, 3), see ``Familiarity``, or None where there are none.
    """

    log_prob: Tensor
    code_length: Tensor | None = None
    background: Tensor | None = None
    in_distribution: "NoveltyInput | None" = None
    noise: Tensor | None = None
    distances: Tensor | None = None

    def __len__(self) -> int:
        return len(self.log_prob)

    def __getitem__(self, rows: slice | Tensor) -> "NoveltyInput":
        """Some of the inputs, (n,) -> (m,)."""
        code_length = None if self.code_length is None else self.code_length[rows]
        background = None if self.background is None else self.background[rows]
        noise = None if self.noise is None else self.noise[rows]
        distances = None if self.distances is None else self.distances[rows]
        return NoveltyInput(
            self.log_prob[rows], code_length, background, noise=noise, distances=distances
        )

    @staticmethod
    def cat(parts: "Sequence[NoveltyInput]") -> "NoveltyInput":
        """The inputs of all parts one after another."""

        def joined(tensors: list[Tensor | None]) -> Tensor | None:
            there = [tensor for tensor in tensors if tensor is not None]
            return torch.cat(there) if len(there) == len(parts) else None

        return NoveltyInput(
            torch.cat([part.log_prob for part in parts]),
            joined([part.code_length for part in parts]),
            joined([part.background for part in parts]),
            noise=joined([part.noise for part in parts]),
            distances=joined([part.distances for part in parts]),
        )


novelties: Registry = Registry("novelty score")
"""Every score: a function of NoveltyInput -> (n,), larger for what is less plausible."""


@novelties
def likelihood(inputs: NoveltyInput) -> Tensor:
    """-log p(x)."""
    return -inputs.log_prob


@novelties
def ratio(inputs: NoveltyInput) -> Tensor:
    """log p0(x) - log p(x), p0 a background model of the same data with some coordinates mutated.

    What both models find likely, such as an empty background, cancels.
    Source: Ren et al. 2019, https://arxiv.org/abs/1906.02845.
    """
    if inputs.background is None:
        raise UsageError("the score ratio needs a background model")
    return inputs.background - inputs.log_prob


@novelties
def complexity(inputs: NoveltyInput) -> Tensor:
    """-log p(x) - L(x), L the length of x in a lossless code: a ratio to a universal model.

    Source: Serra et al. 2020, https://arxiv.org/abs/1909.11480.
    """
    if inputs.code_length is None:
        raise UsageError("the score complexity needs images, which have a standard lossless code")
    return -inputs.log_prob - inputs.code_length


@novelties
def typicality(inputs: NoveltyInput) -> Tensor:
    """|log p(x) - E log p|: too probable is as odd as too improbable.

    Source: Nalisnick et al. 2019, https://arxiv.org/abs/1906.02994.
    """
    return (inputs.log_prob - _in_distribution(inputs).log_prob.mean()).abs()


@novelties
def either(inputs: NoveltyInput) -> Tensor:
    """max over s of (s(x) - E s) / sd s, s = likelihood, complexity; mean and deviation of data of the right kind.

    Noise is improbable and a plain image is too simple for what it costs the model; each of the two
    scores is blind to what the other one sees.
    """
    standard = []
    for score in (likelihood, complexity):
        usual = score(_in_distribution(inputs))  # (m,)
        deviation = usual.std(correction=min(1, len(usual) - 1)).clamp(min=1e-12)
        standard.append((score(inputs) - usual.mean()) / deviation)
    return torch.maximum(*standard)


@novelties
def combined(inputs: NoveltyInput) -> Tensor:
    """sum over s of -log P(s >= s(x)), s = log p and -log p, complexity, and each distance from the training part.

    What is too probable, too improbable, too simple for that, or far from what was learned from: each of these is blind to
    something that another sees.  P is how often data of the right kind score so, see ``tail_surprisal``; the sum is Fisher's
    (1925), and what it is worth is for its own p-value to say, as its terms depend on each other.
    """
    if inputs.distances is None:
        raise UsageError("the score combined needs distances from the training part, of images")
    ours, usual = (_aspects(one) for one in (inputs, _in_distribution(inputs)))
    return torch.stack([tail_surprisal(*pair) for pair in zip(ours, usual, strict=True)]).sum(0)


def _aspects(inputs: NoveltyInput) -> list[Tensor]:
    """All that may be unusual about each input, larger for what is more so: (n,) each."""
    assert inputs.distances is not None
    simple = [] if inputs.code_length is None else [complexity(inputs)]
    return [inputs.log_prob, likelihood(inputs), *simple, *inputs.distances.T]


@novelties
def noise(inputs: NoveltyInput) -> Tensor:
    """max over t of |log t(z) - E log t| / sd log t, z the noise of x, t its length, Anderson-Darling's A^2, Ljung-Box's Q.

    The z of data of the right kind would be N(0, I) if the model were perfect; as it is not, what their statistics are
    is what is usual, and too good is as odd as too bad.
    """
    ours, usual = (_log_statistics(one) for one in (inputs, _in_distribution(inputs)))  # (n, 3)
    deviation = usual.std(0, correction=min(1, len(usual) - 1)).clamp(min=1e-12)
    return ((ours - usual.mean(0)) / deviation).abs().amax(1)


def _log_statistics(inputs: NoveltyInput) -> Tensor:
    if inputs.noise is None:
        raise UsageError("the score noise needs the z of each input, of an invertible model")
    return inputs.noise.clamp(min=1e-12).log()


def _in_distribution(inputs: NoveltyInput) -> NoveltyInput:
    if inputs.in_distribution is None:
        raise UsageError("this score needs to know what data of the right kind get")
    return inputs.in_distribution
