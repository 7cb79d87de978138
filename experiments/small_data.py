"""200 images: does a GAN copy them, with the augmentation that the default chooses and without any?

For MNIST and Fashion-MNIST: the default GAN on 200 training images, as the augmentation adapts itself,
and the same without augmentation.  The share of near copies and its p-value are those of the verdict on
5,000 samples against the held-out part; the copied fraction is the measure of that name.  MNIST must be in $PLAUSIBLE_DATA/mnist.
"""

from dataclasses import replace

from benchmarks.record import parser, record

import plausible

IMAGES = 200


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=4.0, help="of training, for each row")
    flags.add_argument("--data", nargs="+", default=["mnist", "fashion-mnist"])
    asked = flags.parse_args()
    minutes = 0.05 if asked.quick else asked.minutes
    rows = []
    for name in asked.data[:1] if asked.quick else asked.data:
        whole = plausible.load(name)
        data = replace(
            whole,
            train=whole.train.rows(slice(0, IMAGES)),
            validation=whole.validation.rows(slice(0, IMAGES // 10)),
        )
        for augment in (None, ()):
            config = plausible.GAN.Config(augment=augment)
            settings = plausible.Settings(minutes=minutes, seed=asked.seed)
            training = plausible.train(plausible.GAN(data.space, config), data, settings)
            for step in training:
                if step.clock.step % 500 == 0:
                    strength = training.raw.strength
                    p, gap = strength.p.item(), strength.heldout_gap.item()
                    print(
                        f"{name} {augment} step {step.clock.step} p {p:.2f} held-out gap {gap:.2f}"
                    )
            found = plausible.evaluate(training.averaged, data, n=500 if asked.quick else 5000)
            assert found.verdict is not None
            result = {result.name: result for result in found.verdict.results}["copies"]
            coverage, real = found["coverage"].value, found.real("coverage")
            fraction = found["copied fraction"]
            rows.append(
                {
                    "data": name,
                    "augment": "default" if augment is None else "none",
                    "steps": training.clock.step,
                    "strength at the end": training.raw.strength.p.item(),
                    "near copies": str(result.state),
                    "share": result.effect,
                    "p": result.p,
                    "copied fraction": fraction.value,
                    "p of that": fraction.p,
                    "coverage": coverage,
                    "coverage real": real.value if real else None,
                }
            )
    record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
