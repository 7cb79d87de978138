"""On paper: what 8, 64 and 1,024 GPUs would learn in a second, by what an update of each family weighs.

Counted here, with the default networks on images of 32x32 pixels in colour: the numbers that ranks average in a round and
the floating-point operations of a round (those of losses and their gradients, without the penalties of a GAN).  Assumed, and
named in the notes: how fast a GPU computes, and how fast and after what delay GPUs exchange numbers.  A round then takes
    operations / (rate x share)  +  2 (N - 1) / N x bytes / bandwidth  +  steps x delay
a ring of 2 (N - 1) steps inside of each machine of 8, and a tree of 2 log2 N steps between N machines; nothing of the exchange is hidden behind the computation, as it is
here, because gradients are averaged in one piece when all are there.
"""

import math
from dataclasses import dataclass

import torch
from benchmarks.record import Rows, parser, record
from torch.utils.flop_counter import FlopCounterMode

import plausible.models  # noqa: F401  # fills the registry
from plausible.core.game import Clock
from plausible.core.model import Model, models
from plausible.core.space import Batch, Space

SPACE = Space((3, 32, 32), levels=256, classes=10)
GPUS, IN_A_MACHINE = (1, 8, 64, 1024), 8
BATCH = 256  # examples of each GPU in a round
COUNTED = 2  # examples whose operations are counted
BACKWARD = 3  # times the operations of a loss that it takes with its gradient


@dataclass(frozen=True)
class Cluster:
    """What is assumed of a cluster of H100 (published: 989 TFLOP/s in bf16, 450 GB/s NVLink each way, 400 Gbit/s InfiniBand a GPU)."""

    rate: float = 989e12
    share: float = 0.2  # of the rate that these small networks reach
    inside: float = 450e9 * 0.8
    between: float = 50e9 * 0.8
    delay_inside: float = 3e-6
    delay_between: float = 10e-6


@dataclass(frozen=True)
class Round:
    """What a round of a family takes: numbers that are averaged, how often, and operations an example."""

    numbers: int
    exchanges: int
    operations: float


def round_of(model: Model) -> Round:
    """Count a round of a model."""
    players = list(model.players())
    numbers = sum(
        player.updates * sum(p.numel() for p in player.module.parameters() if p.requires_grad)
        for player in players
    )
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(256, (COUNTED, *SPACE.shape), generator=generator) / 255
    batch = Batch(x, torch.zeros(COUNTED, dtype=torch.int64))
    operations = 0.0
    model.train()
    for player in players:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            player.loss(batch, Clock())
        operations += BACKWARD * counter.get_total_flops() / COUNTED * player.updates
    return Round(numbers, sum(player.updates for player in players), operations)


def exchange_seconds(taken: Round, gpus: int, cluster: Cluster) -> float:
    """How long the averages of a round take: a ring inside of each machine, and a tree of machines."""
    inside = min(gpus, IN_A_MACHINE)
    machines = math.ceil(gpus / IN_A_MACHINE)
    bytes = 4.0 * taken.numbers
    levels = (
        (inside, cluster.inside, 2 * (inside - 1) * cluster.delay_inside),
        (machines, cluster.between * inside, 2 * math.log2(machines) * cluster.delay_between),
    )
    return sum(
        2 * (n - 1) / n * bytes / rate + delay * taken.exchanges for n, rate, delay in levels
    )


def rows_of(name: str, taken: Round, cluster: Cluster) -> Rows:
    """A row for each number of GPUs."""
    computing = BATCH * taken.operations / (cluster.rate * cluster.share)
    found: Rows = []
    for gpus in GPUS:
        seconds = computing + exchange_seconds(taken, gpus, cluster)
        found.append({
            "family": name, "GPUs": gpus, "MB averaged in a round": 4 * taken.numbers / 1e6,
            "GFLOP an example": taken.operations / 1e9, "ms a round": seconds * 1e3,
            "examples a second": gpus * BATCH / seconds, "efficiency": computing / seconds,
        })  # fmt: skip
    return found


def main() -> None:
    flags = parser(__doc__).parse_args()
    cluster = Cluster()
    found: Rows = []
    for name, kind in models.items():
        if not kind.iterates or name in (
            "pixelrnn",
            "rbm",
            "gsn",
        ):  # not for such images, or vectors of bits
            continue
        torch.manual_seed(flags.seed)
        config = kind.Config(penalties=()) if name == "gan" else kind.Config()
        found += rows_of(name, round_of(kind(SPACE, config)), cluster)
        if flags.quick and len({row["family"] for row in found}) == 2:
            break
    notes = (
        f"assumed, of H100: {cluster.rate / 1e12:,.0f} TFLOP/s in bf16 (published), of which {cluster.share:.0%} are reached; "
        f"{cluster.inside / 1e9:.0f} GB/s inside of a machine of {IN_A_MACHINE} and {cluster.between / 1e9:.0f} GB/s for each GPU "
        f"between machines (four fifths of what is published); {cluster.delay_inside * 1e6:.0f} and "
        f"{cluster.delay_between * 1e6:.0f} microseconds a step of the exchange inside and between; {BATCH} examples a GPU; no GPU was used"
    )
    record(__file__, found, seed=flags.seed, quick=flags.quick, notes=notes)


if __name__ == "__main__":
    main()
