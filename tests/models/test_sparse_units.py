"""Products with units of which few are 1."""

import torch

from plausible.models.rbm import contrastive
from plausible.models.rbm.sparse_units import sparse_units


def rare(rows: int, units: int, share: float = 0.1) -> torch.Tensor:
    """Zeros and ones, with a row and a column of zeros."""
    v = (torch.rand(rows, units, generator=torch.Generator().manual_seed(0)) < share).double()
    v[1], v[:, 2] = 0, 0
    return v


def test_products_are_those_of_the_whole_matrix():
    v, generator = rare(7, 300), torch.Generator().manual_seed(1)
    weight = torch.randn(300, 256, generator=generator, dtype=torch.float64)
    slope = torch.randn(7, 256, generator=generator, dtype=torch.float64)
    few = sparse_units(v, 256)
    assert few is not None
    torch.testing.assert_close(few.times(weight), v @ weight)
    torch.testing.assert_close(few.transposed_times(slope), v.T @ slope)


def test_units_that_are_often_1_and_few_columns_are_multiplied_as_a_matrix():
    assert sparse_units(rare(8, 100, share=0.4), 256) is None
    assert sparse_units(rare(8, 100), 16) is None


def test_the_loss_and_its_gradient_are_the_same_either_way(monkeypatch):
    generator = torch.Generator().manual_seed(2)
    sizes = (60, 256), (60,), (256,)
    params = [torch.randn(s, generator=generator) for s in sizes]
    means = torch.rand(60, generator=generator), torch.rand(256, generator=generator)

    def learned() -> list[torch.Tensor]:
        weights = [p.clone().requires_grad_() for p in params]
        some = rare(9, 60).float(), rare(5, 60).float()
        out = contrastive.contrastive_free_energy(*weights, *means, *some, weights[0].detach())
        return [out[0], *torch.autograd.grad(out[0], weights), *out[1:]]

    few = learned()
    monkeypatch.setattr(contrastive, "sparse_units", lambda v, columns: None)
    for sparse, dense in zip(few, learned(), strict=True):
        torch.testing.assert_close(sparse, dense, rtol=1e-4, atol=1e-4)
