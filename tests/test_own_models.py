"""The code of docs/own_models.md runs, and networks and models of other shapes or elsewhere are refused in one sentence."""

import re
import runpy
import shutil
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from tests.conftest import make_data, refused
from torch import nn

import plausible
from plausible.core.errors import UsageError
from plausible.core.model import models
from plausible.core.space import Space
from plausible.training import distributed

PAGE = (Path(__file__).parent.parent / "docs" / "own_models.md").read_text()
BLOCKS = [
    re.sub(r"steps=(\d)000", r"steps=\1", block)
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("realnvp.py").write_text(BLOCKS[2])
    yield
    models.pop("realnvp", None)
    sys.modules.pop("realnvp", None)


@pytest.mark.parametrize("block", [0, 1, 3])
def test_the_code_of_the_page_runs(block):
    exec(compile(BLOCKS[block], "own_models.md", "exec"), {})


def test_a_run_of_a_model_of_elsewhere_needs_its_file(capsys):
    exec(BLOCKS[3], {})
    models.pop("realnvp")
    said = refused(capsys, "sample", "runs/realnvp-moons", "--out", "x.png")
    assert (
        "runs/realnvp-moons is a realnvp, which is no model of plausible: import the file" in said
    )


@pytest.mark.slow
def test_the_file_of_a_model_is_its_command_line(monkeypatch):
    np.savez("plane.npz", x=np.random.default_rng(0).normal(size=(60, 2)))
    flags = ["--data", "plane.npz", "--steps", "2", "--layers", "2", "--no-evaluate", "--out", "r"]
    monkeypatch.setattr(sys, "argv", ["realnvp.py", "train", "realnvp", *flags])
    runpy.run_path("realnvp.py", run_name="__main__")
    assert plausible.Run("r").config["config"]["layers"] == 2


def test_several_processes_run_the_file_that_was_started(monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    monkeypatch.setattr(sys, "argv", ["realnvp.py", "train", "realnvp"])
    assert distributed.program() == [sys.executable, "realnvp.py"]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/plausible", "train", "realnvp"])
    assert distributed.program() == [sys.executable, "-m", "plausible"]


IMAGES = Space((1, 4, 4), levels=2, classes=2)


class Labelled(nn.Module):
    """A network of x or z (N, ...) and y (N,), of so many outputs."""

    def __init__(self, inputs, shape):
        super().__init__()
        self.embed, self.shape = nn.Embedding(2, inputs), shape
        self.net = nn.Linear(inputs, int(np.prod(shape)))

    def forward(self, x, y):
        return self.net(x.flatten(1) + self.embed(y)).unflatten(1, self.shape)


def test_networks_of_a_conditional_gan_and_vae_get_the_labels(tmp_path):
    data = make_data(IMAGES)
    g, d = Labelled(64, (1, 4, 4)), Labelled(16, (1,))
    e, p = Labelled(16, (2 * 3,)), Labelled(3, (1, 4, 4))
    conditional = {"conditional": True}
    for kind, config, nets in (
        (plausible.GAN, plausible.GAN.Config(**conditional), {"generator": g, "discriminator": d}),
        (plausible.VAE, plausible.VAE.Config(**conditional), {"encoder": e, "decoder": p}),
    ):
        before = {name: net.net.weight.clone() for name, net in nets.items()}
        trained = plausible.fit(kind(data, config, **nets), data, steps=2, out=tmp_path / kind.name)
        assert plausible.sample(trained, 3, label=1).y.tolist() == [1, 1, 1]
        assert all(not torch.equal(net.net.weight, before[name]) for name, net in nets.items())
    nats = trained.model.log_prob(data.heldout.as_batch().x).nats
    assert nats.isfinite().all()


def test_one_network_of_two_may_be_given():
    d = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    model = plausible.GAN(IMAGES, discriminator=d)
    assert plausible.fit(model, make_data(IMAGES), steps=2).model.sample(2).x.shape == (2, 1, 4, 4)


def test_a_run_is_opened_with_the_networks_that_it_was_made_of(tmp_path, capsys):
    d = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    trained = plausible.fit(
        plausible.GAN(IMAGES, discriminator=d), make_data(IMAGES), steps=2, out="r"
    )
    shutil.copytree("r", "moved")
    assert trained.run.model().sample(2).x.shape == (2, 1, 4, 4)  # what fit returned knows them
    with pytest.raises(UsageError, match=r"gan made of networks of its author \(discriminator\)"):
        plausible.Run("moved").model()
    assert "made of networks of its author" in refused(capsys, "sample", "moved", "--out", "x.png")
    other = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    opened = plausible.Run("moved", discriminator=other).model()
    assert torch.equal(
        opened.discriminator.network[1].weight, trained.model.discriminator.network[1].weight
    )
    assert not torch.equal(other[1].weight, opened.discriminator.network[1].weight)  # a copy
    with pytest.raises(UsageError, match="does not hold the weights"):
        plausible.Run(
            "moved", discriminator=nn.Sequential(nn.Flatten(), nn.Linear(16, 2), nn.Linear(2, 1))
        ).model()
    plain = plausible.fit("gan", make_data(IMAGES), steps=1, width=4, out="plain").run
    with pytest.raises(UsageError, match="leave out discriminator"):
        plausible.Run(plain.folder, discriminator=other).model()


NORM = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(32, 1))
FLAT = nn.Sequential(nn.Flatten(), nn.Linear(16, 6))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: plausible.GAN(IMAGES, generator=nn.Linear(64, 3)), r"makes \(N, 3\) of z \(N, 64\)"),
        (lambda: plausible.GAN(IMAGES, generator=nn.Linear(9, 3)), "generator cannot take its input"),
        (lambda: plausible.GAN(IMAGES, discriminator=FLAT), "one logit for each"),
        (lambda: plausible.GAN(IMAGES, discriminator=NORM), "track_running_stats=False"),
        (
            lambda: plausible.GAN(IMAGES, plausible.GAN.Config(pack=2), discriminator=FLAT),
            "pack is of the networks of plausible",
        ),
        (lambda: plausible.VAE(IMAGES, encoder=FLAT), "give both"),
        (lambda: plausible.VAE(IMAGES, encoder=nn.Flatten(0), decoder=FLAT), r"must be \(N, 2 d\)"),
        (lambda: plausible.VAE(IMAGES, encoder=FLAT, decoder=nn.Linear(3, 16)), r"must be \(N, 1, 4, 4\)"),
        (
            lambda: plausible.VAE(IMAGES, plausible.VAE.Config(width=4), encoder=FLAT, decoder=FLAT),
            "width is of the networks of plausible",
        ),
        (lambda: plausible.GAN("digits"), "a model lives in a space: give data"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(build, words):
    with pytest.raises(UsageError, match=words):
        build()
