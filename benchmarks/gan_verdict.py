"""What the verdict says of a default GAN of photographs after 8 minutes, and of the default that was before it.

Signs (hands) at 32 pixels, seed 1, judged as ``plausible evaluate`` judges a run: a row for each test.  The trainings are
those of ``benchmarks.gan_colour``: what is in --folder is not trained again, and goes on where it stopped.  --picture draws
docs/texture.png, what the critic of texture was surest of and what of it that critic saw.  A row that is there is kept.
The data must be in $PLAUSIBLE_DATA.
"""

from pathlib import Path

from benchmarks.record import kept, record
from experiments.equal_minutes import KINDS, Case, flags_of, speed
from experiments.slices import train_a_slice

import plausible
from plausible import figures
from plausible.core.errors import UsageError
from plausible.figures.evaluations import evaluation

PICTURE = Path(__file__).parent.parent / "docs" / "texture.png"
KIND = "antialiased"
"""The default."""


def main() -> None:
    flags = flags_of(__doc__, "runs/gan_colour")
    flags.add_argument("--picture", action="store_true", help="draw docs/texture.png as well")
    asked = flags.parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    for kind in (KIND, "gan"):
        case = Case("signs", 32, kind, 0.02 if asked.quick else asked.minutes, 1)
        drawing = asked.picture and kind == KIND
        if asked.only not in case.name or (
            any(row["run"] == case.name for row in rows) and not drawing
        ):
            continue
        steps = 2 if asked.quick else round(60 * case.minutes * speed(case)["updates/s"])
        try:
            training = train_a_slice(
                asked.folder / case.name, case.model, case.source, KINDS[kind],
                plausible.Settings(steps=steps, seed=case.seed), asked.slice, case.options,
            )  # fmt: skip
        except UsageError as refusal:
            print(f"skipped: {refusal}")
            return
        data = plausible.load(case.source, case.options)
        report = plausible.evaluate(
            training.averaged.to("cpu"), data, n=100 if asked.quick else 5000
        )
        assert report.verdict is not None
        assert report.evalset is not None
        rows = [row for row in rows if row["run"] != case.name]
        for result in report.verdict.results:
            rows.append({
                "run": case.name, "model": kind, "minutes": case.minutes, "n": len(report.evalset.heldout), "test": result.name,
                "state": result.state.name, "effect": "" if result.effect is None else result.effect,
                "says": result.sentence,
            })  # fmt: skip
        record(__file__, rows, seed=case.seed, quick=asked.quick)
        if drawing:
            PICTURE.write_bytes(figures.png(evaluation(report.evalset)["critic-texture.png"]))
        if asked.quick:
            return


if __name__ == "__main__":
    main()
