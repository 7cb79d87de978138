"""Small data sets and the environment of every test."""

import gc
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from importlib import import_module
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from tests.built_once import build_parsers_once
from tests.random_data import make_data
from threadpoolctl import threadpool_limits

from plausible import figures, runs
from plausible.cli.main import main
from plausible.core.space import Space
from plausible.data.load import load
from plausible.data.part import Data
from plausible.models import GAN, ConvNet
from plausible.models.mixture import choice
from plausible.tasks import before_after, evaluate
from plausible.tasks.export_formats import Written
from plausible.training import Settings, distributed, several, train

# one thread each, see conftest.py
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # of processes that a test starts
threadpool_limits(1)
torch.set_num_threads(1)

gc.set_threshold(50_000)


LONGEST = (
    "app_browser",
    "notebooks",
    "site",
    "data_hub",
    "sweep",
    "laws",
    "critic",
    "power",
    "kept",
)


def pytest_collection_modifyitems(items):
    """Files whose tests take longest are begun first: at the end all but one process would wait for them."""
    items.sort(key=lambda item: item.path.stem.removeprefix("test_") not in LONGEST)


def pytest_collection_finish():
    """What is imported and collected stays: nobody looks for garbage in it again."""
    gc.freeze()
    gc.enable()


def pytest_sessionfinish():
    """Nor in what goes away: pytest and Python would look through all of it three times."""
    gc.freeze()


DRAW = Figure.draw
TRIED, FOLDS = choice._TRIED, choice._FOLDS
SAMPLES = 200
"""By which a model is judged where nobody says by how many, in the place of 5,000."""


def judge_by_less(patch):
    """Judges learn for less, and nothing is planted into real data, which is taken for too small.

    A training is judged by few samples.  Labels are shuffled as often as a verdict of 20 tests needs, a distance is
    extrapolated from two sizes of sets, and a bound by 5,000 draws is taken of 8 examples.
    """
    patch.setattr(import_module("plausible.tasks.reference_classifier"), "_STEPS", 70)
    patch.setattr(import_module("plausible.evaluation.critic.convolutional"), "BUDGETS", (3, 6))
    patch.setattr(import_module("plausible.evaluation.critic.tabular"), "TREES", (3, 6))
    patch.setattr(import_module("plausible.evaluation.verdict.power"), "_FEWEST", 10**9)
    for name, shuffles, resamples in (("verdict.verdict", 499, 199), ("paired", 599, 199)):
        module = import_module(f"plausible.evaluation.{name}")
        patch.setattr(module, "_SHUFFLES", shuffles)
        patch.setattr(module, "_RESAMPLES", resamples)
    metrics = "plausible.evaluation.metrics"
    patch.setattr(import_module(f"{metrics}.two_sample"), "_SHUFFLES", 199)
    patch.setattr(import_module(f"{metrics}.memorisation"), "_DRAWS", 1199)
    patch.setattr(import_module(f"{metrics}.distances"), "_SIZES", 2)
    patch.setattr(import_module("plausible.diagnosis.bound_gap"), "_FEW", 8)
    patch.setattr(import_module("plausible.evaluation.critic.updates_to_accuracy"), "BUDGET", 5)
    patch.setitem(evaluate.__kwdefaults__, "n", SAMPLES)
    patch.setitem(before_after.__kwdefaults__, "n", SAMPLES)


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    """Reference classifiers are kept once for the whole session, never in the user's cache, and are of less."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # one cache for all workers
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAUSIBLE_CACHE", str(root / "plausible-cache"))
        patch.setenv("TRACKIO_DIR", str(root / "trackio"))
        patch.setenv("PLAUSIBLE_MIRROR", "http://127.0.0.1:9")  # where nobody answers
        judge_by_less(patch)
        # of how many Gaussians a mixture is made is chosen among less, see ``numbers``
        patch.setattr(choice, "_TRIED", TRIED[:3])
        patch.setattr(choice, "_FOLDS", 2)
        build_parsers_once(patch)
        patch.setattr(gc, "set_threshold", lambda *_: None)  # each command would set that of users
        # of a training with fit they take a second, and are looked at in test_training_pictures
        patch.setattr(import_module("plausible.tasks.fit"), "TrainingPictures", lambda *_: None)
        patch.setattr(figures, "learning_curves", lambda *_: Image.new("L", (1, 1)))
        # nothing is drawn into a figure, which is as large as it is for users: see ``drawn``
        patch.setattr(Figure, "draw", lambda *_: None)
        # torch would keep the stack of who asked for each of them, which takes half a millisecond
        if not torch.cuda.is_available():
            for device in (torch.cuda, torch.xpu, torch.mtia):
                patch.setattr(device, "manual_seed_all", lambda seed: None, raising=False)
        # no test outlives a power cut, and the suite writes thousands of files
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def drawn(monkeypatch):
    """What is in a figure is drawn, which takes most of the time of a short command; always so in figures/."""
    monkeypatch.setattr(Figure, "draw", DRAW)


@pytest.fixture
def numbers(monkeypatch):
    """Of how many Gaussians a mixture is made is chosen as for users, see ``_cache``."""
    monkeypatch.setattr(choice, "_TRIED", TRIED)
    monkeypatch.setattr(choice, "_FOLDS", FOLDS)


@pytest.fixture
def believing(monkeypatch):
    """Tests are tried on real data as they are for users, see ``_cache``: what a verdict says is believed."""
    monkeypatch.setattr(import_module("plausible.evaluation.verdict.power"), "_FEWEST", 20)
    monkeypatch.setattr(import_module("plausible.evaluation.critic.tabular"), "TREES", (100, 400))
    monkeypatch.setattr(import_module("plausible.tasks.eyes"), "_VERSION", "believing")


@pytest.fixture
def binary() -> Data:
    """Random points of the space of all 2x2 binary images, in two classes."""
    return make_data(Space((1, 2, 2), levels=2, classes=2))


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Runs to draw from: digits (unconditional and conditional), a toy, and a classifier."""
    folder, found = tmp_path_factory.mktemp("runs"), {}
    for name, source, model, config in (
        ("digits", "digits", "gan", GAN.Config(width=4)),
        ("labelled", "digits", "gan", GAN.Config(width=4, conditional=True)),
        ("ring", "ring", "gan", GAN.Config(width=8)),
        ("classifier", "digits", "convnet", ConvNet.Config(width=4)),
    ):
        data = load(source)
        training = train(runs.build(model, config, data.space, 0), data, Settings(steps=2))
        found[name] = runs.create(folder / name, training)
        list(training)
        runs.save(found[name], training)
    return {name: str(run.folder) for name, run in found.items()}


def export_untraced(patch):
    """A part of a model is written as what comes out of it for some inputs: to trace it takes seconds."""

    def written(ending, graph, part, facts):
        generator = torch.Generator().manual_seed(0)
        out = part.function(*(each.draw(2, generator) for each in part.inputs))
        return Written(out.detach().numpy().tobytes(), part.function)

    module = import_module("plausible.tasks.export")  # the file, not its function
    patch.setattr(module, "traced", lambda model, part: None)
    patch.setattr(module, "written", written)


def tiny(path, n):
    """A file of n black and white images of 2x2 with labels."""
    x = np.random.default_rng(0).integers(0, 2, (n, 1, 2, 2), dtype=np.uint8)
    np.savez(path, x=x, y=x.reshape(n, 4).sum(1) > 1, levels=2)
    return path


def environment():
    """That of a process that a test starts: one thread, and the cache of the session."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}


def work_and_exit(work, prepare):
    """What a forked process does: this work, and an end without the clean-up of the tests."""
    code = 1
    try:
        prepare()
        work()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def worked_together(folder, work, *args):
    """A folder after two processes that are the ranks of one world have done this work, forked from this one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    ranks = []
    for rank in range(2):
        ranks.append(os.fork())
        if not ranks[-1]:
            place = {**environment(), **world, "RANK": str(rank)}
            work_and_exit(lambda: work(*args), lambda place=place: os.environ.update(place))
    assert [os.waitpid(rank, 0)[1] for rank in ranks] == [0, 0]
    return folder


class Forked:
    """``plausible`` with these words in a process of its own, forked from this one, which knows torch by now.

    out  the file of what it prints.
    """

    def __init__(self, out, *words):
        self.out = out
        self.pid = os.fork()
        if not self.pid:
            words = [str(word) for word in words]
            work_and_exit(lambda: main(words), lambda: self._prepare(words))

    def _prepare(self, words):
        file = self.out.open("w")
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        sys.stdout = sys.stderr = file
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ.update(environment())
        sys.argv = ["plausible", *words]

    def send_signal(self, number):
        os.kill(self.pid, number)

    def finish(self):
        """(what it printed, its exit code, negative where a signal ended it), once it has ended."""
        _, status = os.waitpid(self.pid, 0)
        return self.out.read_text(), os.waitstatus_to_exitcode(status)


class ForkedChild:
    """A process that is forked from this one, which knows torch by now, in the place of a ``subprocess.Popen``.

    command  ends in ``plausible`` and its words, or in ``-c`` with code and its words.
    """

    def __init__(self, command, env, stdout=None, stderr=None, **how):
        sys.stdout.flush()
        sys.stderr.flush()
        self.returncode = None
        self._pid = os.fork()
        if not self._pid:
            if "-c" in command:
                _, code, *words = command[command.index("-c") :]
                work = lambda: exec(code, {"__name__": "__main__"})  # noqa: E731
                argv = ["-c", *words]
            else:
                argv = command[command.index("plausible") :]
                work = lambda: main(argv[1:])  # noqa: E731
            work_and_exit(work, lambda: self._prepare(argv, env, {1: stdout, 2: stderr}))

    def _prepare(self, argv, env, files):
        sys.argv = argv
        os.environ.update(env)
        for number, file in files.items():
            if file is not None:
                os.dup2(file.fileno(), number)
                name = "stdout" if number == 1 else "stderr"  # which tests may have replaced
                setattr(sys, name, open(number, "w", buffering=1, closefd=False))  # noqa: SIM115

    def poll(self):
        if self.returncode is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self):
        while self.poll() is None:
            time.sleep(0.01)
        return self.returncode

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self._pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


@pytest.fixture
def forking_others(monkeypatch):
    """f(module): of the processes that it starts the first is one as for users, and the others are forked."""

    def begin(module):
        begun = []

        def started(*command, **how):
            begun.append((subprocess.Popen if not begun else ForkedChild)(*command, **how))
            return begun[-1]

        instead = SimpleNamespace(Popen=started, DEVNULL=subprocess.DEVNULL)
        monkeypatch.setattr(module, "subprocess", instead)

    return begin


@pytest.fixture
def handlers():
    """Those of signals are put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def forking(monkeypatch):
    """The ranks of a command are forked."""
    for module in (distributed, several):
        monkeypatch.setattr(module, "subprocess", SimpleNamespace(Popen=ForkedChild))


@pytest.fixture
def launch(monkeypatch, capfd, forking, handlers):
    """(exit code, output, errors) of a command that starts two processes, which are forked."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)

    def launched(*words):
        monkeypatch.setattr(sys, "argv", ["plausible", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            ask(*words)
        return end.value.code, *capfd.readouterr()

    return launched


def ask(*words):
    """A command as it is typed."""
    main([str(word) for word in words])


def refused(capsys, *args):
    """The sentence of a refused command."""
    with pytest.raises(SystemExit) as end:
        ask(*args)
    captured = capsys.readouterr()
    assert end.value.code == 2
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("plausible: ")
    return lines[0]
