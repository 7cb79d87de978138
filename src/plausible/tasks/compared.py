"""Several families on the same data: what came of each run, means over seeds, and what follows."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import scipy

from plausible.core import notebook
from plausible.core.errors import unknown
from plausible.data.options import DEFAULTS, Options
from plausible.evaluation.measure import LIKELIHOODS, Direction
from plausible.evaluation.paired import Comparison

WORST = ("FAIL", "INCONCLUSIVE", "PASS")
"""The states of a defect, the worst first."""


@dataclass(frozen=True)
class Column:
    """One number of a run: which way is good, its unit, and what it is.

    measured  whether it is a measure of an evaluation; the others are known of the run.
    """

    name: str
    direction: Direction | None
    unit: str
    what: str
    measured: bool = True

    @property
    def title(self) -> str:
        """Its name with its unit."""
        return f"{self.name}, {self.unit}".removesuffix(", ")


COLUMNS = (
    Column("total variation", "lower", "at least", "what a critic proves to differ from held-out data"),
    Column("Frechet multiple", "lower", "x real", "Frechet distance over that of real data, at the same n"),
    Column("recall", "higher", "", "held-out data among samples"),
    Column("coverage", "higher", "", "held-out data that have a sample as near as their neighbours"),
    Column("log likelihood", None, "nats", "of held-out data, with the sign of its kind: = exact, ≥ bound, ≈ estimate"),
    Column("bits per dimension", None, "bits", "the same for each pixel and channel, with its sign"),
    Column("accuracy", "higher", "", "of the held-out labels, by the classifier or by Bayes' rule"),
    Column("training speed", "higher", "examples/s", "examples learned from in a second", measured=False),
    Column("drawing speed", "higher", "samples/s", "samples drawn in a second", measured=False),
    Column("training time", None, "s", "seconds that the training took", measured=False),
    Column("size", "lower", "MB", "of the weights that are kept", measured=False),
)  # fmt: skip
_BY_NAME = {column.name: column for column in COLUMNS}


@dataclass(frozen=True)
class Plan:
    """What is compared.

    models  names of families, each trained once a seed, and folders of runs that are there.
    data    a name or a path; empty where they were given in memory.
    steps, minutes  the budget of one training; with neither that of each family.
    seeds   trainings of each family, with the seeds 0, 1, ...
    n       the most samples, and held-out examples, that a model is judged by.
    """

    models: tuple[str, ...]
    data: str
    options: Options = DEFAULTS
    steps: int | None = None
    minutes: float | None = None
    seeds: int = 1
    n: int = 5000

    @property
    def budget(self) -> str:
        """That of one training, in words."""
        if self.minutes is not None:
            return f"{self.minutes:g} minute{'s' * (self.minutes != 1)}"
        if self.steps is not None:
            return f"{self.steps:,} rounds"
        return "the rounds that suit each family"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for comparison.json."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Plan":
        """The plan that ``to_dict`` wrote."""
        chosen = {
            **values,
            "models": tuple(values["models"]),
            "options": Options(**values["options"]),
        }
        return cls(**chosen)


class Interval(NamedTuple):
    """A mean over seeds and its 95% interval by Student's t; low and high are None of a single seed."""

    mean: float
    low: float | None
    high: float | None
    seeds: int

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return number(self.mean)
        return f"{number(self.mean)} ({number(self.low)} to {number(self.high)})"


@dataclass(frozen=True)
class RunResult:
    """What came of one run.

    seed     of its training; None of a run that was there before.
    failed   why there is nothing to compare; empty where there is.
    verdict  PASS, FAIL or INCONCLUSIVE; empty of a model that draws nothing.
    defects  {defect: state} of those that are defined.
    values   {name of a column: number}, without what it cannot have.
    signs    {name of a column: the sign of its kind} of likelihoods.
    worst    the defect that matters most, and ``limit`` what most likely limits the model; empty where unknown.
    """

    model: str
    seed: int | None
    folder: Path
    failed: str = ""
    verdict: str = ""
    defects: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    signs: Mapping[str, str] = field(default_factory=dict)
    worst: str = ""
    limit: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a file."""
        return {**asdict(self), "folder": str(self.folder)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RunResult":
        """The result that ``to_dict`` wrote."""
        return cls(**{**values, "folder": Path(values["folder"])})


@dataclass(frozen=True)
class FamilyResult:
    """All runs of one family, or a single run that was there before.

    name  of the family, or of the folder of the run.
    """

    name: str
    runs: tuple[RunResult, ...]

    @property
    def finished(self) -> tuple[RunResult, ...]:
        """The runs of which something came."""
        return tuple(run for run in self.runs if not run.failed)

    @property
    def failed(self) -> str:
        """Why nothing came of any run; empty where something did."""
        return "" if self.finished else next((run.failed for run in self.runs), "it was not begun")

    @property
    def draws(self) -> bool:
        """Whether it draws samples that were judged."""
        return any(run.verdict for run in self.finished)

    def interval(self, column: str) -> Interval | None:
        """The mean of a column over seeds with its interval; None where no run has it.  KeyError for an unknown one."""
        if column not in _BY_NAME:
            raise KeyError(unknown("column", column, list(_BY_NAME)))
        values = [run.values[column] for run in self.finished if column in run.values]
        if not values:
            return None
        mean, n = statistics.fmean(values), len(values)
        if n < 2:
            return Interval(mean, None, None, n)
        half = float(scipy.stats.t.ppf(0.975, n - 1)) * statistics.stdev(values) / math.sqrt(n)
        return Interval(mean, mean - half, mean + half, n)

    def sign(self, column: str) -> str:
        """How the truth relates to a likelihood, = exact, ≥ from below, ...; empty for other columns."""
        signs = {run.signs.get(column, "") for run in self.finished}
        return signs.pop() if len(signs) == 1 else ""

    def cell(self, column: str) -> str:
        """A column for people, with its sign; empty where the family has no such number."""
        found = self.interval(column)
        if found is None:
            return ""
        return f"{self.sign(column)} {found}".strip() if column in LIKELIHOODS else str(found)

    def states(self, defect: str) -> dict[str, int]:
        """{state: runs} of one defect, the worst state first."""
        said = [run.defects.get(defect) for run in self.finished]
        return {state: said.count(state) for state in WORST if state in said}

    @property
    def verdict(self) -> str:
        """The worst verdict of its runs; empty where it draws nothing."""
        said = {run.verdict for run in self.finished}
        return next((state for state in WORST if state in said), "")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a file."""
        columns = {name: self.interval(name) for name in _BY_NAME}
        return {
            "name": self.name,
            "verdict": self.verdict,
            "failed": self.failed,
            "columns": {
                name: found._asdict() | {"sign": self.sign(name)}
                for name, found in columns.items()
                if found is not None
            },
            "runs": [run.to_dict() for run in self.runs],
        }


@dataclass(frozen=True)
class Compared:
    """Several families on one data set, the best first.

    plan      what was asked.
    folder    that holds comparison.json, the runs, and pictures.
    data      the name of the data; ``heldout`` items of them are held against every model.
    families  in the order of ``ranked``; those that draw nothing, and those that failed, at the end.
    paired    paired tests between the first two; None where fewer than two draw.
    advice    in three sentences: which family for these data, why, what would change it.
    finished  whether all of them were trained and judged; it can be gone on with otherwise.
    notes     what was decided about the data, for people.
    """

    plan: Plan
    folder: Path
    data: str
    heldout: int
    families: tuple[FamilyResult, ...]
    paired: Comparison | None = None
    advice: tuple[str, ...] = ()
    finished: bool = True
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        names = ", ".join(family.name for family in self.families)
        return f"Compared on {self.data}: {names}; {' '.join(self.advice)}".strip("; ")

    def _repr_html_(self) -> str:
        return notebook.line(" ".join(self.advice)) + notebook.table(*self.table())

    def __getitem__(self, name: str) -> FamilyResult:
        """The family, or the run, of that name; KeyError with the names that there are."""
        by_name = {family.name: family for family in self.families}
        if name not in by_name:
            raise KeyError(unknown("family", name, list(by_name)))
        return by_name[name]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Those of which any family has a number."""
        return tuple(c for c in COLUMNS if any(f.interval(c.name) for f in self.families))

    @property
    def defects(self) -> tuple[str, ...]:
        """Those that are defined of any family, in the order of the verdict."""
        found: dict[str, None] = {}
        for family in self.families:
            for run in family.finished:
                found |= dict.fromkeys(run.defects)
        return tuple(found)

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Heads and rows for people: a row a family, its verdict, and every column of which anybody has a number."""
        heads = ["family", "verdict", *(column.title for column in self.columns)]
        rows = [
            [
                family.name,
                family.verdict or family.failed or "draws nothing",
                *(family.cell(column.name) for column in self.columns),
            ]
            for family in self.families
        ]
        return heads, rows

    def to_dict(self) -> dict[str, Any]:
        """Plain values for comparison.json."""
        return {
            "plan": self.plan.to_dict(),
            "data": self.data,
            "heldout": self.heldout,
            "finished": self.finished,
            "advice": list(self.advice),
            "families": [family.to_dict() for family in self.families],
            "paired": None if self.paired is None else self.paired.to_dict(),
            "notes": list(self.notes),
        }


def ranked(families: Sequence[FamilyResult]) -> tuple[FamilyResult, ...]:
    """The best first: by what a critic proves to differ, to a tenth, then by the Frechet multiple.

    Likelihoods do not count: those of unlike kinds cannot be ordered.  Who draws nothing comes after who does.
    """

    def place(family: FamilyResult) -> tuple[bool, bool, float, float, float]:
        told, multiple = family.interval("total variation"), family.interval("Frechet multiple")
        right = family.interval("accuracy")
        return (
            bool(family.failed),
            not family.draws,
            math.inf if told is None else round(told.mean, 1),
            math.inf if multiple is None else multiple.mean,
            0.0 if right is None else -right.mean,
        )

    return tuple(sorted(families, key=place))


def number(value: float) -> str:
    """A number to three digits, with commas."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
