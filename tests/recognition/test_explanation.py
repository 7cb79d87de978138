"""Why an answer: what the rows so far say is exact, what pixels say adds up, and every family shows what a class makes of x."""

import math

import pytest
import torch
from PIL import Image
from scipy import stats
from tests.conftest import ask, make_data, refused

from plausible import PerClass, Settings, Space, figures, fit, tasks, train
from plausible.core.errors import UsageError
from plausible.core.synthesis import coordinate_nats_of, synthesis_of
from plausible.data.mark import is_marked
from plausible.models import (
    RBM,
    VAE,
    VQVAE,
    Diffusion,
    Flow,
    GaussianMixture,
    LogisticRegression,
    NaiveBayes,
    PixelCNN,
    PixelRNN,
)
from plausible.recognition.bayes import BayesClassifier
from plausible.recognition.uncovering import stopped, uncovering

TINY, COLOUR, PLANE = Space((1, 3, 2), 2, 3), Space((3, 2, 2), 2, 2), Space((3,), None, 2)
PIXELS = {"width": 6, "blocks": 1, "kernel": 3}
IMAGES = Space((1, 8, 8), 2, 3)
FAMILIES = [
    (NaiveBayes, {}),
    (PixelCNN, PIXELS),
    (PixelRNN, {"hidden": 4, "layers": 1}),
    (VAE, {"width": 8, "latent": 2}),
    (VQVAE, {"width": 8, "blocks": 1, "prior_width": 8, "prior_blocks": 1}),
    (RBM, {"hidden": 8}),
    (Diffusion, {"width": 8}),
]


def conditional(kind, space, **small):
    torch.manual_seed(0)
    return kind(space, kind.Config(conditional=True, **small)).eval()


def per_class(kind, space, **small):
    torch.manual_seed(0)
    return PerClass(space, lambda single: kind(single, kind.Config(**small))).eval()


def learned(model, data, **budget):
    training = train(model, data, Settings(**budget))
    list(training)
    return training.averaged


def plane_of():
    """Two overlapping classes in space, and a Gaussian for each."""
    data = make_data(PLANE, 90)
    data.train.values.add_(data.train.y[:, None])
    return learned(per_class(GaussianMixture, PLANE, components=1), data)


@pytest.mark.parametrize("space", [TINY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("make", [conditional, per_class])
def test_the_posterior_of_the_first_rows_is_that_of_a_sum_over_all_others(make, space):
    model = make(PixelCNN, space, **PIXELS)
    points = space.enumerate()
    joint = torch.stack(
        [model.log_prob(points, y).nats.double().exp() for y in range(space.classes)], 1
    )
    joint = joint * torch.full((space.classes,), 1 / space.classes)  # the prior before it learns
    prior = torch.zeros(space.classes)
    asked = points[:: max(1, len(points) // 5)][:5]
    found = uncovering(model, asked, prior.log_softmax(0)).exp()
    assert found.shape == (5, space.shape[1] + 1, space.classes)
    for x, posterior in zip(asked, found, strict=True):
        for k in range(space.shape[1] + 1):
            same = (
                (points[:, :, :k] == x[:, :k]).flatten(1).all(1)
            )  # of all points those with these rows
            summed = joint[same].sum(0)
            assert torch.allclose(posterior[k].double(), summed / summed.sum(), atol=1e-5)
    assert found[:, 1:].std(0).max() > 1e-3  # it does depend on x


def test_of_a_table_it_is_that_of_the_marginal_density():
    model, x = plane_of(), torch.tensor([[0.5, 1.0, 2.0], [3.0, -1.0, 1.0]])
    found = uncovering(model, x, torch.tensor([0.3, 0.7]).log()).exp()
    for k in range(1, 4):
        density = []
        for one, share in zip(model.models, (0.3, 0.7), strict=True):
            scale = one.scale.double()
            mean = one.restore(one.mean[0].float()).double()
            factor = scale[:, None] * one.factor[0]
            covariance = (factor @ factor.T)[:k, :k]
            density.append(
                share * stats.multivariate_normal(mean[:k], covariance).pdf(x[:, :k].numpy())
            )
        expected = torch.tensor(density[0] / (density[0] + density[1]))
        assert torch.allclose(found[:, k, 0].double(), expected, atol=1e-4)


@pytest.mark.parametrize("make", [conditional, per_class])
@pytest.mark.parametrize("kind", [NaiveBayes, PixelCNN])
def test_what_coordinates_say_adds_up_to_log_p(kind, make):
    model = make(kind, TINY, **(PIXELS if kind is PixelCNN else {}))
    x, y = TINY.enumerate()[:9], torch.arange(9) % 3
    said = coordinate_nats_of(model, x, y)
    assert said.in_order
    assert torch.allclose(
        said.nats.flatten(1).sum(1), model.log_prob(x, y).nats.double(), atol=1e-5
    )


def test_of_a_mixture_they_add_up_in_data_units():
    model, x = plane_of(), torch.randn(5, 3)
    for y in range(2):
        said = coordinate_nats_of(model, x, torch.full((5,), y))
        assert torch.allclose(said.nats.sum(1), model.log_prob(x, y).nats, atol=1e-4)


def test_of_a_vae_they_add_up_to_the_likelihood_of_its_z():
    model, x = (
        conditional(VAE, IMAGES, width=8, latent=2),
        make_data(IMAGES).train.batch(slice(0, 4)).x,
    )
    y = torch.arange(4) % 3
    said, z = coordinate_nats_of(model, x, y), model.encode(x, y, mean=True)
    assert not said.in_order
    assert torch.allclose(
        said.nats.flatten(1).sum(1).float(), model.log_likelihood(x, z, y), atol=1e-3
    )
    assert torch.allclose(synthesis_of(model, x, y).x, model.reconstruct(x, y), atol=1e-5)


@pytest.mark.parametrize(("kind", "small"), FAMILIES, ids=[kind.name for kind, _ in FAMILIES])
def test_every_family_shows_what_a_class_makes_of_an_image(kind, small):
    model, x = conditional(kind, IMAGES, **small), make_data(IMAGES, 30).train.batch(slice(0, 2)).x
    pairs, y = x.repeat_interleave(3, 0), torch.arange(3).repeat(2)

    def made(rows):
        said = synthesis_of(model, pairs[rows], y[rows], torch.Generator().manual_seed(0))
        assert said.words
        return said.x

    everything = made(slice(None))
    assert everything.shape == (6, *IMAGES.shape)
    assert everything.min() >= -1.5
    assert everything.max() <= 2.5  # an untrained network may leave [0, 1], and pictures clip
    for k in range(6):  # the same draws whatever else is asked for
        assert torch.allclose(made(slice(k, k + 1)), everything[k : k + 1], atol=1e-4)


def test_an_autoregressive_model_keeps_the_upper_half():
    model, x = (
        conditional(PixelCNN, IMAGES, **PIXELS),
        make_data(IMAGES, 30).train.batch(slice(0, 3)).x,
    )
    drawn = synthesis_of(model, x, torch.arange(3), torch.Generator().manual_seed(0)).x
    assert torch.equal(drawn[:, :, :4], x[:, :, :4])
    assert not torch.equal(drawn[:, :, 4:], x[:, :, 4:])


def test_an_image_is_left_at_the_first_row_after_which_a_class_is_as_sure_as_asked():
    p = torch.tensor([[[0.5, 0.5], [0.2, 0.8], [0.05, 0.95], [0.6, 0.4]], [[0.5, 0.5]] * 4])
    sure, never = stopped(("a", "b"), p.log(), 0.8 - 1e-6)
    assert (sure.after, sure.share, sure.label, sure.final, sure.reached) == (1, 1 / 3, 1, 0, True)
    assert (never.after, never.share, never.reached) == (3, 1.0, False)
    with pytest.raises(UsageError, match="above 0"):
        stopped(("a",), p[:1].log(), 0.0)


def test_who_says_nothing_in_order_refuses_in_a_sentence():
    data = make_data(IMAGES, 90)
    x = data.heldout.batch(slice(0, 2)).x
    for model in (conditional(VAE, IMAGES, width=8, latent=2), NaiveBayes(Space((1, 8, 8), 2))):
        with pytest.raises(UsageError, match="in their order"):
            uncovering(model, x)
    logistic = learned(LogisticRegression(IMAGES), data)
    with pytest.raises(UsageError, match="which this logistic does not say"):
        tasks.explain(logistic, x, data)
    plane = make_data(PLANE, 60)
    flow = conditional(Flow, PLANE, width=4, layers=1)
    found = tasks.explain(flow, plane.heldout.batch(slice(0, 1)).x, plane)
    assert found[0].synthesis is None
    with pytest.raises(UsageError, match="only images can be explained"):
        figures.explanation(PLANE, found.rows, found.class_names, found.legend)


def test_an_explanation_has_the_best_classes_with_their_log_p_and_its_map_tells_them_apart():
    data = make_data(IMAGES, 90)
    model = learned(NaiveBayes(IMAGES), data)
    x = data.heldout.batch(slice(0, 4)).x
    found = tasks.explain(model, x, data, classes=2)
    log_p = BayesClassifier(model).class_likelihoods(x).nats
    for one, row in zip(found, log_p, strict=True):
        order = torch.tensor(one.answer.posterior).argsort(descending=True)
        assert one.labels.tolist() == order[:2].tolist()
        assert torch.allclose(one.log_prob.nats, row[one.labels])
        assert math.isclose(one.difference.sum(), row[order[0]] - row[order[1]], abs_tol=1e-5)
        assert torch.allclose(one.uncovered[-1].argmax(), order[0])
    assert found.legend.synthesis == "the mean of that class"
    with pytest.raises(UsageError, match="at least 1 class"):
        tasks.explain(model, x, data, classes=0)


@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 5, 8), (4, 8, 8), (2, 8, 8)])
def test_a_block_for_each_input_in_grey_in_colour_and_what_is_neither(shape):
    space = Space(shape, 4, 2)
    data = make_data(space, 60)
    found = tasks.explain(learned(NaiveBayes(space), data), data.heldout.batch(slice(0, 3)).x, data)
    picture = figures.explanation(space, found.rows, found.class_names, found.legend, until=0.9)
    one = figures.explanation(space, found.rows[:1], found.class_names, found.legend)
    assert isinstance(picture, Image.Image)
    assert picture.width == one.width
    assert picture.height > 2 * one.height - 100


@pytest.mark.usefixtures("drawn")
def test_the_command_draws_why_and_says_after_which_row(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("plausible.cli.classify.PICTURED", 2)
    fit("naive-bayes", "digits", out="run", watch=False)
    ask("classify", "run", "heldout:0-3", "--explain", "why.png", "--until", "0.9")
    said = " ".join(capsys.readouterr().out.split())
    assert "the first 2 of 4 inputs" in said
    assert "rows seen" in said
    assert "of an input is seen on average" in said
    with Image.open("why.png") as picture:
        assert is_marked(picture.info)
        assert 300 < picture.height < 600
    assert ".png" in refused(capsys, "classify", "run", "heldout:0", "--explain", "why.jpg")
    assert "give numbers" in refused(
        capsys, "classify", "run", "heldout:0", "--until", "0.9", "--prior", "estimated"
    )
