"""The Dirac-GAN: the smallest game that orbits without a penalty and contracts with R1.

D(x) = psi x, data at 0, the generator draws theta.  Mescheder et al. 2018, arxiv.org/abs/1801.04406.
"""

import math
from functools import cache
from itertools import pairwise

import pytest
import torch
from tests.conftest import make_data

from plausible.core.game import Loss, Player
from plausible.core.model import Model
from plausible.core.space import Space
from plausible.models.gan.losses import losses
from plausible.models.gan.penalties import CriticAt, PenaltyInput, penalties
from plausible.training import Settings, train

STEP, START = 0.1, 1e-3  # so close to the equilibrium that the game is linear


# The slope of both players' costs at D = 0; least squares has targets that this D cannot reach.
SLOPES = {name: 1 / 2 for name in ("minimax", "nonsaturating", "relativistic")}
SLOPES |= {name: 1.0 for name in ("relativistic-average", "hinge", "wasserstein")}


def test_every_loss_is_played():
    assert set(SLOPES) == set(losses) - {"least-squares"}


class Scalar(torch.nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = torch.nn.Parameter(torch.tensor(value, dtype=torch.float64))


class Dirac(Model):
    name, place = "dirac", ("test",)

    def __init__(self, loss, weight):
        super().__init__(Space((1,)), self.Config(batch=1))
        self.psi, self.theta = Scalar(START), Scalar(0.0)
        self.play, self.weight = losses[loss], weight

    def setup(self, train):
        pass

    def critic(self, x):
        return (self.psi.value * x).squeeze(1)

    def points(self):
        real = torch.zeros(1, 1, dtype=torch.float64)
        return real, self.theta.value.view(1, 1)

    def discriminate(self, batch, clock):
        real, fake = self.points()

        def critic(x):
            return self.critic(x), x[:, :0]

        round = PenaltyInput(
            critic, CriticAt(critic, real), CriticAt(critic, fake.detach()), torch.clone
        )
        costs = self.play(round.real.logit, round.fake.logit)
        return Loss({"game": costs.discriminator, "r1": self.weight * penalties["r1"](round)})

    def generate(self, batch, clock):
        real, fake = self.points()
        return Loss({"game": self.play(self.critic(real), self.critic(fake)).generator})

    def players(self):
        def sgd(params, lr, betas):
            return torch.optim.SGD(params, lr)

        return [
            Player("d", self.psi, self.discriminate, lr=STEP, optimizer=sgd),
            Player("g", self.theta, self.generate, lr=STEP, optimizer=sgd),
        ]


@cache
def path(loss, steps, *, simultaneous, weight=0.0):
    """[(psi, theta)] after every round."""
    model = Dirac(loss, weight)
    training = train(
        model, make_data(Space((1,)), 12), Settings(steps=steps, simultaneous=simultaneous)
    )
    return [(model.psi.value.item(), model.theta.value.item()) for _ in training]


@pytest.mark.parametrize("loss", sorted(SLOPES))
def test_simultaneous_descent_spirals_outwards_at_the_rate_of_theory(loss):
    radii = [math.hypot(*point) for point in path(loss, 64, simultaneous=True)]
    growth = (radii[-1] / radii[0]) ** (1 / 63)
    assert growth == pytest.approx(math.sqrt(1 + (STEP * SLOPES[loss]) ** 2), rel=2e-6)


def test_the_orbit_has_the_period_of_theory():
    points = path("minimax", 64, simultaneous=True)  # half a turn
    angles = [math.atan2(theta, psi) for psi, theta in points]
    turned = sum((b - a + math.pi) % (2 * math.pi) - math.pi for a, b in pairwise(angles))
    assert 63 * 2 * math.pi / abs(turned) == pytest.approx(125.76, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("loss", sorted(SLOPES))
def test_alternating_descent_stays_on_a_bounded_orbit(loss):
    step = STEP * SLOPES[loss]  # the orbit is an ellipse: 1.025 at a step of 0.05
    turn = math.ceil(2 * math.pi / step)
    radii = [math.hypot(*point) for point in path(loss, 2 * turn, simultaneous=False)]
    assert max(radii) / min(radii) == pytest.approx(math.sqrt((2 + step) / (2 - step)), abs=2e-3)
    assert max(radii[-turn:]) == pytest.approx(max(radii[:turn]), rel=3e-4)


@pytest.mark.slow
@pytest.mark.parametrize("loss", sorted(SLOPES))
@pytest.mark.parametrize("weight", [0.5, 1.0, 2.0])
def test_r1_contracts_at_the_rate_of_its_eigenvalues(loss, weight):
    rounds = 60
    end = math.hypot(*path(loss, rounds, simultaneous=True, weight=weight)[-1])
    # psi' = -psi w - theta a, theta' = psi a: eigenvalues -w/2 +- sqrt(w^2/4 - a^2)
    turn = STEP * SLOPES[loss]
    step = torch.tensor([[1 - STEP * weight, -turn], [turn, 1.0]], dtype=torch.float64)
    start = torch.tensor([START, 0.0], dtype=torch.float64)
    truth = (torch.linalg.matrix_power(step, rounds) @ start).norm().item()
    assert end == pytest.approx(truth, rel=1e-5)
    assert torch.linalg.eigvals(step).abs().max() < 1  # so that it ends at the equilibrium
