"""How points are seen: fixed by the training part, the same for every set."""

from dataclasses import replace

import pytest
import torch

from plausible.core.errors import NotDefined
from plausible.core.space import Space
from plausible.data.part import Part
from plausible.evaluation.embedding import fit_embedding
from plausible.evaluation.invariants import never_varying
from plausible.evaluation.metrics.distances import frechet
from plausible.evaluation.metrics.neighbours import nearest_other
from plausible.evaluation.metrics.two_sample import neighbour_accuracy
from plausible.evaluation.permutation import observed


def vectors(n, seed, d=5):
    x = torch.randn(n, d, generator=torch.Generator().manual_seed(seed)) * torch.tensor(
        [1.0, 100, 1, 1, 0]
    )
    return Part(x + 7, None, Space((d,)))


def pictures(n, seed, space):
    generator = torch.Generator().manual_seed(seed)
    return Part(
        torch.randint(space.levels, (n, *space.shape), generator=generator).to(torch.uint8),
        None,
        space,
    )


def test_vectors_are_seen_in_units_of_their_deviation():
    embedding = fit_embedding(vectors(500, 0), 100)
    view = embedding.embed(vectors(200, 1))
    assert view.raw[:, :4].std(0).tolist() == pytest.approx([1, 1, 1, 1], rel=0.2)
    assert view.raw[:, 4].abs().max() == 0  # a constant coordinate stays one
    assert view.features.shape[0] == len(view.modes) == 200
    assert embedding.names == ("bin 0", "bin 1")
    assert not embedding.labelled


def with_a_constant(n, seed, constant):
    x = torch.randn(n, 4, generator=torch.Generator().manual_seed(seed))
    x[:, 2] = constant
    return Part(x, None, Space((4,)))


def with_a_sum(n, seed, off=0.0):
    x = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return Part(torch.cat([x, x.sum(1, keepdim=True) + off], 1), None, Space((4,)))


@pytest.mark.parametrize(
    ("make", "right", "wrong"),
    [
        (with_a_constant, 5.0, 6.0),
        (with_a_constant, 0.0, 0.5),
        (with_a_constant, 5e-4, 6e-4),
        (with_a_sum, 0.0, 1.0),
    ],
)
def test_what_never_varies_in_the_data_is_seen_where_it_does(make, right, wrong):
    embedding = fit_embedding(make(900, 0, right), 400)
    real, alike, other = (
        embedding.embed(make(400, seed, value)).features
        for seed, value in ((1, right), (2, right), (3, wrong))
    )
    assert "what never varies" in embedding.feature_description
    assert real[:, -1].abs().max() < 1e-2
    assert frechet(alike, real) < 0.1
    assert frechet(other, real) > 1
    both = torch.cat([other, real])
    neighbour = nearest_other(both, torch.Generator().manual_seed(0))
    assert neighbour_accuracy(neighbour, observed(400)).item() > 0.995


def test_few_examples_do_not_make_a_direction_one_that_never_varies():
    assert never_varying(torch.randn(40, 30, generator=torch.Generator().manual_seed(0))) is None
    assert never_varying(vectors(40, 0).values).tolist() == [[0.0]] * 4 + [[1.0]]
    wide = torch.zeros(50, 2000).index_fill(1, torch.arange(7), 1.0)
    wide[:, 7:] += torch.randn(50, 1993, generator=torch.Generator().manual_seed(0))
    assert never_varying(wide).shape == (2000, 7)


def test_images_are_seen_by_random_convolutions_and_shrunk_pixels():
    space = Space((3, 20, 24), 256)
    embedding = fit_embedding(pictures(100, 0, space), 500)
    view = embedding.embed(pictures(30, 1, space))
    assert view.features.shape == (30, 64)
    assert view.raw.shape == (30, 3 * 16 * 16)
    assert len(embedding.names) == 5
    small = Space((1, 8, 8), 17)
    view = fit_embedding(pictures(50, 0, small), 100).embed(pictures(10, 1, small))
    assert torch.equal(view.raw.unflatten(1, (1, 8, 8)), view.part.batch(slice(0, 10)).x)


def test_a_chunk_at_a_time_is_all_at_once():
    seen, embedding = [], fit_embedding(vectors(300, 0), 100)
    view = embedding.embed(vectors(2500, 1), progress=seen.append)
    assert sum(seen) == 2500
    assert len(seen) == 3
    again = embedding.embed(vectors(2500, 1))
    assert torch.equal(view.features[1000:1100], again[1000:1100].features)


def test_an_extractor_of_the_user_and_one_that_fails():
    own = (lambda x: x[:, :2] * 2, "twice the first two")
    embedding = fit_embedding(vectors(100, 0), 100, features=own)
    part = vectors(20, 1)
    assert torch.equal(embedding.embed(part).features, part.values[:, :2] * 2)
    assert embedding.feature_description == "twice the first two"
    broken = replace(embedding, extract=lambda x: x * float("nan"))
    with pytest.raises(NotDefined, match="NaN or infinite"):
        broken.embed(part)


def test_very_long_vectors_are_projected_and_keep_their_distances():
    x = torch.randn(60, 3000, generator=torch.Generator().manual_seed(0))
    part = Part(x, None, Space((3000,)))
    view = fit_embedding(part, 30).embed(part)
    assert view.raw.shape == (60, 1024)
    ratio = torch.pdist(view.raw) / torch.pdist((x - x.mean(0)) / x.std(0, correction=0))
    assert ratio.mean().item() == pytest.approx(1, abs=0.02)
    assert ratio.std().item() < 0.05
