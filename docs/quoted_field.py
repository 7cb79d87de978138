"""The table of who sees which defect in docs/evaluation.md, from the rows of ``benchmarks.field``."""

from benchmarks.field import CHECK, SAME, VERDICT, of_referee
from benchmarks.field_judges import judges
from benchmarks.referee_defects import AT_ONCE, CASES, REAL
from docs.quoted_tables import table
from docs.results import Row, markdown, percent, rows

SHOWN = {
    VERDICT: "our verdict", "frechet-bootstrap": "Frechet", "kernel-bootstrap": "kernel", "precision": "precision",
    "recall": "recall", "density": "density", "coverage": "coverage", "pqm": "PQMass", "msw": "msw",
}  # fmt: skip


def _share(found: list[Row], judge: str) -> str:
    """How often a judge says yes in all of these rows together."""
    counts = [_count(row, judge) for row in found if row[judge]]
    total = sum(asked for _, asked in counts)
    return percent(sum(yes for yes, _ in counts) / total, 0) if total else ""


def _count(row: Row, judge: str) -> tuple[float, int]:
    """(how often it says yes, how often it was asked): the verdict in the kept repetitions of the referee."""
    if judge == VERDICT and row["planted"] in CASES:
        return of_referee(row["data"], row["planted"], row["repetitions"])
    return float(row[judge].split(" ")[0]) * row["repetitions"], row["repetitions"]


@table
def field() -> str:
    found = rows("benchmarks/field")
    names = [name for name in (VERDICT, *judges) if any(row[name] for row in found)]
    groups = {
        "real data: false alarms": [row for row in found if row["planted"] in (REAL, SAME)],
        "all that a person sees at once": [row for row in found if row["planted"] in AT_ONCE],
    }
    for planted in dict.fromkeys(row["planted"] for row in found):
        if planted not in (REAL, SAME):
            groups[planted.removeprefix(CHECK)] = [r for r in found if r["planted"] == planted]
    lines = [
        (what, ", ".join(dict.fromkeys(r["data"] for r in some if not r["planted"].startswith(CHECK))), *(_share(some, name) for name in names))
        for what, some in groups.items()
    ]  # fmt: skip
    return markdown(("planted", "data", *(SHOWN[name] for name in names)), lines)
