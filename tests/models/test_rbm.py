"""Restricted Boltzmann machines against everything that can be enumerated."""

import math
from functools import cache

import pytest
import torch
from tests.conftest import make_data

from plausible import RBM, BayesClassifier, PerClass, Settings, Space, train
from plausible.core.errors import UsageError
from plausible.core.game import Clock
from plausible.core.likelihood import Kind
from plausible.core.space import Batch
from plausible.models.rbm.annealing import AnnealingPath
from plausible.models.rbm.energy import Energy
from plausible.models.rbm.enumeration import log_partition, states
from plausible.models.rbm.partition import estimate
from plausible.models.rbm.tempering import inverse_temperatures, swap_replicas, tempered_step

SPACE = Space((1, 2, 2), 2, 3)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_energy(visible, hidden, seed, scale=1.0):
    g = seeded(seed)
    weight = scale * torch.randn(visible, hidden, generator=g)
    return Energy(weight, torch.randn(visible, generator=g), torch.randn(hidden, generator=g))


def everything(units):
    return states(units, torch.arange(2**units)).float()


def built(conditional=False, scale=1.0, **more):
    """A machine over 2x2 images with weights that are not small."""
    torch.manual_seed(0)
    model = RBM(SPACE, RBM.Config(conditional=conditional, hidden=5, batch=64, **more))
    model.setup(make_data(SPACE, 200).train)
    with torch.no_grad():
        for param in model.parameters():
            param.add_(scale * torch.randn_like(param))
    return model


@cache
def trained(steps=300, hidden=14):
    torch.manual_seed(1)
    space = Space((1, 5, 5), 2)
    model = RBM(space, RBM.Config(hidden=hidden, lr=0.1))
    data = make_data(space, 400)
    data.train.values[:] = data.train.values[:, :, :1, :]  # columns of one colour
    for _ in train(model, data, Settings(steps=steps)):
        pass
    return model


def test_the_sum_over_either_side_is_that_over_both():
    for visible, hidden in ((3, 4), (4, 3)):
        energy = random_energy(visible, hidden, visible)
        v, h = everything(visible).double(), everything(hidden).double()
        a, c, w = energy.visible.double(), energy.hidden.double(), energy.weight.double()
        joint = (v @ a)[:, None] + h @ c + v @ w @ h.T  # (2^D, 2^H)
        assert log_partition(energy).item() == pytest.approx(joint.logsumexp((0, 1)).item())
        assert torch.allclose(
            energy.neg_free_energy(v.float()).double(), joint.logsumexp(1), atol=1e-5
        )


MACHINES = [
    pytest.param(lambda s=s: random_energy(30, 12, s, 0.4), id=f"random {s}") for s in range(2)
]
MACHINES += [pytest.param(lambda s=s: trained(s).energy, id=f"trained {s}") for s in (100, 400)]


@pytest.mark.slow
@pytest.mark.parametrize("made", MACHINES)
def test_annealing_finds_log_z(made):
    energy = made()
    path = AnnealingPath(energy, torch.zeros_like(energy.visible))
    log_w, _ = path.forward(500, 1000, seeded())
    found, exact = estimate(log_w, path.log_z0), log_partition(energy).item()
    assert abs(found.log_z - exact) < max(3 * found.error, 1e-3)
    assert abs(found.log_z - exact) < 0.1
    assert 1 <= found.ess <= 500


@pytest.mark.parametrize("made", [MACHINES[0], MACHINES[-1]])
def test_forwards_and_backwards_bracket_log_z(made):
    energy = made()
    exact, path = (
        log_partition(energy).item(),
        AnnealingPath(energy, torch.zeros_like(energy.visible)),
    )
    forwards, ends = path.forward(2000, 40, seeded())  # few steps: a wide bracket
    assert torch.equal(path.end(2000, 40, seeded()), ends)
    low = forwards + path.log_z0
    start = _exact_samples(energy, 2000)
    high = energy.neg_free_energy(start).double() - path.backward(start, 40, seeded(1))
    for values, side in ((low, -1), (high, 1)):
        error = values.std().item() / math.sqrt(len(values))
        assert side * (values.mean().item() - exact) > -3 * error
    assert low.mean() < exact < high.mean()


def _exact_samples(energy, n):
    """By the hidden side: h ~ p(h), v ~ p(v | h)."""
    h = everything(energy.weight.shape[1])
    log_p = h @ energy.hidden + torch.nn.functional.softplus(
        h @ energy.weight.T + energy.visible
    ).sum(1)
    rows = torch.multinomial(log_p.softmax(0), n, replacement=True, generator=seeded(7))
    return energy.sample_visible(h[rows], seeded(8))


def test_backwards_is_right_on_average_for_every_image():
    energy = random_energy(3, 2, 0)
    path, v = AnnealingPath(energy, torch.full((3,), 0.3)), everything(3)
    ends = path.forward(200_000, 3, seeded())[1]
    seen = torch.bincount((ends @ torch.tensor([4.0, 2.0, 1.0])).long(), minlength=8) / 200_000
    said = path.backward(v.repeat(2000, 1), 3, seeded()).exp().view(2000, 8).mean(0)
    assert (seen - said).abs().max() < 0.005
    assert said.sum().item() == pytest.approx(1, abs=0.02)


def test_without_weights_all_chains_weigh_the_same():
    energy = Energy(torch.zeros(6, 4), torch.randn(6), torch.randn(4))
    path = AnnealingPath(energy, energy.visible)
    log_w, _ = path.forward(50, 10, seeded())
    assert (log_w - log_w[0]).abs().max() < 1e-4
    assert path.log_z0 + log_w[0].item() == pytest.approx(log_partition(energy).item(), abs=1e-4)


@pytest.mark.parametrize("conditional", [False, True])
def test_the_gradient_over_exact_chains_is_the_exact_gradient(conditional, monkeypatch):
    model = built(conditional).eval()
    batch = make_data(SPACE, 60).train.batch(slice(0, 40))
    all_x = SPACE.enumerate()
    if conditional:
        every = torch.cat([model._visible(all_x, torch.full((16,), k)) for k in range(3)])
    else:
        every = model._visible(all_x, None)
    p = model.energy.neg_free_energy(every).softmax(0).detach()
    params = list(model.parameters())
    ours = [torch.zeros_like(param) for param in params]
    for state, share in zip(
        every, p, strict=True
    ):  # the mean over chains in every state by its share
        monkeypatch.setattr(model, "_negative_phase", lambda v, weight, clock, at=state: at[None])
        gradients = torch.autograd.grad(model.loss(batch, Clock()).total, params)
        ours = [sum_ + share * some for sum_, some in zip(ours, gradients, strict=True)]
    v = model._visible(batch.x, batch.y)
    energy = model.energy
    exact = energy.neg_free_energy(every).logsumexp(0) - energy.neg_free_energy(v).mean()
    for one, other in zip(ours, torch.autograd.grad(exact, params), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_tempering_leaves_the_product_of_all_temperatures_as_it_is():
    energy, betas, n = random_energy(2, 2, 3, 2.0), inverse_temperatures(3), 400_000
    path, v = AnnealingPath(energy, torch.zeros(2)), everything(2)
    base = torch.zeros(4)
    log_p = torch.stack(
        [base + path.log_ratio(v, 0.0, b).float() for b in betas.tolist()]
    ).log_softmax(1)
    start = torch.stack(
        [
            v[torch.multinomial(p.exp(), n, replacement=True, generator=seeded(k))]
            for k, p in enumerate(log_p)
        ]
    )
    product = log_p[0][:, None, None] + log_p[1][:, None] + log_p[2]
    for odd in (False, True):
        for move in (swap_replicas, tempered_step):
            after = move(path, start, betas, odd, seeded(5))
            code = (after @ torch.tensor([2.0, 1.0])).long()  # (3, n)
            place = code[0] * 16 + code[1] * 4 + code[2]
            seen = torch.bincount(place, minlength=64) / n
            p = product.flatten().exp()
            chi = (n * (seen - p).square() / p).sum().item()
            assert chi < 63 + 5 * math.sqrt(2 * 63)
            assert not torch.equal(after, start)


@pytest.mark.parametrize("conditional", [False, True])
def test_a_transition_leaves_the_distribution_as_it_is(conditional):
    model, n = built(conditional), 200_000
    x = SPACE.enumerate()
    p = model.log_prob(x, 1 if conditional else None).nats.exp()
    rows = torch.multinomial(p, n, replacement=True, generator=seeded())
    y = torch.ones(n, dtype=torch.long) if conditional else None
    after = model.transition(x[rows], y, seeded(1)).flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0])
    seen = torch.bincount(after.long(), minlength=16) / n
    assert (n * (seen - p).square() / p).sum() < 15 + 5 * math.sqrt(30)


def test_the_posterior_of_labels_is_bayes_rule_with_the_models_own_prior():
    model, x = built(conditional=True), SPACE.enumerate()
    log_z = torch.tensor([one.log_z for one in model.log_partition()]) + model.energy.visible[4:]
    joint = torch.stack([model.log_prob(x, k).nats + log_z[k] for k in range(3)], 1)
    assert torch.allclose(model.joint_posterior(x), joint.log_softmax(1).float(), atol=1e-5)
    bayes = BayesClassifier(model, log_z)  # p(y) of the joint, up to a constant
    assert torch.allclose(bayes.log_posterior(x).float(), model.joint_posterior(x), atol=1e-5)
    with pytest.raises(UsageError, match="no label units"):
        built().joint_posterior(x)


def test_a_hybrid_learns_the_exact_posterior_beside_the_joint():
    plain = built(conditional=True)
    torch.manual_seed(0)
    hybrid = built(conditional=True, discriminative=2.0)
    hybrid.load_state_dict(plain.state_dict())
    x, y = SPACE.enumerate(), torch.arange(16) % 3
    loss = hybrid.loss(Batch(x, y), Clock())
    wanted = -2 * hybrid.joint_posterior(x)[torch.arange(16), y]
    torch.testing.assert_close(loss.terms["-log p(y | x)"], wanted)
    assert set(plain.loss(Batch(x, y), Clock()).terms) == {"contrastive"}
    with pytest.raises(UsageError, match="needs --conditional"):
        RBM.Config(discriminative=1.0)


def test_bayes_rule_takes_the_posterior_of_a_joint_whose_constants_are_only_estimated(monkeypatch):
    model, x = built(conditional=True), SPACE.enumerate()
    monkeypatch.setattr("plausible.models.rbm.rbm.enumerable", lambda *sides: False)
    monkeypatch.setattr("plausible.models.rbm.partition.enumerable", lambda *sides: False)
    bayes = BayesClassifier(model)
    assert bayes.kind is Kind.EXACT
    assert model.kinds["log_prob"] is Kind.ESTIMATE
    exact = model.joint_posterior(x).double()
    torch.testing.assert_close(bayes.log_posterior(x), exact)
    said = bayes.class_likelihoods(x)
    torch.testing.assert_close((said.nats + model.log_prior).log_softmax(1), exact)
    other = BayesClassifier(model, torch.tensor([0.8, 0.1, 0.1]).log())
    moved = (exact - model.log_prior + other.log_prior).log_softmax(1)
    torch.testing.assert_close(other.log_posterior(x), moved)


def test_moving_the_means_does_not_move_the_model():
    model, x = built(), SPACE.enumerate()
    before = model.log_prob(x).nats
    model.centre.seen.uniform_()
    model.recentre(Batch(x), Clock())
    assert torch.allclose(model.centre.lam, model.centre.seen)
    assert torch.allclose(model.log_prob(x).nats, before, atol=1e-5)


WAYS = [
    {}, {"gibbs": 3}, {"persistent": False}, {"fast_weights": True}, {"temperatures": 4},
    {"conditional": True, "temperatures": 3}, {"conditional": True},
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_way_to_learn_raises_the_likelihood(way):
    torch.manual_seed(0)
    data = make_data(SPACE, 1000)
    data.train.values[:] = data.train.values[:, :, :1, :1]  # all black or all white
    model = RBM(SPACE, RBM.Config(hidden=8, lr=0.2, **way))
    for _ in train(model, data, Settings(steps=200)):
        pass
    x = torch.stack([torch.zeros(1, 2, 2), torch.ones(1, 2, 2)])
    assert model.log_prob(x).nats.exp().sum() > 0.9
    assert model.log_prob(x).kind is Kind.EXACT


def test_only_learning_moves_the_chains():
    model, batch = built(), make_data(SPACE, 100).train.batch(slice(0, 64))
    before = model.chains.state.clone()
    model.eval().loss(batch, Clock())
    assert torch.equal(model.chains.state, before)
    model.train().loss(batch, Clock())
    assert not torch.equal(model.chains.state, before)


def test_grey_values_and_impossible_numbers_are_refused():
    with pytest.raises(UsageError, match="--binarise"):
        RBM(Space((1, 4, 4), 16))
    for wrong in (
        {"hidden": 0},
        {"gibbs": 0},
        {"persistent": False, "temperatures": 2},
        {"momentum": 1},
    ):
        with pytest.raises(UsageError):
            RBM.Config(**wrong)


def test_beyond_twenty_units_log_z_is_estimated_and_the_error_is_shared():
    space = Space((1, 5, 5), 2)
    model = RBM(space, RBM.Config(hidden=24))
    model.setup(make_data(space, 50).train)
    x = make_data(space, 50).heldout.as_batch().x
    said, again = model.log_prob(x, samples=20), model.log_prob(x, samples=20)
    assert said.kind is Kind.ESTIMATE
    assert said.shared > 0
    assert torch.equal(said.nats, again.nats)


@pytest.mark.parametrize("conditional", [False, True])
def test_the_conservative_estimate_is_below_the_truth_and_near_it(conditional):
    model, x = built(conditional), SPACE.enumerate()
    y = torch.ones(16, dtype=torch.long) if conditional else None
    exact = model.log_prob(x, y).nats
    low = model.raise_lower_bound(x, y, seeded(), chains=200, steps=50)
    assert low.exp().sum() < 1.1
    assert (low - exact).mean() == pytest.approx(0, abs=0.1)
    assert torch.equal(low, model.raise_lower_bound(x, y, seeded(), chains=200, steps=50))
    one = model.raise_lower_bound(x, y, seeded(), chains=1, steps=2)
    assert one.mean() < exact.mean()
    if conditional:
        with pytest.raises(UsageError, match="labels"):
            model.raise_lower_bound(x)


def test_a_small_machine_is_exact_wherever_it_is_asked_and_a_large_one_is_not():
    small, large = built(conditional=True), RBM(Space((1, 5, 5), 2), RBM.Config(hidden=24))
    assert small.kinds["log_prob"] is Kind.EXACT
    assert small.log_prob(SPACE.enumerate()).kind is Kind.EXACT
    assert BayesClassifier(small).kind is Kind.EXACT
    each = PerClass(SPACE, lambda space: RBM(space, RBM.Config(hidden=5)))
    assert each.kinds["log_prob"] is Kind.EXACT
    assert large.kinds["log_prob"] is Kind.ESTIMATE
    assert RBM.family_kinds["log_prob"] is Kind.ESTIMATE


def test_a_machine_for_each_class_makes_all_samples_of_a_class_at_once():
    torch.manual_seed(0)
    each = PerClass(SPACE, lambda space: RBM(space, RBM.Config(hidden=5)))
    each.setup(make_data(SPACE, 200).train)
    y = torch.zeros(3000, dtype=torch.long)
    x = each.sample(3000, y, generator=seeded()).x
    assert not torch.equal(x[:1024], x[1024:2048])  # no part of them is made by the same draws
