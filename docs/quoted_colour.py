"""The table of GANs on colour pictures in docs/gan.md, from the rows of its benchmark and those of diffusion."""

from benchmarks.gan_colour import DEFAULT
from docs.quoted_tables import table
from docs.results import Row, fixed, markdown, percent, rows

WHO = {
    "palette": "`palette`",
    "antialiased": "`antialiased`",
    "gan": "`conv`, the default before",
    "dcgan": "`--preset dcgan`",
    "diffusion": "`diffusion`, 16 evaluations",
}


def _who(row: Row) -> str:
    """As a table calls a model, and whether it is the default of its data."""
    default = DEFAULT[row["data"]] == row["model"]
    return WHO[row["model"]] + ", the default" * default


def _cells(row: Row) -> tuple[str, ...]:
    def shown(name: str, digits: int) -> str:
        return fixed(row[name], digits) if name in row else ""

    proved = percent(row["apart by"], 0) if "apart by" in row else ""
    return (
        row["data"], str(row["pixels"]), f"{row['minutes']:g}", _who(row), str(row["seed"]), f"{row['updates']:,}" if "updates" in row else "",
        shown("Frechet", 2), shown("Frechet, random", 2), shown("recall", 2), shown("coverage", 2),
        percent(row["critic 400"]), percent(row["critic 2000"]), proved, shown("dB", 1), shown("colours, dB", 1), shown("grain, dB", 1),
    )  # fmt: skip


@table
def gan_colour() -> str:
    header = (
        "data", "pixels", "minutes", "model", "seed", "updates", "x real-vs-real", "the same, random features", "recall", "coverage",
        "critic 400", "critic 2,000", "at least apart by", "spectrum, dB", "colours, dB", "grain, dB",
    )  # fmt: skip
    found = list(rows("benchmarks/gan_colour"))
    sets = {(row["data"], row["pixels"]) for row in found}
    found += [
        row for row in rows("experiments/diffusion_images")
        if row["model"] == "diffusion" and row["evaluations"] == 16 and (row["data"], row["pixels"]) in sets
    ]  # fmt: skip
    order = list(WHO)
    found.sort(key=lambda row: (row["data"], row["pixels"], row["minutes"], order.index(row["model"]), row["seed"]))  # fmt: skip
    return markdown(header, map(_cells, found))


@table
def gan_choices() -> str:
    """Choices of a GAN at equal time of one core, the sets one after the other."""
    found = list(rows("experiments/gan_choices"))
    found.sort(key=lambda row: (row["data"], row["core minutes"]))
    return markdown(
        ("data", "core minutes", "choice", "images", "x real-vs-real", "recall", "coverage", "critic 400", "critic 2,000", "colours, dB"),
        (
            (
                row["data"], f"{row['core minutes']:g}", row["choice"], f"{row['images']:,}", fixed(row["Frechet"], 2),
                fixed(row["recall"], 2), fixed(row["coverage"], 2), percent(row["critic 400"]), percent(row["critic 2000"]),
                fixed(row["colours, dB"], 1) if "colours, dB" in row else "",
            )
            for row in found
        ),
    )  # fmt: skip


STATES = {"FAIL": "FAIL", "PASS": "PASS", "INCONCLUSIVE": "open", "UNDEFINED": "not defined"}


@table
def gan_verdict() -> str:
    """Each test, of the default and of the one before."""
    found = list(rows("benchmarks/gan_verdict"))
    models = list(dict.fromkeys(row["model"] for row in found))
    cells = {
        (row["test"], row["model"]): f"{STATES[row['state']]}, {percent(row['effect'])}".removesuffix(", ")
        for row in found
    }  # fmt: skip
    tests = dict.fromkeys(row["test"] for row in found)
    lines = ([test, *(cells[test, model] for model in models)] for test in tests)
    return markdown(("test", *(WHO[model] for model in models)), lines)
