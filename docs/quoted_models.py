"""The table of all models in README.md: what each is and can do, and how many of MNIST's test images it names rightly."""

from docs.quoted_tables import table
from docs.results import markdown, percent, rows

_BAYES = "by Bayes"
_MODELS = (  # place, players, sample, log_prob, decode, transition, log_posterior
    ("linear", "discriminative p(y given x)", "fitted", "", "", "", "", "yes"),
    ("logistic", "discriminative p(y given x)", "fitted", "", "", "", "", "yes"),
    ("convnet", "discriminative p(y given x)", "1", "", "", "", "", "yes"),
    ("naive-bayes", "explicit, tractable", "fitted", "yes", "`=`", "", "", _BAYES),
    ("mixture", "explicit, tractable", "fitted", "yes", "`=`, of images `≥`", "", "", f"{_BAYES}, `--per-class`"),
    ("flow", "explicit, tractable", "1", "yes", "`=`, of images `≥`", "yes", "", _BAYES),
    ("pixelcnn", "explicit, tractable", "1", "yes", "`=`", "", "", _BAYES),
    ("pixelrnn", "explicit, tractable", "1", "yes", "`=`", "", "", _BAYES),
    ("vae", "explicit, approximate: variational", "1", "yes", "`≥`", "yes", "", _BAYES),
    ("vq-vae", "explicit, approximate: variational", "2", "yes", "`≥`", "", "", _BAYES),
    ("diffusion", "explicit, approximate: variational", "1", "yes", "`≥`, of vectors `≈`", "yes", "", _BAYES),
    ("rbm", "explicit, approximate: Markov chain", "1", "yes", "`≈` (`=` if enumerable)", "", "yes", _BAYES),
    ("gsn", "implicit: Markov chain", "1", "yes", "none", "", "yes", ""),
    ("gan", "implicit: direct", "2", "yes", "none", "yes", "", ""),
)  # fmt: skip


def _right(name: str) -> str:
    """The best share of MNIST's test images that a family named rightly; nothing of one that was not asked."""
    found = [
        r["accuracy"]
        for r in rows("experiments/classifiers")
        if r["data"] == "mnist" and r["model"].split(",")[0] == name
    ]
    if name == "rbm":  # its label units beside a machine for each class
        found += [r["accuracy"] for r in rows("experiments/rbm_mnist") if r["accuracy"]]
    return percent(max(found), 1) if found else ""


@table
def models() -> str:
    header = (
        "model", "place in the taxonomy", "players", "sample", "log_prob", "decode(z)", "transition(x)", "log_posterior",
        "right on MNIST",
    )  # fmt: skip
    return markdown(header, ((f"`{name}`", *rest, _right(name)) for name, *rest in _MODELS))
