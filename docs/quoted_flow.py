"""The tables of docs/flows.md, from the rows of the experiments to Markdown."""

from docs.quoted_tables import table
from docs.results import Row, fixed, markdown, rows

_TABLES = ("wine", "breast cancer")


def _gap(row: Row) -> str:
    return f"{fixed(row['gap'], 3)} ± {fixed(row['stderr'], 3)}"


@table
def flow_toys() -> str:
    """Data by training points and architecture: nats from the truth."""
    found = [row for row in rows("experiments/flow_toys") if row["data"] not in _TABLES]
    header = (
        "data",
        "entropy, nats",
        "training points",
        "architecture",
        "updates",
        "nats from the truth",
    )
    return markdown(
        header,
        (
            (r["data"], fixed(-r["reference"], 3), f"{r['points']:,}", f"`{r['model'].split(', ')[1]}`", f"{r['updates']:,}", _gap(r))
            for r in found
        ),
    )  # fmt: skip


@table
def flow_tables() -> str:
    """Tables by model: held-out nats."""
    found = [row for row in rows("experiments/flow_toys") if row["data"] in _TABLES]
    header = ("data", "model", "log p(x) of held-out rows, nats", "less than the mixture's")
    return markdown(
        header, ((r["data"], r["model"], fixed(r["nats"], 2), _gap(r)) for r in found)
    )  # fmt: skip
