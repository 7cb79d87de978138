"""The tables of docs/diffusion.md, from experiments/results."""

from collections.abc import Iterator
from itertools import groupby
from statistics import mean

from docs.quoted_tables import table
from docs.results import Row, fixed, markdown, percent, rows

SETTING = ("data", "pixels", "model", "minutes", "evaluations")


@table
def diffusion_images() -> str:
    """Means over seeds."""
    header = (
        "data", "pixels", "model", "minutes", "seeds", "evaluations", "critic 400", "critic 2,000", "Frechet / real",
        "recall", "coverage", "images/s learned", "images/s drawn",
    )  # fmt: skip
    return markdown(header, map(_line, _together(rows("experiments/diffusion_images"))))


@table
def diffusion_defaults() -> str:
    """The validation loss of each choice, data sets across."""
    found = rows("experiments/diffusion_defaults")
    sets = list(dict.fromkeys(r["data"] for r in found))
    choices = dict.fromkeys((r["batch"], r["lr"], r["width"]) for r in found)
    loss = {(r["data"], r["batch"], r["lr"], r["width"]): r["validation loss"] for r in found}
    return markdown(
        ("batch", "learning rate", "width", *sets),
        (
            (str(batch), f"{lr:g}", str(width), *(fixed(loss.get((name, batch, lr, width), ""), 4) for name in sets))
            for batch, lr, width in choices
        ),
    )  # fmt: skip


def _together(found: list[Row]) -> Iterator[list[Row]]:
    """The rows of each setting, all seeds."""

    def setting(r: Row) -> tuple[str | float, ...]:
        return tuple(r[name] for name in SETTING)

    for _, seeds in groupby(sorted(found, key=setting), setting):
        yield list(seeds)


def _line(seeds: list[Row]) -> tuple[str, ...]:
    first = seeds[0]
    average = {name: mean(r[name] for r in seeds) for name in first if isinstance(first[name], float)}  # fmt: skip
    return (
        first["data"], str(first["pixels"]), f"`{first['model']}`", fixed(first["minutes"], 0), str(len(seeds)),
        str(first["evaluations"]), percent(average["critic 400"]), percent(average["critic 2000"]),
        fixed(average["Frechet"], 2), fixed(average["recall"], 2), fixed(average["coverage"], 2),
        fixed(average["images/s, training"], 0), fixed(average["images/s, drawing"], 0),
    )  # fmt: skip
