"""Restricted Boltzmann machine: p(x) = sum_h exp(-E(x, h)) / Z, learned and drawn by Markov chains."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy, softplus

from plausible.core.device import device_generator
from plausible.core.errors import UsageError
from plausible.core.examples import Examples, mean
from plausible.core.game import Clock, Loss, Player
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Explicit, models
from plausible.core.optimizers import SGD
from plausible.core.schedule import cosine
from plausible.core.space import Batch, Space
from plausible.core.synthesis import Synthesis
from plausible.models.rbm.annealing import AnnealingPath
from plausible.models.rbm.config import RBMConfig
from plausible.models.rbm.contrastive import contrastive_free_energy
from plausible.models.rbm.energy import Energy, bernoulli, label_units, visible_units
from plausible.models.rbm.enumeration import enumerable
from plausible.models.rbm.partition import TEMPERATURES, PartitionEstimate, estimate_log_z
from plausible.models.rbm.remedies import REMEDIES
from plausible.models.rbm.state import Centre, Chains
from plausible.models.rbm.tempering import inverse_temperatures, tempered_step

_HIDDEN = 500
_ANNEALED = 1000  # temperatures on the way to a sample
_MEMORY = 0.99  # of the running mean of the hidden units
_FADE, _FAST = 0.95, 0.05  # of the fast weights: what is kept, and their learning rate


@models
class RBM(Explicit):
    """p(v) = sum_h exp(-E(v, h)) / Z, E(v, h) = -(v - mu).W (h - lambda) - a.(v - mu) - b.(h - lambda).

    v are the pixels, black or white, and with ``conditional`` the label too, as units of which one is on;
    mu and lambda are the means of the units, which makes learning insensitive to how the data are coded
    (Montavon and Mueller 2012, doi:10.1007/978-3-642-35289-8_33; Melchior et al. 2016,
    http://jmlr.org/papers/v17/14-237.html).  The gradient of log p(v) is that of the mean free energy of
    the model minus that of the data; the model's is taken over Markov chains that go on from update to
    update (PCD, Tieleman 2008, doi:10.1145/1390156.1390290).  What is a variant elsewhere is a number here:

    gibbs         steps of the chains in each update
    persistent    off: they start at the data every time (CD, Hinton 2002)
    fast_weights  a second set that drives the chains on (Tieleman and Hinton 2009,
                  doi:10.1145/1553374.1553506)
    temperatures  parallel tempering
    discriminative  the weight of -log p(y | x) beside it, exact because Z cancels (the hybrid of Larochelle and
                  Bengio 2008, doi:10.1145/1390156.1390224): a classifier beside p(x)

    log p(x) = -F(x) - log Z, exact if one side has at most 20 units; otherwise log Z is estimated by
    annealing, whose error all x share.
    """

    name: ClassVar[str] = "rbm"
    place: ClassVar[tuple[str, ...]] = (
        "generative, p(x) or p(x | y)", "explicit", "approximate", "Markov chain",
    )  # fmt: skip
    family_kinds: ClassVar[Mapping[str, Kind]] = {"log_prob": Kind.ESTIMATE}
    remedies = REMEDIES
    sampled_jointly = True

    Config = RBMConfig
    config: RBMConfig

    def __init__(self, space: Space, config: RBMConfig | None = None):
        config = config or RBMConfig()
        super().__init__(space, config)
        if space.levels != 2:
            raise UsageError(
                "the units of an rbm are 0 or 1: choose --binarise dynamic (grey values as probabilities), "
                "static or threshold, for images"
            )
        self.classes = space.classes if config.conditional else 0
        visible, chains = space.dims + self.classes, config.batch
        hidden = config.hidden or min(_HIDDEN, 2 * space.dims)
        self.weight = nn.Parameter(0.01 * torch.randn(visible, hidden))
        self.a, self.b = nn.Parameter(torch.zeros(visible)), nn.Parameter(torch.zeros(hidden))
        self.centre = Centre(visible, hidden)
        replicas = config.temperatures
        state = (
            torch.zeros(chains, hidden) if replicas == 1 else torch.zeros(replicas, chains, visible)
        )
        fast = torch.zeros(visible, hidden) if config.fast_weights else None
        self.chains = Chains(state, fast)
        self._log_z: dict[tuple[int, ...], list[PartitionEstimate]] = {}

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """log p(x) is exact where one side has at most 20 units."""
        exact = enumerable(self.space.dims, len(self.b))
        return {"log_prob": Kind.EXACT} if exact else self.family_kinds

    def setup(self, train: Examples) -> None:
        """Class prior, the means of the units, and a from them; chains begin at independent units."""
        super().setup(train)
        mu = mean(train).flatten()  # (D,)
        if self.classes:
            mu = torch.cat([mu, self.log_prior.exp()])  # (V,)
        self.centre.mu.copy_((mu * len(train) + 0.5) / (len(train) + 1))  # nothing is impossible
        with torch.no_grad():
            self.a.copy_(self._base_rates)
        self.chains.state.bernoulli_(0.5)

    def players(self) -> Sequence[Player]:
        """One player that moves every weight."""
        config = self.config
        return [
            Player(
                self.name,
                self,
                self.loss,
                lr=cosine(config.lr, config.lr / 100),
                optimizer=_nesterov(config.momentum, config.decay),
                ema=config.ema,
                adapt=self.recentre,
                shared=self.centre,
                own=self.chains,
                whole_batch=True,
            )
        ]

    @property
    def energy(self) -> Energy:
        """The same p*(v) without the means: a - W lambda and b - mu W, up to a constant factor."""
        lam, mu = self.centre.lam, self.centre.mu
        visible, hidden = self.a - self.weight @ lam, self.b - mu @ self.weight
        return Energy(self.weight, visible, hidden, self.classes)

    def loss(self, batch: Batch, clock: Clock) -> Loss:
        """mean F(data) - mean F(chains), F(v) = -log p*(v): its gradient is that of -log p(data)."""
        v, centre = self._visible(batch.x, batch.y), self.centre
        on, dtype = v.device.type, v.dtype
        if torch.is_autocast_enabled(on):
            dtype = torch.get_autocast_dtype(on)
        with torch.autocast(on, enabled=False):  # only products are of less precision
            weight = self.weight.detach().to(dtype)
            chains = self._negative_phase(v, weight, clock)  # (M, V)
            contrastive, free, on_data, on_chains = contrastive_free_energy(
                self.weight, self.a, self.b, centre.mu, centre.lam, v, chains, weight
            )
        if self.training:
            self._update_state(v, chains, on_data, on_chains)
        terms = {"contrastive": contrastive}
        if self.config.discriminative:
            assert batch.y is not None
            wrong = cross_entropy(self._log_posterior(batch.x), batch.y, reduction="none")  # (N,)
            terms["-log p(y | x)"] = self.config.discriminative * wrong
        watch = {"free energy": free, "hidden on": on_data.mean(), "chains on": chains.mean()}
        return Loss(terms, watch)

    @torch.no_grad()
    def _update_state(self, v: Tensor, chains: Tensor, on_data: Tensor, on_chains: Tensor) -> None:
        """What the next update needs: the mean of h, h of the chains, and the fast weights.

        v (N, V) and chains (M, V) with their P(h = 1 | .), on_data (N, H) and on_chains (M, H).
        """
        self.centre.seen.lerp_(on_data.mean(0), 1 - _MEMORY)
        if self.config.temperatures == 1:
            # (M, H), or (N, H) of chains that begin at data, of which each of several processes has a share
            self.chains.state[: len(on_chains)].copy_(torch.rand_like(on_chains) < on_chains)
        if self.chains.fast is not None:
            gradient = v.T @ on_data / len(v) - chains.T @ on_chains / len(chains)  # (V, H)
            self.chains.fast.mul_(_FADE).add_(gradient, alpha=_FAST)

    @torch.no_grad()
    def recentre(self, batch: Batch, clock: Clock) -> None:
        """Let lambda follow the mean of h, and move a so that p(v) stays what it is."""
        self.a.add_(self.weight @ (self.centre.seen - self.centre.lam))
        self.centre.lam.copy_(self.centre.seen)

    @torch.no_grad()
    def _negative_phase(self, v: Tensor, weight: Tensor, clock: Clock) -> Tensor:
        """Where the chains are after this update's steps: (M, V).

        v  (N, V) the data, where chains begin that are not persistent; weight (V, H), of any precision.
        """
        config, state = self.config, self.chains.state
        if config.temperatures > 1:
            path = AnnealingPath(self.energy, self._base_rates)
            betas = inverse_temperatures(config.temperatures).to(state.device)
            for step in range(config.gibbs):
                state = tempered_step(path, state, betas, odd=bool((clock.step + step) % 2))
            if self.training:
                self.chains.state.copy_(state)
            return state[-1]
        if self.chains.fast is not None:
            weight = weight + self.chains.fast
        for step in range(config.gibbs):
            go_on = config.persistent and not step
            h = state if go_on else bernoulli(self._preactivation(v, weight))
            logit = ((h - self.centre.lam).to(weight.dtype) @ weight.T).float().add_(self.a)
            v = visible_units(logit, self.classes)
        return v

    def _preactivation(self, v: Tensor, weight: Tensor) -> Tensor:
        """(v - mu) W + b, the logit of each h given v: (N, V) -> (N, H)."""
        return ((v - self.centre.mu).to(weight.dtype) @ weight).float() + self.b

    def log_partition(
        self, chains: int | None = None, steps: int = TEMPERATURES
    ) -> list[PartitionEstimate]:
        """log Z, of each class that of p(x | y): exact if one side is small, otherwise annealed.

        chains  of each class, at least 2; by default 128, or 32 where there are classes.
        steps   inverse temperatures.  What is drawn is the same every time, and kept while the weights are.
        """
        weights = *self.parameters(), self.centre.lam, self.centre.mu
        key = (chains or 0, steps, *(tensor._version for tensor in weights))
        if key not in self._log_z:
            base = self._base_rates[: self.space.dims]
            self._log_z = {
                key: estimate_log_z(self.energy_given, base, self.classes, chains, steps)
            }
        return self._log_z[key]

    def _log_prob(
        self, x: Tensor, y: Tensor | None, samples: int | None, generator: Generator | None
    ) -> LogProb:
        """-F(x) - log Z(y); ``samples`` chains estimate log Z, by draws that are always the same."""
        estimates = self.log_partition(samples)
        log_z = torch.tensor([e.log_z for e in estimates], device=x.device, dtype=torch.float64)
        v = x.flatten(1).double()
        energy = self.energy_given(y, torch.float64)
        nats = energy.neg_free_energy(v) - (log_z[0] if y is None else log_z[y])
        return LogProb(nats, self.kinds["log_prob"], shared=max(e.error for e in estimates))

    def class_log_probs(
        self, x: Tensor, samples: int | None, generator: Generator | None
    ) -> list[LogProb]:
        """``_log_prob`` of every class: what x gives to the hidden units is one product for all labels."""
        estimates, kind = self.log_partition(samples), self.kinds["log_prob"]
        v, energy = x.flatten(1).double(), self.energy_given(None, torch.float64)
        of_pixels, of_x = v @ energy.visible, v @ energy.weight  # (N,), (N, H)
        error = max(e.error for e in estimates)
        nats = [of_pixels + softplus(of_x + of_label).sum(1) for of_label in energy.hidden]
        return [
            LogProb(free - e.log_z, kind, shared=error)
            for free, e in zip(nats, estimates, strict=True)
        ]

    @torch.no_grad()
    def raise_lower_bound(
        self,
        x: Tensor,
        y: Tensor | None = None,
        generator: Generator | None = None,
        *,
        chains: int = 4,
        steps: int = TEMPERATURES,
    ) -> Tensor:
        """log p(x), of a conditional model log p(x | y), too low in expectation: x (N, *shape), y (N,) -> (N,).

        So many ``chains`` from each x are annealed backwards over ``steps`` temperatures; float64.
        Source: Burda et al. 2015, https://arxiv.org/abs/1412.8566.
        """
        self.need_labels(y)
        x = self._to_device(x)
        v = x.flatten(1).repeat_interleave(chains, 0)  # (N chains, D)
        labels = self._to_device(y).repeat_interleave(chains) if y is not None else None
        energy = self.energy_given(labels if self.classes else None)
        path = AnnealingPath(energy, self._base_rates[: self.space.dims])
        log_w = path.backward(v, steps, device_generator(v.device, generator))
        return log_w.view(len(x), chains).logsumexp(1) - math.log(chains)

    @torch.no_grad()
    def joint_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x) of the joint p(x, y), exactly, for log Z cancels: x (N, *shape) -> (N, classes)."""
        if not self.classes:
            raise UsageError("this rbm has no label units: train it with --conditional")
        return self._log_posterior(self._to_device(x))

    def _log_posterior(self, x: Tensor) -> Tensor:
        """log p(y | x), differentiable: x (N, *shape) in data units -> (N, classes)."""
        energy, dims = self.energy, self.space.dims
        preactivation = x.flatten(1) @ energy.weight[:dims] + energy.hidden  # (N, H)
        each = [softplus(preactivation + w).sum(1) for w in energy.weight[dims:]]  # (N,) each
        return (torch.stack(each, 1) + energy.visible[dims:]).log_softmax(1)

    def hidden(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """P(h = 1 | x), with labels y (N,) P(h = 1 | x, y): x (N, *shape) in data units -> (N, H)."""
        return self.energy_given(y).preactivation(x.flatten(1)).sigmoid()

    @torch.no_grad()
    def initial_state(self, n: int, generator: Generator | None = None) -> Tensor:
        """Independent pixels with the means of the data: (n, *shape)."""
        logit = self._base_rates[: self.space.dims].expand(n, -1)
        return bernoulli(logit, generator).view(n, *self.space.shape)

    @torch.no_grad()
    def transition(
        self, x: Tensor, y: Tensor | None = None, generator: Generator | None = None
    ) -> Tensor:
        """A Gibbs step x -> (y ->) h -> x: x (N, *shape) in data units -> the same.

        y  labels (N,) that stay; without them a conditional model draws y ~ p(y | x) first.
        """
        x = self._to_device(x)
        if self.classes and y is None:
            y = torch.multinomial(self.joint_posterior(x).exp(), 1, generator=generator)[:, 0]
        energy = self.energy_given(self._to_device(y))
        h = energy.sample_hidden(x.flatten(1), generator)
        return energy.sample_visible(h, generator).view_as(x)

    def synthesis(self, x: Tensor, y: Tensor | None, generator: Generator | None) -> Synthesis:
        """P(x' = 1 | h) at h = P(h = 1 | x, y), the means of a Gibbs step with the label held."""
        energy = self.energy_given(y)
        h = energy.preactivation(x.flatten(1)).sigmoid()  # (N, H)
        back = (h @ energy.weight.T + energy.visible).sigmoid()
        return Synthesis(back.view_as(x), "a Gibbs step from it with that class held")

    def _sample_jointly(self, n: int, y: Tensor | None, generator: Generator) -> Tensor:
        """The end of annealed chains, one for each sample."""
        path = AnnealingPath(self.energy_given(y), self._base_rates[: self.space.dims])
        x = path.end(n, _ANNEALED, generator)
        return x.view(-1, *self.space.shape)

    def energy_given(self, y: Tensor | int | None, dtype: torch.dtype = torch.float32) -> Energy:
        """The energy of x given labels (), (N,) or, with None, of every class: hidden (H,) or (N, H)."""
        energy, dims = self.energy, self.space.dims
        weight, visible = energy.weight.to(dtype), energy.visible.to(dtype)
        hidden = energy.hidden.to(dtype)
        if self.classes:
            of_label = weight[dims:]
            hidden = hidden + (of_label if y is None else of_label[y])
        return Energy(weight[:dims], visible[:dims], hidden)

    def _visible(self, x: Tensor, y: Tensor | None) -> Tensor:
        """Visible units: x (N, *shape), and with labels y (N,) one for each class -> (N, V)."""
        v = x.flatten(1)
        if not self.classes:
            return v
        assert y is not None
        return torch.cat([v, label_units(y, self.classes, v.dtype)], 1)

    @property
    def _base_rates(self) -> Tensor:
        """Logits of independent units whose means are mu: (V,), in the precision that chains walk in."""
        mu, dims = self.centre.mu, self.space.dims
        return torch.cat([mu[:dims].logit(), mu[dims:].log()]).float()


def _nesterov(momentum: float, decay: float) -> Callable[..., torch.optim.Optimizer]:
    def made(
        params: Iterable[Tensor], lr: float, betas: tuple[float, float]
    ) -> torch.optim.Optimizer:
        optimizer: torch.optim.Optimizer = SGD(
            params, lr, momentum, weight_decay=decay, nesterov=momentum > 0, fused=True
        )
        return optimizer

    return made
