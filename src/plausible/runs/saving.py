"""A training put down in its run, and taken up again at the round at which it was saved."""

import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import safetensors.torch
import torch
from torch import Tensor

from plausible.core.choices import Compile
from plausible.core.device import usable_cores
from plausible.core.errors import UsageError
from plausible.core.model import Model
from plausible.runs.checksums import forget, read_noted, settle
from plausible.runs.files import write
from plausible.runs.lock import writer
from plausible.runs.log import read_log
from plausible.runs.migrations import written_here
from plausible.runs.run import Run
from plausible.training import Settings, Training, train
from plausible.training.distributed import World

_STATE = {
    *[
        "steps",
        "draws",
        "seconds",
        "lr_factor",
        "converged",
        "raw",
        "averaged",
        "optimizers",
        "random",
        "own",
    ]
}
CONFIG = "config.json"
"""Under which name the weights note a copy of it."""


class Weights(NamedTuple):
    """Weights by name, and the number of steps that made them."""

    weights: Mapping[str, Tensor]
    steps: int


def save(
    run: Run, training: Training[Any], best: Weights | None = None, *, keep: bool = False
) -> None:
    """Write weights and state; every rank calls it and rank 0 writes.

    best  weights that its methods shall use, if they are not the last.
    keep  without ``best`` those of an earlier session stay the best, if there are any.
    """
    state = training.state_dict()
    if not training.world.leads:
        return
    buffer = io.BytesIO()
    torch.save(state, buffer)
    config: dict[str, Any] = {
        CONFIG: json.dumps(run.config)
    }  # enough to open the run if config.json is lost
    noted = {name: state[name] for name in ("steps", "seconds", "converged")}
    last = _packed(state["averaged"], noted | config)
    kept = run.folder / "weights.safetensors"
    # weights first: whoever resumes from an older state plays the rounds between again, and loses no best ones
    if best is not None:
        run.write(kept.name, _packed(best.weights, {"steps": best.steps} | config))
        run.write("last.safetensors", last)
    elif keep and (run.folder / "last.safetensors").exists():
        run.write("last.safetensors", last)
    else:
        run.write(kept.name, last)
        forget(run.folder / "last.safetensors")
    run.write("state.pt", buffer.getvalue())


def _packed(weights: Mapping[str, Tensor], noted: Mapping[str, object]) -> bytes:
    """Weights as safetensors, with what is to be noted beside them: the steps that made them."""
    whole = {name: tensor.contiguous() for name, tensor in weights.items()}
    return safetensors.torch.save(whole, {name: str(value) for name, value in noted.items()})


def resume(
    run: Run,
    settings: Settings,
    device: torch.device | str = "cpu",
    world: World | None = None,
    data: str | None = None,
) -> Training[Model]:
    """The training of a saved run at the round it was saved, under new or the same settings.

    data  where its data are now, if that is not where they were.
    """
    if not (run.folder / "state.pt").exists():
        raise UsageError(f"{run.folder} holds no state.pt: nothing was saved to resume from")
    training = train(
        run.fresh().to(device), run.data(data, "resume").to(device), settings, world=world
    )
    state = saved_state(run)
    training.load_state_dict(state)
    if training.world.leads:
        with writer(run.folder):
            settle(run.folder)
            if not training.finished:  # a budget that is spent is refused, and changes nothing
                changed = {
                    **run.config,
                    **written_here(training.threads),
                    "training": asdict(settings),
                    "processes": training.world.size,
                }
                run.write("config.json", json.dumps(changed, indent=2) + "\n")
                run.config = changed
            cut_log(run, state["steps"])
    return training


def resuming_notes(
    run: Run,
    processes: int | None = None,
    compile: Compile | None = None,
    threads: int | None = None,
) -> tuple[str, ...]:
    """What will make the end of a run another one if it goes on here, in sentences; asked before it does.

    processes, compile, threads  with which it goes on; None: as before.
    """
    notes, how = [], run.settings.compile
    if compile is not None and compile != how:
        notes.append(
            f"the run was trained with --compile {how} and goes on with --compile {compile}: its steps are the same, sums are "
            f"rounded and noise is drawn in another order, and its end will not be bit for bit what it would have been"
        )
    trained = run.config["processes"]
    if processes is not None and processes != trained:
        notes.append(
            f"the run was trained by {_processes(trained)} and goes on with {processes}: they share the same batches, "
            f"draw other noise, and its end will not be bit for bit what it would have been"
        )
        return tuple(notes)
    kept = run.settings.threads
    as_before = kept if isinstance(kept, int) else torch.get_num_threads()
    return (*notes, *_threads_note(run.threads, threads or as_before))


def _threads_note(before: int | None, now: int) -> tuple[str, ...]:
    """What another number of threads, or more of them than there are cores, does to a run that goes on."""
    if before is not None and before != now:
        return (
            f"the run was trained with {_threads(before)} and goes on with {_threads(now)}: sums are rounded in another order, "
            f"and its end will not be bit for bit what it would have been (--threads {before} keeps it)",
        )
    if before is not None and now > (cores := usable_cores()):
        return (
            f"the run goes on with {_threads(now)}, as before, and this process may use {cores} of the cores here: --threads "
            f"{cores} is likely to be faster, with sums rounded in another order",
        )
    return ()


def _processes(count: int) -> str:
    return f"{count} process{'es' * (count != 1)}"


def _threads(count: int) -> str:
    return f"{count} thread{'s' * (count != 1)}"


def saved_state(run: Run) -> dict[str, Any]:
    """What state.pt holds: tensors and numbers; UsageError where it is not there, damaged or of another program."""
    path = run.folder / "state.pt"
    try:
        content = read_noted(path, run.advice_for(path.name))
        state: dict[str, Any] = torch.load(
            io.BytesIO(content), map_location="cpu", weights_only=True
        )
    except FileNotFoundError as error:
        raise UsageError(
            f"{run.folder} holds no state.pt: nothing was saved to resume from"
        ) from error
    except Exception as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"{path} cannot be read: {error}") from error
    if not isinstance(state, dict) or not state.keys() >= _STATE:
        raise UsageError(f"{path} does not hold the state of a training")
    return state


def cut_log(run: Run, steps: int) -> None:
    """Drop the lines of rounds that were played after the save and will be played again."""
    path = run.folder / "log.jsonl"
    if path.exists():
        kept = [raw for raw, line in read_log(path) if line["step"] < steps]
        write(path, "".join(kept))
