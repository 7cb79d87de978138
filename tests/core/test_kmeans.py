"""k-means: centres drawn far from each other, and moved to the means of what they are nearest to."""

import pytest
import torch

from plausible.core.distances import squared_distances
from plausible.core.kmeans import kmeans_plus_plus, lloyd


@pytest.mark.parametrize("form", ["product", "direct", "cdist"])
def test_every_form_is_the_squared_distance(form):
    torch.manual_seed(0)
    a, b = torch.randn(40, 5).double(), torch.randn(30, 5).double()
    truth = ((a[:, None] - b[None]) ** 2).sum(2)
    assert torch.allclose(squared_distances(a, b, form), truth)
    assert (squared_distances(a + 1e6, a + 1e6, form) >= 0).all()


def test_direct_distances_of_equal_points_are_0_however_far_from_the_origin():
    a = torch.randn(50, 7) + 1e4
    assert (squared_distances(a, a, "direct").diagonal() == 0).all()


def clusters():
    torch.manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    return centres, (centres[:, None] + torch.randn(3, 50, 2)).flatten(0, 1)


def test_first_centres_are_one_point_of_every_cluster():
    centres, points = clusters()
    for seed in range(20):
        drawn = kmeans_plus_plus(points, 3, torch.Generator().manual_seed(seed))
        assert squared_distances(drawn, centres).argmin(1).sort().values.tolist() == [0, 1, 2]
        assert (squared_distances(drawn, points, "direct").amin(1) == 0).all()  # they are points
    drawn = kmeans_plus_plus(points, 3, torch.Generator(), first=7)
    assert torch.equal(drawn[0], points[7])


def test_there_are_no_more_centres_than_different_points_unless_a_floor_lets_them_repeat():
    points = torch.tensor([[0.0], [0.0], [1.0]])
    assert len(kmeans_plus_plus(points, 3, torch.Generator().manual_seed(0))) == 2
    again = kmeans_plus_plus(
        points, 3, torch.Generator().manual_seed(0), floor=1e-12, form="direct"
    )
    assert len(again) == 3


def test_lloyd_s_rounds_end_at_the_means():
    _, points = clusters()
    centres = lloyd(points, points[[0, 60, 120]], 50)
    assert torch.allclose(centres, points.view(3, 50, 2).mean(1), atol=1e-4)
    assert torch.equal(lloyd(points, centres, 1), centres)
    lonely = torch.tensor([[0.0, 0.0], [1e4, 1e4]])
    assert torch.equal(lloyd(points, lonely, 3)[1], lonely[1])
