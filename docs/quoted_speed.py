"""The tables of docs/scale.md on one machine: how near its limit, and how long an image takes."""

from typing import Any

from docs.quoted_tables import table
from docs.results import fixed, markdown, percent, rows


@table
def limits() -> str:
    header = (
        "model", "threads", "batch", "what", "images a second", "GFLOP/s", "of the peak", "of the time in products",
        "of the limit",
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                r["family"], str(r["threads"]), str(r["batch"]), r["what"], f"{r['images/s']:,.0f}",
                fixed(r["GFLOP/s"], 0), percent(r["of peak"]), percent(r["products"]),
                percent(r["of limit"]) if "of limit" in r else "",
            )
            for r in rows("benchmarks/limits")
        ),
    )  # fmt: skip


_WHAT = {
    "tutorial": "a textbook DCGAN, its loop with",
    "pythae": "pythae's VAE for MNIST and its trainer, batch",
    "scikit-learn": "a Boltzmann machine of 500 units and scikit-learn's in",
    "images": "a small classifier of 8x8 images, images in all:",
    "pixels": "the default GAN, pixels a side:",
    "processes": "the same at 32 pixels, processes:",
    "start": "start, seconds of",
}
_SAMPLES = {
    "fresh samples": "fresh samples for G",
    "as printed": "the samples that D has judged",
}


@table
def throughput() -> str:
    def cell(value: Any, form: str) -> str:
        return form.format(value) if isinstance(value, float) else ""

    return markdown(
        ("what", "", "microseconds an image", "times as fast as the other loop", "seconds"),
        (
            (
                _WHAT[r["kind"]],
                _SAMPLES.get(r["what"])
                or (f"{r['what']:,}" if isinstance(r["what"], int) else r["what"]),
                cell(r.get("us an image"), "{:,.0f}"),
                cell(r.get("ratio"), "{:.2f}"),
                cell(r.get("seconds"), "{:.2f}"),
            )
            for r in rows("benchmarks/throughput")
        ),
    )
