"""Trials of what harms a training: each returns what became of it, survived, lost, wrong, crashed or hung."""

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from benchmarks import damaged_runs
from benchmarks.children import CRASHED, SIGNALS, Child, Disk, Ended, Moments, killed

import plausible
from plausible.core.model import models
from plausible.runs import Run
from plausible.tasks import check, diagnose, evaluate, fit, resume, save_report
from plausible.tasks.calibrate import keep_calibration
from plausible.tasks.trained import open_trained

SMALL = {"width": 4, "hidden": 4, "blocks": 1, "layers": 1, "components": 2, "latent": 2, "prior_width": 4, "prior_blocks": 1, "walk_back": 1}  # fmt: skip
STEPS = 6
Weights = Mapping[str, torch.Tensor]


class World:
    """Small data, and for each family what a training of it comes to when nobody disturbs it."""

    def __init__(self, folder: Path):
        self.folder, random = folder, np.random.default_rng(0)
        self._known: dict[str, tuple[list[Weights], int]] = {}
        self.trials = 0
        y = np.arange(60) % 2
        np.savez(folder / "images.npz", x=(random.random((60, 5, 5)) < 0.4).astype(np.uint8), y=y)
        np.savez(folder / "vectors.npz", x=random.normal(size=(60, 3)), y=y)

    @cached_property
    def kept(self) -> damaged_runs.Kept:
        """A whole run, copies of which are damaged."""
        return damaged_runs.make(self.folder / "kept")

    def new(self) -> Path:
        """A folder that is not there yet."""
        self.trials += 1
        return self.folder / f"run-{self.trials}"

    def train(self, family: str, out: Path, steps: int = STEPS) -> None:
        """A training from its beginning."""
        data = self.folder / ("vectors.npz" if family == "mixture" else "images.npz")
        named = {field.name for field in fields(models[family].Config)}
        small: dict[str, Any] = {name: value for name, value in SMALL.items() if name in named}
        fit(family, data, steps=steps, out=out, **small)

    def undisturbed(self, family: str, steps: int = STEPS) -> tuple[list[Weights], int]:
        """(best and last weights, the moments at which it could have been killed)."""
        key = f"{family} {steps}"
        if key not in self._known:
            out, moments = self.new(), self.new()

            def work() -> None:
                counting = Moments(0, lambda: None)
                counting.plant()
                self.train(family, out, steps)
                moments.write_text(str(counting.count))

            ended = Child(work).end()
            if ended.code:
                raise RuntimeError(ended.said)
            self._known[key] = weights(out), int(moments.read_text())
        return self._known[key]


def weights(run: Path) -> list[Weights]:
    """Its best and its last weights."""
    return [Run(run).model(which=which).state_dict() for which in ("best", "last")]


def end_of(run: Path, known: list[Weights], ended: list[Ended]) -> str:
    """What became of a run, after the processes that ended as they should have, or not."""
    if any(one.code is None for one in ended):
        return "hung"
    if any(one.crashed for one in ended):
        return "crashed"
    if ended[-1].code:
        return "lost"
    same = all(map(damaged_runs.same_weights, weights(run), known))
    hidden = [path.name for path in run.iterdir() if path.name.startswith(".")]
    return "survived" if same and check(run).whole and not hidden else "wrong"


def goes_on(world: World, family: str, run: Path, ended: list[Ended], steps: int = STEPS) -> str:
    """What becomes of a run that was disturbed: it is resumed, or begun again where nothing was saved."""
    if not (run / "state.pt").exists():
        run = world.new()
        ended.append(Child(lambda: world.train(family, run, steps)).end())
    else:
        ended.append(Child(lambda: resume(run)).end())
    said = end_of(run, world.undisturbed(family, steps)[0], ended)
    if said != "survived":
        print(f"    {family}: {said}: {[one.said[-600:] for one in ended]}", flush=True)
    return said


def killed_in_training(world: World, trial: int, again: bool = False) -> str:
    random, family = Random(f"kill {again} {trial}"), list(models)[trial % len(models)]
    run, number = world.new(), SIGNALS[trial // len(models) % 4 if not again else trial % 4]
    moments = world.undisturbed(family)[1]
    ended = [Child(lambda: world.train(family, run), killed(random, moments, number)).end()]
    if again and (run / "state.pt").exists():
        second = killed(random, moments, random.choice(SIGNALS))
        ended.append(Child(lambda: resume(run), second).end())
    return goes_on(world, family, run, ended)


def killed_in_judgement(world: World, trial: int) -> str:
    """Killed at a time; judged again it says the same, and nobody else's files are harmed."""
    run, random = world.new(), Random(f"judge {trial}")
    ended = [Child(lambda: world.train("vae", run)).end()]

    def judge() -> None:
        save_report(evaluate(run, n=24), run)

    began = time.monotonic()
    ended.append(Child(judge).end())
    took, measured = time.monotonic() - began, (run / "measures.json").read_text()
    child = Child(judge)
    time.sleep(random.random() * took)
    os.kill(child.pid, random.choice(SIGNALS))
    ended += [child.end(), Child(judge).end()]
    said = end_of(run, world.undisturbed("vae")[0], ended)
    return "wrong" if said == "survived" and (run / "measures.json").read_text() != measured else said  # fmt: skip


def typed(*words: object) -> "subprocess.Popen[str]":
    """A command of two processes, in processes of its own."""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "plausible", *map(str, words)]
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip


def finished(process: "subprocess.Popen[str]") -> Ended:
    """How a command ended; a traceback is a crash."""
    try:
        said = process.communicate(timeout=300)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return Ended(None, "")
    return Ended(CRASHED if "Traceback" in said else process.returncode, said)


def ranks(process: int) -> list[int]:
    """The processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]  # fmt: skip


def one_of_two(world: World, trial: int) -> str:
    """A rank is killed once something was saved; the job ends, and both go on."""
    flags = [
        "--data",
        world.folder / "images.npz",
        "--width",
        4,
        "--latent",
        2,
        "--batch",
        16,
        "--processes",
        2,
    ]
    flags += ["--no-evaluate", "--device", "cpu", "--seed", 0]
    known, run, random = world.folder / "two", world.new(), Random(f"rank {trial}")
    if not known.exists():
        finished(typed("train", "vae", "--steps", 800, "--out", known, *flags))
    first = typed("train", "vae", "--steps", 800, "--out", run, *flags)
    deadline = time.monotonic() + 120
    while not (run / "state.pt").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(random.random())
    for pid in ranks(first.pid)[trial % 2 :][:1]:
        os.kill(pid, SIGNALS[trial % 4])
    ended = [finished(first)]
    if (run / "state.pt").exists() and Run(run).progress != 1:
        ended.append(finished(typed("resume", run, "--no-evaluate", "--device", "cpu")))
    if any(one.code not in (0, None) for one in ended[1:]):
        print(ended[-1].said[-600:], flush=True)
    return end_of(run, weights(known), [ended[0]._replace(code=0)] * (ended[0].code in (3, 130)) + ended[1:] or ended)  # fmt: skip


def damaged(world: World, trial: int) -> str:
    """One thing is wrong with one file of a run, see ``damaged_runs``."""
    made, random = world.kept, Random(f"damage {trial}")
    harm = damaged_runs.damage(random, made, made.files[trial % len(made.files)])
    for way, outcome in damaged_runs.ask(made, harm, world.folder / "damaged").items():
        if outcome.what in ("wrong", "broken"):
            print(f"    {harm.file}, {harm.wrong}: {way} is {outcome.what}: {outcome.said[:300]}", flush=True)  # fmt: skip
            return "wrong" if outcome.what == "wrong" else "crashed"
    return "survived"


def unreadable(world: World, trial: int) -> str:
    """A file belongs to somebody else: one line names it."""
    made = world.kept
    name, place = made.files[trial % len(made.files)], world.folder / "damaged"

    def work() -> None:
        harm = damaged_runs.Damage(name, "may not be read", lambda folder: (folder / name).chmod(0))
        found = damaged_runs.ask(made, harm, place, before_asking=_as_nobody)
        bad = {way: outcome for way, outcome in found.items() if outcome.what in ("wrong", "broken")}  # fmt: skip
        if bad:
            raise RuntimeError(str(bad))

    world.folder.chmod(0o777)
    ended = Child(work).end()
    if ended.code:
        print(f"    {name}: {ended.said[-600:]}", flush=True)
    return "hung" if ended.code is None else "crashed" if ended.code else "survived"


def _as_nobody(folder: Path) -> None:
    """Whoever may read everything reads as somebody who may not."""
    if os.geteuid() == 0:
        for path in (folder, *folder.iterdir()):
            os.chown(path, 65534, 65534)
        os.seteuid(65534)


def disk_full(world: World, trial: int, lasting: bool) -> str:
    """Full at the thing of this number, with three rounds; None where fewer are done."""
    run = world.new()
    ended = [Child(lambda: world.train("vae", run, 3), Disk(trial + 1, lasting).plant).end()]
    return goes_on(world, "vae", run, ended, 3)


def writes(world: World) -> int:
    """How many things are done with files in three rounds."""
    said = world.new()

    def work() -> None:
        disk = Disk(0, False)
        disk.plant()
        world.train("vae", world.new(), 3)
        with open(said, "w") as file:
            file.write(str(disk.count))

    ended = Child(work).end()
    if ended.code:
        raise RuntimeError(ended.said)
    return int(said.read_text())


def two_resume(world: World, trial: int) -> str:
    run, known = world.new(), world.undisturbed("vae", 200)[0]
    moments = lambda: Moments(40, lambda: os.kill(os.getpid(), 9)).plant()  # noqa: E731
    ended = [Child(lambda: world.train("vae", run, 200), moments).end()]
    both = [Child(lambda: resume(run)), Child(lambda: resume(run))]
    ended += sorted((child.end() for child in both), key=lambda one: -(one.code or 0))
    refused = [one for one in ended[1:] if one.code]
    if any("is being trained by" not in one.said for one in refused):
        print([one.said for one in refused], flush=True)
        return "crashed" if any(one.crashed for one in refused) else "lost"
    return end_of(run, known, ended)


def two_begin(world: World, trial: int) -> str:
    run, known = world.new(), world.undisturbed("vae")[0]
    both = [Child(lambda: world.train("vae", run)), Child(lambda: world.train("vae", run))]
    ended = sorted((child.end() for child in both), key=lambda one: -(one.code or 0))
    said = end_of(run, known, ended)
    if said != "survived":
        print(said, [one.said[-600:] for one in ended], flush=True)
    return said


def judged_meanwhile(world: World, trial: int) -> str:
    """What another process writes to a run does not harm what its training writes."""
    run, known = world.new(), world.undisturbed("vae", 60)[0]
    trains = Child(lambda: world.train("vae", run, 60))
    while not (run / "state.pt").exists():
        time.sleep(0.005)

    def judge() -> None:
        for _ in range(5):
            diagnose(run)
            keep_calibration(open_trained(run))

    judges = Child(judge)
    ended = [judges.end(), trains.end()]
    said = end_of(run, known, ended)
    if said != "survived":
        print(said, [one.said[-600:] for one in ended], flush=True)
    return said


def many_rounds(world: World, trial: int) -> str:
    """Memory, descriptors and threads are after 10,000 rounds what they were after 2,000."""

    def work() -> None:
        seen: dict[int, tuple[float, int, int]] = {}

        def on_step(step: Any) -> None:
            if step.clock.step in (2000, 9990):
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                memory = pages * resource.getpagesize() / 2**20
                seen[step.clock.step] = memory, len(os.listdir("/proc/self/fd")), threading.active_count()  # fmt: skip

        steps = sys.modules["plausible.tasks.fit_steps"]
        steps._SAVE_EVERY = 0.5
        plausible.fit("vae", "ring", steps=10_000, out=world.new(), width=16, on_step=on_step)
        (memory, files, threads), after = seen.values()
        print(f"    MiB, descriptors and threads: {seen}", flush=True)
        if after[0] > memory + 16 or after[1:] != (files, threads):
            raise RuntimeError(str(seen))

    ended = Child(work).end(3000)
    if ended.code:
        print(ended.said, flush=True)
    return "hung" if ended.code is None else "wrong" if ended.code else "survived"


TRIALS: dict[str, Callable[[World, int], str]] = {
    "killed while it trains": killed_in_training,
    "killed while it resumes": lambda world, trial: killed_in_training(world, trial, again=True),
    "killed while it is judged": killed_in_judgement,
    "one of two processes killed": one_of_two,
    "a file damaged": damaged,
    "a file that may not be read": unreadable,
    "disk full once": lambda world, trial: disk_full(world, trial, lasting=False),
    "disk full from then on": lambda world, trial: disk_full(world, trial, lasting=True),
    "two resume at once": two_resume,
    "two begin at once": two_begin,
    "judged while it trains": judged_meanwhile,
    "10,000 rounds": many_rounds,
}
