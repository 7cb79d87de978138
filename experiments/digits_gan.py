"""The main job, seed by seed: the default GAN on the embedded digits.

For each of the seeds 0 to 4: the seconds of training; the smallest and the largest ratio of a digit's
share among 5,000 samples to its real share; the Frechet distance of samples to one half of the
held-out part, beside that of the other half; recall and coverage; and which defects the verdict finds.
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
        found = plausible.evaluate(training.averaged, data)
        ratios = [share.ratio for share in found.classes]
        assert found.verdict is not None
        fails = [result.name for result in found.verdict.results if result.state == "FAIL"]
        real = found.real("Frechet distance")
        rows.append(
            {
                "seed": seed,
                "steps": training.settings.steps,
                "seconds": round(training.seconds, 1),
                "smallest share / real": min(ratios),
                "largest share / real": max(ratios),
                "Frechet": found["Frechet distance"].value,
                "Frechet real": real.value if real else None,
                "recall": found["recall"].value,
                "coverage": found["coverage"].value,
                "FAIL": ", ".join(fails),
                # of the reference classifier; the column keeps its name
                "judge accuracy": found.reference_accuracy,
            }
        )
    record(__file__, rows, seed=flags.seed, quick=flags.quick)


if __name__ == "__main__":
    main()
