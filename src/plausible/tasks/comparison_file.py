"""comparison.json: a comparison as its folder keeps it, a table and pictures beside."""

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from plausible import figures
from plausible.core.errors import UsageError
from plausible.core.model import Generative
from plausible.data.mark import Mark
from plausible.data.part import Data
from plausible.evaluation.paired import Comparison
from plausible.figures.side_by_side import IMAGES
from plausible.figures.tradeoff import Tradeoff
from plausible.runs import Run
from plausible.runs.kept_json import read_json
from plausible.tasks.compared import COLUMNS, Compared, FamilyResult, Plan, RunResult
from plausible.tasks.save import save_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARISON = "comparison.json"
_POINTS = 500  # samples in a picture of points


def open_comparison(folder: str | Path) -> Compared:
    """A comparison as its folder has it; UsageError where it has none."""
    place = Path(folder) / COMPARISON
    if not place.exists():
        raise UsageError(f"{folder} is no comparison: it holds no {COMPARISON}")
    try:
        kept = read_json(place)
        families = tuple(
            FamilyResult(each["name"], tuple(map(RunResult.from_dict, each["runs"])))
            for each in kept["families"]
        )
        paired = None if kept["paired"] is None else Comparison.from_dict(kept["paired"])
        return Compared(
            Plan.from_dict(kept["plan"]),
            Path(folder),
            kept["data"],
            kept["heldout"],
            families,
            paired,
            tuple(kept["advice"]),
            kept["finished"],
            tuple(kept["notes"]),
        )
    except UsageError:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(f"{place} is not as it was written: {error}") from error


def save_comparison_file(compared: Compared) -> Compared:
    """Write comparison.json in the folder of a comparison; the comparison itself comes back."""
    content = json.dumps(compared.to_dict(), indent=2) + "\n"
    save_bytes(compared.folder / COMPARISON, content.encode())
    return compared


def save_table(compared: Compared) -> Path:
    """comparison.csv: a row a run, every number as it was measured, in the folder of a comparison."""
    buffer = io.StringIO(newline="")
    rows = csv.writer(buffer)
    names = [column.name for column in COLUMNS]
    heads = ["family", "seed", "folder", "verdict", "failed", *names, "sign of log likelihood"]
    rows.writerow([*heads, *compared.defects])
    for family in compared.families:
        for run in family.runs:
            known = [run.values.get(name, "") for name in names]
            states = [run.defects.get(defect, "") for defect in compared.defects]
            seed = "" if run.seed is None else run.seed
            sign = run.signs.get("log likelihood", "")
            rows.writerow(
                [run.model, seed, run.folder, run.verdict, run.failed, *known, sign, *states]
            )
    path = compared.folder / "comparison.csv"
    save_bytes(path, buffer.getvalue().encode())
    return path


def save_pictures(compared: Compared, data: Data) -> None:
    """samples.png, what the models draw side by side, and tradeoff.png, quality against the time a sample takes."""
    drawn = _samples(compared, data)
    if not drawn:
        return
    count = IMAGES if data.space.is_image else _POINTS
    real = data.heldout.rows(slice(0, count)).as_batch().x
    sheet = figures.side_by_side(data.space, real, drawn)
    save_bytes(compared.folder / "samples.png", figures.png(sheet, Mark(", ".join(drawn), seed=0)))
    picture = figures.rendered(tradeoff_figure(compared))
    save_bytes(compared.folder / "tradeoff.png", figures.png(picture))


def tradeoff_figure(compared: Compared) -> "Figure":
    """Frechet multiple against the seconds that drawing a thousand samples takes, a point a family."""
    points = {}
    for family in compared.families:
        speed, multiple = family.interval("drawing speed"), family.interval("Frechet multiple")
        if speed is not None and multiple is not None:
            points[family.name] = Tradeoff(
                1000 / speed.mean, multiple.mean, multiple.low, multiple.high
            )
    title = f"{compared.data}, {compared.plan.budget} of training each"
    return figures.tradeoff(
        points, "seconds for 1,000 samples", "Frechet distance, times that of real data", title
    )


def _samples(compared: Compared, data: Data) -> dict[str, Tensor]:
    """{family: draws of its first run}."""
    count, found = IMAGES if data.space.is_image else _POINTS, {}
    for family in compared.families:
        if family.draws:
            run = next(run for run in family.finished if run.verdict)
            model = Run(run.folder).model()
            assert isinstance(model, Generative)
            found[family.name] = model.sample(count, generator=torch.Generator().manual_seed(0)).x
    return found
