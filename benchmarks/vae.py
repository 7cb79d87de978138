"""How fast a variational autoencoder learns and is scored, beside pythae, both sides in one run, on 2 cores.

The network is pythae's own default for MNIST, a hidden layer of 512 rectified units each way and 16
coordinates of z, with the same weights on both sides; MNIST is binarised (static, the library's seed).

train   images/s of ``plausible.train`` and of pythae's BaseTrainer, Adam without an average of the weights,
        at batch 64 (its default), 100 and 256, float32; and of ours in bf16, which pythae's trainer cannot
        do without a GPU.  In turns; the ratio is the median of the turns'.
score   seconds for the importance estimate of log p of 100 images with 500 draws each: ``log_prob`` and
        pythae's ``get_nll``; and the mean of what each says, which must agree.

pythae is on PyPI: pip install pythae==0.1.2.  The data must be in $PLAUSIBLE_DATA.  Set
GOMP_SPINCOUNT=3000, as the command line does by itself.
"""

import contextlib
import io
import logging
import math
import sys
import tempfile
import time
from statistics import median
from typing import Any

import torch
from benchmarks.record import parser, record
from torch import Tensor

import plausible
from plausible.models.vae.hierarchy import Hierarchy

LATENT, DRAWS, IMAGES = 16, 500, 100


class Theirs(Hierarchy):
    """The layers of a model of pythae, used by ours.

    alike  what enters and leaves them is brought to their units, so that the same weights say the same;
           otherwise the same layers learn in ours.
    """

    def __init__(self, model: Any, alike: bool):
        super().__init__()
        self.sizes, self.alike = (LATENT,), alike
        first, second = model.decoder.layers[0], model.decoder.layers[1][0]  # without its sigmoid
        self.encoder, self.first, self.second = model.encoder, first, second

    def encoder_features(self, x: Tensor) -> list[Tensor]:
        x = (x.flatten(1) + 1) / 2 if self.alike else x.flatten(1)  # from [-1, 1] to [0, 1]
        return [self.encoder.layers[0](x)]

    def top_state(self, n: int, y: Tensor | None) -> Tensor:
        return self.second.weight.new_zeros(n, 0)

    def posterior_params(self, layer: int, features: Tensor, state: Tensor) -> Tensor:
        raw = self.encoder.log_var(features)
        if self.alike:  # from log s^2 to what s is the softplus of, but for log(e - 1)
            scale = (raw / 2).exp()
            raw = scale + torch.log(-torch.expm1(-scale)) - math.log(math.e - 1)
        return torch.cat([self.encoder.embedding(features), raw], 1)

    def decoder_step(self, layer: int, state: Tensor, z: Tensor) -> Tensor:
        return self.first(z)

    def output(self, state: Tensor) -> Tensor:
        return self.second(state).view(-1, 1, 28, 28, 1)


def built(
    space: plausible.Space, batch: int, seed: int, alike: bool = False
) -> tuple[plausible.VAE, Any]:
    """Our model and theirs with the same layers and weights, which each then moves for itself."""
    from pythae.models import VAE, VAEConfig

    torch.manual_seed(seed)
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    theirs, ours = (
        VAE(config),
        plausible.VAE(space, plausible.VAE.Config(batch=batch, lr=1e-3, ema=None)),
    )
    copy = VAE(config)
    copy.load_state_dict(theirs.state_dict())
    ours.net = Theirs(copy, alike)
    return ours, theirs


def trainer(theirs: Any, x: Tensor, batch: int, epochs: int) -> Any:
    """pythae's loop over these images, silent."""
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    logging.disable(logging.CRITICAL)
    config = BaseTrainerConfig(
        output_dir=tempfile.mkdtemp(),
        per_device_train_batch_size=batch,
        num_epochs=epochs,
        learning_rate=1e-3,
        no_cuda=True,
    )
    return BaseTrainer(theirs, BaseDataset(x, torch.zeros(len(x))), training_config=config)


def training(data: plausible.Data, seed: int, turns: int, n: int) -> list[dict[str, Any]]:
    """Images/s of both, in turns of one epoch of n images."""
    rows = []
    part = data.train.rows(slice(0, n))
    x = part.as_batch().x
    for batch in (64, 100, 256):
        rates: dict[str, list[float]] = {"pythae": [], "ours": [], "ours, bf16": []}
        for turn in range(turns + 1):
            for who in sorted(rates, reverse=bool(turn % 2)):
                ours, theirs = built(data.space, batch, seed)
                if who == "pythae":
                    loop = trainer(theirs, x, batch, 1)
                    with contextlib.redirect_stderr(io.StringIO()):
                        began = time.perf_counter()
                        loop.train()
                    seen = n
                else:
                    settings = plausible.Settings(
                        steps=n // batch,
                        seed=seed,
                        precision="bf16" if who.endswith("bf16") else "float32",
                    )
                    began = time.perf_counter()
                    for _ in plausible.train(ours, data, settings):
                        pass
                    seen = n // batch * batch
                if turn:  # the first turn warms up
                    rates[who].append(seen / (time.perf_counter() - began))
        for who, all_turns in rates.items():
            pairs = zip(all_turns, rates["pythae"], strict=True)
            rows.append(
                {
                    "what": f"train, batch {batch}",
                    "who": who,
                    "images/s": round(median(all_turns)),
                    "seconds": "",
                    "nats": "",
                    "x pythae": median(a / b for a, b in pairs),
                }
            )
            print(rows[-1], flush=True)
    return rows


def scoring(data: plausible.Data, seed: int, turns: int, steps: int) -> list[dict[str, Any]]:
    """Seconds of both for the same estimate by the same weights, trained for a while."""
    ours, theirs = built(data.space, 100, seed, alike=True)
    for _ in plausible.train(ours, data, plausible.Settings(steps=steps, seed=seed)):
        pass
    net: Any = ours.net
    theirs.load_state_dict({**theirs.state_dict(), **_weights(net)})
    theirs.eval()
    ours.eval()
    x = data.heldout.batch(slice(0, IMAGES)).x
    times: dict[str, list[float]] = {"pythae": [], "ours": []}
    nats: dict[str, list[float]] = {"pythae": [], "ours": []}
    for turn in range(turns + 1):
        for who in sorted(times, reverse=bool(turn % 2)):
            began = time.perf_counter()
            if who == "pythae":
                with torch.no_grad():
                    said = float(theirs.get_nll(x, n_samples=DRAWS, batch_size=100))
            else:
                said = ours.log_prob(x, samples=DRAWS).nats.mean().item()
            if turn:
                times[who].append(time.perf_counter() - began)
                nats[who].append(said)
    ratio = median(b / a for a, b in zip(times["ours"], times["pythae"], strict=True))
    return [
        {
            "what": f"score {IMAGES} images, {DRAWS} draws",
            "who": who,
            "images/s": "",
            "seconds": median(times[who]),
            "nats": median(nats[who]),
            "x pythae": ratio if who == "ours" else 1.0,
        }
        for who in times
    ]


def _weights(net: Any) -> dict[str, Tensor]:
    """Our trained weights under their names."""
    encoder = {f"encoder.{k}": v for k, v in net.encoder.state_dict().items()}
    first = {f"decoder.layers.0.{k}": v for k, v in net.first.state_dict().items()}
    second = {f"decoder.layers.1.0.{k}": v for k, v in net.second.state_dict().items()}
    return {**encoder, **first, **second}


def main() -> None:
    flags = parser(__doc__).parse_args()
    try:
        import pythae  # noqa: F401
    except ImportError:
        print("this compares with pythae, which is not installed: pip install pythae==0.1.2")
        sys.exit(
            0 if flags.quick else 2
        )  # of all scripts on less, this one has nothing to say then
    data = plausible.load("mnist", plausible.Options(binarise="static"))
    turns, n, steps = (1, 3000, 100) if flags.quick else (7, 25_600, 2000)
    rows = training(data, flags.seed, turns, n) + scoring(data, flags.seed, turns, steps)
    note = "x pythae is the median ratio of paired turns"
    record(__file__, rows, seed=flags.seed, quick=flags.quick, notes=note)


if __name__ == "__main__":
    main()
