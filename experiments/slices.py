"""Training in slices, for machines that are lent for minutes at a time; or to the end at once, or for a time of one core."""

import itertools
import sys
import time
from pathlib import Path
from typing import Any

import torch

import plausible
from plausible import runs
from plausible.data.options import DEFAULTS
from plausible.tasks.fit_steps import fit_steps
from plausible.training import Training

ROUNDS_TIMED = 25  # by which a speed is measured
_FIRST = 5  # of them, which warm up


def train_a_slice(
    folder: Path,
    name: str,
    source: str,
    config: plausible.Model.Config,
    settings: plausible.Settings,
    minutes: float,
    options: plausible.Options = DEFAULTS,
) -> Training[Any]:
    """Train a model for at most so many minutes, from the start or from where the run in the folder is.

    On a GPU where there is one.  Exits with 3, saved, while the budget of ``settings`` is not spent.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if (folder / "state.pt").exists():
        run = runs.Run(folder)
        training = runs.resume(run, settings, device)
    else:
        data = plausible.load(source, options).to(device)
        model = runs.build(name, config, data.space, settings.seed).to(device)
        training = plausible.train(model, data, settings)
        run = runs.create(folder, training)
    until, reported = training.seconds + 60 * minutes, training.seconds
    for step in fit_steps(run, training):
        if training.seconds > reported + 30:
            reported = training.seconds
            print(f"step {step.clock.step}, {step.clock.progress:.0%} of the budget", flush=True)
        if training.seconds >= until:
            break
    runs.save(run, training)
    training.pause()
    if not training.finished:
        print(f"{training.clock.progress:.0%} of the budget spent: give the same command again")
        sys.exit(3)
    return training


def learned(model: plausible.Model, data: plausible.Data, seed: int, **budget: Any) -> Any:
    """The model trained until the budget (steps or minutes) is spent, saying how far it is."""
    training = plausible.train(model, data, plausible.Settings(seed=seed, **budget))
    for step in training:
        if step.clock.step % 1000 == 999:
            print(f"  {model.name}: {step.clock.progress:.0%}", flush=True)
    return training.averaged


def updates_in(minutes: float, model: plausible.Model, data: plausible.Data) -> int:
    """How many updates one core plays in so many minutes of its own time, see ``rounds_in``; the model learns a few."""
    return rounds_in(
        minutes, plausible.train(model, data, plausible.Settings(steps=ROUNDS_TIMED * 1000))
    )


def rounds_in(minutes: float, training: Training[Any]) -> int:
    """How many rounds one core plays in so many minutes of its own time, whatever else the machine does; some are played.

    What the first rounds take beyond what others do is taken off once.  The budget of the training is to be longer.
    """
    spent = [time.process_time()]
    for _ in itertools.islice(training, ROUNDS_TIMED):
        spent.append(time.process_time())
    each = (spent[-1] - spent[_FIRST]) / (len(spent) - 1 - _FIRST)
    return max(1, round((60 * minutes - (spent[_FIRST] - spent[0])) / each) + _FIRST)
