"""How often a failure of a GAN's training is named, how often a healthy one is accused, how late, and at what cost.

Healthy trainings and forced failures, each with seeds of its own, on the ring of 8 Gaussians, the 8x8 digits and MNIST;
the healthy ones on the ring as long as the default, the failures for less:

vanishing gradient         the saturating loss, and 10 updates of D a round
oscillation                Wasserstein's loss without a bound, simultaneous updates and momentum, small perceptrons
missing modes              a generator that learns 100 times as fast as D (ring)
garbage                    the default on 12 modes of width 0.02 on a circle of radius 2 (narrow)
discriminator overfitting  200 images, without augmentation and penalties
divergence                 Wasserstein's loss without a bound on D, and 30 times the learning rate; a number that
                           is not finite, which stops a training, counts as named too
frozen player              a D that does not learn

and of other families, on the digits: healthy trainings by default, and

posterior collapse         a VAE with --beta 200
dead units                 an RBM with 300 times the learning rate

named     share of the runs in which an alarm of that name was raised, with an exact 95% interval
accused   of healthy runs: the share with any alarm
delay     median rounds from the first probe that shows the failure's sign for good to the alarm
before    what else was raised until then
overhead  time of the probes over that of the training, median; of healthy runs, for a failure ends when it is named

Two processes of one thread each.  --logs FOLDER keeps what each run logged, and a run that is there is not trained again
but put to the alarms as they are now.  MNIST must be in $PLAUSIBLE_DATA.
"""

import math
import os
import time
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from benchmarks.record import kept, once, parser, record
from scipy import stats

import plausible
from plausible.diagnosis import History, Monitor, Severity, run_alarms
from plausible.diagnosis.discriminator import AUC_VALIDATION, LOGIT_GRADIENT
from plausible.diagnosis.garbage import GARBAGE_AT_LEAST
from plausible.diagnosis.history import PROBES
from plausible.diagnosis.missing_modes import MISSED_SHARE
from plausible.runs.log import upgrade_line

BAD = (Severity.WARNING, Severity.FAILURE)


@dataclass(frozen=True)
class Scenario:
    """What is done to a training of which model; ``few``: so many training examples."""

    config: dict[str, Any] = field(default_factory=dict)
    kind: Any = plausible.GAN
    options: plausible.Options = field(default_factory=plausible.Options)
    simultaneous: bool = False
    few: int | None = None
    where: tuple[str, ...] = ("ring", "digits", "mnist")


_BINARY = plausible.Options(binarise="dynamic")
_CIRCLING = {
    "loss": "wasserstein", "penalties": (), "architecture": "mlp", "width": 16, "beta1": 0.9, "decay": (1.0, 1.0),
}  # fmt: skip
CASES = {
    "healthy": Scenario(),
    "vanishing gradient": Scenario({"loss": "minimax", "penalties": (), "updates": 10}),
    "oscillation": Scenario(_CIRCLING, simultaneous=True),
    "missing modes": Scenario(
        {"loss": "nonsaturating", "penalties": (), "lr_discriminator": 2e-5}, where=("ring",)
    ),
    "garbage": Scenario(where=("narrow",)),
    "discriminator overfitting": Scenario(
        {"loss": "nonsaturating", "penalties": (), "augment": ()},
        few=200,
        where=("digits", "mnist"),
    ),
    "divergence": Scenario({"loss": "wasserstein", "penalties": (), "lr": 6e-2}),
    "frozen player": Scenario({"lr_discriminator": 1e-30}),
    "posterior collapse": Scenario({"beta": 200.0}, plausible.VAE, where=("digits",)),
    "dead units": Scenario({"lr": 3.0, "decay": 0.0}, plausible.RBM, _BINARY, where=("digits",)),
}
CASES |= {
    f"healthy {kind.name}": Scenario(kind=kind, options=options, where=("digits",))
    for kind, options in (
        (plausible.VAE, plausible.Options()),
        (plausible.RBM, _BINARY),
        (plausible.GSN, _BINARY),
        (plausible.PixelCNN, _BINARY),
        (plausible.ConvNet, plausible.Options()),
    )
}
STEPS = {"ring": 3000, "narrow": 10_000, "digits": 1500, "mnist": 3000}
STEPS_OF = {("healthy", "ring"): 10_000}
SEEDS = {"ring": 20, "narrow": 20, "digits": 20, "mnist": 5}
SEEDS_OF = {("healthy", "ring"): 40} | {
    (f"healthy {name}", "digits"): 5 for name in ("gsn", "pixelcnn")
}


Job = tuple[str, str, int, int]


def run(job: Job, logs: Path | None) -> dict[str, Any]:
    """One training, from its log if that is there: which alarm was raised when, and what the probes cost."""
    name, where, seed, steps = job
    file = f"{where}-{name.replace(' ', '-')}-{seed}-{steps}.json"
    found = once(None if logs is None else logs / file, partial(trained, job))
    history, raised = History(), dict[str, int]()
    for line in map(upgrade_line, found["lines"]):
        history.append(line)
        if PROBES in line:
            for finding in run_alarms(history):
                if finding.severity in BAD:
                    raised.setdefault(finding.phenomenon, line["step"])
    if found["not finite"] is not None:
        raised["not finite"] = found["not finite"]
    probing = (
        found["probing"] if "probing" in found else found["looking"]
    )  # as it was called before
    return {
        "what": name, "data": where, "seed": seed, "raised": raised, "onset": _onset(name, history),
        "overhead": probing / (found["seconds"] - probing), "seconds": found["seconds"],
    }  # fmt: skip


def trained(job: Job) -> dict[str, Any]:
    """The lines that a training logs, until what was forced is named, and the seconds of it and of the probes."""
    name, where, seed, steps = job
    torch.set_num_threads(1)
    case = CASES[name]
    data = _narrow() if where == "narrow" else plausible.load(where, case.options)
    if case.few is not None:
        data = replace(data, train=data.train.rows(slice(0, case.few)))
    torch.manual_seed(seed)
    model = case.kind(data.space, case.kind.Config(**case.config))
    settings = plausible.Settings(steps=steps, seed=seed, simultaneous=case.simultaneous)
    training = plausible.train(model, data, settings)
    monitor, probing, broke, lines = Monitor(training), 0.0, None, []
    began = time.perf_counter()
    for step in training:
        now = step.clock.step
        if not all(
            value.isfinite() for scalars in step.scalars.values() for value in scalars.values()
        ):
            broke = now
            break
        before = time.perf_counter()
        monitor.observe(step)
        due = monitor.should_probe(step)
        probing += time.perf_counter() - before
        if due or now % 10 == 0:
            line: dict[str, Any] = {"step": now, "progress": step.clock.progress, **step.values()}
            before = time.perf_counter()
            line |= monitor.pop_trace()
            if due:
                line[PROBES] = monitor.probe()
            news = monitor.update(line)
            lines.append(line)
            probing += time.perf_counter() - before
            if name in {finding.phenomenon for finding in news}:
                break
    seconds = time.perf_counter() - began
    return {
        "lines": lines,
        "not finite": broke,
        "probing": probing,
        "seconds": seconds,
    }


def _narrow() -> plausible.Data:
    """12 Gaussians of width 0.02 on a circle of radius 2, which a GAN's bridges between them miss by far."""
    generator = torch.Generator().manual_seed(0)
    angle = torch.randint(12, (6000,), generator=generator) * (math.tau / 12)  # (n,)
    x = 2 * torch.stack([angle.cos(), angle.sin()], 1)  # (n, 2)
    x += 0.02 * torch.randn(x.shape, generator=generator)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "narrow.npy"
        np.save(path, x.numpy())
        return plausible.load(str(path))


def _onset(name: str, history: History) -> int | None:
    """The probe from which on the sign of a failure is there for good."""
    signs = {
        "vanishing gradient": (LOGIT_GRADIENT, lambda v: v < 0.05),
        "missing modes": (MISSED_SHARE, lambda v: v > 0.4),
        "garbage": (GARBAGE_AT_LEAST, lambda v: v > 0.03),
        "discriminator overfitting": (AUC_VALIDATION, lambda v: v < 0.9),
    }
    if name not in signs:
        return 0
    reading, sign = signs[name]
    steps, values = history.series(reading)
    there = sign(values)
    if not len(there) or not there[-1]:
        return None
    absent = (~there).nonzero()
    return int(steps[int(absent[-1]) + 1] if len(absent) else steps[0])


def summary(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each kind of data and each failure."""
    rows = []
    for where in STEPS:
        for name in CASES:
            some = [one for one in runs if (one["data"], one["what"]) == (where, name)]
            if not some:
                continue
            healthy = name.startswith("healthy")
            names = {name, "not finite"} if name == "divergence" else {name}
            hits = [one for one in some if (one["raised"] if healthy else names & {*one["raised"]})]
            interval = stats.binomtest(len(hits), len(some)).proportion_ci()
            late = [
                max(0, min(one["raised"].get(what, math.inf) for what in names) - one["onset"])
                for one in hits
                if not healthy and one["onset"] is not None
            ]
            others = sorted({what for one in some for what in one["raised"]} - {name})
            rows.append(
                {
                    "data": where, "what": name, "runs": len(some),
                    "accused" if healthy else "named": len(hits) / len(some),
                    "95% interval": f"{interval.low:.0%} to {interval.high:.0%}",
                    "delay, rounds": median(late) if late else "",
                    "before": ", ".join(others),
                    "overhead": median(one["overhead"] for one in some) if healthy else "",
                }
            )  # fmt: skip
    keys = [
        "data",
        "what",
        "runs",
        "named",
        "accused",
        "95% interval",
        "delay, rounds",
        "before",
        "overhead",
    ]
    return [{key: row.get(key, "") for key in keys} for row in rows]


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--data", nargs="+", choices=list(STEPS), default=list(STEPS))
    flags.add_argument("--what", nargs="+", choices=list(CASES), default=list(CASES))
    flags.add_argument("--seeds", type=int, help="so many of each, instead of 20 (5 on MNIST)")
    flags.add_argument("--logs", type=Path, help="a folder that keeps what each run logged")
    asked = flags.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    wanted = []
    for where in asked.data[:1] if asked.quick else asked.data:
        for name in asked.what:
            if where in CASES[name].where:
                usual = SEEDS_OF.get((name, where), SEEDS[where])
                seeds = 1 if asked.quick else asked.seeds or usual
                steps = 400 if asked.quick else STEPS_OF.get((name, where), STEPS[where])
                wanted += [(name, where, asked.seed + k, steps) for k in range(seeds)]
    runs: list[dict[str, Any]] = []
    with get_context("spawn").Pool(2) as pool:
        for one in pool.imap_unordered(partial(run, logs=asked.logs), wanted):
            runs.append(one)
            print(
                one["data"],
                one["what"],
                one["seed"],
                one["raised"],
                f"{one['seconds']:.0f} s",
                flush=True,
            )
    rows = summary(runs)
    if not asked.quick:
        new = {(row["data"], row["what"]) for row in rows}
        rows += [
            row
            for row in kept(__file__, quick=False)
            if (row["data"], row["what"]) not in new and row["what"] in CASES
        ]
    record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
