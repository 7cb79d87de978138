"""With minutes to learn in, the faster precision is taken where a family learns in either."""

import pytest
import torch

from plausible import Diffusion, Settings, from_arrays
from plausible.models import VAE
from plausible.tasks import precision
from plausible.tasks.precision import with_precision
from plausible.tasks.start import start
from plausible.training.distributed import World

CPU = torch.device("cpu")
POINTS = from_arrays(torch.randn(60, 2, generator=torch.Generator().manual_seed(0)))


@pytest.fixture
def race(monkeypatch):
    """Sets how fast each precision is, on a machine that has both; the list says what was timed."""
    timed: list[str] = []

    def at(**speeds: float) -> list[str]:
        def speed(kind, config, data, settings, device):
            timed.append(settings.precision)
            return speeds[settings.precision]

        monkeypatch.setattr(precision, "images_per_second", speed)
        monkeypatch.setattr(precision, "has_fast_bf16", lambda device: True)
        return timed

    return at


def chosen(settings: Settings, kind=Diffusion):
    return with_precision(kind, kind.Config(), POINTS, settings, CPU, World())


@pytest.mark.parametrize(("bf16", "winner"), [(11.5, "bf16"), (10.5, "float32"), (8.0, "float32")])
def test_bf16_has_to_be_a_tenth_faster(race, bf16, winner):
    race(bf16=bf16, float32=10.0)
    settings, data = chosen(Settings(minutes=3))
    assert settings.precision == winner
    assert f"learns in {winner}" in data.notes[-1]
    assert "--precision chooses" in data.notes[-1]


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (Settings(steps=5), Diffusion),
        (Settings(), Diffusion),
        (Settings(minutes=3, precision="float32"), Diffusion),
        (Settings(minutes=3), VAE),
    ],
)
def test_nothing_is_timed_where_the_result_must_not_depend_on_it_or_there_is_no_choice(
    race, settings, kind
):
    timed = race(bf16=20.0, float32=10.0)
    found, data = chosen(settings, kind)
    assert found == settings
    assert data.notes == POINTS.notes
    assert not timed


def test_the_winner_is_what_the_run_keeps_and_goes_on_in(race, tmp_path):
    race(bf16=20.0, float32=10.0)
    config = Diffusion.Config(width=4)
    run, training = start("diffusion", POINTS, config=config, settings=Settings(minutes=3), out=tmp_path / "run", device="cpu")  # fmt: skip
    assert training.bf16
    assert run.settings.precision == "bf16"
