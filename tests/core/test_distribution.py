"""model.distribution() keeps the habits of torch.distributions."""

import pytest
import torch
from torch.distributions import (
    AffineTransform,
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    TransformedDistribution,
)

from plausible.core.errors import UsageError
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.models import GAN, RBM, VAE, Diffusion, Flow, GaussianMixture, NaiveBayes

PLANE, TINY = Space((2,)), Space((1, 2, 2), 2, 3)


def mixture():
    """Two Gaussians in the plane, fitted to points in units of their own."""
    torch.manual_seed(0)
    x = torch.cat([torch.randn(80, 2) * 3 + 20, torch.randn(40, 2) - 5])
    model, part = GaussianMixture(PLANE, GaussianMixture.Config(components=2)), Part(x, None, PLANE)
    model.setup(part)
    for _ in model.fit(part):
        pass
    return model, x


def bayes():
    """A product of pixels for each of three classes."""
    torch.manual_seed(0)
    y = torch.arange(60) % 3
    codes = (torch.rand(60, 1, 2, 2) < (y.view(-1, 1, 1, 1) + 1) / 4).to(torch.uint8)
    model, part = NaiveBayes(TINY), Part(codes, y, TINY)
    model.setup(part)
    list(model.fit(part))
    return model


def test_a_mixture_is_torchs_own():
    model, x = mixture()
    normal = MultivariateNormal(
        model.mean * model.scale + model.offset, scale_tril=model.scale[:, None].double() * model.factor
    )  # fmt: skip
    theirs = MixtureSameFamily(Categorical(logits=model.log_weight), normal)
    ours = model.distribution()
    assert (ours.batch_shape, ours.event_shape) == ((), (2,))
    assert torch.allclose(ours.log_prob(x).double(), theirs.log_prob(x.double()), atol=1e-5)
    torch.manual_seed(1)
    drawn = ours.sample((3, 1000))
    assert drawn.shape == (3, 1000, 2)
    assert ours.log_prob(drawn).shape == (3, 1000)
    assert (drawn.flatten(0, 1).mean(0) - x.mean(0)).abs().max() < 4 * x.std(0).max() / 3000**0.5
    torch.manual_seed(1)
    assert torch.equal(drawn, ours.sample((3, 1000)))  # by torch's generator


def test_the_batch_shape_is_that_of_the_labels():
    model = bayes()
    y = torch.tensor([[0, 1, 2], [2, 2, 0]])
    of_labels = model.distribution(y)
    assert (of_labels.batch_shape, of_labels.event_shape) == ((2, 3), (1, 2, 2))
    drawn = of_labels.sample((5,))
    assert drawn.shape == (5, 2, 3, 1, 2, 2)
    assert of_labels.log_prob(drawn[0, 0, 0]).shape == (2, 3)
    for row in range(2):
        for column in range(3):
            alone = model.distribution(int(y[row, column]))
            assert alone.batch_shape == ()
            said = of_labels.log_prob(drawn)[:, row, column]
            assert torch.equal(said, alone.log_prob(drawn[:, row, column]))


def test_a_small_space_is_listed_and_its_probabilities_sum_to_one():
    model = bayes()
    of_all, of_two = model.distribution(), model.distribution(torch.tensor([0, 2]))
    every = of_all.enumerate_support()
    assert every.shape == (16, 1, 2, 2)
    assert of_all.log_prob(every).exp().sum() == pytest.approx(1, abs=1e-6)
    assert of_two.enumerate_support().shape == (16, 2, 1, 2, 2)
    given = of_two.log_prob(of_two.enumerate_support(expand=False)).exp()  # (16, 2)
    assert torch.allclose(given.sum(0), torch.ones(2).double())
    assert not model.distribution(0).log_prob(every).exp().equal(given[:, 1])


def test_what_lies_beside_the_support_is_refused_unless_nobody_asks():
    within, beside = torch.full((1, 2, 2), 1.0), torch.full((1, 2, 2), 0.5)
    of_all = bayes().distribution()
    assert of_all.support.check(torch.stack([within, beside])).tolist() == [True, False]
    with pytest.raises(ValueError, match="support"):
        of_all.log_prob(beside)
    with pytest.raises(ValueError, match="event_shape"):
        of_all.log_prob(torch.zeros(3))
    real = mixture()[0].distribution()
    with pytest.raises(ValueError, match="support"):
        real.log_prob(torch.full((2,), torch.nan))


def test_what_lies_beside_the_support_is_refused_after_something_was_compiled(monkeypatch):
    """By which torch turns the default of all distributions off."""
    monkeypatch.setattr(Distribution, "_validate_args", False)
    with pytest.raises(ValueError, match="support"):
        bayes().distribution().log_prob(torch.full((1, 2, 2), 0.5))


def test_it_goes_on_in_other_distributions_of_torch():
    flow = Flow(PLANE, Flow.Config(layers=1, width=4))
    base, x = flow.distribution(), torch.randn(4, 2)
    moved = TransformedDistribution(base, [AffineTransform(1.0, 2.0, event_dim=1)])
    expected = base.log_prob((x - 1) / 2) - 2 * torch.tensor(2.0).log()
    assert torch.allclose(moved.log_prob(x), expected, atol=1e-5)
    three = Independent(base.expand((3,)), 1)  # three of the same, together
    drawn = three.sample((4,))
    assert drawn.shape == (4, 3, 2)
    assert torch.allclose(three.log_prob(drawn), base.log_prob(drawn).sum(1), atol=1e-5)
    labels = bayes().distribution(1).expand((2, 3))
    assert labels.log_prob(labels.sample((5,))).shape == (5, 2, 3)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (lambda: GAN(TINY), "a gan says no log p"),
        (lambda: VAE(TINY), "this vae bounds log p\\(x\\) from below"),
        (lambda: Flow(Space((1, 8, 8), 16)), "this flow bounds log p\\(x\\) from below"),
        (lambda: Diffusion(PLANE), "this diffusion estimates log p"),
        (lambda: RBM(Space((1, 5, 5), 2), RBM.Config(hidden=30)), "this rbm estimates log p"),
    ],
)
def test_where_log_p_is_not_exact_a_sentence_says_why_and_what_does_it(model, why):
    with pytest.raises(UsageError, match=why + ".*log_prob\\(\\) says|" + why + ".*sample\\(\\) draws"):  # fmt: skip
        model().distribution()


def test_labels_that_a_model_does_not_know_are_refused():
    with pytest.raises(UsageError, match="label 3 is out of range"):
        bayes().distribution(torch.tensor([[0, 3]]))
    with pytest.raises(UsageError, match="not conditional"):
        mixture()[0].distribution(0)
    small = RBM(Space((1, 2, 2), 2), RBM.Config(hidden=3)).distribution()  # exact, by enumeration
    assert small.log_prob(small.enumerate_support()).exp().sum() == pytest.approx(1, abs=1e-5)
