"""One run of a comparison: judged like the others, and how fast and how large it is."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from plausible.core.model import Generative
from plausible.evaluation.measure import LIKELIHOODS
from plausible.runs import Run
from plausible.runs.log import read_log
from plausible.tasks.advise import advise
from plausible.tasks.compared import COLUMNS, RunResult
from plausible.tasks.course import course_of
from plausible.tasks.evaluate import evaluate
from plausible.tasks.eyes import StageProgress
from plausible.tasks.save import save_report
from plausible.tasks.trained import Trained

_FIRST, _MOST = 16, 1024  # samples whose drawing is timed
_ENOUGH = 0.5  # seconds of drawing by which its speed is known


def judged(trained: Trained, place: Path, n: int, progress: StageProgress) -> dict[str, Any]:
    """measures.json of a run by n samples and seed 0: as it is there, or made now, in ``place``."""
    assert trained.run is not None
    for folder in (place, trained.run.folder):
        judged = Run(folder).judged
        if judged is not None:
            seal = judged.get("seal") or {}
            same = (seal.get("n"), seal.get("seed"), seal.get("features")) == (n, 0, "auto")
            if same or not isinstance(trained.model, Generative):
                return judged
    report = evaluate(trained, n=n, progress=progress)
    advice = advise(report, course_of(trained))
    save_report(report, place, trained.data, advice)
    return report.to_dict() | ({} if advice is None else {"advice": advice.to_dict()})


def result_of(
    name: str, seed: int | None, trained: Trained, judged: Mapping[str, Any]
) -> RunResult:
    """The row of a run, from what was measured of it and what its folder says."""
    assert trained.run is not None
    measures = {row["name"]: row for row in judged["measures"] if row["value"] is not None}
    values = {
        c.name: measures[c.name]["value"] for c in COLUMNS if c.measured and c.name in measures
    }
    frechet = measures.get("Frechet distance")
    if frechet is not None and frechet.get("real", {}).get("value", 0) > 0:
        values["Frechet multiple"] = frechet["value"] / frechet["real"]["value"]
    signs = {each: measures[each]["kind"] for each in LIKELIHOODS if each in measures}
    verdict, advice = judged["verdict"] or {}, judged.get("advice") or {}
    states = {row["name"]: row["state"] for row in verdict.get("defects", ())}
    return RunResult(
        name,
        seed,
        trained.run.folder,
        verdict=str(verdict.get("state", "")),
        defects={each: str(state) for each, state in states.items() if state != "not defined"},
        values=values | _speeds(trained),
        signs=signs,
        worst=advice.get("defect") or "",
        limit="time" if advice.get("too_short") else advice.get("limit") or "",
    )


def _speeds(trained: Trained) -> dict[str, float]:
    """How fast it learned and draws, and how large it is."""
    run = trained.run
    assert run is not None
    lines = [line for _, line in read_log(run.folder / "log.jsonl")]
    last = lines[-1] if lines else {}
    found = {"size": (run.folder / "weights.safetensors").stat().st_size / 1e6}
    seconds = float(last.get("seconds", 0.0))
    if seconds > 0:
        found["training time"] = seconds
        if last.get("images") and trained.model.iterates:
            found["training speed"] = last["images"] / seconds
    if isinstance(trained.model, Generative):
        found["drawing speed"] = drawing_speed(trained.model)
    return found


def drawing_speed(model: Generative) -> float:
    """Samples a second, by as many at once as take half a second, up to 1,024."""
    n = _FIRST
    while True:
        began = time.perf_counter()
        model.sample(n, generator=torch.Generator().manual_seed(0)).x.cpu()
        took = time.perf_counter() - began
        if took >= _ENOUGH or n >= _MOST:
            return n / took
        n *= 4
