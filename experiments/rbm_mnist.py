"""Nats against minutes for restricted Boltzmann machines of 500 hidden units on binarised MNIST.

Binarisation is static, by the library's seed: not the file of Larochelle that published figures use.

nats          -log p of the 10,000 test images, log Z by annealing 500 chains over 20,000 temperatures (with label
              units 50 chains of each class over 5,000): log Z
              is too low in expectation, so these nats are optimistic; the interval is 3 standard errors of
              log Z, and the effective number of chains says how far it can be trusted.
conservative  the same of a seeded 100 of the images by annealing backwards from each (RAISE), 10 chains and
              10,000 temperatures; ``same`` are the optimistic nats of the same 100.
accuracy      with label units: argmax of p(y | x) of the joint on the test images.

Training stops after --slice minutes and the same command goes on; every finished one is a row.  MNIST must be
in $PLAUSIBLE_DATA/mnist.
"""

import math
from pathlib import Path
from typing import Any

import torch
from benchmarks.record import parser, record_row
from experiments.slices import train_a_slice

import plausible

RBM = plausible.RBM.Config
WHO: dict[str, Any] = {
    "pcd": RBM(),
    "pcd-5": RBM(gibbs=5),
    "pcd-25": RBM(gibbs=25),
    "cd-1": RBM(persistent=False),
    "fast-weights": RBM(fast_weights=True),
    "tempering": RBM(temperatures=10),
    "labels": RBM(conditional=True),
    "pcd-25-gpu": RBM(gibbs=25),
}
STATIC = plausible.Options(binarise="static")


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--who", choices=list(WHO), default="pcd")
    flags.add_argument("--minutes", type=float, default=10.0)
    flags.add_argument("--slice", type=float, default=1e9, help="minutes of training in this call")
    flags.add_argument("--precision", choices=["bf16", "float32"], default="bf16")
    flags.add_argument("--folder", type=Path, default=Path("runs/rbm-mnist"))
    asked = flags.parse_args()
    minutes = 0.1 if asked.quick else asked.minutes
    name = (
        f"{asked.who}-{minutes:g}-{asked.precision}-{asked.seed}{'-quick' if asked.quick else ''}"
    )
    settings = plausible.Settings(minutes=minutes, seed=asked.seed, precision=asked.precision)
    training = train_a_slice(
        asked.folder / name, "rbm", "mnist", WHO[asked.who], settings, asked.slice, STATIC
    )
    model, test = training.averaged, training.data.heldout
    gpu = torch.cuda.is_available()
    row: dict[str, Any] = {
        "who": asked.who,
        "minutes": round(training.seconds / 60, 2),
        "seed": asked.seed,
        "precision": asked.precision,
        "gpu": torch.cuda.get_device_name() if gpu else "",
        **nats(model, test, asked.seed, asked.quick),
        "images/s": training.clock.images / training.seconds,
    }
    same = ("who", "seed", "gpu", "precision")
    record_row(__file__, row, same, "nats", seed=asked.seed, quick=asked.quick)


@torch.no_grad()
def nats(model: Any, test: Any, seed: int, quick: bool) -> dict[str, Any]:
    """Both estimates, and the accuracy where there are label units."""
    batch = test.as_batch()
    x = batch.x
    chains, steps = (500, 20_000) if not model.classes else (50, 5000)  # of each class
    if quick:
        chains, steps = 20, 100
    found = model.log_partition(chains, steps)
    log_z = torch.tensor([one.log_z for one in found], dtype=torch.float64, device=x.device)
    accuracy: float | str = ""
    if (
        model.classes
    ):  # p(x) = sum_y p(x, y): the log Z of the joint is made of those of the classes
        energies = [model.energy_given(label, torch.float64) for label in range(model.classes)]
        bias = model.energy.visible[model.space.dims :].double()
        of_x = torch.stack([e.neg_free_energy(x.flatten(1).double()) for e in energies], 1) + bias
        log_p = of_x.logsumexp(1) - (log_z + bias).logsumexp(0)
        accuracy = (model.joint_posterior(x).argmax(1) == batch.y).double().mean().item()
    else:
        log_p = (
            model.energy_given(None, torch.float64).neg_free_energy(x.flatten(1).double())
            - log_z[0]
        )
    error = max(one.error for one in found)
    row = {
        "nats": -log_p.mean().item(),
        "stderr": (log_p.std() / math.sqrt(len(log_p))).item(),
        "3 sigma of log Z": 3 * error,
        "effective chains": min(one.ess for one in found),
        "chains": chains,
    }
    n, each, down = (5, 2, 50) if quick else (100, 10, 10_000)
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:n]
    if model.classes:
        return {**row, "conservative": "", "± conservative": "", "same": "", "accuracy": accuracy}
    some = x[rows.to(x.device)]
    generator = torch.Generator().manual_seed(seed)
    lower = model.raise_lower_bound(some, None, generator, chains=each, steps=down)
    return {
        **row,
        "conservative": -lower.mean().item(),
        "± conservative": (lower.std() / math.sqrt(n)).item(),
        "same": -log_p[rows.to(x.device)].mean().item(),
        "accuracy": accuracy,
    }


if __name__ == "__main__":
    main()
