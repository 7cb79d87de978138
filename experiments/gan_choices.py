"""What pays for a GAN on images of 32 pixels and more in the minutes there are: one choice after the other at equal time of one core.

Each choice learns for --core-minutes of one core's own time, that is for as many updates as it plays in them, on tiles and signs in
colour and Fashion-MNIST at 32 pixels; what it draws is compared with a part of the training data that is kept from it, at most a
quarter: Frechet distance as a multiple of that between its halves, recall, coverage, and how often a fresh critic is right after
at most 400 and 2,000 updates; and by how much the colours of pixels less their mean have more detail than real ones, in decibels.

antialiased           filtered upsampling; averages of its G over other spans are from the very same training
palette               the same, but each image has 32 colours of its own, which its pixels mix
as by default         a palette where images in colour are flat in good part, otherwise antialiased, as is all that follows
soft colours          the same as antialiased, but what is drawn are brightness and two colour differences, the latter through one more filter
grain                 the same as antialiased, but each pixel has z of its own beside those of the image: what a camera's noise is drawn by
decoder               G is the decoder of a VAE for the first so many per cent of the time, alone or beside the game
D at the full size    its first convolution is at the full size, with 16 channels, and not after two pixels a side are folded to one;
both                  and G has 16 there, not 8
width                 channels where most convolutions work; wider networks make more of each image and see fewer of them
penalties             their weight, which is 1 otherwise; StyleGAN2's rule says 0.0002 pixels over the batch, which is 0.006 here
minibatch std         D is shown how much its features vary over the batch (Karras et al. 2018, https://arxiv.org/abs/1710.10196)
consistency           D is not to mind a small shift (Zhang et al. 2020, https://arxiv.org/abs/1910.12027)
projected, auxiliary  with labels, which D learns by a product with its features or by a head of its own
magnitudes            layers that keep the size of activations (Karras et al. 2024, https://arxiv.org/abs/2312.02696)
frozen                D sees random features that never learn, at three sizes (after Sauer et al. 2021, https://arxiv.org/abs/2111.01007)

A row that is there is kept; a sheet of samples of each goes to --folder.  The held-out part is not looked at.  The data must be in $PLAUSIBLE_DATA.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from benchmarks.sets import source
from experiments.equal_minutes import MOST, compared, drawn, judged
from experiments.gan_decoder import Decoder, begin_alone
from experiments.gan_layers import frozen, grain, magnitudes, soft_colours
from experiments.slices import updates_in

import plausible
from plausible import figures
from plausible.core.space import Batch
from plausible.data.options import Options
from plausible.data.part import Data
from plausible.evaluation.embedding import Embedding
from plausible.evaluation.metrics.sharpness import colour_detail
from plausible.models import GAN
from plausible.tasks.eyes import eyes_of

SETS = ("tiles", "signs", "fashion-mnist")
SPANS = (
    0.005,
    0.02,
    0.1,
    0.2,
)  # half-lives of averages of G, as shares of the examples so far; the default is 0.05
_AVERAGED = "antialiased"


def chosen(**choices: Any) -> Callable[[Data], GAN]:
    """The default with other choices."""
    return lambda data: GAN(data.space, decided(data, **choices))


def decided(data: Data, **choices: Any) -> GAN.Config:
    """The default with other choices, as the data decide what is open."""
    config: GAN.Config = GAN.decided_by(GAN.Config(**choices), data.space, data.train)[0]
    return config


CHOICES: dict[str, Callable[[Data], GAN]] = {
    _AVERAGED: chosen(architecture="antialiased"),
    "palette": chosen(architecture="palette"),
    "soft colours": lambda data: soft_colours(data.space, decided(data)),
    "grain": lambda data: grain(data.space, decided(data), 3),
    "grain, of all channels alike": lambda data: grain(data.space, decided(data), 1),
    "grain, D at the full size": lambda data: grain(data.space, decided(data), 1, seen=16),
    "grain, both at the full size": lambda data: grain(data.space, decided(data), 1, 16, 16),
    "as by default": chosen(),
    "decoder, then game, 10%": lambda data: Decoder(data.space, decided(data), 0.0),
    "decoder, then game, 30%": lambda data: Decoder(data.space, decided(data), 0.0),
    "decoder and game, 30%": lambda data: Decoder(data.space, decided(data), 0.3),
    "decoder and game, 60%": lambda data: Decoder(data.space, decided(data), 0.6),
    "width 12": chosen(width=12),
    "width 24": chosen(width=24),
    "width 32": chosen(width=32),
    "penalties, weight 0.2": chosen(penalty_weight=0.2, penalty_weight_end=0.2),
    "penalties, weight 0.05": chosen(penalty_weight=0.05, penalty_weight_end=0.05),
    "minibatch std": chosen(minibatch_std=True),
    "consistency": chosen(penalties=("r1", "r2", "consistency")),
    "labels, projected": chosen(conditional=True),
    "labels, auxiliary": chosen(conditional=True, condition="auxiliary"),
    "magnitudes": lambda data: magnitudes(data.space, decided(data)),
    "frozen": lambda data: frozen(data.space, decided(data)),
}
ALONE = {"decoder, then game, 10%": 0.1, "decoder, then game, 30%": 0.3}
"""{choice: the share of its time in which G is a decoder before there is a game}."""


def apart(data: Data, most: int) -> Data:
    """The data with every fourth image of the training part, at most so many, in the place of the held-out one."""
    i = torch.arange(len(data.train))
    kept_from = (i % 4 == 3) & (i < 4 * most)
    learned_by, seen = i[~kept_from], i[kept_from]  # (N,) -> (N - n,), (n,)
    return replace(data, train=data.train.rows(learned_by), heldout=data.train.rows(seen))


class Spans:
    """Averages of G over several spans of one training."""

    def __init__(self, generator: torch.nn.Module):
        self._raw = list(generator.parameters())
        self.kept = {span: copy.deepcopy(generator).requires_grad_(False) for span in SPANS}

    @torch.no_grad()
    def update(self, rounds: int) -> None:
        """Move towards G as it is after so many rounds."""
        for span, average in self.kept.items():
            share = 1 - 0.5 ** (1 / (span * rounds))
            torch._foreach_lerp_(list(average.parameters()), self._raw, share)


def learned(
    model: GAN, data: Data, seed: int, steps: int, spans: bool
) -> Iterator[tuple[str, GAN]]:
    """The model trained, and with averages over other spans if asked for: (span, model)."""
    training = plausible.train(model, data, plausible.Settings(seed=seed, steps=steps))
    others = Spans(model.generator) if spans else None
    for step in training:
        if others is not None:
            others.update(step.clock.step + 1)
        if step.clock.step % 1000 == 999:
            print(f"  {step.clock.progress:.0%}", flush=True)
    averaged = training.averaged
    yield "", averaged
    for span, average in others.kept.items() if others else ():
        averaged.generator.load_state_dict(average.state_dict())
        yield f", averaged over {span:.1%}", averaged


def measured(samples: Batch, data: Data, eyes: Embedding, seed: int) -> dict[str, Any]:
    """The columns of a row that say how good it is."""
    evalset = compared(samples, data, eyes, seed)
    found = judged(evalset)
    if data.space.shape[0] > 2:
        found["colours, dB"] = colour_detail(evalset).value
    return found


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--core-minutes", type=float, nargs="*", default=[4, 16])
    flags.add_argument("--choices", nargs="*", default=list(CHOICES), choices=CHOICES)
    flags.add_argument("--sets", nargs="*", default=list(SETS), choices=SETS)
    flags.add_argument("--folder", type=Path, default=Path("runs/gan_choices"))
    asked = flags.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    rows = [] if asked.quick else kept(__file__, quick=False)
    for budget in [0.01] if asked.quick else asked.core_minutes:
        for name in SETS[:1] if asked.quick else asked.sets:
            data = apart(
                plausible.load(source(name), Options(size=32)), 40 if asked.quick else MOST
            )
            n = len(data.heldout)
            eyes = eyes_of(data, n, "auto", 0, lambda stage, share: None).embedding
            for choice in asked.choices:
                key = {"data": name, "core minutes": budget, "choice": choice, "seed": asked.seed}
                if any(key.items() <= row.items() for row in rows):
                    continue
                torch.manual_seed(asked.seed)
                alone = ALONE.get(choice, 0.0)
                game = (1 - alone) * budget
                steps = 3 if asked.quick else updates_in(game, CHOICES[choice](data), data)
                torch.manual_seed(asked.seed)
                model = CHOICES[choice](data)
                if alone:
                    assert isinstance(model, Decoder)
                    begin_alone(model, data, alone * budget, asked.seed)
                for span, made in learned(model, data, asked.seed, steps, choice == _AVERAGED):
                    samples = drawn(made, None, 3 * n, asked.seed)
                    image = f"{name}-{budget:g}-{choice}{span}-{asked.seed}.png"
                    sheet = figures.png(figures.grid(samples.x[:64]))
                    (asked.folder / image).write_bytes(sheet)
                    found = {**key, "choice": choice + span, "images": steps * made.batch}
                    if not (asked.quick and rows):  # of which one is enough to see that it works
                        found |= measured(samples, data, eyes, asked.seed)
                    rows.append(found)
                    print(rows[-1], flush=True)
                record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
