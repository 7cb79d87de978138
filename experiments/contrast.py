"""GAN and VAE side by side: how sharp their samples are, and how smooth their latent spaces.

Both defaults learn grey MNIST and Fashion-MNIST for --minutes each, and draw 5,000 samples, beside as many
held-out images; of the VAE also E[x | z], its samples without the noise of single pixels.

laplacian     exp of the mean log variance of the Laplacian over that of real images; 1 is as sharp as real
high, dB      power in the upper half of the frequencies over that of real images; 0 is like real
spectrum, dB  root mean square distance of the two spectra over all frequencies
path length   E |df/dt|^2 along great circles in z over that of cross-fades of real pairs, f the features of a
              classifier; 1 is as smooth as cross-fading, and 0 a generator that ignores z
step          the same in pixels, where the classifier's opinion plays no part

Each training goes on where it stopped; each finished one is a row.  The picture is docs/contrast.png.  The
data must be in $PLAUSIBLE_DATA.
"""

from pathlib import Path
from typing import Any

import torch
from benchmarks.record import kept, parser, record
from experiments.slices import train_a_slice
from matplotlib.figure import Figure

import plausible
from plausible import figures
from plausible.core.space import Batch
from plausible.evaluation.features import pixels
from plausible.evaluation.metrics.latent import path_length
from plausible.evaluation.metrics.sharpness import spectrum
from plausible.sampling.latent import decode_on_levels, latent_walks, slerp

SETS = ["mnist", "fashion-mnist"]
WHO: dict[str, tuple[Any, Any]] = {
    "gan": (plausible.GAN, plausible.GAN.Config()),
    "vae": (plausible.VAE, plausible.VAE.Config()),
}
SHOWN, PAIRS = 12, 512


def samples(model: Any, n: int, seed: int) -> dict[str, Batch]:
    """{who: its samples}; a VAE also has the means."""
    generator = torch.Generator().manual_seed(seed)
    drawn = {model.name: model.sample(n, generator=generator).to("cpu")}
    if isinstance(model, plausible.VAE):
        drawn["vae, E[x | z]"] = Batch(decode_on_levels(model, model.latent(n, generator)))
    return drawn


def step(model: Any, data: plausible.Data, seed: int) -> float:
    """The path length ratio in pixels."""
    generator = torch.Generator().manual_seed(seed)
    start, end = model.latent(2 * PAIRS, generator).chunk(2)
    with torch.no_grad():
        made = path_length(model.decode, pixels(), start, end, slerp, generator=generator)
        x = data.heldout.batch(slice(0, 2 * PAIRS)).x.flatten(1)
        real = path_length(lambda x: x, pixels(), x[:PAIRS], x[PAIRS:], generator=generator)
    return (made.mean() / real.mean()).item()


def measured(who: str, source: Any, data: plausible.Data, n: int) -> dict[str, Any]:
    """Sharpness and smoothness of a model, or of points, beside the same of real data."""
    found = plausible.evaluate(source, data, n=n)
    names = {
        "laplacian": "laplacian sharpness",
        "high, dB": "high frequencies",
        "spectrum, dB": "power spectrum",
        "path length": "path length ratio",
    }
    row: dict[str, Any] = {"who": who}
    for short, name in names.items():
        measure = found[name]
        row[short] = "" if measure.value is None else measure.value
        row[f"± {short}"] = "" if measure.stderr is None else measure.stderr
    row |= {f"real {short}": found.real(names[short]).value for short in list(names)[:3]}  # type: ignore[union-attr]
    return row


def picture(models: dict[tuple[str, str], Any], loaded: dict[str, plausible.Data]) -> None:
    """Images of both sets, and the power at each frequency."""
    figure = Figure(figsize=(13, 8.5), dpi=90, layout="constrained")
    axes = figure.subplots(2, 2, height_ratios=[1, 1.3])
    for column, name in enumerate(loaded):
        data = loaded[name]
        drawn = {"real": Batch(data.heldout.batch(slice(0, 2000)).x)}
        for who in WHO:
            drawn |= samples(models[name, who], 2000, 0)
        lines = [batch.x[:SHOWN] for batch in drawn.values()]
        for who in WHO:
            lines.append(
                latent_walks(
                    models[name, who], 1, SHOWN, generator=torch.Generator().manual_seed(3)
                )
            )
        axes[0, column].imshow(figures.grid(torch.cat(lines), SHOWN), cmap="gray", vmin=0, vmax=255)
        axes[0, column].set_title(
            f"{name}, from the top: real, GAN, VAE x ~ p(x | z), VAE E[x | z],\na walk through z of the GAN, "
            f"and of the VAE"
        )
        axes[0, column].set_axis_off()
        for who, batch in drawn.items():
            radii, power = spectrum(batch.x)
            style = {"color": "0.5", "linewidth": 4} if who == "real" else {}
            axes[1, column].loglog(radii.tolist(), power.mean(0).tolist(), label=who, **style)
        axes[1, column].set(xlabel="cycles per image side", ylabel="power")
        axes[1, column].legend()
    figure.savefig(Path(__file__).parent.parent / "docs" / "contrast.png")


def main() -> None:
    flags = parser(__doc__)
    flags.add_argument("--minutes", type=float, default=8.0)
    flags.add_argument("--slice", type=float, default=1e9, help="minutes of training in this call")
    flags.add_argument("--folder", type=Path, default=Path("runs/contrast"))
    asked = flags.parse_args()
    n, minutes = (200, 0.03) if asked.quick else (5000, asked.minutes)
    rows = [] if asked.quick else kept(__file__, quick=False)
    models, loaded = {}, {name: plausible.load(name) for name in SETS}
    for name, data in loaded.items():
        for who, (kind, config) in WHO.items():
            folder = asked.folder / f"{name}-{who}-{minutes:g}-{asked.seed}"
            settings = plausible.Settings(minutes=minutes, seed=asked.seed)
            training = train_a_slice(folder, kind.name, name, config, settings, asked.slice)
            model = models[name, who] = training.averaged.to("cpu")
            if any((row["data"], row["who"]) == (name, who) for row in rows):
                continue
            for which, batch in samples(model, n, asked.seed).items():
                source = model if which == who else batch
                row = {"data": name, "minutes": minutes, **measured(which, source, data, n)}
                row["step"] = step(model, data, asked.seed) if which == who else ""
                rows.append(row)
                record(__file__, rows, seed=asked.seed, quick=asked.quick)
    if not asked.quick:
        picture(models, loaded)


if __name__ == "__main__":
    main()
