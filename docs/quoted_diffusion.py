"""The tables of docs/diffusion.md, from the rows of the experiments to Markdown."""

from collections.abc import Iterable

from docs.quoted_tables import table
from docs.results import Row, fixed, markdown, percent, rows

WHO = {
    "diffusion": "diffusion",
    "wide": "diffusion, `--width 64`",
    "gan": "GAN, `conv`",
    "average": "`--average-velocity`",
}


def _best(found: Iterable[Row]) -> list[Row]:
    """The rows of the first seed, data by data, the shorter training first."""
    order = ("signs", "tiles", "mnist", "fashion-mnist")
    first = [row for row in found if row["seed"] == 0]
    return sorted(
        first,
        key=lambda row: (
            order.index(row["data"]), row["pixels"], row["minutes"], list(WHO).index(row["model"]), row["evaluations"],
        ),
    )  # fmt: skip


@table
def diffusion_images() -> str:
    header = (
        "data", "pixels", "minutes", "model", "evaluations", "x real-vs-real", "recall", "coverage", "critic 400",
        "critic 2,000", "images/s, training", "images/s, drawing",
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                r["data"], str(r["pixels"]), f"{r['minutes']:g}", WHO[r["model"]], str(r["evaluations"]),
                fixed(r["Frechet"], 2), fixed(r["recall"], 2), fixed(r["coverage"], 2), percent(r["critic 400"]),
                percent(r["critic 2000"]), fixed(r["images/s, training"], 0), fixed(r["images/s, drawing"], 0),
            )
            for r in _best(rows("experiments/diffusion_images"))
        ),
    )  # fmt: skip


@table
def diffusion_seeds() -> str:
    """Data by what was measured, the least and the most of all seeds by 16 evaluations after 8 minutes."""
    found = [
        row
        for row in rows("experiments/diffusion_images")
        if (row["model"], row["minutes"], row["evaluations"]) == ("diffusion", 8, 16)
    ]
    lines = []
    for data in dict.fromkeys(row["data"] for row in found):
        mine = [row for row in found if row["data"] == data]
        cells = []
        for column, form in (
            ("Frechet", "{:.2f}"),
            ("recall", "{:.2f}"),
            ("coverage", "{:.2f}"),
            ("critic 400", "{:.0%}"),
        ):
            values = [row[column] for row in mine]
            cells.append(f"{form.format(min(values))} to {form.format(max(values))}")
        lines.append((data, str(len(mine)), *cells))
    return markdown(("data", "seeds", "x real-vs-real", "recall", "coverage", "critic 400"), lines)


@table
def diffusion_solvers() -> str:
    """Runs by evaluations, each cell the Frechet multiple by the solvers that have so many."""
    found = rows("experiments/diffusion_solvers")
    counts = sorted({row["evaluations"] for row in found})
    lines = []
    for name in dict.fromkeys(row["run"] for row in found):
        for solver, steps in dict.fromkeys((row["solver"], row["steps"]) for row in found):
            cells = {
                row["evaluations"]: f"{row['Frechet']:.2f} ({row['error']:.1f})"
                for row in found
                if (row["run"], row["solver"], row["steps"]) == (name, solver, steps)
            }
            who = solver if steps == "by noise" else f"{solver}, equal steps"
            lines.append((name.split("-diffusion")[0], who, *(cells.get(n, "") for n in counts)))
    return markdown(("data", "solver", *map(str, counts)), lines)


@table
def diffusion_toys() -> str:
    return markdown(
        ("data", "minutes", "nats from the truth", "points"),
        (
            (r["data"], f"{r['minutes']:g}", f"{r['gap']:.3f} ± {r['stderr']:.3f}", fixed(r["points"], 0))
            for r in rows("experiments/diffusion_toys")
        ),
    )  # fmt: skip


@table
def diffusion_defaults() -> str:
    return markdown(
        ("data", "images seen", "batch", "width", "rate", "loss on the validation part", "images/s of a core"),
        (
            (
                r["data"], fixed(r["images"], 0), str(r["batch"]), str(r["width"]), f"{r['lr']:g}",
                fixed(r["validation loss"], 3), fixed(r["images/s of a core"], 0),
            )
            for r in rows("experiments/diffusion_defaults")
        ),
    )  # fmt: skip


@table
def diffusion_width() -> str:
    kept = rows("experiments/diffusion_width")
    widths = sorted({row["width"] for row in kept})
    lines = []
    for minutes, data in sorted({(row["core minutes"], row["data"]) for row in kept}):
        cells = []
        for width in widths:
            key = {"core minutes": minutes, "data": data, "width": width}
            found = [row for row in kept if key.items() <= row.items()]
            cells += [
                f"{fixed(row['validation loss'], 3)} ({fixed(row['images'], 0)})" for row in found
            ] or [""]
        lines.append((data, f"{minutes:g}", *cells))
    return markdown(("data", "minutes of a core", *(f"width {width}" for width in widths)), lines)
