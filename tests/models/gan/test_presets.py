"""Every published recipe trains, reads back from its flags, keeps nothing of the default, and is in the docs."""

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import tyro
from docs.quoted_tables import preset_table
from tests.conftest import make_data

from plausible.core.preset import flags
from plausible.core.schedule import at
from plausible.core.space import Space
from plausible.models.gan.config import GANConfig
from plausible.models.gan.gan import GAN
from plausible.models.gan.presets import presets
from plausible.training import Settings, train

SPACE = Space((1, 16, 16), levels=256)
DOCS = Path(__file__).parents[3] / "docs" / "gan.md"


@pytest.mark.parametrize("name", presets)
def test_every_preset_trains_and_draws(name):
    """The architecture and the rules of the recipe, with few examples and narrow networks."""
    config = replace(GAN.presets[name].config, batch=4, width=16)
    training = train(GAN(SPACE, config), make_data(SPACE, 24), Settings(steps=2))
    for step in training:
        seen = [v for values in step.values().values() for v in values.values()]
        assert torch.isfinite(torch.tensor(seen)).all()
        assert set(config.penalties) <= set(step.scalars["discriminator"])
    assert training.averaged.sample(3).x.shape == (3, *SPACE.shape)


@pytest.mark.parametrize("name", presets)
def test_the_published_size_is_built(name):
    model = GAN(Space((3, 28, 28), levels=256), presets[name].config)
    assert model.decode(model.latent(2)).shape == (2, 3, 28, 28)


@pytest.mark.parametrize("name", presets)
def test_flags_read_back_to_the_same_config(name):
    preset = presets[name]
    assert tyro.cli(GANConfig, args=shlex.split(flags(preset))) == preset.config


@pytest.mark.parametrize("name", presets)
def test_nothing_of_the_default_is_left(name):
    config = replace(presets[name].config, batch=4, width=16)
    model = GAN(SPACE, config)
    assert model.augment == ()
    for player in model.players():
        assert (at(player.lr, 0) == at(player.lr, 1)) is (name != "sngan")
    averaged = {name for name in presets if presets[name].config.ema > 1}
    assert averaged == {"r3gan"}
    penalised = {name for name in presets if presets[name].config.penalties}
    assert penalised == {"wgan-gp", "r3gan"}
    assert all(presets[name].config.penalty_every == 1 for name in penalised)
    assert config.penalty_weight == config.penalty_weight_end or name == "r3gan"


def test_a_half_life_of_one_example_is_no_average():
    config = replace(presets["dcgan"].config, batch=32, width=4)
    training = train(GAN(SPACE, config), make_data(SPACE), Settings(steps=3))
    list(training)
    raw, averaged = (m.generator.state_dict() for m in (training.raw, training.averaged))
    assert all(torch.allclose(raw[k], averaged[k], rtol=1e-6) for k in raw)


def test_every_preset_says_where_it_is_from():
    for name, preset in presets.items():
        assert preset.name == name
        assert "https://arxiv.org/abs/" in preset.source
        assert preset.note


def test_the_docs_show_the_presets_as_they_are():
    _, inside = DOCS.read_text().split("<!-- presets:gan -->\n")
    assert inside.split("<!-- /presets:gan -->")[0].strip() == preset_table(presets).strip()
