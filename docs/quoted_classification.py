"""The tables of docs/classification.md that two experiments fill: good inputs that are refused, and whether generation pays."""

from docs.quoted_sentences import quote
from docs.quoted_tables import table
from docs.results import Row, fixed, markdown, percent, rows


@table
def conformal_validity() -> str:
    header = (
        "data", "`--novelty`", "calibration examples", "refused of 100 splits' inputs", "in the split with the most",
        "refused of single inputs", "95% interval",
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                r["data"], f"`{r['score']}`", fixed(r["calibration examples"], 0), percent(r["refused"], 1),
                percent(r["most"], 0), f"{r['drawn']} of {r['draws']:,}", f"{r['low']:.1%} to {r['high']:.1%}",
            )
            for r in rows("experiments/conformal_validity")
        ),
    )  # fmt: skip


def _cell(found: list[Row], condition: str) -> str:
    (value,) = ([r for r in found if r["condition"].startswith(condition)] or [None])[:1]
    return (
        "" if value is None else f"{value['value']:.1%} ± {(value['high'] - value['low']) / 2:.1%}"
    )


_MIXTURE = "mixture, per class"


def _pairs(found: list[Row]) -> list[tuple[str, str, str]]:
    """Data sets and models as they were measured, the mixture before the Gaussians that are not of the package."""
    pairs = dict.fromkeys((r["data"], r["model"], r["by"]) for r in found)
    order, sets = list(pairs), list(dict.fromkeys(data for data, _, _ in pairs))

    def place(pair: tuple[str, str, str]) -> tuple[int, float]:
        data, model, by = pair
        before = (data, "naive-bayes", by)
        first = (
            order.index(before) + 0.5
            if model == _MIXTURE and before in pairs
            else order.index(pair)
        )
        return sets.index(data), first

    return sorted(pairs, key=place)


def _by_model(part: str, conditions: tuple[tuple[str, str], ...]) -> str:
    """A line for each data set and model, a column for each condition."""
    kept = [r for r in rows("experiments/generative_classifiers") if r["part"] in part.split()]
    pairs = _pairs(kept)
    return markdown(
        ("data", "model", "by", *(words for _, words in conditions)),
        (
            (data, model, by, *(_cell([r for r in kept if (r["data"], r["model"]) == (data, model)], condition) for condition, _ in conditions))
            for data, model, by in pairs
        ),
    )  # fmt: skip


@table
def generative_labels() -> str:
    counts = ("1", "3", "10", "100", "all")
    kept = [r for r in rows("experiments/generative_classifiers") if r["part"] == "labels"]
    found = {(r["data"], r["model"], r["condition"]): r for r in kept}
    pairs = _pairs(kept)
    return markdown(
        ("data", "model", "by", "1 label a class", *counts[1:]),
        (
            (data, model, by, *(percent(found[data, model, n]["value"], 1) for n in counts))
            for data, model, by in pairs
        ),
    )  # fmt: skip


@table
def generative_changed() -> str:
    return _by_model(
        "shortcut corrupted missing nonsense",
        (
            ("the mark agrees", "the mark agrees"),
            ("the mark never", "it never does"),
            ("unchanged", "unchanged"),
            ("noise", "noise"),
            ("shift", "shift"),
            ("occlusion", "occlusion"),
            ("contrast", "contrast"),
            ("summed", "upper half, the rest summed over"),
            ("filled", "upper half, the rest filled"),
            ("uniform", "how sure of uniform noise"),
        ),
    )


@table
def small_tables() -> str:
    header = ("data", "examples", "model", "of", "accuracy", "behind the best of scikit-learn")
    return markdown(
        header,
        (
            (
                r["data"], fixed(r["examples"], 0), r["model"], r["whose"], percent(r["accuracy"], 1),
                "the best" if r["model"] == r["best"] else f"{r['behind']:.1%} ± {r['error']:.1%}",
            )
            for r in rows("experiments/tables")
        ),
    )  # fmt: skip


@table
def novelty_choice() -> str:
    """Every candidate, the best first."""
    found = rows("experiments/outlier_choice")
    means = []
    for aspects, rule in dict.fromkeys((r["aspects"], r["rule"]) for r in found):
        own = [r for r in found if (r["aspects"], r["rule"]) == (aspects, rule)]
        overall = sum(r["kinds"] * r["AUROC"] for r in own) / sum(r["kinds"] for r in own)
        worst = min(own, key=lambda r: r["AUROC"])
        means.append((overall, aspects, rule, worst))
    means.sort(key=lambda m: -m[0])
    default = ("model and distances", "sum (Fisher)")
    return markdown(
        ("what may be unusual", "rule", "mean AUROC", "least of a set"),
        (
            (
                aspects, rule + " (`combined`)" * ((aspects, rule) == default), fixed(overall, 3),
                f"{worst['AUROC']:.3f} ({worst['learned']})",
            )
            for overall, aspects, rule, worst in means
        ),
    )  # fmt: skip


def _above() -> None:
    """How many intervals of good inputs that are refused lie above the level."""
    found = rows("experiments/conformal_validity")
    low = [r["low"] for r in found]
    quote(
        "classification",
        "Above 5% lie {} of {} intervals, the highest from {}, where {} do by chance",
        str(sum(each > 0.05 for each in low)), str(len(low)), percent(max(low), 1), f"{0.025 * len(low):.1f}",
    )  # fmt: skip


def _combined() -> None:
    """How low the default falls where models are shown what they did not learn, and the score before it."""
    found = [r for r in rows("experiments/outliers") if r.get("purpose") != "choice"]
    default, before = ([r for r in found if r["score"] == s] for s in ("combined", "either"))
    asked = {(r["learned"], r["model"]) for r in default}
    least = min(r["AUROC"] for r in default)
    of_before = min(r["AUROC"] for r in before if (r["learned"], r["model"]) in asked)
    told = {(r["model"], r["learned"], r["shown"]): r["AUROC"] for r in default}
    quote(
        "classification",
        "Its lowest AUROC of the models in both tables is {}, where the lowest of `either` is {}",
        fixed(least, 3), fixed(of_before, 3),
    )  # fmt: skip
    quote(
        "classification",
        "A VAE tells digits from clothes with {} by it; naive Bayes with {}, most of which the distances do, and "
        "rotated letters from digits with {}",
        fixed(told["vae", "fashion-mnist", "mnist"], 4), fixed(told["naive-bayes", "fashion-mnist", "mnist"], 4),
        fixed(told["naive-bayes", "mnist", "rotated letters"], 4),
    )  # fmt: skip


_above()
_combined()
