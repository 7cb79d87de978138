"""The network of a diffusion model in two layouts of memory and in two precisions: one update of the weights, in turns.

A ratio above 1 says that channels last is faster than the usual layout, or bfloat16 than float32, on this machine; the
ratio is taken turn by turn, and the median stands in the table.  ``has fast bf16`` is what the program takes for granted.
"""

import statistics
import time
from collections.abc import Callable

import torch
from benchmarks.record import parser, record
from torch import Tensor

from plausible.core.device import has_fast_bf16, resolve_device
from plausible.nn.unet import UNet

SHAPES = ((1, 28, 28), (3, 32, 32), (3, 64, 64))
_WIDTH = 48


def updater(net: UNet, x: Tensor, bf16: bool) -> Callable[[], float]:
    """Seconds of one update by Adam on noise."""
    optimizer = torch.optim.Adam(net.parameters())
    times = torch.rand(len(x), 1, device=x.device)

    def update() -> float:
        began = time.perf_counter()
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
            loss = net(x, times).float().square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()  # waits for a GPU
        return time.perf_counter() - began

    return update


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--batch", type=int, default=16)
    asked = flags.parse_args()
    device, turns = resolve_device(), 3 if asked.quick else 60
    rows = []
    for shape in SHAPES[:1] if asked.quick else SHAPES:
        x = torch.randn(asked.batch, *shape, device=device)

        def made(usual: bool, bf16: bool, x: Tensor = x, shape: tuple[int, ...] = shape) -> Callable[[], float]:  # fmt: skip
            torch.manual_seed(asked.seed)
            net = UNet(shape, _WIDTH, 1, 1, 0, forward_mode=usual).to(device)
            return updater(net, x, bf16)

        plain, last, half = made(True, False), made(False, False), made(False, True)
        took = [(plain(), last(), half()) for _ in range(turns)][turns // 6 :]
        rows.append({
            "shape": "x".join(map(str, shape)),
            "device": device.type,
            "ms, channels last": 1e3 * statistics.median(b for _, b, _ in took),
            "channels last": statistics.median(a / b for a, b, _ in took),
            "bf16": statistics.median(b / c for _, b, c in took),
            "has fast bf16": has_fast_bf16(device),
        })  # fmt: skip
    record(__file__, rows, seed=asked.seed, quick=asked.quick)


if __name__ == "__main__":
    main()
