"""The tables of docs/reliability.md, from the rows of ``benchmarks.fuzz`` and ``benchmarks.endurance``."""

from docs.quoted_tables import table
from docs.results import markdown, rows

OUTCOMES = ("accepted", "refused", "broken", "late", "large")
ENDS = ("tried", "survived", "lost", "wrong", "crashed", "hung")


@table
def fuzz() -> str:
    found: dict[tuple[str, str], list[dict[str, int]]] = {}
    for row in rows("benchmarks/fuzz"):
        found.setdefault((row["of"], row["what"]), []).append(row)
    lines = [
        (of, f"`{what}`", *(f"{sum(row[name] for row in some):,}" for name in ("inputs", *OUTCOMES)))
        for (of, what), some in found.items()
    ]  # fmt: skip
    return markdown(("", "", "inputs", *OUTCOMES), lines)


@table
def endurance() -> str:
    lines = ((row["kind"], *(f"{row[name]:,}" for name in ENDS)) for row in rows("benchmarks/endurance"))  # fmt: skip
    return markdown(("what is done to it", *ENDS), lines)
