"""The main job, seed by seed: the default GAN on the embedded digits.

For each of the seeds 0 to 4: the seconds of training, the smallest and the largest ratio of a
digit's share among 5,000 samples to its real share, and the Frechet distance to the held-out part
beside the same distance for as many real training examples.
"""

import torch
from benchmarks.record import parser, record

import plausible


def main() -> None:
    flags = parser(__doc__).parse_args()
    data = plausible.load("digits")
    rows = []
    for seed in [flags.seed] if flags.quick else range(flags.seed, flags.seed + 5):
        torch.manual_seed(seed)
        settings = plausible.Settings(steps=200 if flags.quick else None, seed=seed)
        training = plausible.train(plausible.GAN(data.space), data, settings)
        for step in training:
            if step.clock.step % 500 == 0:
                print(f"seed {seed}, step {step.clock.step}", flush=True)
        measures = plausible.measure(training.averaged, data)
        ratios = [row.ratio for row in measures.classes]
        rows.append(
            {
                "seed": seed,
                "steps": training.settings.steps,
                "seconds": round(training.seconds, 1),
                "smallest share / real": min(ratios),
                "largest share / real": max(ratios),
                "Frechet": measures.frechet,
                "Frechet real": measures.frechet_real,
                "judge accuracy": measures.accuracy,
            }
        )
    record(__file__, rows, seed=flags.seed, quick=flags.quick)


if __name__ == "__main__":
    main()
