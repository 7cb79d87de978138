"""How fast autoregressive models are drawn from and trained, both sides in one run, on 2 cores.

Drawing: a gated PixelCNN of 43,141 weights, trained for a while on binarised MNIST (static, the
library's seed), 28x28; the naive loop (a pass over the image for each pixel), the cached stream and the
Jacobi iteration on the same weights and the same uniform numbers, for batches of 1 to 256; `differ`
says how many pixels differ from the naive loop's (from cached where that was not run).

Training: images/s of updates of the same network, batch 64, in turns, beside a textbook implementation:
full square kernels times a mask, the vertical stack shifted down by a row, the same weights copied and the
same outputs to 1e-4.  The data must be in $PLAUSIBLE_DATA.
"""

import time
from statistics import median
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, conv2d, pad

import plausible
from plausible.models import PixelCNN

CONFIG = PixelCNN.Config(width=20, blocks=5, kernel=3)
BATCHES = [1, 16, 64, 256]
NAIVE = 64  # the batch of the naive loop


def gate(a: Tensor) -> Tensor:
    """The gated unit as it is usually written."""
    first, second = a.chunk(2, 1)
    return first.tanh() * second.sigmoid()


class MaskedConv(nn.Conv2d):
    """A square convolution whose weights are multiplied by a mask at every use."""

    def __init__(self, inputs: int, outputs: int, kernel: int, mask: Tensor, bias: bool = True):
        super().__init__(inputs, outputs, kernel, padding=kernel // 2, bias=bias)
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)


def vertical(inputs: int, outputs: int, kernel: int, source: Any) -> MaskedConv:
    """The pixel's row and those above; the weights of ``source`` in the upper half."""
    mask = torch.zeros(1, 1, kernel, kernel)
    mask[:, :, : kernel // 2 + 1] = 1
    conv = MaskedConv(inputs, outputs, kernel, mask)
    conv.weight.data[:, :, : kernel // 2 + 1] = source.weight.data
    conv.bias.data.copy_(source.bias.data)
    return conv


def horizontal(inputs: int, outputs: int, kernel: int, source: Any, strict: bool) -> MaskedConv:
    """The pixel and those to its left, without itself when strict."""
    mask = torch.zeros(1, 1, kernel, kernel)
    mask[:, :, kernel // 2, : kernel // 2 + (not strict)] = 1
    conv = MaskedConv(inputs, outputs, kernel, mask)
    conv.weight.data[:, :, kernel // 2, : kernel // 2 + 1] = source.weight.data[:, :, 0]
    conv.bias.data.copy_(source.bias.data)
    return conv


class Textbook(nn.Module):
    """The gated network as it is usually written, with the weights of ours."""

    def __init__(self, net: Any, kernel: int):
        super().__init__()
        width = net.above.out_channels
        tall = nn.Conv2d(1, width, (kernel // 2 + 1, kernel))
        tall.weight.data.copy_(net.above.weight.data)
        tall.bias.data.copy_(net.above.bias.data)
        self.first_v = vertical(1, width, kernel, tall)
        self.first_h = horizontal(1, width, kernel, net.left, strict=True)
        self.up = nn.ModuleList(vertical(width, 2 * width, kernel, b.up) for b in net.blocks)
        self.left = nn.ModuleList(
            horizontal(width, 2 * width, kernel, b.left, strict=False) for b in net.blocks
        )
        self.link = nn.ModuleList(_copied(b.link.weight, None) for b in net.blocks)
        self.out = nn.ModuleList(_copied(b.out.weight, b.out.bias) for b in net.blocks)
        self.hidden = _copied(net.head.hidden.weight, net.head.hidden.bias)
        self.last = _copied(net.head.out.weight, net.head.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        # the first vertical layer must not see its own row: everything moves down by one
        v = self.first_v(pad(x, (0, 0, 1, 0))[:, :, :-1])
        h = self.first_h(x)
        for up, left, link, out in zip(self.up, self.left, self.link, self.out, strict=True):
            a = up(v)
            h = h + out(gate(left(h) + link(a)))
            v = v + gate(a)
        return self.last(self.hidden(h.relu()).relu())


def _copied(weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    conv = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias is not None)
    conv.weight.data.copy_(weight.data)
    if bias is not None:
        assert conv.bias is not None
        conv.bias.data.copy_(bias.data)
    return conv


def learned(data: Any, quick: bool, seed: int) -> PixelCNN:
    """The model that is drawn from."""
    torch.manual_seed(seed)
    model = PixelCNN(data.space, CONFIG)
    settings = plausible.Settings(steps=30 if quick else 1500, seed=seed)
    for step in (learning := plausible.train(model, data, settings)):
        if step.clock.step % 250 == 0:
            print(f"step {step.clock.step}", flush=True)
    return learning.averaged


def drawing(model: PixelCNN, quick: bool, seed: int) -> list[dict[str, Any]]:
    batches, size = [1, 16] if quick else BATCHES, model.space.shape[1]
    rows = []
    for n in batches:
        u = torch.rand(n, 1, size, size, generator=torch.Generator().manual_seed(seed))
        ways = (
            ["naive", "cached", "jacobi"] if n == min(NAIVE, max(batches)) else ["cached", "jacobi"]
        )
        first, took = None, {}
        for way in ways:
            began = time.perf_counter()
            x = getattr(model, way)(u)
            took[way] = time.perf_counter() - began
            first = x if first is None else first
            rows.append(
                {
                    "what": "draw",
                    "who": way,
                    "batch": n,
                    "seconds": took[way],
                    "images/s": n / took[way],
                    "x naive": took["naive"] / took[way] if "naive" in took else "",
                    "differ": int((x != first).sum()),
                }
            )
            print(rows[-1], flush=True)
    return rows


def training(data: Any, seed: int, turns: int, steps: int) -> list[dict[str, Any]]:
    torch.manual_seed(seed)
    ours = PixelCNN(data.space, PixelCNN.Config())
    book = Textbook(ours.network, ours.config.kernel)
    x = data.train.batch(slice(0, 64)).x
    with torch.no_grad():
        apart = (book(ours.standardise(x)) - ours.network(ours.standardise(x), None)).abs().max()
    assert apart < 1e-4, f"the two networks differ by {apart}"
    sides = {"ours": lambda x: ours.network(x, None), "textbook": book}
    nets = {"ours": ours.network, "textbook": book}
    optimizers = {who: torch.optim.Adam(net.parameters(), 1e-3) for who, net in nets.items()}
    times: dict[str, list[float]] = {who: [] for who in sides}
    for _ in range(turns):
        for who, side in sides.items():
            began = time.perf_counter()
            for _ in range(steps):
                optimizers[who].zero_grad()
                logits = side(ours.standardise(x))
                binary_cross_entropy_with_logits(logits, x, reduction="sum").div(len(x)).backward()
                optimizers[who].step()
            times[who].append((time.perf_counter() - began) / steps)
    ratio = median(b / a for a, b in zip(times["ours"], times["textbook"], strict=True))
    return [
        {
            "what": "train",
            "who": who,
            "batch": 64,
            "seconds": median(times[who]),
            "images/s": 64 / median(times[who]),
            "x naive": ratio if who == "ours" else 1.0,
            "differ": "",
        }
        for who in sides
    ]


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--what", choices=["draw", "train"], nargs="+", default=["draw", "train"])
    asked = flags.parse_args()
    options = plausible.Options(binarise="static", size=10 if asked.quick else None)
    data = plausible.load("mnist", options)
    rows = [] if asked.quick else kept(__file__, quick=False)
    rows = [row for row in rows if row["what"] not in asked.what]
    if "draw" in asked.what:
        rows = drawing(learned(data, asked.quick, asked.seed), asked.quick, asked.seed) + rows
    if "train" in asked.what:
        rows += training(data, asked.seed, *((2, 2) if asked.quick else (7, 6)))
    note = "x naive of training is the median ratio of paired turns"
    record(__file__, rows, seed=asked.seed, quick=asked.quick, notes=note)


if __name__ == "__main__":
    main()
