"""The tables of what the verdict sees, from benchmarks/results/referee.json."""

from collections.abc import Iterable, Sequence

from docs.quoted_tables import table
from docs.results import Row, fixed, markdown, percent, rows

REAL, MARGIN = "real data", "margin: "
TOGETHER = ("all of these", "what a person sees at once")
SIZES = {"tiles": 1000, "signs": 500, "fashion-mnist": 1000, "glyphs": 1000, "table": 1000}
NAMES = {"fashion-mnist": "Fashion-MNIST", "mnist": "MNIST", "table": "a table"}
OVER_N = {"fashion-mnist": (300, 1000, 3000), "table": (300, 1000, 3000)}


@table
def referee() -> str:
    """Who of those that name a defect rightly FAILs, by data set."""
    return _named(SIZES.items())


@table
def referee_over_n() -> str:
    """The same over n."""
    return _named((name, n) for name, sizes in OVER_N.items() for n in sizes)


@table
def referee_margin() -> str:
    """What is just tolerated: significant, and the wrong answer."""
    lines = [r for r in rows("benchmarks/referee") if r["planted"].startswith(MARGIN)]
    return _matrix(
        lines, SIZES.items(), lambda r: f"{_share(r['significant'])}, {r['right PASS']} PASS"
    )


@table
def referee_false_alarms() -> str:
    """Real data against real data."""
    header = ("data", "n", "comparisons", "FAIL", "significant", "every test PASS", "who FAILs")
    columns = ("n", "repetitions", "any FAIL", "significant", "all PASS", "others that FAIL")
    lines = [r for r in rows("benchmarks/referee") if r["planted"] == REAL]
    return markdown(
        header, ([NAMES.get(r["data"], r["data"]), *(str(r[c]) for c in columns)] for r in lines)
    )


def _named(places: Iterable[tuple[str, int]]) -> str:
    lines = [
        r
        for r in rows("benchmarks/referee")
        if r["planted"] != REAL and not r["planted"].startswith(MARGIN)
    ]
    return _matrix(lines, places, _cell)


def _cell(r: Row) -> str:
    """What is named rightly; of all defects together also what is noticed, with exact intervals."""
    if r["planted"] not in TOGETHER:
        return _share(r["right FAIL"])
    return f"{r['right FAIL']} named, {r['any FAIL']} noticed"


def _matrix(lines: Sequence[Row], places: Iterable[tuple[str, int]], cell) -> str:  # type: ignore[no-untyped-def]
    """Defects down, data sets across; nothing where a defect is not defined."""
    there = {(r["data"], r["n"]) for r in lines}
    places = [place for place in places if place in there]
    found = {(r["planted"], r["data"], r["n"]): r for r in lines}
    planted = dict.fromkeys(r["planted"] for r in lines if (r["data"], r["n"]) in places)
    order = [p for p in planted if p not in TOGETHER] + [p for p in TOGETHER if p in planted]
    rights = {r["planted"]: r["right"] for r in lines}
    header = ("planted", "to be named", *(f"{NAMES.get(d, d)}, {n:,}" for d, n in places))
    return markdown(
        header,
        (
            (
                p.removeprefix(MARGIN),
                rights[p],
                *(cell(found[p, *place]) if (p, *place) in found else "" for place in places),
            )
            for p in order
        ),
    )


def _share(value: str) -> str:
    """0.875 (0.473 to 0.997) as 0.88."""
    return f"{float(value.split()[0]):.2f}"


@table
def paired() -> str:
    return markdown(
        ("data", "B has", "n", "repetitions", "called different, or found", "95%"),
        (
            (
                r["data"], r["planted"], fixed(r["n"], 0), str(r["repetitions"]), percent(r["found"], 1),
                f"{percent(r['low'], 1)} to {percent(r['high'], 1)}",
            )
            for r in rows("benchmarks/paired")
        ),
    )  # fmt: skip


@table
def twins() -> str:
    return markdown(
        ("pairs", "how they learned", "named", "95%", "keep to their own half, mean", "the twin that does most"),
        (
            (
                str(r["pairs"]), r["kind"], percent(r["named"]), f"{percent(r['low'])} to {percent(r['high'])}",
                percent(r["keeps to its own half, mean"]), f"{percent(r['least most'])} to {percent(r['largest most'])}",
            )
            for r in rows("benchmarks/twins")
        ),
    )  # fmt: skip


@table
def features() -> str:
    """Each candidate, of what the trunk was taught and of what it was not."""
    found = list(rows("benchmarks/features"))
    eyes = [name.removesuffix(", taught") for name in found[0] if name.endswith(", taught")]
    lines = (
        [
            NAMES.get(row["data"], row["data"]),
            *(
                f"{percent(row[f'{eye}, taught'])}, {percent(row[f'{eye}, untaught'])}"
                for eye in eyes
            ),
        ]
        for row in found
    )
    return markdown(("data", *eyes), lines)
