"""Two processes on equal shards train as one process does on the whole batch (gloo, CPU)."""

import contextlib
import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from tests.conftest import Forked, ask, tiny, worked_together

from plausible import runs
from plausible.core.errors import UsageError
from plausible.data import load
from plausible.tasks import evaluate
from plausible.tasks.fit_steps import fit_steps, monitored
from plausible.tasks.start import start
from plausible.training import Settings, distributed

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return tiny(tmp_path_factory.mktemp("data") / "tiny.npz", 90)


CONVNET = {"batch": 16, "dropout": 0.0}
FAMILIES = {
    "gan": {"width": 16, "batch": 16},
    "rbm": {"hidden": 6, "batch": 16},
    "vae": {"width": 8, "importance": 3},
    "vq-vae": {"width": 8, "prior_width": 8, "prior_blocks": 1, "codes": 4},
    "gsn": {"width": 8},
}


def learn_as_a_rank(source, folder, families):
    """What each process does: one family after the other, in one world."""
    world = distributed.join(torch.device("cpu"))
    for name, config in families.items():
        settings = Settings(steps=20 if name == "convnet" else 6)
        run, training = start(
            name, source, settings=settings, out=folder / name, world=world, **config
        )
        for _ in fit_steps(run, training, monitored(run, training)):
            pass
        assert training.finished
    distributed.leave()


def learned_together(source, folder, families):
    """A folder of runs of two processes that are the ranks of one world."""
    return worked_together(folder, learn_as_a_rank, source, folder, families)


@pytest.fixture(scope="module")
def together(source, tmp_path_factory):
    """Runs of every family that two processes have made."""
    return learned_together(
        source, tmp_path_factory.mktemp("together"), {"convnet": CONVNET, **FAMILIES}
    )


def test_two_processes_make_the_weights_of_one(source, together, tmp_path):
    flags = ["--steps", 20, "--batch", 16, "--dropout", 0, "--no-evaluate"]
    ask("train", "convnet", "--data", source, "--out", tmp_path / "one", *flags)
    one = safetensors.torch.load_file(tmp_path / "one" / "weights.safetensors")
    two = safetensors.torch.load_file(together / "convnet" / "weights.safetensors")
    for name, value in one.items():
        assert torch.allclose(value, two[name], atol=1e-5), name


def test_two_processes_make_the_same_bytes_again(source, together, tmp_path):
    names = ("gan", "rbm")  # the second has chains, of each process its own
    again = learned_together(source, tmp_path, {name: FAMILIES[name] for name in names})
    for name in names:
        one, two = (
            safetensors.torch.load_file(folder / name / "weights.safetensors")
            for folder in (together, again)
        )
        assert one.keys() == two.keys()
        assert all(torch.equal(one[weight], two[weight]) for weight in one), name
        drawn = [runs.Run(folder / name).sample(4).x for folder in (together, again)]
        assert torch.equal(*drawn)


def test_other_families_train_on_two_processes_and_resume_on_two(together, launch):
    for name in FAMILIES:
        weights = safetensors.torch.load_file(together / name / "weights.safetensors")
        assert all(value.isfinite().all() for value in weights.values())
        state = torch.load(together / name / "state.pt", weights_only=True)
        assert state["steps"] == 6
        assert len(state["random"]) == 2
        assert not torch.equal(*state["random"])

    run = runs.Run(together / "rbm")
    code, out, errors = launch("resume", run.folder, "--steps", 8, "--no-evaluate")
    assert code == 0, errors
    assert out.count("trained for") == 1  # one rank speaks
    state = torch.load(run.folder / "state.pt", weights_only=True)
    assert state["steps"] == 8
    (chains,) = state["own"]  # of each process its own
    assert len(chains) == 2
    assert not torch.equal(*chains)


RANK = """
import os, signal, sys, time
folder, world = sys.argv[1], (os.environ["RANK"], os.environ["LOCAL_RANK"], os.environ["WORLD_SIZE"])
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(130))
open(folder + "/" + " ".join(world), "w").close()
while len(os.listdir(folder)) < 2:
    time.sleep(0.02)
if world[0] == "1":
    os.kill(os.getppid(), signal.SIGINT)
time.sleep(60)
sys.exit(1)
"""


def test_ranks_are_processes_that_know_their_place_and_are_told_of_a_ctrl_c(
    tmp_path, monkeypatch, handlers
):
    monkeypatch.setattr(distributed, "program", lambda: [sys.executable, "-c", RANK])
    assert distributed.launch(2, [str(tmp_path)]) == 130
    assert {path.name for path in tmp_path.iterdir()} == {"0 0 2", "1 1 2"}


def test_ctrl_c_on_two_processes_saves_and_ends_with_one_sentence(source, tmp_path, forking):
    run = tmp_path / "run"
    flags = ["--steps", 100000, "--batch", 16, "--width", 16, "--processes", 2]
    words = ["train", "gan", "--data", source, "--out", run, *flags]
    process = Forked(tmp_path / "out", *words)
    deadline = time.time() + 200
    while time.time() < deadline and not (run / "state.pt").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, code = process.finish()
    assert code == 130
    assert out.count(f"plausible resume {run}") == 1
    assert torch.load(run / "state.pt", weights_only=True)["steps"] > 0


@pytest.fixture
def endless(source, tmp_path, forking, monkeypatch):
    """A training of two processes that goes on for long: (the run, who launched it, the ids of its ranks)."""
    monkeypatch.setattr(distributed, "SILENCE", 3.0)
    run = tmp_path / "run"
    flags = ["--steps", 10**6, "--batch", 16, "--width", 8, "--processes", 2, "--no-watch"]
    process = Forked(tmp_path / "out", "train", "vae", "--data", source, "--out", run, *flags)
    deadline = time.time() + 200
    while time.time() < deadline and not (run / "state.pt").exists():
        time.sleep(0.05)
    ranks = children(process.pid)
    assert len(ranks) == 2
    yield run, process, ranks
    for pid in [process.pid, *ranks]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def children(pid):
    """The processes that a process has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = path.read_text().rpartition(")")[2].split()
            if int(words[1]) == pid and words[0] != "Z":
                found.append(int(path.parent.name))
    return sorted(found)


def ends(pid, seconds=60):
    """Whether a process is gone within so many seconds."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        try:
            gone = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True
        if gone:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (signal.SIGKILL, "was ended by SIGKILL"),
        (signal.SIGSTOP, "a process has not answered"),
    ],
)
def test_a_rank_that_is_gone_or_silent_ends_the_job_with_one_sentence(
    endless, number, sentence, capsys
):
    run, process, (_, second) = endless
    os.kill(second, number)
    out, code = process.finish()
    assert code == 3
    assert out.count(sentence) == 1
    assert "Traceback" not in out
    assert "gloo" not in out
    if number == signal.SIGKILL:  # the other one goes on alone
        saved = torch.load(run / "state.pt", weights_only=True)["steps"]
        more = ["--steps", saved + 2, "--processes", 1, "--no-evaluate", "--no-watch"]
        ask("resume", run, *more)
        assert "trained by 2 processes and goes on with 1" in capsys.readouterr().out
        assert torch.load(run / "state.pt", weights_only=True)["steps"] == saved + 2
        assert runs.Run(run).config["processes"] == 1


def test_ranks_save_and_end_when_who_launched_them_is_killed(endless):
    run, process, ranks = endless
    before = torch.load(run / "state.pt", weights_only=True)["steps"]
    process.send_signal(signal.SIGKILL)
    assert all(ends(rank) for rank in ranks)
    assert torch.load(run / "state.pt", weights_only=True)["steps"] > before


def test_a_run_goes_on_with_more_processes_and_with_fewer(source, tmp_path, launch, capfd):
    run = tmp_path / "run"
    quick = ["--no-evaluate", "--no-watch"]
    ask("train", "rbm", "--data", source, "--out", run, "--steps", 4, "--batch", 16, "--hidden", 6, *quick)  # fmt: skip
    code, out, errors = launch("resume", run, "--steps", 8, "--processes", 2, *quick)
    assert code == 0, errors
    assert "trained by 1 process and goes on with 2" in out
    two = torch.load(run / "state.pt", weights_only=True)
    assert len(two["random"]) == 2
    assert not torch.equal(*two["random"])
    ask("resume", run, "--steps", 12, "--processes", 1, *quick)
    one = torch.load(run / "state.pt", weights_only=True)
    assert (one["steps"], one["draws"], len(one["random"])) == (12, 12, 1)


def test_a_job_that_torchrun_starts_anew_goes_on_from_its_save(source, tmp_path, monkeypatch):
    run, out = tmp_path / "run", tmp_path / "out"
    words = ["train", "rbm", "--data", source, "--batch", 16, "--hidden", 6]
    quick = ["--no-evaluate", "--no-watch", "--steps"]
    for name, value in {"RANK": "0", "WORLD_SIZE": "1", "TORCHELASTIC_RESTART_COUNT": "0"}.items():
        monkeypatch.setenv(name, value)
    said, code = Forked(out, *words, *quick, 5).finish()
    assert code == 2
    assert "give its folder with --out" in said

    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    run.mkdir()
    (run / "config.json").write_text('{"begun": 1}')  # by an attempt that saved nothing
    elsewhere = '{"host": "elsewhere", "process": 1}'  # who wrote has ended, wherever that was
    for steps in (5, 7, 7):  # the last time it had ended when all was done
        (run / ".owner.json").write_text(elsewhere)
        said, code = Forked(out, *words, *quick, steps, "--out", run).finish()
        assert code == 0, said
        assert torch.load(run / "state.pt", weights_only=True)["steps"] == steps


def test_two_processes_draw_the_samples_of_one(together, tmp_path, launch):
    run, drawn = together / "gan", {}
    code, out, errors = launch("sample", run, "-n", 9, "--out", tmp_path / "two.npz", "--processes", 2)  # fmt: skip
    assert code == 0, errors
    assert out.count("9 samples in") == 1
    ask("sample", run, "-n", 9, "--out", tmp_path / "one.npz")
    for name in ("one", "two"):
        with np.load(tmp_path / f"{name}.npz") as arrays:
            drawn[name] = arrays["x"]
    assert np.array_equal(drawn["one"], drawn["two"])


def test_two_processes_judge_as_one_does(source, tmp_path, launch):
    """The same bytes of measures.json, and one voice."""
    run = tmp_path / "run"
    ask("train", "naive-bayes", "--data", source, "--out", run, "--no-evaluate", "--no-watch")
    ask("evaluate", run, "-n", 8, "--out", tmp_path / "one")
    code, out, errors = launch("evaluate", run, "-n", 8, "--out", tmp_path / "two", "--processes", 2)  # fmt: skip
    assert code == 0, errors
    assert out.count(f"numbers and pictures in {tmp_path / 'two'}") == 1
    one, two = ((tmp_path / name / "measures.json").read_bytes() for name in ("one", "two"))
    assert one == two
    assert b"log likelihood" in one
    report = evaluate(run, n=8, processes=2)  # for who has no command line
    assert json.loads(json.dumps(report.to_dict())).items() <= json.loads(one).items()
    with pytest.raises(UsageError, match="unknown --features 'abacus'"):
        evaluate(run, n=8, features="abacus", processes=2)
    code, _, errors = launch("evaluate", "--samples", source, "--data", source, "--processes", 2)
    assert code == 2
    assert "--processes share the judging of one run" in errors


def test_a_mistake_in_a_rank_is_one_sentence_too(source, tmp_path, launch):
    flags = ["--processes", "2", "--architecture", "conv", "--out", tmp_path / "run"]
    code, _, errors = launch("train", "gan", "--data", source, *flags)
    assert code == 2
    assert len(errors.strip().splitlines()) == 1
    assert "sides of 8 to 256" in errors


def test_what_one_rank_alone_refuses_is_said_once(source, tmp_path, launch, monkeypatch):
    read = load.load

    def torn_on_the_second(*what):
        if os.environ["RANK"] == "1":
            raise UsageError("the disk of this machine is torn")
        return read(*what)

    monkeypatch.setattr(load, "load", torn_on_the_second)
    words = ["train", "gan", "--data", source, "--out", tmp_path / "run", "--processes", 2]
    code, _, errors = launch(*words, "--json")
    assert code == 2
    assert errors.count("plausible: the disk of this machine is torn") == 1
    # a document, although the first process has refused nothing: on stdout, but for processes that are forked
    assert errors.count("exit_code") == 1
    document, _ = json.JSONDecoder().raw_decode(errors[errors.index("{") :])
    assert (document["exit_code"], document["error"]) == (2, "the disk of this machine is torn")
    assert not (tmp_path / "run").exists()


def test_processes_that_do_not_meet_are_refused_in_one_sentence(source, tmp_path, monkeypatch):
    monkeypatch.setattr(distributed, "SILENCE", 2.0)
    monkeypatch.setattr(distributed, "_ASKING", 0.2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(taken.getsockname()[1])}
        words = ["train", "gan", "--data", source, "--out", tmp_path / "run"]
        for name, value in {**world, "WORLD_SIZE": "2", "RANK": "0"}.items():
            monkeypatch.setenv(name, value)
        said, code = Forked(tmp_path / "first", *words).finish()
        assert code == 2
        assert (
            said.count("plausible: processes cannot meet at port") == said.count("plausible:") == 1
        ), said
    monkeypatch.setenv("RANK", "1")  # of a job whose first machine is not there
    said, code = Forked(tmp_path / "second", *words).finish()
    assert code == 2
    assert said.count("plausible: process 1 has not met all 2") == said.count("plausible:") == 1
