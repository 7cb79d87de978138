"""GANs on people's own colour pictures, at equal minutes: the default, the one before it, and the textbook's.

tiles (sprites) and signs (photographs) at 32 pixels and signs at 64: the default for --minutes with three seeds and for --long
with one, which is a palette for sprites and filtered upsampling for photographs; small convolutions with transposed ones for
upsampling, which were the default before, filtered upsampling for sprites, and DCGAN, one seed each.
Flow matching has its rows in ``experiments.diffusion_images``, whose columns are the same but for

Frechet, random   the same multiple of real-vs-real in the features of random convolutions
apart by          total variation that the critic proves, at 95%
dB                root mean square distance of the spectra of samples and of held-out images, over rings of one frequency
colours, dB       the same of colours less their mean in a pixel, in the upper half of the rings: above 0 they are speckled
grain, dB         power of samples over that of held-out images at the highest frequency, that of a checkerboard, which no ring holds

A minute is as many updates as idle cores play in it, see ``experiments.equal_minutes``.
Each training goes on where it stopped, and each row that is there is kept.  A sheet of samples of each goes to --folder.
--picture draws docs/colour.png, and of it docs/hands.png, by the first seeds of what is in --folder.  The data must be in $PLAUSIBLE_DATA.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import kept, record
from experiments.equal_minutes import Case, compared, drawn, flags_of, judged, learned
from PIL import Image

import plausible
from plausible import figures
from plausible.evaluation.critic.critic import WHOLE
from plausible.evaluation.evaluation_set import Embedded, EvaluationSet
from plausible.evaluation.metrics.distances import frechet
from plausible.evaluation.metrics.sharpness import colour_detail, power_spectrum
from plausible.tasks.eyes import eyes_of

PICTURE = Path(__file__).parent.parent / "docs" / "colour.png"
HANDS = PICTURE.with_name("hands.png")
COLUMNS = 14
_GAP = 10  # pixels between two rows
SETS: tuple[tuple[str, int], ...] = (("tiles", 32), ("signs", 32), ("signs", 64))
DEFAULT = {"tiles": "palette", "signs": "antialiased"}
"""{data: the networks that they get}."""


def cases(minutes: float, long: float) -> list[Case]:
    """In the order in which they are made: one seed of everything, then the long ones, then the other seeds."""
    found = [Case(*one, DEFAULT[one[0]], minutes, 0) for one in SETS]
    found += [Case(*one, DEFAULT[one[0]], long, 0) for one in SETS]
    found += [Case(*one, DEFAULT[one[0]], minutes, seed) for seed in (1, 2) for one in SETS]
    found += [Case(*SETS[0], "antialiased", minutes, 0)]
    return found + [Case(*one, kind, minutes, 0) for kind in ("gan", "dcgan") for one in SETS]


def more(evalset: EvaluationSet, data: plausible.Data) -> dict[str, Any]:
    """The columns that other tables do not have."""
    n = len(evalset.heldout)
    eyes = eyes_of(data, n, "random", 0, lambda stage, share: None).embedding
    made, half, other = (
        eyes.embed(part).features
        for part in (
            evalset.samples.part.rows(slice(0, n // 2)),
            evalset.heldout.part.rows(slice(0, n // 2)),
            evalset.heldout.part.rows(slice(n // 2, None)),
        )
    )
    spectra = power_spectrum(replace(evalset, samples=evalset.samples[slice(0, n)]))
    return {
        "Frechet, random": frechet(made, half) / frechet(other, half),
        "apart by": evalset.critiques[WHOLE][-1].bound,
        "dB": spectra.value,
        "colours, dB": colour_detail(evalset).value,
        "grain, dB": _checkerboard(evalset.samples) - _checkerboard(evalset.heldout),
    }


def _checkerboard(seen: Embedded) -> float:
    """10 log10 of the mean power at half a cycle a pixel both ways."""
    x = seen.part.as_batch().x
    signs = (1 - 2 * (torch.arange(x.shape[2])[:, None] + torch.arange(x.shape[3]) & 1)).float()
    return 10 * float(torch.log10((x * signs).mean((2, 3)).square().mean()))


def picture(folder: Path, minutes: float, long: float) -> None:
    """Lines of real images, and of the first samples of each training at 32 pixels that is there."""
    lines, names = [], []
    for name, size in SETS[:2]:
        first = Case(name, size, DEFAULT[name], minutes, 0)
        shown = {DEFAULT[name]: "the default", "gan": "conv, before"}
        real = plausible.load(first.source, first.options).heldout
        lines.append(real.rows(slice(0, COLUMNS)).as_batch().x)
        names.append(f"{name}, real")
        for case in cases(minutes, long):
            run = folder / case.name
            here = (case.data, case.size, case.seed) == (name, size, 0) and case.kind in shown
            if here and (run / "weights.safetensors").exists():
                model = plausible.Run(run).model()
                lines.append(drawn(model, None, COLUMNS, 0).x)
                names.append(f"{shown[case.kind]}, {case.minutes:g} min")
    sheet = figures.grid(torch.cat(lines), COLUMNS)
    PICTURE.write_bytes(figures.png(figures.captioned(sheet, rows=names)))
    first = names.index("signs, real")
    hands = [figures.grid(line, COLUMNS) for line in lines[first : first + 2]]
    both = Image.new("RGB", (hands[0].width, 2 * hands[0].height + _GAP), "white")
    for k, row in enumerate(hands):
        both.paste(row, (0, k * (row.height + _GAP)))
    HANDS.write_bytes(figures.png(both))


def main() -> None:
    flags = flags_of(__doc__, "runs/gan_colour")
    flags.add_argument("--picture", action="store_true", help="draw docs/colour.png and nothing else")  # fmt: skip
    asked = flags.parse_args()
    if asked.picture:
        picture(asked.folder, asked.minutes, asked.long)
        return
    rows = [] if asked.quick else kept(__file__, quick=False)
    todo = cases(0.02, 0.02)[:1] if asked.quick else cases(asked.minutes, asked.long)
    for one in learned(todo, rows, asked):
        case, clock = one.case, one.clock
        samples = drawn(one.model, None, 3 * one.n, case.seed)
        sheet = figures.grid(samples.x[:64])
        (asked.folder / f"{case.name}.png").write_bytes(figures.png(sheet))
        evalset = compared(samples, one.data, one.eyes, case.seed)
        rows.append({
            "run": case.name, "data": case.data, "pixels": case.size, "model": case.kind, "minutes": case.minutes,
            "seed": case.seed, **judged(evalset), **more(evalset, one.data), "updates": clock.step,
            "images/s": clock.images / (60 * case.minutes),
        })  # fmt: skip
        print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
