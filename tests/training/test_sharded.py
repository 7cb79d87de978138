"""Two processes that share weights, gradients and moments learn as two that each have all (FSDP2 by gloo, CPU)."""

import json

import pytest
import torch
from tests.conftest import ask, refused, tiny, worked_together

from plausible import runs
from plausible.core.errors import UsageError
from plausible.tasks.start import start
from plausible.training import Settings, distributed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("data") / "tiny.npz", 90)


SHARDED = {
    "vae": {"width": 8},
    "gan": {"width": 8, "batch": 16},  # whose penalties are derivatives
}


REFUSED = [
    ("learns by SGD", "rbm", Settings(steps=1, shard=True)),
    ("--shard and --compile", "vae", Settings(steps=1, shard=True, compile="on")),
    ("--simultaneous", "gan", Settings(steps=1, shard=True, simultaneous=True)),
    ("fitted to all examples at once", "naive-bayes", Settings(shard=True)),
]


def learn_in_shards(source, folder, families):
    """What each process does: the same rounds with all weights in each, with a part of them, and so after a save."""
    world = distributed.join(torch.device("cpu"))
    for name, config in families.items():
        for how in ("whole", "shared", "resumed"):
            place, settings = folder / name / how, Settings(steps=5, shard=how != "whole")
            run, training = start(name, source, settings=settings, out=place, world=world, **config)
            parts = sum(part.numel() for each in training.weights.values() for part in each)
            (folder / f"{name}-{how}-{world.rank}").write_text(str(parts))
            if how == "resumed":
                for _ in range(3):
                    next(training)
                runs.save(run, training)
                world.agree(0.0)  # written, and then read
                training = runs.resume(run, settings, world=world)
            list(training)
            runs.save(run, training)
    for sentence, name, settings in REFUSED:
        with pytest.raises(UsageError, match=sentence):
            start(name, source, settings=settings, out=folder / "refused", world=world)
    distributed.leave()


def test_ranks_that_share_the_weights_learn_as_those_that_each_have_all(source, tmp_path):
    worked_together(tmp_path, learn_in_shards, source, tmp_path, SHARDED)
    for name in SHARDED:
        parts = [int((tmp_path / f"{name}-shared-{rank}").read_text()) for rank in range(2)]
        assert sum(parts) == int((tmp_path / f"{name}-whole-0").read_text())
        assert min(parts) > sum(parts) / 3
        whole, shared, resumed = (
            torch.load(tmp_path / name / how / "state.pt") for how in ("whole", "shared", "resumed")
        )
        for kind in ("raw", "averaged"):
            for weight, value in whole[kind].items():
                assert torch.allclose(value, shared[kind][weight], atol=1e-5), (name, kind, weight)
                assert torch.equal(shared[kind][weight], resumed[kind][weight])
        moments = [
            each["optimizers"][0]["state"][0]["exp_avg"] for each in (whole, shared, resumed)
        ]
        assert torch.allclose(*moments[:2], atol=1e-5)
        assert torch.equal(*moments[1:])
        run = runs.Run(tmp_path / name / "shared")  # which any number of processes opens
        assert run.sample(2).x.shape == (2, 1, 2, 2)


def test_shards_of_one_process_or_of_given_weights_are_refused(source, tmp_path, capsys):
    run, training = start(
        "vae", source, settings=Settings(steps=1), out=tmp_path / "begun", width=8
    )
    list(training)
    runs.save(run, training)
    words = ["train", "vae", "--data", source, "--out", tmp_path / "run", "--shard"]
    assert "add --processes 2" in refused(capsys, *words)
    begun = refused(capsys, *words, "--processes", 2, "--init", tmp_path / "begun")
    assert "leave out --init" in begun


def test_a_training_whose_processes_share_the_weights_is_watched_kept_and_gone_on_with(
    source, tmp_path, launch
):
    run = tmp_path / "run"
    words = ["train", "vae", "--data", source, "--out", run, "--steps", 4, "--width", 8]
    code, out, errors = launch(*words, "--shard", "--processes", 2, "--no-evaluate")
    assert code == 0, errors
    assert out.count("trained for") == 1
    line = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    kept = [weight.norm().item() ** 2 for weight in runs.Run(run).model().parameters()]
    assert line["probes"]["weight norm of the vae"] == pytest.approx(sum(kept) ** 0.5, rel=1e-3)
    code, out, errors = launch("resume", run, "--steps", 6, "--no-evaluate")
    assert code == 0, errors
    ask("resume", run, "--steps", 8, "--processes", 1, "--no-evaluate")
    assert torch.load(run / "state.pt", weights_only=True)["steps"] == 8
    assert runs.Run(run).settings.shard
