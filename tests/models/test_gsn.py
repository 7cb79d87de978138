"""Generative stochastic networks against the transition matrix that can be written down."""

import math

import pytest
import torch
from tests.conftest import make_data

from plausible import GSN, Settings, Space, train
from plausible.core.errors import UsageError
from plausible.core.game import Clock

SPACE = Space((1, 2, 2), 2, 2)
PLACE = torch.tensor([8.0, 4.0, 2.0, 1.0])
STEPS = 25  # in which a chain forgets where it began


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def trained(space=SPACE, steps=100, data=None, **more):
    torch.manual_seed(0)
    model = GSN(space, GSN.Config(**{"width": 16, "batch": 64, "lr": 0.02, **more}))
    training = train(model, data or make_data(space, 600), Settings(steps=steps))
    for step in training:
        last = step
    return training.averaged, last.values()


def transition_matrix(model, y=None, draws=1):
    """T(x' | x) over all 16 images: the corruption summed over, the noise averaged over."""
    x, c = SPACE.enumerate(), model.config.corruption
    same = (x[:, None] == x[None]).flatten(2)  # (16, 16, 4)
    corrupted = torch.where(same, 1 - c / 2, c / 2).double().prod(2)  # P(c | x)
    net, standard = model.net, model.standardise(x)
    with torch.no_grad():
        repeated = standard.repeat(draws, 1, 1, 1)  # (draws 16, 1, 2, 2)
        labels = None if y is None else torch.full((16 * draws,), y)
        params = net.ways[0].down(net.lowest_layer(repeated, labels, seeded()))
    on = params.double().sigmoid().flatten(1)[:, None]  # (draws 16, 1, 4)
    drawn = torch.where(x.flatten(1)[None] > 0.5, on, 1 - on).prod(2)  # (draws 16, 16)
    return corrupted @ drawn.view(draws, 16, 16).mean(0)


def stationary(matrix):
    return torch.linalg.matrix_power(matrix, 4096)[0]


@pytest.mark.slow
@pytest.mark.parametrize(("noise", "draws"), [(0.0, 1), (1.0, 2000)])
@pytest.mark.parametrize("y", [None, 1])
def test_the_chain_visits_each_image_as_its_transition_matrix_says(noise, draws, y):
    data = make_data(SPACE, 600)
    data.train.values[:] = data.train.values[:, :, :1, :]  # columns of one colour
    model, _ = trained(data=data, noise=noise, conditional=y is not None)
    matrix = transition_matrix(model, y, draws)
    assert torch.allclose(matrix.sum(1), torch.ones(16).double())
    n, generator = 10_000, seeded()
    labels = None if y is None else torch.full((n,), y)
    x = model.initial_state(n, generator)
    assert torch.allclose(torch.linalg.matrix_power(matrix, STEPS), stationary(matrix), atol=1e-4)
    for _ in range(STEPS):
        x = model.transition(x, labels, generator)
    seen = torch.bincount((x.flatten(1) @ PLACE).long(), minlength=16).double() / n
    truth = stationary(matrix)
    noise_of_counts = (truth * (1 - truth) / n * 2 / math.pi).sqrt().sum() / 2
    noise_of_matrix = 0.006 if draws > 1 else 0.0
    assert (seen - truth).abs().sum() / 2 < 2 * noise_of_counts + noise_of_matrix
    assert (seen - 1 / 16).abs().sum() / 2 > 0.07  # it has learned something


def test_samples_follow_the_stationary_distribution_too():
    model, _ = trained(noise=0.0)
    truth = stationary(transition_matrix(model))
    x = model.sample(20_000, generator=seeded()).x
    seen = torch.bincount((x.flatten(1) @ PLACE).long(), minlength=16).double() / 20_000
    assert (seen - truth).abs().sum() / 2 < 0.02
    assert model.mixing.converged
    assert model.mixing.steps <= 128


@pytest.mark.slow
def test_samples_carry_the_labels_they_were_asked_for():
    data = make_data(SPACE, 600)
    data.train.values[:] = data.train.y[:, None, None, None].to(
        torch.uint8
    )  # the label is the colour
    model, _ = trained(data=data, conditional=True, steps=200)
    y = torch.arange(300) % 2
    drawn = model.sample(300, y, generator=seeded())
    assert torch.equal(drawn.y, y)
    assert (drawn.x.flatten(1).mean(1).round() == y).float().mean() > 0.9


SPACES = [
    Space((1, 9, 11), 17, 3), Space((3, 8, 9), 256, 3), Space((1, 8, 8), 2, 3), Space((5,), None, 3),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("space", "architecture", "conditional"),
    [  # every two of the three together
        (space, architecture, (i + j) % 2 > 0)
        for i, space in enumerate(SPACES)
        for j, architecture in enumerate(["mlp", "conv"])
    ],
)
def test_every_kind_of_data_is_learned_and_drawn(space, architecture, conditional):
    asked = {"architecture": architecture, "conditional": conditional, "width": 4}
    if architecture == "conv" and not space.is_image:
        with pytest.raises(UsageError, match="choose mlp"):
            GSN(space, GSN.Config(**asked))
        return
    model, last = trained(space, 3, **asked)
    assert all(math.isfinite(value) for value in last["gsn"].values())
    y = 1 if conditional else None
    drawn = model.sample(5, y, generator=seeded())
    assert drawn.x.shape == (5, *space.shape)
    labels = torch.full((5,), 1) if conditional else None
    after = model.transition(drawn.x, labels, seeded())
    assert torch.equal(model.space.quantise(after), after)
    assert model.denoised(drawn.x, labels).shape == drawn.x.shape


def test_walking_back_is_one_term_a_step():
    model, last = trained(steps=2, walk_back=3)
    assert {"step 1", "step 2", "step 3"} <= set(last["gsn"])
    batch = make_data(SPACE).train.batch(slice(0, 8))
    torch.manual_seed(3)
    terms = model.train().loss(batch, Clock()).terms
    assert [term.shape for term in terms.values()] == [(8,)] * 3


def test_the_way_down_is_the_way_up_turned_round():
    for architecture in ("mlp", "conv"):
        model = GSN(Space((1, 9, 12), 2), GSN.Config(architecture=architecture, width=3))
        x = torch.randn(2, 1, 9, 12, dtype=torch.float64)
        for way in model.double().net.ways:
            up = way.up(x) - way.up(torch.zeros_like(x))
            h = torch.randn_like(up)
            down = way.down(h) - way.down(torch.zeros_like(h))
            assert (up * h).sum().item() == pytest.approx((x * down).sum().item())
            x = up


def test_impossible_numbers_are_refused():
    for wrong in (
        {"walk_back": 0},
        {"corruption": 0},
        {"corruption": 1},
        {"noise": -1},
        {"layers": 0},
    ):
        with pytest.raises(UsageError):
            GSN.Config(**wrong)
    with pytest.raises(UsageError, match="labels"):
        GSN(SPACE, GSN.Config(conditional=True)).transition(SPACE.enumerate())
