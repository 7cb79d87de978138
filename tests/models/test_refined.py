"""A trained model goes on by a game: the losses of both objectives, who moves which weights, and that it resumes exactly."""

import math
from itertools import islice
from typing import get_args

import pytest
import torch
from tests.conftest import make_data

from plausible.core import refinement
from plausible.core.errors import UsageError
from plausible.core.game import Clock
from plausible.core.likelihood import LogProb, Reference
from plausible.core.model import Explicit
from plausible.core.refinement import RefinementConfig
from plausible.core.space import Batch, Space
from plausible.models import GAN, RBM, VAE, Diffusion, Flow, LogisticRegression, PixelCNN
from plausible.models.gan.architectures import architectures
from plausible.models.gan.augment import augmentations
from plausible.models.gan.losses import losses
from plausible.models.gan.penalties import penalties
from plausible.models.refined.likelihood_ratio import LikelihoodRatio
from plausible.models.refined.objectives import (
    OBJECTIVES,
    config_refined,
    objective_for,
    refined,
    refined_class,
)
from plausible.nn.observation import Bernoulli, Categorical, LogisticMixture
from plausible.nn.pathwise import draw_pathwise
from plausible.training import Settings, train

SPACE = Space((1, 2, 2), levels=2, classes=2)
GREY = Space((1, 8, 8), levels=5)
FLAT = Space((2,))
RATIO = RefinementConfig("likelihood-ratio", reference_samples=32, batch=16)
GAME = RefinementConfig("adversarial", batch=16, width=4)


def small(kind, **more):
    asked = {"width": 8, "blocks": 1, "batch": 16} | more
    return kind.Config(
        **{name: value for name, value in asked.items() if hasattr(kind.Config, name)}
    )


CASES = {
    "pixelcnn": (PixelCNN, SPACE, RATIO, {}),
    "pixelcnn-conditional": (PixelCNN, SPACE, RATIO, {"conditional": True}),
    "flow": (Flow, FLAT, RATIO, {}),
    "vae-ratio": (VAE, SPACE, RATIO, {}),
    "diffusion-ratio": (Diffusion, SPACE, RATIO, {}),
    "vae": (VAE, SPACE, GAME, {}),
    "vae-conditional": (VAE, SPACE, GAME, {"conditional": True, "layers": 2}),
    "vae-vectors": (VAE, FLAT, GAME, {}),
    "diffusion": (Diffusion, SPACE, GAME, {"average_velocity": True}),
}


def begun(kind, space, refinement, more):
    """A refined model whose start has weights that nobody has learned."""
    torch.manual_seed(0)
    config = config_refined(small(kind, **more), refinement)
    start = kind(space, config)
    start.setup(make_data(space).train)
    model = refined(kind, refinement, space, config)
    model.begin_with(start.state_dict())
    return start, model


@pytest.mark.parametrize("model", ["vae-ratio", "vae-adversarial"])
def test_a_refined_model_is_one_of_its_family(model):
    refinement = RATIO if model == "vae-ratio" else GAME
    start, found = begun(VAE, SPACE, refinement, {})
    assert isinstance(found, VAE)
    assert found.name == "vae"
    assert found.kinds == start.kinds
    assert start.state_dict().keys() < found.state_dict().keys()
    a, b = (m.sample(8, generator=torch.Generator().manual_seed(0)).x for m in (start, found))
    assert torch.equal(a, b)


@pytest.mark.parametrize("case", [name for name, made in CASES.items() if made[2] is RATIO])
def test_at_the_start_every_logit_is_zero_and_the_loss_is_log_four(case):
    start, model = begun(*CASES[case])
    model.setup(make_data(start.space).train)
    batch = make_data(start.space).train.batch(slice(0, 16))
    batch = batch if start.conditional else Batch(batch.x)
    assert model.log_ratio(batch).abs().max() < 1e-4
    player, *_ = model.players()
    assert player.loss(batch, Clock()).total.item() == pytest.approx(2 * math.log(2), abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_every_weight_of_both_sides_is_moved_by_exactly_one_player(case, monkeypatch):
    start, model = begun(*CASES[case])
    training = train(model, make_data(start.space), Settings(steps=3))
    frozen = {n for n, p in model.named_parameters() if not p.requires_grad}
    assert frozen == {n for n, _ in model.named_parameters() if n.startswith("opponent.") and isinstance(model, LikelihoodRatio)}  # fmt: skip
    before = {name: p.clone() for name, p in model.named_parameters()}
    seats: dict[int, list[str]] = {}
    for name, params in training.weights.items():
        for param in params:
            seats.setdefault(id(param), []).append(name)
    for name, param in model.named_parameters():
        assert len(seats.get(id(param), [])) == (name not in frozen), name
    list(training)
    moved = {n for n, p in model.named_parameters() if not torch.equal(before[n], p)}
    assert not moved & frozen
    assert moved


@pytest.mark.parametrize("case", ["pixelcnn", "vae", "diffusion"])
def test_stopped_and_resumed_is_bit_for_bit_the_same(case):
    def fresh():
        start, model = begun(*CASES[case])
        training = train(model, make_data(start.space), Settings(steps=6))
        training.averaged.begin_with(start.state_dict())
        return training

    whole, first, again = fresh(), fresh(), fresh()
    torch.manual_seed(0)
    list(whole)
    torch.manual_seed(0)
    for _ in islice(first, 3):
        pass
    state = first.state_dict()
    torch.manual_seed(123)
    again.load_state_dict(state)
    assert [step.clock.step for step in again] == [3, 4, 5]
    for name, value in whole.state_dict()["raw"].items():
        assert torch.equal(value, again.state_dict()["raw"][name]), name


class Coin(Explicit):
    """p(x) over two points, whose one weight is the log odds."""

    name = "coin"
    place = ("tests",)
    log_prob_has_gradient = True

    def __init__(self, space, config=None):
        super().__init__(space, config)
        self.odds = torch.nn.Parameter(torch.zeros(()))

    def _log_prob(self, x, y, samples, generator):
        sign = 2 * x.flatten(1)[:, 0] - 1
        return LogProb(torch.nn.functional.logsigmoid(sign * self.odds), reference=Reference.MASS)

    def _noise(self, n, generator):
        return torch.rand(n, 1, generator=generator)

    def _sample(self, noise, y):
        return (noise < self.odds.sigmoid()).float()[:, None, None]

    def loss(self, batch, clock):
        raise AssertionError("its own loss is not played")


def test_the_best_ratio_makes_the_model_the_distribution_of_the_data():
    """Of two points with p = 0.9 and 0.1 and a start of 0.6 and 0.4: the minimum over the odds is at 0.9."""
    space = Space((1, 1, 1), levels=2)
    refinement = RefinementConfig("likelihood-ratio", reference_samples=1000)
    model = refined(Coin, refinement, space, Coin.Config())
    start = Coin(space)
    start.odds.data.fill_(math.log(0.6 / 0.4))
    model.begin_with(start.state_dict())
    data = Batch(torch.cat([torch.ones(90), torch.zeros(10)]).view(100, 1, 1, 1))
    drawn = Batch(torch.cat([torch.ones(60), torch.zeros(40)]).view(100, 1, 1, 1))
    model.reference_samples.batch = lambda n, reference: drawn
    optimiser = torch.optim.LBFGS([model.odds], max_iter=100, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        total = model.ratio_loss(data, Clock()).total
        total.backward()
        return total

    optimiser.step(closure)
    assert model.odds.sigmoid().item() == pytest.approx(0.9, abs=1e-3)


def test_the_encoder_learns_by_the_own_loss_alone_and_without_weight_the_decoder_by_the_game_alone():
    refinement = RefinementConfig("adversarial", batch=16, width=4, likelihood_weight=0.0)
    start, model = begun(VAE, SPACE, refinement, {})
    players = {player.name: player for player in model.players()}
    assert list(players) == ["discriminator", "generator", "encoder"]
    batch = make_data(SPACE).train.batch(slice(0, 16))
    assert set(players["generator"].loss(batch, Clock()).terms) == {"game"}
    assert set(players["encoder"].loss(batch, Clock()).terms) == {"reconstruction", "kl"}
    names = {id(p): n for n, p in model.named_parameters()}
    drawing = {names[id(p)] for p in players["generator"].module.parameters()}
    z = start.latent(2).requires_grad_()
    start.decode(z).sum().backward()
    assert drawing >= {n for n, p in start.named_parameters() if p.grad is not None}


def test_a_likelihood_weight_is_of_each_coordinate():
    _, model = begun(VAE, SPACE, RefinementConfig("adversarial", batch=16, width=4, likelihood_weight=3.0), {})  # fmt: skip
    assert model.likelihood_weight == pytest.approx(3 / 4)  # nats of four pixels
    config = {"average_velocity": True}
    _, other = begun(
        Diffusion, SPACE, RefinementConfig("adversarial", likelihood_weight=3.0), config
    )
    assert other.likelihood_weight == 3.0  # a mean over them already


def test_an_error_costs_a_refined_average_velocity_what_it_is():
    _, model = begun(*CASES["diffusion"])
    with torch.no_grad():
        for param in model.parameters():
            param.add_(1)
    loss = model.train().own_loss(make_data(SPACE).train.batch(slice(0, 16)), Clock())
    # weighed by itself, as where average velocities are learned, no error costs more than 1, and nothing would hold the model
    assert loss.terms["velocity"].mean() > 2


@pytest.mark.parametrize(
    ("observation", "params"),
    [(Bernoulli(), torch.tensor([0.4])), (Categorical(5), torch.tensor([0.3, -0.2, 0.5, 0.1, 0.0])),
     (LogisticMixture(64, 2), torch.tensor([0.2, -0.2, -0.3, 0.4, -1.0, -1.2]))],
)  # fmt: skip
def test_the_slope_of_drawn_levels_is_on_average_that_of_their_mean(observation, params):
    levels = getattr(observation, "levels", observation.size if observation.size > 1 else 2)
    u = (torch.arange(40_000) + 0.5) / 40_000
    many = params.expand(len(u), -1).clone().requires_grad_()
    k = draw_pathwise(observation, many, u, levels)
    assert torch.equal(k.detach(), observation.draw(many.detach(), u).float())
    (slopes,) = torch.autograd.grad(k.mean(), many)
    exact = params.clone().requires_grad_()
    codes = torch.arange(levels)
    p = observation.log_prob(exact.expand(levels, -1), codes).exp()
    (expected,) = torch.autograd.grad((p * codes).sum(), exact)
    assert slopes.sum(0) == pytest.approx(expected, abs=0.02 * (levels - 1) / 4)


def test_what_suits_a_model_is_chosen_and_what_does_not_is_refused():
    plain = RefinementConfig()

    def suits(model, asked=plain):
        return objective_for("it is one", model, asked).objective

    assert suits(VAE(GREY, small(VAE))) == "adversarial"
    assert suits(PixelCNN(GREY, small(PixelCNN))) == "likelihood-ratio"
    assert suits(Diffusion(GREY, small(Diffusion))) == "likelihood-ratio"
    assert suits(Diffusion(GREY, small(Diffusion, average_velocity=True))) == "adversarial"
    assert suits(Diffusion(FLAT, small(Diffusion))) == "adversarial"
    for model, why in [
        (GAN(SPACE), "it is one, which is already a game"),
        (RBM(SPACE), "can be refined by no game: its log p"),
        (LogisticRegression(SPACE), "draws no samples"),
    ]:
        with pytest.raises(UsageError, match=why):
            suits(model)
    with pytest.raises(UsageError, match="no --objective adversarial, because its samples"):
        suits(PixelCNN(GREY, small(PixelCNN)), RefinementConfig("adversarial"))
    with pytest.raises(UsageError, match="100 evaluations"):
        suits(
            Diffusion(GREY, small(Diffusion)), RefinementConfig("adversarial", sampling_steps=100)
        )
    with pytest.raises(UsageError, match="--beta is not of --objective adversarial"):
        RefinementConfig("adversarial", beta=2.0)


def test_the_same_class_is_made_once():
    assert refined_class(VAE, "adversarial") is refined_class(VAE, "adversarial")


def test_the_names_that_a_command_knows_are_those_of_the_gan():
    assert get_args(refinement.Loss) == tuple(losses)
    assert get_args(refinement.Penalty) == tuple(penalties)
    assert get_args(refinement.Augmentation) == tuple(augmentations)
    assert get_args(refinement.Architecture) == tuple(architectures)
    assert get_args(refinement.Objective) == tuple(OBJECTIVES)
