"""Shown what is none of the classes: who says so?

Every classifier learns from MNIST (Fashion-MNIST) and is shown the held-out images of the other set,
uniform noise, its own held-out images inverted, and rotated letters of the font of the plotting library.
Discriminative models have one score, 1 - max p(y | x); generative ones have p(x), and every score made
from it is a row.

max p       mean over outliers of the largest posterior probability, calibrated on the validation part.
accepted    share of the outliers that pass where 95% of the true held-out images do.
AUROC       chance that an outlier scores higher than a held-out image.

The default score is chosen on other outliers (`purpose` is choice): images of the validation part with
their quarters swapped, blurred, two laid over each other, and plain grey ones.  Of the scores that need no
second model it is the one with the highest mean AUROC there over both sets.  The data must be in $PLAUSIBLE_DATA.
"""

from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import matplotlib
import numpy as np
import torch
from benchmarks.record import parser, record
from PIL import Image, ImageDraw, ImageFont

import plausible
from plausible.bayes.novelty import novelties
from plausible.data.mutation import mutated
from plausible.data.part import Data, Part
from plausible.evaluation.novelty import accepted, auroc
from plausible.models import ConvNet, Logistic, NaiveBayes
from plausible.recognition import BACKGROUND, Recogniser, Seen

SETS = {"mnist": "fashion-mnist", "fashion-mnist": "mnist"}
SHOWN = 5000  # outliers of each kind, at most
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabdefghjkmnqrty"  # without those that look like a digit


def letters(n: int, seed: int) -> torch.Tensor:
    """n white letters on black in DejaVu Sans, 16 to 24 points, turned by any angle: (n, 1, 28, 28)."""
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    draw, drawn = np.random.default_rng(seed), []
    for _ in range(n):
        font = ImageFont.truetype(str(path), int(draw.integers(16, 25)))
        sheet = Image.new("L", (56, 56))
        letter = LETTERS[draw.integers(len(LETTERS))]
        ImageDraw.Draw(sheet).text((28, 28), letter, fill=255, font=font, anchor="mm")
        turned = sheet.rotate(float(draw.uniform(0, 360)), Image.Resampling.BICUBIC)
        drawn.append(np.asarray(turned.crop((14, 14, 42, 42))))
    return torch.from_numpy(np.stack(drawn))[:, None]


def reported(data: Data, other: Data, n: int, seed: int) -> dict[str, Part]:
    """The outliers of the table."""
    generator = torch.Generator().manual_seed(seed)
    held = data.heldout.values[:n]
    noise = torch.randint(256, held.shape, generator=generator, dtype=torch.uint8)
    values = {
        other.name: other.heldout.values[:n],
        "uniform noise": noise,
        "inverted": 255 - held,
        "rotated letters": letters(min(n, 2000), seed),
    }
    return {name: Part(v, None, data.space) for name, v in values.items()}


def chosen(data: Data, n: int, seed: int) -> dict[str, Part]:
    """Other outliers, of the validation part, to choose a score by."""
    generator = torch.Generator().manual_seed(seed)
    x = data.validation.values[: n // 2]
    quarters = torch.cat([x[..., 14:], x[..., :14]], 3)
    quarters = torch.cat([quarters[:, :, 14:], quarters[:, :, :14]], 2)
    blurred = torch.nn.functional.avg_pool2d(x.float(), 7, 1, 3).round().to(torch.uint8)
    plain = torch.randint(256, (len(x), 1, 1, 1), generator=generator, dtype=torch.uint8)
    values = {
        "quarters swapped": quarters,
        "blurred": blurred,
        "two at once": torch.maximum(x, x.roll(1, 0)),
        "plain grey": plain.expand_as(x).contiguous(),
    }
    return {name: Part(v, None, data.space) for name, v in values.items()}


def learned(model: Any, data: Data, steps: int | None, seed: int) -> Any:
    training = plausible.train(model, data, plausible.Settings(steps=steps, seed=seed))
    for step in training:
        if step.clock.step % 1000 == 999:
            print(f"  {model.name}: step {step.clock.step + 1}", flush=True)
    return training.averaged


def rows_of(
    asked: Recogniser, data: Data, inside: Part, shown: dict[str, Part], purpose: str
) -> list[dict[str, Any]]:
    """A row for each kind of outlier and each score."""
    ours = asked.look(inside)
    rows = []
    for name, part in shown.items():
        other = asked.look(part)
        for score, (near, far) in scores(asked, ours, other).items():
            rows.append(
                {
                    "learned": data.name,
                    "model": asked.model.name,
                    "score": score,
                    "shown": name,
                    "max p": _sure(asked, other).exp().mean().item(),
                    "accepted": accepted(near, far),
                    "AUROC": auroc(near, far),
                    "purpose": purpose,
                }
            )
    return rows


def scores(asked: Recogniser, ours: Seen, other: Seen) -> dict[str, tuple[Any, Any]]:
    """{score: (of the right kind, of the outliers)}."""
    if ours.log_prob is None:
        return {"1 - max p(y|x)": (-_sure(asked, ours), -_sure(asked, other))}
    return {name: (asked.novel(ours, name), asked.novel(other, name)) for name in novelties}


def _sure(asked: Recogniser, seen: Seen) -> torch.Tensor:
    assert asked.classifier is not None
    assert seen.log_posterior is not None
    return (seen.log_posterior / asked.classifier.temperature).log_softmax(1).amax(1)


def main() -> None:
    asked = parser(__doc__).parse_args()
    quick, seed = asked.quick, asked.seed
    n, steps = (300, 60) if quick else (SHOWN, 5000)
    loaded = {name: plausible.load(name) for name in SETS}
    if quick:
        loaded = {name: _less(data) for name, data in loaded.items()}
    rows: list[dict[str, Any]] = []
    for name, beside in SETS.items():
        data = loaded[name]
        print(name, flush=True)
        bayes = learned(NaiveBayes(data.space), data, None, seed)
        behind = learned(NaiveBayes(data.space), mutated(data, BACKGROUND, seed), None, seed)
        torch.manual_seed(seed)
        askers = [
            Recogniser(learned(Logistic(data.space), data, None, seed), data),
            Recogniser(learned(ConvNet(data.space), data, steps, seed), data),
            Recogniser(bayes, data, background=behind),
        ]
        inside = data.heldout.rows(slice(0, None, max(1, len(data.heldout) // n)))
        for asker in askers:
            shown = reported(data, loaded[beside], n, seed)
            rows += rows_of(asker, data, inside, shown, "report")
            if asker.background is not None:
                half = data.validation.rows(slice(n // 2, n))
                rows += rows_of(asker, data, half, chosen(data, n, seed), "choice")
    record(__file__, rows, seed=seed, quick=quick, notes=choice(rows))


def choice(rows: list[dict[str, Any]]) -> str:
    """The mean AUROC of each score where the choice is made."""
    means = {
        score: mean(r["AUROC"] for r in rows if r["purpose"] == "choice" and r["score"] == score)
        for score in novelties
    }
    said = ", ".join(f"{score} {value:.3f}" for score, value in means.items())
    alone = {score: value for score, value in means.items() if score != "ratio"}
    best = max(alone, key=alone.__getitem__)
    return f"mean AUROC where the default is chosen: {said}; best without a second model: {best}"


def _less(data: Data) -> Data:
    parts = {p: getattr(data, p).rows(slice(0, 600)) for p in ("train", "validation", "heldout")}
    return replace(data, **parts)


if __name__ == "__main__":
    main()
