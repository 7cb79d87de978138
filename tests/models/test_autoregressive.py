"""The chain rule: masses that sum to one, no look ahead, no blind spot, three ways to one sample."""

import math

import pytest
import torch
from tests.conftest import make_data

from plausible import Settings, Space, train
from plausible.core.errors import UsageError
from plausible.models import PixelCNN, PixelRNN
from plausible.nn.observation import Bernoulli, Categorical, LogisticMixture, observation

KINDS = {
    "gated": (PixelCNN, {"width": 6, "blocks": 3}),
    "plain": (PixelCNN, {"version": "plain", "width": 8, "blocks": 3, "kernel": 3}),
    "attention": (PixelCNN, {"width": 12, "blocks": 2, "attention": 2}),
    "row": (PixelRNN, {"version": "row", "hidden": 6, "layers": 2}),
    "diagonal": (PixelRNN, {"hidden": 6, "layers": 2}),
}
SPACES = {
    "binary": Space((1, 4, 5), 2, 3),
    "grey": Space((1, 5, 4), 17, 3),
    "many levels": Space((1, 3, 4), 256, 3),
    "colour": Space((3, 4, 4), 5, 3),
}


def made(kind, space, seed=0, **more):
    """A model in float64 whose weights are large enough to matter."""
    torch.manual_seed(seed)
    build, config = KINDS[kind]
    model = build(space, build.Config(**config, **more)).double()
    with torch.no_grad():
        for param in model.parameters():
            param.mul_(2)
    return model.eval()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("space", "conditional"), [*((space, True) for space in SPACES), ("grey", False)]
)
def test_three_ways_of_drawing_give_the_very_same_image(kind, space, conditional):
    model = made(kind, SPACES[space], conditional=conditional)
    u = torch.rand(4, *SPACES[space].shape, dtype=torch.float64)
    y = torch.tensor([0, 2, 1, 2]) if conditional else None
    one = model.naive(u, y)
    assert torch.equal(model.cached(u, y), one)
    assert torch.equal(model.jacobi(u, y), one)
    assert torch.equal(model.draw(u, y), one)
    if conditional:  # labels matter
        assert not torch.equal(model.cached(u, torch.tensor([1, 0, 2, 0])), one)


def reached(kind, space, seed):
    """(D, D) whether output i depends on coordinate j, in the order in which they are drawn."""
    model = made(kind, space, seed)
    x = torch.rand(1, *space.shape, dtype=torch.float64)
    # a copy for each output, so that one pass does
    x = x.repeat(space.dims, 1, 1, 1).requires_grad_()  # (D, C, H, W)
    outputs = model.outputs(x, None).sum(-1).permute(0, 2, 3, 1).flatten(1)  # (D, D)
    (slopes,) = torch.autograd.grad(outputs.diagonal().sum(), x)  # (D, C, H, W)
    return slopes.permute(0, 2, 3, 1).flatten(1).abs() > 0  # (D, D)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("space", ["binary", "colour"])
def test_nothing_later_is_seen_and_nothing_earlier_is_missed(kind, space):
    # several draws of the weights, because a rectifier may shut a path in one of them
    seen = torch.stack([reached(kind, SPACES[space], seed) for seed in range(4)]).any(0)
    assert not seen.triu().any()
    missed = ~seen & torch.ones_like(seen).tril(-1)
    if kind == "plain":
        return
    assert not missed.any()


def test_the_plain_version_has_a_blind_spot_and_the_gated_one_has_none():
    space = Space((1, 8, 8), 2)
    torch.manual_seed(0)
    plain = PixelCNN(space, PixelCNN.Config(version="plain", kernel=3, blocks=1, width=16)).double()
    x = torch.rand(1, 1, 8, 8, dtype=torch.float64)
    at = torch.autograd.functional.jacobian(lambda x: plain.outputs(x, None)[0, 0, 6, 0], x)
    assert at[0, 0, 0, 5, 7] == 0  # above and far to the right
    gated = PixelCNN(space, PixelCNN.Config(kernel=3, blocks=7, width=16)).double()
    at = torch.autograd.functional.jacobian(lambda x: gated.outputs(x, None)[0, 0, 6, 0], x)
    assert at[0, 0, 0, 5, 7] != 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("space", [Space((1, 2, 2), 2, 2), Space((2, 1, 2), 3, 2)])
def test_the_masses_of_all_images_sum_to_one_for_every_class(kind, space):
    model = made(kind, space, conditional=True)
    for y in (None, 0, 1):
        total = model.log_prob(space.enumerate().double(), y).nats.exp().sum().item()
        assert total == pytest.approx(1, abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_learning_lowers_the_code_length_below_that_of_single_pixels(kind):
    """Images whose lower half repeats the upper one: half the bits are enough."""
    space = Space((1, 4, 4), 2)
    data = make_data(space, 900)
    for part in (data.train, data.validation, data.heldout):
        part.values[:, :, 2:] = part.values[:, :, :2]
    torch.manual_seed(0)
    build, config = KINDS[kind]
    training = train(
        build(space, build.Config(**config, lr=2e-2, batch=32)), data, Settings(steps=40)
    )
    list(training)
    nats = -training.averaged.log_prob(data.heldout.as_batch().x).nats.mean().item()
    assert nats < 12 * math.log(2)  # 16 ln 2 for single pixels, 8 ln 2 at best


@pytest.mark.parametrize("kind", ["gated", "row"])
@pytest.mark.parametrize("start", [0, 7, 15])
def test_pixels_that_are_known_stay_and_the_rest_is_drawn_from_the_conditional(kind, start):
    space = SPACES["grey"]
    model, generator = made(kind, space), torch.Generator().manual_seed(0)
    known = space.quantise(torch.rand(3, *space.shape, generator=generator)).double()
    u = torch.rand(3, *space.shape, generator=generator).double()
    ways = [
        getattr(model, way)(u, image=known, start=start)
        for way in ("naive", "cached", "jacobi", "draw")
    ]
    assert torch.equal(ways[0].flatten(1)[:, :start], known.flatten(1)[:, :start])
    assert all(torch.equal(way, ways[0]) for way in ways)


def test_surprise_is_the_terms_of_log_p():
    model = made("gated", SPACES["colour"])
    x = SPACES["colour"].quantise(torch.rand(3, 3, 4, 4)).double()
    total = model.surprisal(x).flatten(1).sum(1)
    assert torch.allclose(-total, model.log_prob(x).nats)


@pytest.mark.parametrize(
    "kind",
    [Bernoulli(), Categorical(2), Categorical(7), LogisticMixture(7, 3), LogisticMixture(256, 2)],
)
def test_an_observation_is_a_distribution_and_is_drawn_by_its_inverse(kind):
    levels = {1: 2}.get(kind.size, getattr(kind, "levels", kind.size))
    params = 3 * torch.randn(5, kind.size, dtype=torch.float64)
    codes = torch.arange(levels).expand(5, levels)
    mass = kind.log_prob(params[:, None].expand(5, levels, -1), codes).exp()  # (5, levels)
    assert torch.allclose(mass.sum(1), torch.ones(5).double())
    u = torch.rand(40_000, dtype=torch.float64)
    seen = kind.draw(params[:1].expand(len(u), -1), u)
    # the smallest level whose distribution function exceeds u
    below = mass[0].cumsum(0)
    assert torch.equal(seen, (below[:-1] <= u[:, None]).sum(1))
    mean = mass @ torch.linspace(0, 1, levels, dtype=torch.float64)
    # a mixture of logistics answers with its own mean, before it is put into bins
    close = 0.5 / (levels - 1) if isinstance(kind, LogisticMixture) else 1e-12
    assert torch.allclose(kind.mean(params), mean, atol=close, rtol=0)


def test_a_logistic_mixture_keeps_its_precision_far_from_its_mean():
    kind = LogisticMixture(256, 1)
    params = torch.tensor([0.0, -1.0, -7.0])  # a narrow bump at the dark end
    nats = kind.log_prob(params.expand(256, 3), torch.arange(256))
    assert nats.isfinite().all()
    assert nats.argmax() == 0
    assert (nats.diff() < 0).all()


def test_what_suits_which_levels():
    assert isinstance(observation(2), Bernoulli)
    assert isinstance(observation(17), Categorical)
    assert isinstance(observation(256, 5), LogisticMixture)


def test_wrong_numbers_are_refused():
    for wrong in ({"kernel": 4}, {"width": 0}, {"version": "plain", "attention": 1}, {"lr": 0}):
        with pytest.raises(UsageError):
            PixelCNN.Config(**wrong)
    with pytest.raises(UsageError):
        PixelRNN.Config(layers=0)
    with pytest.raises(UsageError, match="vectors"):
        PixelCNN(Space((4,)))


def test_completion_follows_the_conditional_distribution_and_its_labels():
    space = Space((1, 2, 2), 2, 2)
    model = made("gated", space, conditional=True).float()
    x = torch.tensor([[[[1.0, 0], [0, 0]]]]).expand(20_000, 1, 2, 2)
    known = torch.tensor([[True, True], [False, False]])
    drawn = model.complete(x, known, generator=torch.Generator().manual_seed(0))
    assert torch.equal(drawn.x[:, :, 0], x[:, :, 0])
    every = space.enumerate()
    inside = (every[:, 0, 0] == torch.tensor([1.0, 0])).all(1)
    truth = torch.stack([model.log_prob(every[inside], y).nats.exp() for y in (0, 1)]) / 2
    truth = (truth / truth.sum()).flatten()  # of (y, image)
    place = drawn.y * 4 + (drawn.x[:, 0, 1] @ torch.tensor([2.0, 1.0])).long()
    share = torch.bincount(place, minlength=8) / len(x)
    assert (share - truth).abs().sum() / 2 < 0.015
    for wrong in (known.T, ~known, torch.ones(3, 3, dtype=torch.bool)):
        with pytest.raises(UsageError, match="raster"):
            model.complete(x[:2], wrong)


def test_dropout_is_for_learning_alone_and_checked():
    space = SPACES["binary"]
    model = made("gated", space)
    loose = PixelCNN(space, PixelCNN.Config(width=6, blocks=3, dropout=0.5)).double().eval()
    loose.load_state_dict(model.state_dict())
    x = torch.randint(2, (4, *space.shape)).double()
    assert torch.equal(loose.log_prob(x).nats, model.log_prob(x).nats)
    loose.train()
    assert not torch.equal(loose.surprisal(x), model.surprisal(x))
    for wrong in ({"dropout": 1.0}, {"dropout": -0.1}, {"attention": 9, "blocks": 3}):
        with pytest.raises(UsageError):
            PixelCNN.Config(**wrong)
    with pytest.raises(UsageError, match="levels"):
        PixelCNN(space, PixelCNN.Config(logistics=5))


def test_a_conditional_model_needs_labels_for_its_surprise():
    model = made("gated", SPACES["grey"], conditional=True)
    x = SPACES["grey"].quantise(torch.rand(3, *SPACES["grey"].shape)).double()
    with pytest.raises(UsageError, match="labels"):
        model.surprisal(x)
    assert torch.equal(model.surprisal(x, 2), model.surprisal(x, torch.tensor([2, 2, 2])))
