"""Closed forms against scikit-learn, integrals, and one model for each class."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.mixture import GaussianMixture as Peer
from sklearn.naive_bayes import CategoricalNB
from tests.conftest import make_data

import plausible
from plausible import BayesClassifier, Settings, Space, runs, train
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind, Reference
from plausible.data.part import Part
from plausible.models import GAN, GaussianMixture, NaiveBayes, PerClass

BINARY = Space((1, 2, 2), 2, 2)


def learned(model, data, **settings):
    training = train(model, data, Settings(**settings))
    list(training)
    return training.averaged


@pytest.fixture(scope="module")
def digits():
    return plausible.load("digits")


def test_naive_bayes_is_scikit_learns_categorical_one(digits):
    model = learned(NaiveBayes(digits.space, NaiveBayes.Config(smoothing=0.5)), digits)
    codes = digits.train.values.flatten(1).numpy()
    peer = CategoricalNB(alpha=0.5, min_categories=17).fit(codes, digits.train.y.numpy())
    ours = BayesClassifier(model).log_posterior(digits.heldout.as_batch().x)
    theirs = peer.predict_log_proba(digits.heldout.values.flatten(1).numpy())
    np.testing.assert_allclose(ours.exp().numpy(), np.exp(theirs), atol=1e-6)
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-6)


@pytest.mark.parametrize("y", [None, 0, 1])
def test_naive_bayes_sums_to_one_over_all_2x2_images_for_every_class(y):
    model = learned(NaiveBayes(BINARY), make_data(BINARY))
    p = model.log_prob(BINARY.enumerate(), y)
    assert p.kind is Kind.EXACT
    assert p.nats.exp().sum().item() == pytest.approx(1, abs=1e-7)


def test_a_pixel_never_seen_stays_possible():
    data = make_data(BINARY)
    data.train.values.zero_()
    model = learned(NaiveBayes(BINARY), data)
    n = int((data.train.y == 1).sum())
    white = torch.ones(1, 1, 2, 2)
    assert model.log_prob(white, 1).nats.item() == pytest.approx(4 * math.log(1 / (n + 2)))


def test_naive_bayes_without_labels_is_one_product_of_pixels(digits):
    model = learned(NaiveBayes(digits.space, NaiveBayes.Config(conditional=False)), digits)
    x = digits.train.as_batch().x
    share = torch.stack([(digits.train.values.flatten(1) == k).double().mean(0) for k in range(17)])
    entropy = -torch.special.xlogy(share, share).sum()
    assert -model.log_prob(x).nats.mean().item() == pytest.approx(entropy.item(), rel=0.02)
    with pytest.raises(UsageError):
        BayesClassifier(model)


def test_naive_bayes_refuses_vectors():
    with pytest.raises(UsageError, match="mixture"):
        NaiveBayes(Space((3,)))
    with pytest.raises(UsageError):
        NaiveBayes.Config(smoothing=0)
    with pytest.raises(UsageError):
        GaussianMixture.Config(components=0)


def test_a_mixture_of_images_is_one_of_intervals_in_principal_components():
    space = Space((1, 2, 2), levels=4)
    torch.manual_seed(0)
    model = GaussianMixture(space, GaussianMixture.Config(components=2, principal=2))
    train_part = make_data(space, 300).train
    model.setup(train_part)
    assert model.axes.axes.shape == (4, 2)
    for _ in model.fit(train_part):
        pass
    generator = torch.Generator().manual_seed(0)
    seen = torch.zeros(4, 4, 4, 4, dtype=torch.float64)
    n = 400_000
    drawn = model._data_units(*_parts(model, n, generator)).mul(3).round().long().flatten(1)
    inside = ((drawn >= 0) & (drawn < 4)).all(
        1
    )  # an interval at the end is no longer than the others
    seen.index_put_(tuple(drawn[inside].T), torch.tensor(1.0 / n).double(), accumulate=True)
    codes = torch.cartesian_prod(*[torch.arange(4)] * 4)
    said = model.log_prob(codes.view(-1, 1, 2, 2) / 3, samples=1000)
    assert said.kind is Kind.LOWER
    mass = seen[tuple(codes.T)]
    assert (said.nats.exp() - mass).abs().sum() < 0.05
    assert said.nats.exp().sum() == pytest.approx(inside.double().mean().item(), abs=0.01)


def _parts(model, n, generator):
    """z and the noise beside it of n draws before they are put on levels."""
    noise = model._noise(n, generator).double()
    k = (noise[:, 0, None] >= model.log_weight.exp().cumsum(0)).sum(1).clamp(max=1)
    own = noise[:, 1:] @ model.axes.axes
    z = model.mean[k] + (model.factor[k] @ own[..., None])[..., 0]
    return z, noise[:, 1:]


def test_an_ensemble_is_the_mean_of_mixtures_that_learned_by_themselves():
    train_part = make_data(Space((2,)), 300).train
    config = GaussianMixture.Config(components=2, ensemble=3)
    together = GaussianMixture(train_part.space, config)
    together.setup(train_part)
    for _ in together.fit(train_part):
        pass
    x = train_part.as_batch().x
    each = []
    for number in range(3):
        alone = GaussianMixture(train_part.space, GaussianMixture.Config(components=2))
        alone.setup(train_part)
        alone.start.copy_(together.start + number)
        steps = alone.fit(train_part)
        for _ in range(500):
            if next(steps, None) is None:
                break
        each.append(alone.log_prob(x).nats)
    mean = torch.stack(each).logsumexp(0) - math.log(3)
    torch.testing.assert_close(together.log_prob(x).nats, mean, atol=1e-2, rtol=0)
    assert together.components == 2
    assert len(together.mean) == 6


def test_the_mixtures_of_all_classes_have_the_same_principal_components():
    data = make_data(Space((1, 4, 4), levels=8, classes=2), 200)
    config = GaussianMixture.Config(components=1, principal=3)
    both = PerClass(data.space, lambda single: GaussianMixture(single, config))
    both.setup(data.train)
    first, second = (model.axes for model in both.models)
    assert torch.equal(first.axes, second.axes)
    assert torch.equal(first.variance, second.variance)
    v = data.train.as_batch().x.flatten(1).double()
    flat = (v * 7 + 0.5) / 8
    left = flat - flat.mean(0)
    kept = torch.linalg.svd(left, full_matrices=False)[2][:3].T
    torch.testing.assert_close(first.axes @ first.axes.T, kept @ kept.T, atol=1e-2, rtol=0)
    rest = (left - left @ kept @ kept.T).square().sum() / (len(v) * 13)
    assert first.variance.item() == pytest.approx(rest.item(), rel=1e-3)


def test_one_gaussian_has_the_mean_and_covariance_of_the_data():
    data = make_data(Space((3,)), 900)
    model = learned(GaussianMixture(data.space, GaussianMixture.Config(components=1)), data)
    x = data.train.values.double()
    normal = torch.distributions.MultivariateNormal(x.mean(0), x.T.cov(correction=0))
    points = data.heldout.values
    answer = model.log_prob(points)
    assert answer.reference is Reference.DENSITY
    np.testing.assert_allclose(answer.nats, normal.log_prob(points.double()), atol=1e-4)
    drawn = model.sample(20_000, generator=torch.Generator().manual_seed(0)).x
    assert torch.allclose(drawn.mean(0), x.mean(0).float(), atol=0.1)
    assert torch.allclose(drawn.T.cov(), x.T.cov().float(), atol=0.4)


def test_a_mixture_reaches_the_likelihood_of_scikit_learns_and_no_step_lowers_it():
    data = plausible.load("ring")
    model = GaussianMixture(data.space, GaussianMixture.Config(components=8))
    training = train(model, data, Settings(seed=0))
    climbed = [step.values()["mixture"]["log likelihood"] for step in training]
    assert climbed == sorted(climbed)
    x = data.train.values.double().numpy()
    peer = Peer(8, n_init=5, tol=1e-7, random_state=0).fit(x)
    held = data.heldout.values
    ours = training.averaged.log_prob(held).nats.mean().item()
    assert ours == pytest.approx(peer.score(held.double().numpy()), abs=0.01)
    truth = data.log_prob(held).nats.mean().item()
    assert ours == pytest.approx(truth, abs=0.02)  # the ring is such a mixture


@pytest.mark.usefixtures("numbers")
@pytest.mark.parametrize(
    ("rows", "components"),
    [(lambda x, y: x, (1, 2)), (lambda x, y: x[y == 1], (1, 1)), (lambda x, y: x[:1], (1, 1))],
)
def test_there_are_as_many_components_as_left_out_examples_like(rows, components):
    x = torch.from_numpy(rows(*load_iris(return_X_y=True))).float()
    part = Part(x, None, Space((4,)))
    model = GaussianMixture(part.space)
    before = torch.random.get_rng_state()
    model.setup(part)
    assert torch.equal(before, torch.random.get_rng_state())
    least, most = components
    assert least <= model.components <= most
    assert f"{model.components} component" in model.notes[0]


@pytest.mark.slow
@pytest.mark.usefixtures("numbers")
def test_the_ring_has_eight_components_and_a_run_keeps_and_resumes_them(tmp_path):
    np.save(tmp_path / "ring.npy", plausible.load("ring").train.values[:200].numpy())
    stopped = plausible.fit("mixture", tmp_path / "ring.npy", steps=2, out=tmp_path / "r")
    run = plausible.Run(tmp_path / "r")
    assert stopped.model.components == run.model().components == 8
    assert any(note.startswith("8 components") for note in run.notes)
    assert run.config["config"]["components"] is None  # which is what was asked for
    plausible.resume(run, steps=4)
    whole = plausible.fit("mixture", tmp_path / "ring.npy", steps=4)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, run.model().state_dict()[name]), name


def test_a_default_mixture_finds_new_irises_probable():
    x, y = load_iris(return_X_y=True)
    for data in (plausible.load(x), plausible.load((x, y))):
        whole = plausible.fit("mixture", data, per_class=data.space.classes > 0)
        assert whole.model.log_prob(data.heldout.as_batch().x).nats.mean() > -4


def test_a_mixture_is_a_density_that_integrates_to_one():
    data = plausible.load("moons")
    model = learned(
        GaussianMixture(data.space, GaussianMixture.Config(components=10)), data, steps=20
    )
    side = torch.linspace(-4, 5, 600)
    plane = torch.cartesian_prod(side, side)
    mass = model.log_prob(plane).nats.exp().sum() * (side[1] - side[0]) ** 2
    assert mass.item() == pytest.approx(1, abs=1e-3)


def test_naive_bayes_per_class_is_naive_bayes():
    data = make_data(Space((1, 3, 3), 4, 3), 300)
    whole = learned(NaiveBayes(data.space), data)
    apart = learned(PerClass(data.space, NaiveBayes), data)
    x, y = data.heldout.as_batch().x, data.heldout.y
    for label in (None, 1, y):
        a, b = whole.log_prob(x, label), apart.log_prob(x, label)
        assert torch.allclose(a.nats, b.nats)
        assert a.kind is b.kind
    a, b = (
        m.sample(9, torch.arange(9) % 3, generator=torch.Generator().manual_seed(1))
        for m in (whole, apart)
    )
    assert torch.equal(a.x, b.x)


def test_per_class_mixtures_have_units_of_their_own_and_are_saved(tmp_path):
    data = plausible.load("moons")
    model = runs.build(
        "mixture", GaussianMixture.Config(components=4), data.space, 0, per_class=True
    )
    training = train(model, data, Settings(steps=30))
    list(training)
    run = runs.create(tmp_path / "run", training)
    runs.save(run, training)
    loaded = runs.Run(run.folder).model()
    assert isinstance(loaded, PerClass)
    x, y = data.heldout.values, data.heldout.y
    ours = training.averaged.log_prob(x, y).nats
    assert torch.equal(ours, loaded.log_prob(x, y).nats)
    assert ours.mean() == pytest.approx(_true(data, x, y), abs=0.15)
    right = BayesClassifier(loaded).log_posterior(x).argmax(1) == y
    assert right.float().mean() > 0.99


def _true(data, x, y):
    from plausible.data.toys import toys

    return toys["moons"]().log_prob(x, y).nats.mean().item()


@pytest.mark.parametrize("unit", [1e-4, 1e4])
@pytest.mark.parametrize("jitter", [0, 1e-5])
def test_a_column_that_hardly_varies_in_a_class_is_softened_by_its_spread_in_all_classes(
    unit, jitter
):
    floor, generator = 0.01, torch.Generator().manual_seed(0)
    y, noise = torch.arange(400) % 2, torch.randn(400, 2, generator=generator)
    x = torch.stack([noise[:, 0], y + jitter * noise[:, 1]], 1) * unit
    part = Part(x, y, Space((2,), None, 2))
    config = GaussianMixture.Config(components=1, variance_floor=floor)
    model = PerClass(part.space, lambda space: GaussianMixture(space, config))
    model.setup(part)
    list(model.fit(part))
    assert "class 1: 1 of 2 columns hardly vary" in model.notes[1]
    own = x[y == 1].double()
    added = torch.stack([own[:, 0].var(correction=0), x[:, 1].double().var(correction=0)]) * floor
    normal = torch.distributions.MultivariateNormal(
        own.mean(0), own.T.cov(correction=0) + added.diag()
    )
    torch.testing.assert_close(
        model.log_prob(x, 1).nats, normal.log_prob(x.double()), rtol=1e-3, atol=1e-3
    )


class Biased(NaiveBayes):
    """A player-driven model: one logit for each pixel, to see that each class has its own batches."""

    name = "biased"

    def __init__(self, space, config=None):
        super().__init__(space, config)
        self.logit = torch.nn.Parameter(torch.zeros(space.dims))

    def fit(self, train):
        return None

    def loss(self, batch, clock):
        x = batch.x.flatten(1)
        nats = -(x * self.logit - torch.nn.functional.softplus(self.logit)).sum(1)
        return plausible.Loss({"nll": nats})

    def players(self):
        return [plausible.Player("model", self, self.loss, lr=0.1)]


def test_players_of_a_class_see_that_class_alone_and_resume_exactly():
    data = make_data(BINARY, 300)
    values = data.train.values
    values[data.train.y == 1] = 1
    values[data.train.y == 0] = 0

    def made():
        torch.manual_seed(0)
        return PerClass(BINARY, lambda space: Biased(space, NaiveBayes.Config(batch=8)))

    training = train(made(), data, Settings(steps=6))
    list(training)
    logits = [m.logit for m in training.raw.models]
    assert (logits[0] < 0).all()
    assert (logits[1] > 0).all()
    first = train(made(), data, Settings(steps=6))
    for _ in range(3):
        next(first)
    again = train(made(), data, Settings(steps=6))
    again.load_state_dict(first.state_dict())
    list(again)
    assert torch.equal(again.raw.models[1].logit, logits[1])


def test_per_class_refuses_what_has_no_density_or_no_labels():
    with pytest.raises(UsageError, match="gan"):
        PerClass(Space((2,), None, 2), GAN)
    with pytest.raises(UsageError, match="labels"):
        PerClass(Space((2,)), GaussianMixture)
    data = make_data(BINARY)
    empty = Part(data.train.values, torch.zeros(len(data.train), dtype=torch.long), BINARY)
    model = PerClass(BINARY, NaiveBayes)
    with pytest.raises(UsageError, match="class 1"):
        model.setup(empty)


def test_more_components_than_examples_are_refused():
    data = make_data(Space((2,)), 90)
    with pytest.raises(UsageError, match="30 examples"):
        list(
            train(
                GaussianMixture(data.space, GaussianMixture.Config(components=31)),
                data,
                Settings(steps=1),
            )
        )


def test_a_wide_table_needs_more_memory_than_there_is(monkeypatch):
    monkeypatch.setattr("plausible.models.mixture.mixture.available_memory", lambda: 4 * 2**30)
    config = GaussianMixture.Config(components=10)
    with pytest.raises(
        UsageError, match=r"10 Gaussians in 12,000 columns need 53.6 GiB .*, and 4.0 GiB are free"
    ):
        GaussianMixture(Space((12_000,)), config)
    space = Space((100,))
    model = GaussianMixture(space, config)
    monkeypatch.setattr("plausible.models.mixture.mixture.available_memory", lambda: 2**20)
    with pytest.raises(UsageError, match="choose fewer columns or --components"):
        model.setup(Part(torch.zeros(20, 100), None, space))


def test_samples_of_a_mixture_need_no_covariance_each():
    torch.manual_seed(0)
    model = GaussianMixture(Space((3,)), GaussianMixture.Config(components=4))
    model.mean.copy_(torch.randn(4, 3))
    model.factor.copy_(torch.randn(4, 3, 3).tril())
    noise = model._noise(500, torch.Generator().manual_seed(0))
    k = (noise[:, :1] * 4).long()[:, 0]  # equal weights
    expected = model.mean[k] + torch.einsum("nij,nj->ni", model.factor[k], noise[:, 1:].double())
    torch.testing.assert_close(model._sample(noise, None), expected.float())
