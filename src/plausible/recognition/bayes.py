"""Bayes' rule: from p(x | y) and p(y) to p(y | x) and p(x)."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Generator, Tensor

from plausible.core.capabilities import Joint, PosteriorOptimiser
from plausible.core.classes_at_once import log_probs_at_once
from plausible.core.draws import mean_draws, shared_draws
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Explicit, Model
from plausible.recognition.class_likelihoods import ClassLikelihoods, of_draws, of_log_probs
from plausible.recognition.sequential import sequential_likelihoods

_ROWS = 512  # pairs of an input and a class at once, where nothing is drawn


class BayesClassifier:
    """p(y | x) = p(x | y) p(y) / sum_y' p(x | y') p(y'), of any explicit model p(x | y).

    log_prior  log p(y), (classes,), normalised here; by default as the training data had it.
    samples    draws for each log p(x | y) where it is estimated; by default the model's.  They are the same for every
               class, so that chance moves all classes together and their differences little.
    early      where log p(x | y) is a mean over draws, as of diffusion, a few of them rule out most classes, and only
               what is left takes all (``sequential_likelihoods``).
    optimise_posterior  steps of gradient ascent by which a VAE finds q(z | x) anew for each input and class (analysis
               by synthesis); 0 takes the encoder's.
    kind       of the posterior: ``=`` where the likelihoods are exact, otherwise ``≈``, because a ratio
               of bounds bounds nothing.
    joint      the model, where it learned p(x, y) and each p(x | y) has a constant that must be estimated: p(y | x) is
               that of the joint, where the constant cancels (``=``), with p(y) as the training data had it; another
               ``log_prior`` takes the place of that one.
    Raises ``UsageError`` for a model that is not conditional, a prior of another length, or a posterior to optimise
    where there is none.
    Source: Bayes 1763, doi:10.1098/rstl.1763.0053.
    """

    def __init__(
        self,
        model: Explicit,
        log_prior: Tensor | None = None,
        samples: int | None = None,
        *,
        early: bool = True,
        optimise_posterior: int = 0,
    ):
        if not isinstance(model, Explicit) or not model.conditional:
            raise UsageError(
                f"Bayes' rule needs p(x | y), and this {model.name} is not an explicit conditional model"
            )
        prior = model.log_prior if log_prior is None else torch.as_tensor(log_prior)
        if prior.shape != model.log_prior.shape:
            raise UsageError(
                f"a prior over {model.space.classes} classes has as many entries, not {prior.numel()}"
            )
        self.model, self.samples, self.space = model, samples, model.space
        self.early, self.optimise_posterior = early, optimise_posterior
        check_optimised(model, optimise_posterior)
        if not prior.max() > -torch.inf:  # nor is NaN
            raise UsageError(
                f"a log prior needs at least one class that is possible, not {prior.tolist()}"
            )
        self.log_prior = prior.double().log_softmax(0).to(model.offset.device)
        exact = model.exact_log_prob
        self.joint = model if isinstance(model, Joint) and not exact else None
        self.kind = Kind.EXACT if exact or self.joint else Kind.ESTIMATE

    def class_likelihoods(
        self, x: Tensor, generator: Generator | None = None, *, to_the_end: bool = True
    ) -> ClassLikelihoods:
        """log p(x | y) of every class with their Monte Carlo errors: x (N, *shape) in data units -> (N, classes).

        to_the_end  all draws for the class that is left alone, too, which log p(x) needs, see ``sequential_likelihoods``.
        """
        generator = generator or torch.default_generator
        x = x.to(self.model.offset.device)
        with optimising_posterior(self.model, self.optimise_posterior):
            if self.joint:
                return self._by_the_joint(self.joint, x, generator)
            if not self.early or not mean_draws(self.model) or not len(x):
                return self._by_all_draws(x, generator)
            draws = self.samples or mean_draws(self.model)
            return sequential_likelihoods(
                self.model, x, self.log_prior, draws, generator, to_the_end=to_the_end
            )

    def _by_all_draws(self, x: Tensor, generator: Generator) -> ClassLikelihoods:
        """Every class by all draws."""
        n, classes = len(x), self.space.classes
        labels = torch.arange(classes, device=x.device)
        rows = torch.arange(n, device=x.device).repeat(classes)
        state = generator.get_state()
        draws = shared_draws(
            self.model,
            x,
            rows,
            labels.repeat_interleave(n),
            samples=self.samples,
            generator=generator,
        )
        if draws is not None:
            return of_draws(draws, n, self.log_prior)
        at_once = log_probs_at_once(self.model, x, samples=self.samples, generator=generator)
        if at_once is not None:
            return of_log_probs(at_once, self.log_prior)
        parts: list[LogProb] = []
        for some in labels.split(max(1, _ROWS // max(1, n)) if self.model.exact_log_prob else 1):
            generator.set_state(state)  # so that every class has the same draws
            many, y = x.repeat(len(some), *(1,) * (x.dim() - 1)), some.repeat_interleave(n)
            said = self.model.log_prob(many, y, samples=self.samples, generator=generator)
            parts += [said[slice(k * n, (k + 1) * n)] for k in range(len(some))]
        return of_log_probs(parts, self.log_prior)

    def _by_the_joint(self, model: Joint, x: Tensor, generator: Generator) -> ClassLikelihoods:
        """log p(x) as estimated, log p(x | y) - log p(x) without error."""
        said, learned = self._by_all_draws(x, generator), self.model.log_prior.double()
        ahead = model.joint_posterior(x).double() - learned  # (N, classes)
        evidence = (said.nats + learned).logsumexp(1, keepdim=True)  # (N, 1)
        return replace(said, nats=evidence + ahead, paired=None)

    def log_joint(self, x: Tensor, generator: Generator | None = None) -> list[LogProb]:
        """[log p(x | y) + log p(y)] for each class y, in nats: x (N, *shape) -> (N,) each."""
        said = self.class_likelihoods(x, generator)
        return [said.of_class(y) + self.log_prior[y] for y in range(self.space.classes)]

    def log_posterior(self, x: Tensor, generator: Generator | None = None) -> Tensor:
        """log p(y | x) in nats: x (N, *shape) in data units -> (N, classes)."""
        if self.joint:
            given = self.log_prior - self.model.log_prior.double()  # (classes,)
            return (self.joint.joint_posterior(x).double() + given).log_softmax(1)
        said = self.class_likelihoods(x, generator, to_the_end=False)
        return (said.nats + self.log_prior).log_softmax(1)  # (N, classes)

    def log_prob(self, x: Tensor, generator: Generator | None = None) -> LogProb:
        """The evidence log p(x) = log sum_y p(x | y) p(y), its kind kept: (N, *shape) -> (N,)."""
        return self.class_likelihoods(x, generator).evidence(self.log_prior)


@contextlib.contextmanager
def optimising_posterior(model: Model, steps: int) -> Iterator[None]:
    """For a while a model finds q(z | x) by so many steps; UsageError where it has none, unless steps are 0."""
    with contextlib.ExitStack() as stack:
        for part in check_optimised(model, steps):
            stack.enter_context(part.optimising_posterior(steps))
        yield


def check_optimised(model: Model, steps: int) -> list[PosteriorOptimiser]:
    """What in a model finds q(z | x), for each class where each has a model; none for 0 steps, UsageError where there is none."""
    parts: list[PosteriorOptimiser] = [
        part for part in model.modules() if isinstance(part, PosteriorOptimiser)
    ]
    if steps and not parts:
        raise UsageError(
            f"--optimise-posterior finds the q(z | x) of a vae, and a {model.name} has none: leave it out"
        )
    return parts if steps else []
