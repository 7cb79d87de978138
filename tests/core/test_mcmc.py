"""What chains say of themselves, against chains whose mixing is known."""

import math

import pytest
import torch

from plausible.core.mcmc import (
    autocorrelation,
    autocorrelation_time,
    measure_mixing,
    run_until_mixed,
    split_r_hat,
)


def walks(rho, steps=4000, chains=8, seed=0, start=0.0):
    """x' = rho x + sqrt(1 - rho^2) e, whose autocorrelation is rho^t: (T, M, 1)."""
    generator = torch.Generator().manual_seed(seed)
    x, way = torch.full((chains, 1), start), []
    for _ in range(steps):
        x = rho * x + math.sqrt(1 - rho**2) * torch.randn(chains, 1, generator=generator)
        way.append(x)
    return torch.stack(way)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
def test_the_autocorrelation_time_of_an_autoregression_is_known(rho):
    f = walks(rho)
    tau = autocorrelation_time(f).item()
    assert tau == pytest.approx((1 + rho) / (1 - rho), rel=0.15)
    assert autocorrelation(f)[1].item() == pytest.approx(rho, abs=0.03)
    assert autocorrelation(f)[0].item() == pytest.approx(1)
    assert measure_mixing(f).ess == pytest.approx(2000 * 8 * (1 - rho) / (1 + rho), rel=0.3)


def test_r_hat_is_one_where_chains_agree_and_not_where_they_drift_or_stay_apart():
    assert split_r_hat(walks(0.5)).item() == pytest.approx(1, abs=0.01)
    drifting = walks(0.0) + torch.linspace(0, 4, 4000)[:, None, None]
    assert split_r_hat(drifting).item() > 1.2
    apart = walks(0.0) + torch.arange(8.0)[:, None]
    assert split_r_hat(apart).item() > 1.5
    assert split_r_hat(torch.ones(10, 2, 1)).item() == 1


def test_chains_that_do_not_move_take_as_long_as_they_are():
    assert autocorrelation_time(torch.ones(50, 4, 1)).item() == 50
    assert autocorrelation_time(walks(0.999, 50)).item() == 50


def test_walking_goes_on_until_chains_that_began_apart_agree():
    generator = torch.Generator().manual_seed(0)

    def walk(rho):
        return lambda x: rho * x + math.sqrt(1 - rho**2) * torch.randn(x.shape, generator=generator)

    start = 100 * torch.randn(64, 5, generator=generator)
    fast, slow, never = (run_until_mixed(walk(rho), start)[1] for rho in (0.3, 0.8, 1.0))
    assert fast.steps < slow.steps < never.steps == 1024
    assert fast.converged
    assert slow.converged
    assert not never.converged


def test_chains_of_different_labels_need_not_agree():
    y = torch.arange(64) % 2
    generator = torch.Generator().manual_seed(0)

    def walk(x):
        return 10.0 * y[:, None] + torch.randn(64, 3, generator=generator)

    assert run_until_mixed(walk, torch.zeros(64, 3), y)[1].converged
    assert not run_until_mixed(walk, torch.zeros(64, 3), patience=64)[1].converged
