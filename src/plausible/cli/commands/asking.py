"""plausible classify and score: questions about inputs."""

import csv
import io
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from plausible import figures, runs
from plausible.cli.commands.files import place, progress, raster, write_bytes
from plausible.cli.menu import Asking, Classify, Score
from plausible.core.capabilities import Autoregressive
from plausible.core.errors import UsageError
from plausible.core.model import Explicit
from plausible.data.inputs import Inputs, inputs
from plausible.recognition.recogniser import Answer, Plausibility, Recogniser

_SHOWN = 100  # rows of the table on the screen
_LONG = 1e9  # nats beyond which digits say nothing
_PICTURED = 16  # inputs of a heat map


def classify(asked: Classify, console: Console) -> None:
    """plausible classify RUN PATH...: the posterior, and the decision or why there is none."""
    recogniser, given = _opened(asked, console)
    if asked.novelty is not None and recogniser.conformal is None:
        raise UsageError(
            f"--novelty asks how plausible x is, and a {recogniser.model.name} says only p(y | x)"
        )
    with progress(console) as bar:
        bar.add_task("looking at the inputs", total=None)
        found = recogniser.classify(given.part, given.names, asked.reject_cost, asked.level)
    kinds = recogniser.kinds
    table = Table(title=f"{len(found):,} inputs", title_justify="left", title_style="bold")
    for name in ("input", "decision", "reason", "posterior"):
        table.add_column(name, overflow="fold")
    for answer in found[:_SHOWN]:
        table.add_row(answer.name, answer.decision, answer.reason, _largest(answer, kinds))
    _told(asked, console, given, table, [_flat(answer, kinds) for answer in found])


def score(asked: Score, console: Console) -> None:
    """plausible score RUN PATH...: log p(x) with its sign, percentile and p-value."""
    recogniser, given = _opened(asked, console)
    if asked.map is not None:
        raster(recogniser.model, "--map")
    with progress(console) as bar:
        bar.add_task("looking at the inputs", total=None)
        found = recogniser.score(given.part, given.names)
    table = Table(
        title=f"{len(found):,} inputs; implausible by {recogniser.novelty}",
        title_justify="left",
        title_style="bold",
    )
    for name in ("input", "log p(x), nats", "of held-out data", "p-value"):
        table.add_column(name, justify="left" if name == "input" else "right", overflow="fold")
    for row in found[:_SHOWN]:
        below = f"{row.percentile:.1%} are at most as probable"
        table.add_row(row.name, _nats(row), below, f"{row.p:.2g}")
    _told(asked, console, given, table, [asdict(row) for row in found])
    if asked.map is not None:
        _map(recogniser, given, asked.map)
        console.print(f"-log p of every pixel in {asked.map}", highlight=False, soft_wrap=True)


def _map(recogniser: Recogniser, given: Inputs, out: str) -> None:
    """Images and below each its pixels' -log p, of the first inputs."""
    model = recogniser.model
    assert isinstance(model, Autoregressive)
    x = given.part.rows(slice(0, _PICTURED)).as_batch().x
    y = None
    if model.conditional and recogniser.classifier is not None:
        y = recogniser.classifier.log_posterior(x).argmax(1)
    write_bytes(Path(out), figures.png(figures.heat(x, model.surprisal(x, y).cpu())))


def _opened(asked: Asking, console: Console) -> tuple[Recogniser, Inputs]:
    """The run, ready to answer, and what it is asked about."""
    run, device = runs.Run(asked.run_folder), place(asked.device)
    model = run.model(device)
    given = inputs(asked.paths, run.space, run.options)
    behind = None
    if asked.background is not None:
        beside = runs.Run(asked.background).model(device)
        mutated = runs.Run(asked.background).options.mutate
        if not isinstance(beside, Explicit) or beside.space != model.space or not mutated:
            raise UsageError(
                f"{asked.background} is no background of {asked.run_folder}: it must be an explicit "
                f"model of the same data, trained with --mutate 0.2"
            )
        behind = beside
    elif asked.novelty == "ratio":
        raise UsageError("--novelty ratio needs --background RUN, a run trained with --mutate 0.2")
    with progress(console) as bar:
        bar.add_task("calibrating on the validation data", total=None)
        found = Recogniser(
            model,
            run.data(),
            background=behind,
            novelty=asked.novelty,
            draws=asked.draws,
            seed=asked.seed,
        )
    return found, given


def _told(
    asked: Asking, console: Console, given: Inputs, table: Table, rows: list[dict[str, Any]]
) -> None:
    """RunLogger and table on the screen, everything in the file that was asked for."""
    for note in given.notes:
        console.print(f"* {note}", highlight=False, soft_wrap=True)
    console.print(table, highlight=False)
    if len(rows) > _SHOWN:
        more = f"... and {len(rows) - _SHOWN:,} more: --out FILE.csv has them all"
        console.print(more, highlight=False, soft_wrap=True)
    if asked.out is not None:
        write_bytes(asked.out, (_json if asked.out.suffix.lower() == ".json" else _csv)(rows))
        console.print(f"all of it in {asked.out}", highlight=False, soft_wrap=True)


def _json(rows: list[dict[str, Any]]) -> bytes:
    plain = [{k: _finite(value) for k, value in row.items()} for row in rows]
    return (json.dumps(plain, indent=2, allow_nan=False) + "\n").encode()


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: null stands for them."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _csv(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _flat(answer: Answer, kinds: tuple[str, ...]) -> dict[str, Any]:
    """One row of a table: what was decided, then p(y | x) class by class."""
    row = asdict(answer)
    posterior = row.pop("posterior")
    del row["label"]
    return row | {f"p({kind})": p for kind, p in zip(kinds, posterior, strict=True)}


def _largest(answer: Answer, kinds: tuple[str, ...]) -> str:
    """The three most probable classes."""
    order = sorted(zip(answer.posterior, kinds, strict=True), reverse=True)[:3]
    return "  ".join(f"{kind} {p:.1%}" for p, kind in order)


def _nats(row: Plausibility) -> str:
    error = "" if row.stderr is None else f" ± {row.stderr:.2g}"
    number = f"{row.log_prob:,.1f}" if abs(row.log_prob) < _LONG else f"{row.log_prob:.4g}"
    return f"{row.sign} {number}{error}"
