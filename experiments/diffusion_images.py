"""Diffusion beside a GAN of small convolutions on images, at equal minutes: how good, by how many evaluations, how fast.

Flow matching as it is by default learns each set for --minutes with three seeds, the GAN and average velocities (MeanFlow)
with one; tiles and signs at 32 pixels and signs at 64 for 30 minutes with one, at 32 pixels also with the width that
--minutes 30 chooses.  Then it draws by 1, 2, 4, 8, 16 and 64 evaluations of the network a sample (other seeds by 16,
average velocities by 1, 2 and 4), and what it drew is compared with the held-out part, of which there are n:

Frechet      distance to one half of the held-out part over that of the other half, in the features of an evaluation
recall, coverage   of all held-out examples
critic 400, 2000   how often a fresh critic is right after so many updates, at most, about held-out images and samples
images/s     of training, and of drawing, on idle cores

A minute is as many updates as idle cores play in it, see ``experiments.equal_minutes``.
Each training goes on where it stopped, and each row that is there is kept.  The data must be in $PLAUSIBLE_DATA.
"""

from benchmarks.record import kept, record
from experiments.equal_minutes import Case, compared, drawn, flags_of, judged, learned, speed


def cases(minutes: float, long: float) -> list[Case]:
    """In the order in which they are made: the first seed of everything before the others."""
    sets: list[tuple[str, int | None]] = [("signs", 32), ("tiles", 32), ("mnist", None), ("fashion-mnist", None)]  # fmt: skip
    found = [Case(*one, "diffusion", minutes, 0) for one in sets]
    found += [Case(*one, "gan", minutes, 0) for one in sets]
    found += [Case(*one, "diffusion", long, 0) for one in [*sets[:2], ("signs", 64)]]
    found += [Case(*one, "wide", long, 0) for one in sets[1::-1]]
    found += [Case(*one, "average", minutes, 0) for one in sets[:3:2]]
    return found + [Case(*one, "diffusion", minutes, seed) for seed in (1, 2) for one in sets]


def main() -> None:
    asked = flags_of(__doc__, "runs/diffusion_images").parse_args()
    rows = [] if asked.quick else kept(__file__, quick=False)
    todo = cases(0.02, 0.02)[:1] if asked.quick else cases(asked.minutes, asked.long)
    for one in learned(todo, rows, asked):
        case, clock = one.case, one.clock
        for count in case.evaluations[:2] if asked.quick else case.evaluations:
            samples = drawn(one.model, count, 3 * one.n, case.seed)
            found = judged(compared(samples, one.data, one.eyes, case.seed))
            rows.append({
                "run": case.name, "data": case.data, "pixels": case.size or one.data.space.shape[-1],
                "model": case.kind, "minutes": case.minutes, "seed": case.seed,
                "evaluations": count or 1, **found, "updates": clock.step,
                "images/s, training": clock.images / (60 * case.minutes),
                "images/s, drawing": 0 if asked.quick else speed(case)["drawn/s"] * 16 / (count or 16),
            })  # fmt: skip
            print(rows[-1], flush=True)
        record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
