"""The principal directions of z: those of a linear generator are its singular vectors."""

import numpy as np
import pytest
import torch
from PIL import Image
from tests.conftest import ask, refused

from plausible import fit
from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.core.space import Space
from plausible.models import GAN
from plausible.sampling.directions import principal_directions, walks_along
from plausible.tasks import directions


class Linear(Generative):
    """G(z) = A z, or 2 A z where the label is 1."""

    name, place = "linear generator", ()

    a: torch.Tensor

    @property
    def conditional(self):
        return bool(self.space.classes)

    def latent(self, n, generator=None):
        return torch.randn(n, self.a.shape[1], generator=generator)

    def decode(self, z, y=None):
        x = z @ self.a.T
        return x if y is None else x * (1 + y[:, None])


def linear(a, kind=Linear, classes=0):
    model = kind(Space((len(a),), classes=classes))
    model.a = a
    return model


def matrix(rows=20, columns=12):
    """Singular values 1/1, 1/2, 1/3, ..."""
    torch.manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(rows, columns), full_matrices=False)
    return u @ torch.diag(1 / torch.arange(1.0, columns + 1)) @ v, v


def test_those_of_a_linear_generator_are_its_singular_vectors():
    a, v = matrix()
    found = principal_directions(linear(a), 4, draws=3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose((found.vectors @ v[:4].T).abs(), torch.eye(4), atol=0.02)
    assert torch.allclose(found.gains, 1 / torch.arange(1.0, 5), rtol=0.01)
    share = found.gains.square() / a.square().sum()
    assert torch.allclose(found.shares, share, rtol=0.1)
    every = principal_directions(linear(a), 12, draws=3)
    assert float(every.shares.sum()) == pytest.approx(1, abs=1e-3)


def test_the_jacobian_is_averaged_over_z():
    """G(z) = z^2 / 2 has J = diag(z), so that the mean of J^T J is the mean square of each coordinate."""

    class Squares(Linear):
        def decode(self, z, y=None):
            return z.square() * self.a.diagonal() / 2

    model = linear(torch.diag(torch.tensor([3.0, 2.0, 1.0])), Squares)
    found = principal_directions(model, 3, draws=400, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(found.vectors.abs(), torch.eye(3), atol=0.1)
    assert torch.allclose(found.gains, torch.tensor([3.0, 2.0, 1.0]), rtol=0.1)


def test_a_label_is_that_of_all_draws():
    a, _ = matrix()
    one, two = (
        principal_directions(
            linear(a, classes=2), 1, y, draws=4, generator=torch.Generator().manual_seed(0)
        ).gains
        for y in (0, 1)
    )
    assert torch.allclose(2 * one, two)


def test_a_walk_goes_from_one_end_to_the_other_along_its_direction_alone():
    model = linear(torch.eye(3))
    walk = walks_along(model, torch.eye(3)[:2], 5)  # (2, 5, 3)
    assert torch.allclose(walk[0, :, 0], torch.linspace(-3, 3, 5))
    assert (walk[0, :, 1:] == walk[0, 0, 1:]).all()


@pytest.mark.usefixtures("drawn")
def test_a_gan_has_directions_and_what_has_no_z_has_none(tmp_path, capsys):
    trained = fit("gan", steps=2, width=4, latent=6, out=tmp_path / "gan", symmetries=())
    explored = directions(trained, 2, 3, draws=4)
    assert explored.x.shape == (2, 3, 1, 8, 8)
    assert explored.truncation.shape == (5, 3, 1, 8, 8)
    vectors = explored.directions.vectors
    assert torch.allclose(vectors @ vectors.T, torch.eye(2), atol=1e-5)
    again = directions(trained, 2, 3, draws=4).directions
    assert torch.equal(again.vectors, vectors)
    few = "--rows", 2, "--columns", 3, "--draws", 4
    ask("directions", tmp_path / "gan", *few, "--out", tmp_path / "d.png")
    assert "2 directions" in capsys.readouterr().out
    assert Image.open(tmp_path / "d.png").width > 3 * 112
    ask("directions", tmp_path / "gan", *few, "--out", tmp_path / "d.npz")
    assert np.allclose(np.load(tmp_path / "d.npz")["directions"], vectors.numpy())
    many = "directions", tmp_path / "gan", "--rows", 7, "--out", tmp_path / "x.png"
    assert "between 1 and 6" in refused(capsys, *many)
    with pytest.raises(UsageError, match="no latent z"):
        directions(fit("naive-bayes"))
    assert isinstance(trained.model, GAN)
