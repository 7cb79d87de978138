"""Each table of the docs that quotes results, from its rows to Markdown."""

from collections.abc import Callable, Mapping, Sequence
from statistics import mean

from docs.results import Row, fixed, markdown, percent, rows, with_error

from plausible.core.preset import Preset, flags

NO_FIGURE = "no figure on these data"

tables: dict[str, Callable[[], str]] = {}


def table(function: Callable[[], str]) -> Callable[[], str]:
    """Make a function the table of its name."""
    tables[function.__name__] = function
    return function


@table
def presets_gan() -> str:
    from plausible.models import GAN

    return preset_table(GAN.presets)


def preset_table(presets: Mapping[str, Preset]) -> str:
    """The presets of a family: name, flags, what was published, what differs here, source."""
    return markdown(
        ("preset", "the same in flags", "published", "what differs here", "source"),
        (
            (f"`{name}`", f"`{flags(preset)}`", preset.published or NO_FIGURE, preset.note, preset.source)
            for name, preset in presets.items()
        ),
    )  # fmt: skip


@table
def digits_gan() -> str:
    header = (
        "seed", "seconds of training", "smallest share / real", "largest share / real", "Frechet distance",
        "the same for real data", "recall", "coverage", "the verdict finds",
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                str(r["seed"]), fixed(r["seconds"], 0), fixed(r["smallest share / real"], 2),
                fixed(r["largest share / real"], 2), fixed(r["Frechet"], 1), fixed(r["Frechet real"], 1),
                fixed(r["recall"], 2), fixed(r["coverage"], 2), r["FAIL"],
            )
            for r in rows("experiments/digits_gan")
        ),
    )  # fmt: skip


@table
def scale() -> str:
    header = (
        "family", "MB averaged in a round", "GFLOP an example", "GPUs", "ms a round", "examples a second", "efficiency",
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                r["family"], fixed(r["MB averaged in a round"], 1), fixed(r["GFLOP an example"], 2), f"{r['GPUs']:,}",
                fixed(r["ms a round"], 2), f"{r['examples a second']:,.0f}", percent(r["efficiency"]),
            )
            for r in rows("benchmarks/scale")
        ),
    )  # fmt: skip


WHO = {
    "ours": "the default",
    "conditional": "the default, `--conditional`",
    "dcgan": "textbook DCGAN",
    "mlp": "textbook MLP GAN",
}


def gan_mnist_groups() -> dict[tuple[str, float, str], list[Row]]:
    """The seeds of each data set, minutes and loop, in the order of the table."""
    groups: dict[tuple[str, float, str], list[Row]] = {}
    for r in rows("benchmarks/gan_mnist"):
        groups.setdefault((r["data"], r["minutes"], r["who"]), []).append(r)
    data = ("mnist", "fashion-mnist")
    order = sorted(groups, key=lambda key: (data.index(key[0]), key[1], list(WHO).index(key[2])))
    return {key: groups[key] for key in order}


@table
def gan_mnist() -> str:
    def line(data: str, minutes: float, who: str, seeds: list[Row]) -> tuple[str, ...]:
        def average(column: str, digits: int) -> str:
            return fixed(mean(r[column] for r in seeds), digits)

        distances = (fixed(r["x real"], 2 if r["x real"] < 50 else 0) for r in seeds)
        return (
            data, fixed(minutes, 0), WHO[who], str(len(seeds)), ", ".join(distances),
            average("precision", 3), average("recall", 3), average("density", 2),
            average("coverage", 3), average("reverse KL", 4), average("images/s", 0),
        )  # fmt: skip

    header = (
        "data", "minutes", "who", "seeds", "x real-vs-real", "precision", "recall", "density",
        "coverage", "reverse KL", "images/s",
    )  # fmt: skip
    return markdown(header, (line(*key, seeds) for key, seeds in gan_mnist_groups().items()))


@table
def small_data() -> str:
    header = (
        "data", "augmentation", "its strength at the end", "near copies", "their share", "p",
        "coverage (real data)",
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                r["data"], r["augment"], fixed(r["strength at the end"], 2), r["copies"],
                percent(r["effect"], 2), fixed(r["p"], 4),
                f"{r['coverage']:.2f} ({r['coverage real']:.2f})",
            )
            for r in rows("experiments/small_data")
        ),
    )  # fmt: skip


@table
def gan_inversion() -> str:
    return markdown(
        ("data", "rounds", "images", "n", "search", "difference", "largest", "|z| / sqrt(d)"),
        (
            (
                r["data"], fixed(r["rounds"], 0), r["images"], str(r["n"]), r["search"], fixed(r["rms"], 1),
                fixed(r["largest rms"], 1), fixed(r["|z|/sqrt(d)"], 2),
            )
            for r in rows("experiments/gan_inversion")
        ),
    )  # fmt: skip


@table
def symmetries() -> str:
    from plausible.data.symmetries import symmetries as known

    header = (
        "data",
        "images to learn from",
        "pairs asked",
        *(f"`{name}`" for name in known),
        "power",
    )
    return markdown(
        header,
        (
            (
                r["data"], f"{r['images']:,}", f"{r['asked']:,}", *(r[name] for name in known),
                percent(r["power to mirror"], 0),
            )
            for r in rows("benchmarks/symmetries")
        ),
    )  # fmt: skip


@table
def vae_mnist() -> str:
    names = {
        "conv-two-layers": ("`conv`, two layers of z", 128),
        "conv": ("`conv`", 64),
        "mlp": ("`mlp`", 50),
    }
    header = (
        "who", "minutes", "nats", "standard error", "ELBO", "KL", "coordinates used", "weights", "images/s"
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                names[r["who"]][0], fixed(r["minutes"], 0), fixed(r["nats"], 2), fixed(r["stderr"], 2),
                fixed(r["ELBO"], 2), fixed(r["KL"], 1), f"{r['active']} of {names[r['who']][1]}",
                fixed(r["weights"], 0), fixed(r["images/s"], 0),
            )
            for r in rows("experiments/vae_mnist")
        ),
    )  # fmt: skip


@table
def vae_speed() -> str:
    kept = rows("benchmarks/vae")

    def line(name: str, what: str, column: str, digits: int) -> tuple[str, ...]:
        sides = [r for r in kept if r["what"] == what]
        cells = []
        for who in ("pythae", "ours", "ours, bf16"):
            row = next((r for r in sides if r["who"] == who), {column: "", "x pythae": ""})
            cells += [fixed(row[column], digits), fixed(row["x pythae"], 2)]
        return (name, cells[0], *cells[2:])

    return markdown(
        ("what", "pythae", "ours", "ratio", "ours in bf16", "ratio"),
        (
            line("training, batch 64, images/s", "train, batch 64", "images/s", 0),
            line("training, batch 100", "train, batch 100", "images/s", 0),
            line("training, batch 256", "train, batch 256", "images/s", 0),
            line(
                "log p of 100 images by 500 draws, seconds",
                "score 100 images, 500 draws",
                "seconds",
                3,
            ),
        ),
    )


@table
def contrast() -> str:
    names = {"gan": "GAN", "vae": "VAE", "vae, E[x | z]": "VAE, E[x | z]"}
    lines: list[Sequence[str]] = []
    for r in rows("experiments/contrast"):
        if r["who"] == "gan":
            real = (fixed(r["real laplacian"], 2), fixed(r["real high, dB"], 1))
            lines.append((r["data"], "real", *real, fixed(r["real spectrum, dB"], 2), "", ""))
        digits = 1 if r["who"] == "gan" else 2
        lines.append(
            (
                r["data"], names[r["who"]], fixed(r["laplacian"], 2), fixed(r["high, dB"], 1),
                fixed(r["spectrum, dB"], 1), with_error(r["path length"], r["± path length"], digits),
                fixed(r["step"], 1),
            )
        )  # fmt: skip
    header = (
        "data", "who", "laplacian", "high, dB", "spectrum, dB", "path length", "path length in pixels"
    )  # fmt: skip
    return markdown(header, lines)


@table
def binary_mnist() -> str:
    cores = {"pixelrnn-row": 1, "pixelcnn": 2, "pixelrnn-diagonal": 1, "naive-bayes": 1}
    return markdown(
        ("model", "minutes", "cores", "nats", "standard error", "weights", "images/s"),
        (
            (
                r["who"], fixed(r["minutes"], 0), str(cores[r["who"]]), fixed(r["nats"], 2),
                fixed(r["stderr"], 2), fixed(r["weights"], 0),
                "" if r["who"] == "naive-bayes" else fixed(r["images/s"], 0),  # which counts
            )
            for r in sorted(rows("experiments/binary_mnist"), key=lambda r: r["nats"])
        ),
    )  # fmt: skip


@table
def drawing() -> str:
    kept = {
        (r["batch"], r["who"]): r["seconds"]
        for r in rows("benchmarks/autoregressive")
        if r["what"] == "draw"
    }
    return markdown(
        ("images", "naive", "cached", "jacobi"),
        (
            (
                str(n), fixed(kept.get((n, "naive"), ""), 0), fixed(kept[n, "cached"], 2),
                fixed(kept[n, "jacobi"], 2),
            )
            for n in sorted({batch for batch, _ in kept})
        ),
    )  # fmt: skip


@table
def bits() -> str:
    order = sorted(rows("experiments/bits"), key=lambda r: (r["data"], r["bits/dim"]))
    return markdown(
        ("data", "model", "bits per dimension", "standard error"),
        (
            (
                r["data"], r["model"] + " (bound)" * r["model"].startswith(("vae", "vq", "diff", "flow")),
                fixed(r["bits/dim"], 3), fixed(r["stderr"], 3),
            )
            for r in order
        ),
    )  # fmt: skip


@table
def rbm_mnist() -> str:
    header = (
        "who", "precision", "minutes", "nats", "± log Z", "chains that count", "conservative",
        "optimistic, same images", "images/s",
    )  # fmt: skip
    kept = {r["who"]: r for r in rows("experiments/rbm_mnist")}
    return markdown(
        header,
        (
            (
                f"`{who}`", r.get("precision", "float32"), fixed(r["minutes"], 0), fixed(r["nats"], 1),
                fixed(r["3 sigma of log Z"], 1),
                f"{r['effective chains']:.0f} of {r['chains']}{' a class' if who == 'labels' else ''}",
                with_error(r["conservative"], r["± conservative"], 1), fixed(r["same"], 1),
                fixed(r["images/s"], 0),
            )
            for who, r in ((who, kept[who]) for who in ("pcd", "pcd-5", "labels"))
        ),
    )  # fmt: skip


@table
def gsn_mnist() -> str:
    header = (
        "who", "minutes", "Parzen, nats", "Frechet / real", "steps until they agreed", "R-hat",
        "autocorrelation time", "images/s",
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                f"`{r['who']}`", fixed(r["minutes"], 0), with_error(r["parzen"], r["stderr"], 1),
                fixed(r["frechet"], 0), fixed(r["steps"], 0) + (" (the most)" if r["steps"] == 1024 else ""),
                fixed(r["R-hat"], 2), fixed(r["tau"], 0), fixed(r["images/s"], 0),
            )
            for r in rows("experiments/gsn_mnist")
        ),
    )  # fmt: skip


@table
def classifiers() -> str:
    found, data = rows("experiments/classifiers"), ("mnist", "fashion-mnist", "digits")
    models = (
        "linear", "logistic", "naive-bayes", "mixture, per class", "mixture, hybrid", "pixelcnn", "pixelcnn, per class", "pixelrnn", "vae", "vae, per class",
        "vae, optimised posterior", "vq-vae", "rbm", "rbm, hybrid", "rbm, per class", "flow", "diffusion", "convnet",
    )  # fmt: skip
    order = sorted(
        found,
        key=lambda r: (data.index(r["data"]), models.index(r["model"])),
    )
    return markdown(
        ("data", "model", "seconds of training", "images", "accuracy", "log loss", "calibration error", "risk over coverage", "ms an image"),
        (
            (
                r["data"], f"`{r['model']}`", fixed(r["seconds"], 0), f"{r.get('images', 10_000):,}", percent(r["accuracy"], 2),
                f"{r['log loss']:.3f} ({r['log loss, calibrated']:.3f})",
                f"{r['calibration error']:.3f} ({r['calibration error, calibrated']:.3f})",
                fixed(r["risk over coverage"], 4), fixed(r["ms an image"], 1) if "ms an image" in r else "",
            )
            for r in order
        ),
    )  # fmt: skip


SCORES = ("likelihood", "ratio", "complexity", "typicality", "either", "combined")
DISCRIMINATIVE = "1 - max p(y|x)"


def fooled(learned: str, shown: Sequence[str]) -> str:
    """Who is fooled by what, of models that learned one data set."""
    kept = {
        (r["model"], r["score"], r["shown"]): r
        for r in rows("experiments/outliers")
        if r["learned"] == learned and r.get("purpose") != "choice"
    }
    asked = [(model, DISCRIMINATIVE) for model in ("logistic", "convnet")]
    asked += [
        (model, score)
        for model in ("naive-bayes", "mixture", "vae", "rbm", "flow")
        for score in (*SCORES, "noise")
        if (model, score, shown[0]) in kept
    ]
    asked += [(model, score) for model, score, kind in kept if (model, kind) == ("distance", shown[0])]  # fmt: skip

    def cell(row: Row) -> str:
        sure = f"{row['max p']:.2f}, " if row.get("max p") is not None else ""
        return f"{sure}{row['accepted']:.0%}, {row['AUROC']:.3f}"

    called = {"fashion-mnist": "Fashion-MNIST", "mnist": "MNIST"}
    return markdown(
        ("model", "score", *(called.get(name, name) for name in shown)),
        (
            (
                model if model == "distance" else f"`{model}`", score + (" (default)" if score == "combined" else ""),
                *(cell(kept[model, score, name]) for name in shown),
            )
            for model, score in asked
        ),
    )  # fmt: skip


@table
def outliers_of_mnist() -> str:
    return fooled("mnist", ("fashion-mnist", "uniform noise", "inverted", "rotated letters"))


@table
def outliers_of_fashion_mnist() -> str:
    return fooled("fashion-mnist", ("mnist", "uniform noise", "inverted", "rotated letters"))


@table
def diagnosis() -> str:
    def line(r: Row) -> tuple[str, ...]:
        result = "accused" if r["named"] == "" else "named"
        share = f"{100 * r[result]:.3g}% {result}"
        delay = "" if r["delay, rounds"] == "" else f"{r['delay, rounds']:.0f}"
        return (r["data"], r["what"], str(r["runs"]), share, r["95% interval"], delay, r["before"])

    header = (
        "data", "training", "runs", "result", "95% interval", "median delay, rounds", "raised before"
    )  # fmt: skip
    return markdown(header, map(line, rows("benchmarks/diagnosis")))


@table
def updates_to_accuracy() -> str:
    sides, found = (4, 8, 16, "full"), {}
    for r in rows("benchmarks/updates_to_accuracy"):
        found.setdefault((r["data"], r["ladder"], r["rungs"]), {})[r["side"]] = r["updates"]
    header = ("data", "ladder", "rungs", "4 pixels", "8 pixels", "16 pixels", "full size")
    return markdown(header, ((*key, *(of.get(s, "") for s in sides)) for key, of in found.items()))
