"""The table of docs/refine.md, from the rows of ``experiments.refine``."""

from docs.quoted_tables import table
from docs.results import Row, fixed, markdown, percent, rows


@table
def refine() -> str:
    return markdown(
        (
            "data", "start", "seed", "what", "a critic is right after 400 updates, 2,000", "Frechet, times real", "recall",
            "bits a dimension", "nats won",
        ),
        (
            (
                row["data"], f"{row['model']}, {row['minutes']:g} min", str(row["seed"]), row["game"],
                f"{percent(row['critic 400'], 1)}, {percent(row['critic 2000'], 1)}",
                fixed(row["Frechet"], 2), fixed(row["recall"], 2), _bits(row), _won(row),
            )
            for row in rows("experiments/refine")
        ),
    )  # fmt: skip


def _bits(row: Row) -> str:
    """A bound from below in nats is one from above in bits."""
    bits = row["bits per dimension"]
    return "" if bits is None else f"{'≤ ' if row['sign'] == '≥' else ''}{fixed(bits, 3)}"


def _won(row: Row) -> str:
    won, error = row["nats won"], row["nats won, error"]
    return "" if won is None else f"{won:+,.0f} ± {error:,.0f}"
