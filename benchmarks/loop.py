"""What the loop costs on top of the forward and backward passes of the same networks.

Bare: the default GAN's two updates on a batch that lies ready: samples, logits, lazy penalties,
backward, Adam.  Loop: plausible.train on the digits, which adds the data order and gathering,
schedules, the averaged generator, what is watched and the norms of the gradients.  Both sides run
in one process, in turns, and the ratio is taken turn by turn.
"""

import statistics
import time

import torch
from benchmarks.record import parser, record

import plausible
from plausible.core.game import Clock, adam


def bare(model: plausible.GAN, batch: plausible.Batch):
    """A round of the game with nothing around it."""
    seats = []
    for player in model.players():
        params = list(player.module.parameters())
        seats.append((player, params, adam(params, 1e-3, (0.0, 0.99))))
    turn = 0
    while True:
        for player, params, optimizer in seats:
            loss = player.loss(batch, Clock(update=turn))
            optimizer.zero_grad(set_to_none=True)
            loss.total.backward(inputs=params)
            optimizer.step()
        turn += 1
        yield


def main() -> None:
    flags = parser(__doc__).parse_args()
    turns, rounds = (6, 20) if flags.quick else (20, 40)
    data = plausible.load("digits")
    torch.manual_seed(flags.seed)
    sides = {
        "bare": bare(plausible.GAN(data.space), data.train.batch(slice(0, 64))),
        "loop": plausible.train(
            plausible.GAN(data.space), data, plausible.Settings(steps=10**6, seed=flags.seed)
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns + 1):
        # whoever goes first in a turn goes second in the next
        for name in sorted(sides, reverse=bool(turn % 2)):
            start = time.perf_counter()
            for _ in range(rounds):
                next(sides[name])
            if turn:  # the first turn warms up
                times[name].append((time.perf_counter() - start) / rounds * 1e3)
    ratios = [loop / alone for loop, alone in zip(times["loop"], times["bare"], strict=True)]
    rows = [
        {"side": name, "median ms a round": statistics.median(t), "min": min(t), "max": max(t)}
        for name, t in times.items()
    ]
    ratio = statistics.median(ratios)
    notes = f"loop / bare: median {ratio:.3f} over {turns} turns of {rounds} rounds"
    rows.append(
        {"side": "loop / bare", "median ms a round": ratio, "min": min(ratios), "max": max(ratios)}
    )
    record(__file__, rows, seed=flags.seed, quick=flags.quick, notes=notes)


if __name__ == "__main__":
    main()
