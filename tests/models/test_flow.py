"""Normalizing flows: against another library, against autograd, there and back, and what they learn."""

import math

import pytest
import torch
from tests.conftest import make_data
from torch.autograd.functional import jacobian, jvp

from plausible import Flow, Settings, Space, train
from plausible.core.capabilities import Autoencoder, Encoder, Latent
from plausible.core.errors import UsageError
from plausible.core.game import Clock
from plausible.core.likelihood import Kind, Reference
from plausible.data.part import Data, Part
from plausible.models.dequantisation import STRETCHES, centred, dequantised, off_the_grid
from plausible.models.flow.architectures import Size, architectures, patch_side
from plausible.models.flow.bijection import Rotation
from plausible.models.flow.jacobi import solve_triangular
from plausible.models.flow.masked import MaskedAutoregressive
from plausible.models.flow.multiscale import Squeeze
from plausible.models.flow.patches import PatchAutoregressive
from plausible.models.flow.transforms import transforms

PLANE, TABLE, ONE = Space((2,), classes=2), Space((5,)), Space((1,))
GREY, ODD, COLOUR = Space((1, 8, 8), 16, 3), Space((1, 5, 5), 4), Space((3, 6, 4), 256)
SMALL = {"width": 8, "blocks": 1, "layers": 2}
KINDS = [
    (space, architecture, transform)
    for space in (PLANE, TABLE, ONE, GREY, ODD, COLOUR)
    for architecture in architectures
    for transform in transforms
    if (architecture == "autoregressive") <= (not space.is_image)
    and (architecture == "patches") <= (space in (GREY, COLOUR))
]
named = pytest.mark.parametrize(
    ("space", "architecture", "transform"), KINDS, ids=lambda v: v if isinstance(v, str) else str(v.shape)
)  # fmt: skip


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def stirred(module, by=0.05):
    """As if it had learned something."""
    generator = seeded(5)
    with torch.no_grad():
        for param in module.parameters():
            param.add_(by * torch.randn(param.shape, generator=generator))
    return module


def made(space, architecture="coupling", transform=None, **config):
    torch.manual_seed(0)
    config = Flow.Config(architecture=architecture, transform=transform, **SMALL | config)
    return stirred(Flow(space, config)).eval()


def points(space, n=6):
    return make_data(space).heldout.as_batch().x[:n]


# --- every layer and every architecture ---


@named
def test_log_det_is_that_of_autograd_and_the_way_back_is_the_inverse(
    space, architecture, transform
):
    size = Size(transform, 2, 8, 1, 4)
    torch.manual_seed(0)
    net = stirred(architectures[architecture](space, size), 0.15).double()
    x = torch.randn(2, *space.shape, generator=seeded(), dtype=torch.float64)
    z, log_det = net(x)
    assert z.shape == (2, space.dims)
    full = jacobian(lambda x: net(x)[0], x)  # (2, D, 2, *shape)
    for i in range(2):
        each = full[i, :, i].reshape(space.dims, space.dims)
        assert torch.linalg.slogdet(each).logabsdet.item() == pytest.approx(
            log_det[i].item(), abs=1e-8
        )
    assert (full[0, :, 1] == 0).all()  # no example depends on another
    with torch.no_grad():
        assert (net.inverse(z) - x).abs().max() < 1e-8


@named
def test_encoded_and_decoded_is_what_it_was(space, architecture, transform):
    model, x = made(space, architecture, transform), points(space)
    assert isinstance(model, Latent)
    assert isinstance(model, Encoder)
    assert isinstance(model, Autoencoder)
    z = model.encode(x, mean=True)
    assert z.shape == (6, space.dims)
    assert (model.decode(z) - x).abs().max() < 1e-3
    assert (model.reconstruct(x) - x).abs().max() < 1e-3
    z = model.latent(6, seeded())
    assert (model.encode(model.decode(z), mean=True) - z).abs().max() < 5e-3
    model, x = model.double(), x.double()
    assert (model.decode(model.encode(x, mean=True)) - x).abs().max() < 1e-4


def test_a_rotation_is_orthogonal_and_leaves_no_half_alone():
    first = Rotation(6)
    assert torch.equal(first(torch.arange(6.0)[None])[0], torch.tensor([[3.0, 4, 5, 0, 1, 2]]))
    matrix = stirred(first, 1.0).matrix()
    assert torch.allclose(matrix @ matrix.T, torch.eye(6), atol=1e-5)
    many, x = Rotation(500), torch.randn(2, 500, generator=seeded())  # which are only moved
    assert not list(many.parameters())
    assert torch.equal(many.inverse(many(x)[0]), x)


@pytest.mark.parametrize("fold", [(2, 2), (1, 3), (2, 1)])
def test_a_squeeze_puts_the_pixels_of_a_block_into_the_channels_of_one_place(fold):
    x = torch.arange(48.0).view(1, 2, 4, 6)
    z = Squeeze(*fold)(x)[0]
    block = x[0, :, : fold[0], : fold[1]].permute(1, 2, 0).flatten()
    assert torch.equal(z[0, :, 0, 0], block)
    assert torch.equal(Squeeze(*fold).inverse(z), x)


# --- what is solved part by part ---


def in_turn(layer, z, parts, along):
    """The inverse, each part by a pass of its own, from those that are final alone."""
    x = torch.zeros_like(z)
    for part in parts:
        params = layer._params(x, None)
        x = x.index_copy(along, part, layer.transform.inverse(z, params).index_select(along, part))
    return x


@pytest.mark.parametrize("transform", transforms)
def test_solved_by_jacobi_is_solved_in_turn(transform):
    torch.manual_seed(0)
    kind = transforms[transform](4)
    masked = stirred(MaskedAutoregressive(7, kind, 16, 1, 0)).double()
    z = torch.randn(40, 7, generator=seeded(), dtype=torch.float64)
    ways = PatchAutoregressive((3, 6), kind, 16, 1, 0, backwards=True)
    patches = stirred(ways).double()
    maps = torch.randn(40, 3, 6, generator=seeded(), dtype=torch.float64)
    with torch.no_grad():
        order = torch.arange(7)[:, None]
        assert torch.allclose(masked.inverse(z), in_turn(masked, z, order, 1), atol=1e-9)
        order = torch.arange(6).flip(0)[:, None]
        assert torch.allclose(patches.inverse(maps), in_turn(patches, maps, order, 2), atol=1e-9)


def test_a_row_that_no_longer_changes_is_not_looked_at_again_and_nothing_wild_is_left():
    seen = []
    depth = torch.tensor([1, 3, 6])  # of the chain x_i = 1 + x_(i - 1), where rows are cut off

    def step(x, rows):
        seen.append(len(rows))
        longer = torch.cat([torch.zeros(len(x), 1), x[:, :-1]], 1) + 1
        wild = torch.where(longer == 3, math.inf, longer) if len(seen) == 3 else longer
        return torch.where(torch.arange(6) < depth[rows, None], wild, torch.zeros(()))

    with torch.no_grad():
        x = solve_triangular(step, torch.zeros(3, 6), 9)
    assert torch.equal(x[0], torch.tensor([1.0, 0, 0, 0, 0, 0]))
    assert torch.equal(x[2], torch.arange(1.0, 7))
    assert seen[0] == 3
    assert seen[-1] == 1
    assert len(seen) <= 9


def test_the_slope_of_what_is_decoded_is_the_inverse_of_that_of_what_is_encoded():
    model = made(TABLE, "autoregressive").double()
    z = model.latent(1, seeded()).double()
    x = model.decode(z)
    back = jacobian(lambda x: model.net(model.standardise(x))[0], x)[0, :, 0]
    there = jacobian(model.decode, z)[0, :, 0]
    assert torch.allclose(back @ there, torch.eye(5, dtype=torch.float64), atol=1e-8)
    patches = made(GREY, "patches")
    along = torch.ones(1, 64)
    change = jvp(patches.decode, torch.zeros(1, 64), along)[1]  # as walks ask for it
    assert change.shape == (1, 1, 8, 8)
    assert change.abs().sum() > 0


# --- densities and masses ---


@pytest.mark.parametrize("architecture", ["coupling", "autoregressive"])
@pytest.mark.parametrize("transform", transforms)
def test_the_density_of_the_plane_integrates_to_one(architecture, transform):
    model = made(PLANE, architecture, transform, conditional=True)
    model.offset.fill_(0.3)
    model.scale.copy_(torch.tensor([0.5, 2.0]))
    side, height = torch.linspace(-4, 4, 160), torch.linspace(-14, 14, 160)
    cell = (side[1] - side[0]) * (height[1] - height[0])
    for y in (0, None):
        p = model.log_prob(torch.cartesian_prod(side, height), y)
        assert (p.kind, p.reference, p.stderr) == (Kind.EXACT, Reference.DENSITY, None)
        assert (p.nats.exp().sum() * cell).item() == pytest.approx(1, abs=2e-3)


def data_of(x, space):
    part = Part(x, None, space)
    return Data("known", space, part, part, part)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["coupling", "autoregressive"])
def test_fitted_to_a_gaussian_it_reaches_the_entropy(architecture):
    mixing = torch.tensor([[2.0, 0, 0], [1.5, 1, 0], [-1, 0.3, 0.5]])
    x = torch.randn(3000, 3, generator=seeded()) @ mixing.T + 4
    new = torch.randn(3000, 3, generator=seeded(1)) @ mixing.T + 4
    truth = torch.distributions.MultivariateNormal(torch.full((3,), 4.0), scale_tril=mixing)
    torch.manual_seed(0)
    config = Flow.Config(
        architecture=architecture, transform="affine", lr=2e-2, **SMALL | {"layers": 3}
    )
    model = Flow(Space((3,)), config)
    training = train(model, data_of(x, model.space), Settings(steps=130))
    watched = [step.values()["flow"] for step in training]
    gap = truth.log_prob(new) - training.averaged.log_prob(new).nats
    assert gap.mean().item() < 0.03
    assert gap.mean().item() > -4 * gap.std().item() / len(gap) ** 0.5
    assert set(watched[0]) >= {"loss", "log det", "z squared"}
    assert watched[-1]["z squared"] == pytest.approx(1, abs=0.2)
    entropy = truth.entropy().item()
    assert watched[-1]["loss"] == pytest.approx(entropy, abs=0.3)  # in the units of the data


@pytest.mark.parametrize("preprocessing", STRETCHES)
@pytest.mark.parametrize("architecture", ["coupling", "patches"])
def test_the_mass_of_levels_sums_to_one_or_less(architecture, preprocessing):
    space = Space((1, 2, 2), levels=2)
    model = made(space, architecture, preprocessing=preprocessing)
    model.setup(make_data(space).train)
    p = model.log_prob(space.enumerate(), samples=600, generator=seeded())
    total, error = p.nats.exp().sum().item(), (p.nats.exp() * p.stderr).norm().item()
    assert (p.kind, p.reference) == (Kind.LOWER, Reference.MASS)
    assert total < 1 + 4 * error
    x = model.sample(4000, generator=seeded()).x
    seen = torch.bincount((x.flatten(1) @ torch.tensor([8.0, 4, 2, 1])).long(), minlength=16) / 4000
    noise = 4 * (seen.clamp(min=1e-3) / 4000).sqrt() + 4 * p.nats.exp() * p.stderr
    assert (p.nats.exp() < seen + noise).all()
    if preprocessing == "logit":  # no draw lies outside of the levels
        assert total > 1 - 4 * error
        assert (p.nats.exp() > seen - noise).all()


def test_levels_become_continuous_and_come_back():
    x = make_data(GREY).train.as_batch().x
    for u in (torch.full_like(x, 0.001), torch.full_like(x, 0.999)):
        v = dequantised(GREY.codes(x), 16, u)
        assert torch.equal(GREY.quantise(off_the_grid(v, 16).float()), x)
    assert torch.allclose(off_the_grid(centred(x, 16), 16), x.double())
    v = torch.rand(50, generator=seeded(), dtype=torch.float64).requires_grad_()
    for stretch in STRETCHES.values():
        s, log_slope = stretch.forward(v)
        (slope,) = torch.autograd.grad(s.sum(), v)
        assert torch.allclose(slope.log(), log_slope)
        assert torch.allclose(stretch.inverse(s), v)


def test_more_draws_make_a_bound_more_certain_and_one_has_no_error():
    model, x = made(GREY), points(GREY)
    few, many = (model.log_prob(x, samples=k, generator=seeded()) for k in (4, 256))
    assert few.kind is many.kind is Kind.LOWER
    assert few.stderr is not None
    assert (many.stderr < few.stderr).float().mean() > 0.7
    assert model.log_prob(x, samples=1).stderr is None
    again = model.log_prob(x, samples=4, generator=seeded())
    assert torch.equal(few.nats, again.nats)
    assert made(TABLE).log_prob(points(TABLE), samples=3).stderr is None


def test_the_loss_is_what_log_prob_says():
    model, batch = made(TABLE), make_data(TABLE).train.batch(slice(0, 8))
    model.setup(make_data(TABLE).train)
    loss = model.loss(batch, Clock())
    assert torch.allclose(loss.terms["nll"], -model.log_prob(batch.x).nats.float(), atol=1e-4)
    model, batch = made(GREY), make_data(GREY).train.batch(slice(0, 8))
    draws = [model.loss(batch, Clock()).terms["nll"].mean().item() for _ in range(20)]
    bound = -model.log_prob(batch.x, generator=seeded()).nats.mean().item()
    assert bound < sum(draws) / 20 + 1  # several draws together say more


# --- what it is made for ---


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (4, 2, 2), (2, 3, 9), (1, 5, 7), (1, 8, 20), (3, 28, 28), (3, 1, 6)]
)
def test_images_of_any_size_and_channels(shape):
    model = made(Space(shape, levels=256))
    x = model.sample(2, generator=seeded()).x
    assert x.shape == (2, *shape)
    assert model.log_prob(x, samples=2).nats.isfinite().all()


@pytest.mark.parametrize(
    ("side", "patch"), [(2, 1), (4, 1), (8, 2), (16, 2), (28, 4), (32, 4), (27, 9)]
)
def test_about_eight_patches_a_side(side, patch):
    assert patch_side(side, None) == patch


@pytest.mark.parametrize("architecture", ["coupling", "patches"])
def test_a_label_changes_what_is_drawn_and_what_is_said(architecture):
    model = made(GREY, architecture, conditional=True)
    z, y = model.latent(3, seeded()), torch.tensor([0, 1, 2])
    assert not torch.allclose(model.decode(z, y), model.decode(z, y.roll(1)))
    x = points(GREY, 3)
    assert (model.reconstruct(x, y) - x).abs().max() < 1e-3
    each = [model.log_prob(x, k, generator=seeded()).nats for k in range(3)]
    mixed = model.log_prob(x, generator=seeded()).nats
    assert (mixed > torch.stack(each).min(0).values - 3).all()
    for refused in (lambda: model.encode(x), lambda: model.decode(z)):
        with pytest.raises(UsageError, match="conditional"):
            refused()


def test_samples_are_decoded_noise_and_z_of_a_level_is_drawn():
    model = made(GREY)
    z = model.latent(5, seeded())
    x = model.sample(5, generator=seeded()).x
    assert torch.equal(x, GREY.quantise(model.decode(z)))
    once, again = (model.encode(x, generator=seeded(k)) for k in (1, 2))
    assert not torch.allclose(once, again)
    assert torch.equal(GREY.quantise(model.decode(once)), x)  # each z of a level leads to it


def test_what_does_not_fit_is_refused_with_what_does():
    for config, space, words in (
        ({"architecture": "patches"}, TABLE, "vectors"),
        ({"architecture": "autoregressive"}, GREY, "coupling or patches"),
        ({"architecture": "patches", "patch": 3}, GREY, "does not divide"),
        ({"architecture": "patches", "patch": 8}, GREY, "a single patch"),
        ({"preprocessing": "logit"}, TABLE, "grey levels"),
        ({}, Space((1, 35, 35), 2), "even or a multiple of 3"),
    ):
        with pytest.raises(UsageError, match=words):
            Flow(space, Flow.Config(**config))
    for config in ({"patch": 2}, {"transform": "affine", "bins": 4}, {"bins": 1}):
        with pytest.raises(UsageError):
            Flow.Config(**config)


def test_images_are_learned_in_small_batches_and_vectors_in_large_ones():
    assert Flow(GREY, Flow.Config(**SMALL)).batch < Flow(TABLE, Flow.Config(**SMALL)).batch
    assert Flow(TABLE, Flow.Config(batch=7, **SMALL)).batch == 7
    assert Flow(PLANE, Flow.Config(**SMALL)).batch > Flow(TABLE, Flow.Config(**SMALL)).batch


@pytest.mark.parametrize(
    ("space", "config", "lr"), [(PLANE, {}, 5e-3), (GREY, {}, 2e-3), (PLANE, {"lr": 1e-3}, 1e-3)]
)
def test_few_coordinates_are_learned_faster_and_a_divergence_slower(space, config, lr):
    model = Flow(space, Flow.Config(**SMALL | config))
    (player,) = model.players()
    assert player.lr(0.0) == pytest.approx(lr)
    (advice,) = (remedy.advice(model) for remedy in Flow.remedies["divergence"])
    assert advice == f"--lr {min(lr / 2, 2e-3):.3g} (now {lr:.3g})"
