"""Memory at an end: a batch goes on in parts with the same gradient, or a sentence says what to lower."""

import gc
import json
import sys
from dataclasses import dataclass

import pytest
import torch
from tests.conftest import make_data

from plausible import runs
from plausible.cli.main import main
from plausible.core.allocation import LEARNING
from plausible.core.errors import UsageError
from plausible.core.game import Loss, Player
from plausible.core.model import Model
from plausible.core.space import Space
from plausible.models import GAN, RBM, VAE, PixelCNN
from plausible.runs.log import flat_log
from plausible.tasks.fit_steps import MEMORY, Failed, fit_steps
from plausible.training import Settings, train
from plausible.training.peak_memory import PeakMemory, _peak, bytes_of_example

SPACE = Space((3,))
BATCH = 16


@pytest.fixture(autouse=True)
def _young_garbage(monkeypatch):
    """What a failed attempt held is young: to look through all that tests have made takes half a second each time."""
    collect = gc.collect
    monkeypatch.setattr("plausible.training.micro_batches.gc.collect", lambda: collect(0))


class Greedy(Model):
    """Learns the mean, and raises what torch raises when it looks at more than ``most`` examples."""

    name, place = "greedy", ("test",)

    @dataclass(frozen=True)
    class Config(Model.Config):
        batch: int = BATCH

    def __init__(self, space, config=None):
        super().__init__(space, config)
        self.w = torch.nn.Parameter(torch.zeros(space.dims))
        self.most, self.whole, self.error = 10**9, False, torch.OutOfMemoryError("out of memory")
        self.sizes = []

    def loss(self, batch, clock):
        self.sizes.append(len(batch))
        if len(batch) > self.most:
            raise self.error
        return Loss({"square": (batch.x - self.w).square().sum(1)})

    def players(self):
        return [Player("learner", self, self.loss, lr=0.1, whole_batch=self.whole)]


def playing(tmp_path, steps=4, **greedy):
    """(run, training) of a greedy model."""
    data = make_data(SPACE)
    training = train(Greedy(SPACE), data, Settings(steps=steps))
    for name, value in greedy.items():
        setattr(training.raw, name, value)
    return runs.create(tmp_path / "run", training), training


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_a_batch_goes_on_in_parts_and_the_optimizer_sees_the_same(tmp_path, error):
    _, whole = playing(tmp_path / "whole")
    list(whole)
    run, parts = playing(tmp_path / "parts", most=5, error=error)
    said = []
    list(fit_steps(run, parts, on_finding=said.append))
    assert torch.allclose(whole.raw.w, parts.raw.w, atol=1e-6)
    assert parts.raw.sizes[:3] == [16, 8, 4]  # and with 4 from then on, in all rounds
    assert set(parts.raw.sizes[3:]) == {4}
    (finding,) = said
    assert finding.phenomenon == MEMORY
    assert "batches of 16 go on in parts of 4, with the same mean gradient" in finding.claim
    assert "--micro-batch 4" in finding.remedy
    line = json.loads((run.folder / "log.jsonl").read_text().splitlines()[0])
    assert line["micro_batch"] == 4
    assert flat_log(run.folder / "log.jsonl")["micro_batch"][0] == 4


def test_micro_batches_that_were_asked_for_are_halved_too_and_nothing_is_said_without_need(
    tmp_path,
):
    run, training = playing(tmp_path, most=3)
    training._parts.size = 6
    list(fit_steps(run, training))
    assert training.micro_batch == 3
    run, training = playing(tmp_path / "enough")
    said = []
    list(fit_steps(run, training, on_finding=said.append))
    assert said == []
    assert training.micro_batch is None
    assert "micro_batch" not in (run.folder / "log.jsonl").read_text()


@pytest.mark.parametrize(
    ("greedy", "words"),
    [
        ({"whole": True}, "cannot be split, because what one costs the learner depends on all"),
        ({"most": 0}, "not enough for the learner to look at one example"),
    ],
)
def test_what_cannot_be_split_ends_with_a_sentence_and_the_last_save(tmp_path, greedy, words):
    run, training = playing(tmp_path, 6)
    steps = fit_steps(run, training)
    next(steps)
    next(steps)  # the first round is saved by now
    kept = (run.folder / "state.pt").read_bytes()
    for name, value in ({"most": 5} | greedy).items():
        setattr(training.raw, name, value)
    training._seats[0].player.whole_batch = training.raw.whole
    with pytest.raises(Failed, match=words):
        list(steps)
    assert (run.folder / "state.pt").read_bytes() == kept
    assert runs.saving.saved_state(run)["steps"] == 1
    (finding,) = json.loads((run.folder / "findings.json").read_text())
    assert words in finding["claim"]


def test_without_any_save_it_is_refused_and_leaves_no_folder(tmp_path):
    run, training = playing(tmp_path, most=0)
    with pytest.raises(MemoryError, match="choose a smaller model"):
        list(fit_steps(run, training))
    assert not run.folder.exists()


def test_other_errors_are_not_taken_for_it(tmp_path):
    run, training = playing(tmp_path, most=0, error=RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        list(fit_steps(run, training))
    assert training.micro_batch is None


def test_the_command_line_says_it_in_a_line_and_trains_on(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    loss, sizes = VAE.loss, []

    def greedy(model, batch, clock):
        sizes.append(len(batch) * torch.is_grad_enabled())  # 0 of a probe
        if sizes[-1] > 100:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return loss(model, batch, clock)

    monkeypatch.setattr(VAE, "loss", greedy)
    monkeypatch.setattr(sys, "argv", ["plausible"])
    main(
        [
            "train",
            "vae",
            "--data",
            "ring",
            "--steps",
            "2",
            "--width",
            "8",
            "--batch",
            "256",
            "--out",
            "r",
            "--no-evaluate",
        ]
    )
    said = " ".join(capsys.readouterr().out.split())
    assert "does not hold 128 examples at once: batches of 256 go on in parts of 64" in said
    assert "round 2 of 2, done" in said
    assert sizes[:3] == [256, 128, 64]


@pytest.fixture
def little(monkeypatch):
    """A machine of which 64 MiB are free."""
    monkeypatch.setattr("plausible.core.allocation.available_memory", lambda: 2.0**26)
    monkeypatch.setattr("plausible.core.allocation._WORTH_A_LOOK", 2**20)


@pytest.mark.parametrize(
    ("kind", "choices"),
    [
        (GAN, {"width": 10**9}),
        (GAN, {"latent": 2**62}),
        (VAE, {"latent": 10**7}),
        (PixelCNN, {"kernel": 10**9 + 1}),
        (RBM, {"hidden": 10**12}),
    ],
)
def test_a_model_beyond_memory_is_refused_before_it_is_made(little, kind, choices):
    space = Space((1, 8, 8), levels=2)
    with pytest.raises(UsageError) as refusal:
        runs.build(kind.name, kind.Config(**choices), space, 0, learns=True)
    said = str(refusal.value)
    assert (
        f"the weights of this {kind.name} and what learning keeps beside them take at least" in said
    )
    assert "0.1 GiB are free" in said
    assert f"lower --{next(iter(choices))}" in said


def test_opening_takes_the_weights_once_and_learning_several_times(little):
    space, config = (
        Space((1, 8, 8), levels=2),
        VAE.Config(latent=64, width=1000, architecture="mlp"),
    )
    model = runs.build("vae", config, space, 0)
    bytes = sum(p.nbytes for p in model.parameters())
    assert bytes < 2**26 < LEARNING * bytes
    with pytest.raises(UsageError, match=r"lower .*--width"):
        runs.build("vae", config, space, 0, learns=True)
    with pytest.raises(UsageError, match="gradients, moments and the average"):
        train(model, make_data(space), Settings(steps=1))


def test_a_batch_beyond_memory_is_refused(little):
    with pytest.raises(
        UsageError, match=r"10,000,000 examples take at least 0.3 GiB.*lower --batch"
    ):
        train(Greedy(SPACE, Greedy.Config(batch=10**7)), make_data(SPACE), Settings(steps=1))


@pytest.mark.parametrize("kind", [GAN, VAE])
def test_what_an_example_takes_is_measured_and_nothing_of_the_training_changes(kind):
    data = make_data(Space((1, 8, 8), levels=17), 600)
    torch.manual_seed(0)
    model = kind(data.space, kind.Config(width=4))
    before, random = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    takes = bytes_of_example(model, data.train, 4096)
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(param.grad is None for param in model.parameters())
    for player in model.players():  # of many, of which what is the same for all is a small part
        most = _peak(player, data.train, 200) / 200
        assert 0.5 * most < takes[player.name] < 1.1 * most


def test_peak_memory_counts_what_is_there_at_once():
    with PeakMemory() as peak:
        for _ in range(5):
            kept = torch.ones(1000) + 1
        more = torch.ones(3000)
    assert peak.most == 4 * (1000 + 3000)
    assert peak.now == 4 * (1000 + 3000)
    del kept, more
    assert peak.now == 0


def test_a_large_batch_on_a_processor_is_split_before_it_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr("plausible.training.peak_memory._MANY", BATCH)
    monkeypatch.setattr("plausible.training.micro_batches.available_memory", lambda: 1000.0)
    monkeypatch.setattr(
        "plausible.training.micro_batches.bytes_of_example", lambda *_: {"learner": 100}
    )
    run, training = playing(tmp_path)
    said = []
    list(fit_steps(run, training, on_finding=said.append))
    assert set(training.raw.sizes) == {4}
    assert "batches of 16 go on in parts of 4" in said[0].claim
    _, training = playing(tmp_path / "whole", whole=True)
    monkeypatch.setattr("plausible.core.allocation.available_memory", lambda: 500.0)
    monkeypatch.setattr("plausible.core.allocation._WORTH_A_LOOK", 0)
    with pytest.raises(
        UsageError, match=r"a batch of 16, which the learner cannot split, takes .*lower --batch"
    ):
        next(training)
