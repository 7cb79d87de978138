"""Every class by the same draws: what chance does to their differences, and which of them can be ruled out early."""

from dataclasses import replace

import pytest
import torch
from tests.conftest import make_data

from plausible import BayesClassifier, PerClass, Recogniser, Settings, Space, train
from plausible.core.classes_at_once import log_probs_at_once
from plausible.core.draws import Drawn, Draws, mean_draws, shared_draws
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind, LogProb, Reference
from plausible.core.model import Explicit
from plausible.models import RBM, VAE, VQVAE, Diffusion, Flow, GaussianMixture, NaiveBayes
from plausible.models.mixture.principal import PrincipalAxes
from plausible.recognition import bayes as bayes_module
from plausible.recognition.class_likelihoods import best_error, lead, of_draws
from plausible.recognition.sequential import sequential_likelihoods

IMAGES, PLANE = Space((1, 8, 8), 17, 3), Space((2,), None, 3)
CASES = [
    (VAE, PLANE, {"width": 8}),
    (VAE, IMAGES, {"width": 8, "latent": 2, "architecture": "residual", "layers": 2}),
    (Flow, IMAGES, {"width": 8}),
    (Diffusion, IMAGES, {"width": 8}),
]
NAMES = [f"{kind.name}-{len(space.shape)}d" for kind, space, _ in CASES]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def built(kind, space, small):
    torch.manual_seed(0)
    return kind(space, kind.Config(conditional=True, **small))


def every_pair(n, classes):
    return torch.arange(n).repeat(classes), torch.arange(classes).repeat_interleave(n)


@pytest.mark.parametrize(("kind", "space", "small"), CASES, ids=NAMES)
def test_all_classes_at_once_are_what_each_is_by_itself(kind, space, small):
    model, x = built(kind, space, small), make_data(space, 300).train.batch(slice(0, 4)).x
    rows, y = every_pair(4, 3)
    draws = shared_draws(model, x, rows, y, samples=5, generator=seeded())
    assert draws.values.shape == (5, 12)
    for label in range(3):
        alone = model.log_prob(x, label, samples=5, generator=seeded())
        assert alone.kind is draws.kind
        assert torch.allclose(draws.nats[y == label], alone.nats.double(), atol=1e-3)


def test_a_model_for_each_class_has_the_same_draws_for_all():
    torch.manual_seed(0)
    model = PerClass(IMAGES, lambda space: VAE(space, VAE.Config(width=8, latent=2)))
    x = make_data(IMAGES, 300).train.batch(slice(0, 4)).x
    model.models[1].load_state_dict(model.models[0].state_dict())
    draws = shared_draws(model, x, *every_pair(4, 3), samples=5, generator=seeded())
    assert torch.equal(draws.values[:, :4], draws.values[:, 4:8])
    assert not torch.equal(draws.values[:, :4], draws.values[:, 8:])
    counted = PerClass(IMAGES, NaiveBayes)
    assert shared_draws(counted, x, *every_pair(4, 3)) is None
    assert mean_draws(counted) == 0


def test_classes_in_one_pass_are_the_classes_one_by_one(monkeypatch):
    data = make_data(IMAGES, 300)
    model = PerClass(IMAGES, NaiveBayes)
    list(train(model, data, Settings()))
    x = data.heldout.batch(slice(0, 7)).x
    at_once = BayesClassifier(model).class_likelihoods(x)
    monkeypatch.setattr(bayes_module, "_ROWS", 1)
    one_by_one = BayesClassifier(model).class_likelihoods(x)
    assert torch.equal(at_once.nats, one_by_one.nats)
    assert at_once.evaluations == one_by_one.evaluations == 21
    assert at_once.paired is None


BITS = Space((1, 8, 8), 2, 3)


@pytest.mark.parametrize(
    ("kind", "small"),
    [
        (RBM, {"hidden": 24}),
        (RBM, {"hidden": 6}),  # exact
        (VQVAE, {"width": 8, "blocks": 1, "prior_width": 8, "prior_blocks": 1}),
    ],
    ids=["rbm", "rbm-exact", "vq-vae"],
)
def test_classes_that_share_most_of_the_work_say_what_each_says_by_itself(kind, small):
    model, x = built(kind, BITS, small), make_data(BITS, 300).train.batch(slice(0, 9)).x
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape))
    at_once = log_probs_at_once(model, x)
    for label, said in enumerate(at_once):
        alone = model.log_prob(x, label)
        assert torch.allclose(said.nats, alone.nats, atol=1e-5)
        assert (said.kind, said.shared) == (alone.kind, alone.shared)
    both = LogProb.logsumexp([said + model.log_prior[k] for k, said in enumerate(at_once)])
    assert torch.allclose(model.log_prob(x).nats, both.nats)
    found = BayesClassifier(model).class_likelihoods(x)
    assert torch.allclose(found.evidence(model.log_prior).nats, both.nats, atol=1e-4)
    assert found.evaluations == 27
    assert log_probs_at_once(PerClass(BITS, NaiveBayes), x) is None


def test_a_vq_vae_encodes_an_image_once_for_all_classes(monkeypatch):
    model = built(VQVAE, BITS, {"width": 8, "blocks": 1, "prior_width": 8, "prior_blocks": 1})
    encoded, encode = [], VQVAE.codes
    monkeypatch.setattr(
        VQVAE, "codes", lambda self, x: (encoded.append(len(x)), encode(self, x))[1]
    )
    x = make_data(BITS, 300).train.batch(slice(0, 5)).x
    BayesClassifier(model).log_posterior(x)
    assert encoded == [5]


def test_mixtures_on_the_same_axes_project_an_image_once(monkeypatch):
    data = make_data(IMAGES, 300)
    model = PerClass(IMAGES, lambda s: GaussianMixture(s, GaussianMixture.Config(components=2)))
    list(train(model, data, Settings()))
    x = data.heldout.batch(slice(0, 7)).x
    projected, project = [], PrincipalAxes.forward
    monkeypatch.setattr(
        PrincipalAxes, "forward", lambda self, v: (projected.append(len(v)), project(self, v))[1]
    )
    together = shared_draws(model, x, *every_pair(7, 3), samples=5, generator=seeded())
    assert projected == [7] * 5
    for label in range(3):
        alone = model.models[label].log_prob(x, samples=5, generator=seeded())
        assert torch.allclose(together.nats[7 * label :][:7], alone.nats, atol=1e-9)
    with torch.no_grad():
        model.models[1].axes.mean.add_(0.01)  # axes of its own
    apart = shared_draws(model, x, *every_pair(7, 3), samples=5, generator=seeded())
    assert torch.allclose(apart.nats[:7], together.nats[:7], atol=1e-9)
    assert not torch.allclose(apart.nats[7:14], together.nats[7:14], atol=1e-3)


def chances(n, k, seed, weights, stratified):
    """Draws of 3 classes that share most of their noise, of which the truth is 0, -1, -2."""
    generator = seeded(seed)
    truth = torch.tensor([0.0, -1.0, -2.0]).repeat_interleave(n)  # (3 n,)
    common = torch.randn(k, n, generator=generator).repeat(1, 3)
    own = 0.3 * torch.randn(k, 3 * n, generator=generator)
    if stratified:  # a profile over noise levels, one draw in each of k parts
        u = (torch.arange(k)[:, None] + torch.rand(k, n, generator=generator)) / k
        own = own + 5 * u.repeat(1, 3) * torch.arange(3).repeat_interleave(n) - 2.5
    log_w = truth + 0.7 * (common + own)
    return Draws(log_w, Kind.LOWER, Reference.MASS, weights, stratified)


@pytest.mark.parametrize(("weights", "stratified"), [(False, False), (True, False), (False, True)])
def test_the_error_of_a_difference_is_what_repetition_says(weights, stratified):
    n, k = 20, 32
    found = [
        of_draws(chances(n, k, seed, weights, stratified), n, torch.zeros(3)) for seed in range(150)
    ]
    nats, paired = torch.stack([f.nats for f in found]), torch.stack([f.paired for f in found])
    best, other = (
        (2, 1) if stratified else (0, 1)
    )  # whose profile is the steepest, or whose log p is largest
    said = paired[nats.argmax(2) == best][:, other].mean()
    assert said / (nats[..., best] - nats[..., other]).std() == pytest.approx(1, abs=0.12)
    alone = torch.stack([f.stderr[:, 0] for f in found])
    assert said < 0.7 * 2**0.5 * alone.mean()
    if not stratified:
        spread = torch.stack([f.nats[:, 0] for f in found]).std()
        assert alone.mean() / spread == pytest.approx(1, abs=0.15)


def test_a_vae_knows_how_far_the_noise_moves_its_classes():
    data = make_data(PLANE, 400)
    model = built(VAE, PLANE, {"width": 8})
    list(train(model, data, Settings(steps=30)))
    x, bayes = data.heldout.batch(slice(0, 20)).x, BayesClassifier(model, samples=64)
    said = [bayes.class_likelihoods(x, seeded(seed)) for seed in range(60)]
    first = torch.stack([one.nats - one.nats[:, :1] for one in said])[:, :, 1:]  # against class 0
    truth, best = first.std(0), said[0].nats.argmax(1)
    at_first = best == 0
    errors = torch.stack([one.paired for one in said if torch.equal(one.nats.argmax(1), best)])
    assert at_first.any()
    ratio = errors.mean(0)[at_first][:, 1:] / truth[at_first]
    assert ratio.median() == pytest.approx(1, abs=0.3)


def test_the_lead_is_the_one_that_is_least_sure():
    log_p = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7]]).double().log()
    paired = torch.tensor([[0.0, 0.01, 5.0], [0.0, 0.1, 0.3]]).double()
    ahead, error, second = lead(log_p, paired)
    assert second.tolist() == [2, 1]  # the third may be ahead by chance, the second is not
    assert ahead.exp().tolist() == pytest.approx([6.0, 3.5])
    assert error.tolist() == pytest.approx([5.0, 0.4])  # to the best class, by way of the first
    assert best_error(log_p, paired)[0].item() == pytest.approx(0.3 * 0.01 + 0.1 * 5)


class Blurred(Explicit):
    """N(m_y, I) whose log p is known up to noise with mean 0 that all classes share, and a little of their own."""

    name, place, family_kinds = "blurred", ("explicit",), {"log_prob": Kind.ESTIMATE}

    def __init__(self, classes=10, own=1.0):
        space = Space((2,), None, classes)
        super().__init__(space)
        angle = torch.arange(classes) * 2 * torch.pi / classes
        self.means, self.own = 3 * torch.stack([angle.cos(), angle.sin()], 1), own

    conditional = True
    mean_draws = 32

    def truth(self, x, y):
        return -(x - self.means[y]).square().sum(1) / 2

    def _log_prob(self, x, y, samples, generator):
        return LogProb(self.truth(x, y), Kind.ESTIMATE, Reference.DENSITY)

    def class_draws(self, x, rows, y, samples, generator):
        samples = samples or self.mean_draws
        common = 20 * torch.randn(samples, len(x), 1, generator=generator)
        own = self.own * torch.randn(samples, len(x), len(self.means), generator=generator)
        values = self.truth(x[rows], y) + (common + own)[:, rows, y]
        return Draws(values, Kind.ESTIMATE, Reference.DENSITY)

    def points(self, n, seed=0):
        y = torch.randint(len(self.means), (n,), generator=seeded(seed))
        return self.means[y] + torch.randn(n, 2, generator=seeded(seed + 1)), y


def test_classes_ruled_out_early_change_no_answer_and_save_most_draws():
    model = Blurred()
    x, _ = model.points(500)
    prior = model.log_prior.double()
    whole, early = (
        sequential_likelihoods(model, x, prior, 32, seeded(3), beyond=beyond, to_the_end=False)
        for beyond in (torch.inf, 4.0)
    )
    assert whole.evaluations == 500 * 10 * 32
    assert early.evaluations < 0.45 * whole.evaluations
    same = early.nats.argmax(1) == whole.nats.argmax(1)
    assert same.double().mean() >= 0.99
    classifier = BayesClassifier(model)
    truth = torch.stack([model.truth(x, torch.full((500,), k)) for k in range(10)], 1).argmax(1)
    assert (classifier.log_posterior(x, seeded(3)).argmax(1) == truth).double().mean() > 0.9
    left = classifier.class_likelihoods(x, seeded(3))  # the last one goes on, for log p(x)
    assert early.evaluations < left.evaluations < whole.evaluations
    best = whole.nats.gather(1, whole.nats.argmax(1, keepdim=True))
    assert torch.allclose(left.nats.amax(1, keepdim=True)[same], best[same], atol=1e-9)
    gap = (left.nats - left.nats.amax(1, keepdim=True)) - (whole.nats - best)
    assert (gap.abs() < 6 * (left.paired + whole.paired) + 1e-9)[same].all()


def test_a_single_draw_has_no_error_and_rules_nothing_out():
    model = Blurred()
    x, _ = model.points(3)
    for draws, evaluations in ((1, 30), (5, 150)):
        said = BayesClassifier(model, samples=draws).class_likelihoods(x, seeded())
        assert (said.paired is None) == (draws == 1)
        assert said.evaluations <= evaluations
    assert BayesClassifier(model, samples=1).log_prob(x, seeded()).stderr is None


def test_the_evidence_has_the_error_of_its_draws():
    model = Blurred(3, own=0.1)
    x, _ = model.points(5)
    bayes = BayesClassifier(model, samples=16, early=False)
    repeated = torch.stack([bayes.log_prob(x, seeded(k)).nats for k in range(100)])
    said = torch.stack([bayes.log_prob(x, seeded(k)).stderr for k in range(100)]).mean(0)
    assert (said / repeated.std(0)).tolist() == pytest.approx([1] * 5, abs=0.3)


def test_what_is_too_close_to_call_says_so_and_which_was_best():
    model, small = Blurred(4, own=3.0), Space((2,), None, 4)
    data = replace(make_data(small, 400), class_names=("east", "north", "west", "south"))
    x, y = model.points(200)
    part = replace(data.validation, values=x, y=y)
    data = replace(data, validation=part, heldout=part)
    asked = Recogniser(model, data, novelty="likelihood", draws=4)
    names = tuple(map(str, range(200)))
    found = asked.classify(part, names, reject_cost=0.6, level=0.0)
    close = [answer for answer in found if answer.decision == "rejected: too close to call"]
    assert 5 < len(close) < 150
    for answer in close:
        best = max(range(4), key=answer.posterior.__getitem__)
        assert answer.label == best
        assert answer.reason.startswith(f"{data.class_names[best]} leads ")
        assert answer.stderr > 0
    always = asked.classify(part, names, reject_cost=1.0, level=0.0)
    assert {answer.decision for answer in always} <= set(data.class_names)
    surer = Recogniser(model, data, novelty="likelihood", draws=256)
    found = surer.classify(part, names, reject_cost=0.6, level=0.0)
    assert (
        sum(answer.decision == "rejected: too close to call" for answer in found) < len(close) / 2
    )


def test_an_optimised_posterior_raises_the_bound_and_stays_one():
    space = Space((1, 2, 2), 2, 2)
    model = built(VAE, space, {"width": 8, "latent": 2})
    list(train(model, make_data(space), Settings(steps=40)))
    points = space.enumerate()
    with model.optimising_posterior(30):
        found = model.log_prob(points, 0, samples=500, generator=seeded())
    usual = model.log_prob(points, 0, samples=500, generator=seeded())
    error = (found.nats.exp() * found.stderr).norm()
    assert found.nats.exp().sum() == pytest.approx(1, abs=3 * float(error) + 1e-3)
    assert torch.allclose(found.nats, usual.nats, atol=5 * float(found.stderr.max()) + 0.02)
    untrained = built(VAE, IMAGES, {"width": 8, "latent": 2})
    with torch.no_grad():  # an encoder that says nothing, and a decoder that hears it
        for name, weight in untrained.net.named_parameters():
            weight.mul_(0.0 if "encoder" in name or "posterior" in name else 3.0)
    x = make_data(IMAGES, 300).train.batch(slice(0, 4)).x
    bounds = []
    for steps in (0, 40):
        with untrained.optimising_posterior(steps):
            bounds.append(untrained.log_prob(x, 0, samples=8, generator=seeded()).nats.mean())
    assert bounds[1] > bounds[0]
    assert untrained.ascent_steps == 0


def test_only_a_vae_has_a_posterior_to_optimise():
    with pytest.raises(UsageError, match="a naive-bayes has none"):
        BayesClassifier(NaiveBayes(IMAGES), optimise_posterior=5)
    each = PerClass(IMAGES, lambda space: VAE(space, VAE.Config(width=8, latent=2)))
    x = make_data(IMAGES, 300).train.batch(slice(0, 2)).x
    one, other = (
        BayesClassifier(each, samples=2, optimise_posterior=steps).class_likelihoods(x, seeded())
        for steps in (0, 5)
    )
    assert not torch.equal(one.nats, other.nats)
    assert isinstance(each, Drawn)
