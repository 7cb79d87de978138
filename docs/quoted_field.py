"""The table of who sees which defect in docs/evaluation.md, from the rows of ``benchmarks.field``."""

from benchmarks.field import CHECK, SAME, VERDICT, of_referee
from benchmarks.field_judges import judges
from benchmarks.referee_defects import AT_ONCE, CASES, REAL, UNSEEN
from docs.quoted_sentences import quote
from docs.quoted_tables import table
from docs.results import Row, markdown, percent, rows

ANY = "any test of the verdict"
SHOWN = {
    ANY: "our verdict, any test", VERDICT: "the right test", "frechet-bootstrap": "Frechet", "kernel-bootstrap": "kernel", "precision": "precision",
    "recall": "recall", "density": "density", "coverage": "coverage", "pqm": "PQMass", "msw": "msw",
}  # fmt: skip


def _share(found: list[Row], judge: str) -> str:
    """How often a judge says yes in all of these rows together; nothing where it was not asked."""
    return percent(_rate(found, judge), 0) if any(_told(row, judge) for row in found) else ""


def _told(row: Row, judge: str) -> str:
    """What the row holds of a judge."""
    return str(row[VERDICT if judge == ANY else judge])


def _rate(found: list[Row], judge: str) -> float:
    counts = [_count(row, judge) for row in found if _told(row, judge)]
    return sum(yes for yes, _ in counts) / sum(asked for _, asked in counts)


def _count(row: Row, judge: str) -> tuple[float, int]:
    """(how often it says yes, how often it was asked): the verdict in the kept repetitions of the referee."""
    if judge in (ANY, VERDICT) and row["planted"] in CASES:
        return of_referee(row["data"], row["planted"], row["repetitions"], named=judge == VERDICT)
    return float(_told(row, judge).split(" ")[0]) * row["repetitions"], row["repetitions"]


def seen_at_once(found: list[Row]) -> list[Row]:
    """The rows of defects that a person sees at once, in these data."""
    return [
        row
        for row in found
        if row["planted"] in AT_ONCE and (row["data"], row["planted"]) not in UNSEEN
    ]


@table
def field() -> str:
    found = rows("benchmarks/field")
    names = [ANY, VERDICT, *(name for name in judges if any(row[name] for row in found))]
    groups = {
        "real data: false alarms": [row for row in found if row["planted"] in (REAL, SAME)],
        "all that a person sees at once": seen_at_once(found),
    }
    for planted in dict.fromkeys(row["planted"] for row in found):
        if planted not in (REAL, SAME):
            groups[planted.removeprefix(CHECK)] = [r for r in found if r["planted"] == planted]
    lines = [
        (what, ", ".join(dict.fromkeys(r["data"] for r in some if not r["planted"].startswith(CHECK))) or "drawn", *(_share(some, name) for name in names))
        for what, some in groups.items()
    ]  # fmt: skip
    return markdown(("planted", "data", *(SHOWN[name] for name in names)), lines)


def _claim() -> None:
    """What README says of the others: only what the table shows."""
    found = rows("benchmarks/field")
    clear = seen_at_once(found)
    quote(
        "README",
        "Of defects that a person sees at once, planted into real data, the verdict rejects {} and gives {} the right name; a Frechet distance "
        "with its bootstrap interval notices {}, PQMass {}, precision {}, recall {}, coverage {}, and msw, of images alone, {}",
        *(_share(clear, judge) for judge in (ANY, VERDICT, "frechet-bootstrap", "pqm", "precision", "recall", "coverage", "msw")),
    )  # fmt: skip
    copies = [row for row in found if row["planted"] == "20% exact copies"]
    best = max(_rate(copies, judge) for judge in judges)
    quote(
        "README",
        "Of exact copies of training examples the verdict names {}, and no other notices more than {}",
        _share(copies, VERDICT), percent(best, 0),
    )  # fmt: skip


_claim()
