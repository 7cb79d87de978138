"""The table of docs/classification.md that says in words who is fooled by what; the numbers beside the words are quoted."""

from collections.abc import Sequence
from typing import NamedTuple

from docs.quoted_tables import DISCRIMINATIVE, table
from docs.results import Row, fixed, markdown, percent, rows


class Fooled(NamedTuple):
    """What fools a family, why, and what helps, in words."""

    family: str
    by: str
    because: str
    helps: str


_SIMPLER = "images simpler than those it learned from"
FOOLED = (
    Fooled(
        "linear",
        "anything far from the data; a mark that goes with the label",
        "W x + b grows without end in the direction of a class, and one pixel that tells the label is all that it needs",
        "nothing of its own: it has no p(x). A `mixture` beside it",
    ),
    Fooled(
        "logistic",
        "anything far from the data: clothes, noise, inverted images; a mark that goes with the label",
        "W x + b grows without end in the direction of a class, and so does its certainty; one pixel that tells the label is all that it needs",
        "nothing of its own: it has no p(x). A `mixture` beside it",
    ),
    Fooled(
        "convnet",
        "images that share strokes or textures with a class, and what is odd where the classes are hard to tell apart",
        "it has learned what tells the classes from each other; what else is in the image changes nothing "
        "(far away certainty grows without end here, too: [Hein et al. 2019](https://arxiv.org/abs/1812.05720))",
        "the distance to training images in such features; p(x) of another model",
    ),
    Fooled(
        "naive-bayes",
        f"shapes that are none of the classes, such as letters; {_SIMPLER}; less contrast",
        "pixels are asked one by one: where each is usual there, their arrangement counts for nothing, and black is usual; "
        "grey levels are categories, of which the next one is as far as any",
        "`complexity` in part against what is simple; the distances of `combined` against shapes",
    ),
    Fooled(
        "mixture",
        "letters beside digits; a mark that goes with the label",
        "what is as smooth and as bright as the data lies near the same principal components, between the Gaussians; across them "
        "noise of one variance takes a wrong pixel for next to impossible, so that noise and inverted images do not pass, and one mark decides",
        "`combined`; not `complexity` alone, because its log p(x) is too poor a code to stand beside a PNG",
    ),
    Fooled(
        "flow",
        _SIMPLER,
        "a flow learns how neighbouring pixels hang together before it learns shapes, and the former are easier to foresee where little happens "
        "([Kirichenko et al. 2020](https://arxiv.org/abs/2006.08545))",
        "`combined`, `complexity` in good part; not `noise`: the z of what is simpler is as usual as that of data",
    ),
    Fooled(
        "pixelcnn",
        f"{_SIMPLER}; of its classes: noise and less contrast",
        "a pixel is foreseen from its neighbours, which is easy where nothing happens, whatever the shape; and small differences between classes, pixel by "
        "pixel, add up to a certainty that means nothing for an input of none of them",
        "`ratio`, which was made for it ([Ren et al. 2019](https://arxiv.org/abs/1906.02845)); `complexity`, `combined`; the temperature",
    ),
    Fooled(
        "pixelrnn",
        _SIMPLER,
        "p(x_i | x_<i) again, by another network",
        "`ratio`, `complexity`, `combined`",
    ),
    Fooled(
        "vae",
        f"{_SIMPLER}; less contrast",
        "most nats are those of single pixels given z, and a background that never varies costs none; a z that "
        "gives back few strokes is found for any few strokes ([Nalisnick et al. 2019](https://arxiv.org/abs/1810.09136))",
        "`complexity`, `combined`; `ratio` against what is simple, though not against what is inverted",
    ),
    Fooled(
        "vq-vae",
        _SIMPLER,
        "its decoder gives back any patch for which there are codes, and only p(codes) knows what belongs together",
        "`ratio`, `complexity`, `combined`",
    ),
    Fooled(
        "rbm",
        f"{_SIMPLER}; letters beside digits",
        "it sees black and white, most pixels are black in most images, and each that is black where the weights of the visible units expect it adds to log p(x)",
        "`complexity`",
    ),
    Fooled(
        "diffusion",
        _SIMPLER,
        "most of its bound is said at noise levels where only fine detail is left to foresee, and what is smooth has none "
        "(its likelihood was found wanting by [Graham et al. 2023](https://arxiv.org/abs/2211.07740))",
        "`complexity`, `combined`; `noise`, the test of its z",
    ),
    Fooled("gsn", "nothing, because it says nothing of an input", "it has chains and no p(x)", "another family"),
    Fooled("gan", "nothing, because it says nothing of an input", "it has samples and no p(x)", "another family"),
    Fooled(
        "distance",
        "noise, in the features of a classifier; letters beside digits, in pixels",
        "features say little of what no training image had, and pixels little of shapes",
        "several distances and p(x) at once, which is what `combined` is",
    ),
)  # fmt: skip
_WITHOUT = ("gsn", "gan")
_OF_DIGITS = {"mixture": "mixture, per class"}


def _worst(found: Sequence[Row]) -> str:
    """The lowest AUROC of some rows and where: 0.021, rotated letters beside Fashion-MNIST."""
    least = min(found, key=lambda r: r["AUROC"])
    called = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
    shown = called.get(least["shown"], least["shown"])
    return f"{fixed(least['AUROC'], 3)}, {shown} beside {called[least['learned']]}"


def _outliers(family: str) -> str:
    """The lowest AUROC by what a family says by itself, and by the default score."""
    if family in _WITHOUT:
        return ""
    found = [r for r in rows("experiments/outliers") if r["model"] == family]
    if family == "distance":
        scores = ("neighbour 5, pixels", "neighbour 5, features")
    else:
        scores = (DISCRIMINATIVE, "likelihood", "combined")
    said = [
        f"{'certainty' if score == DISCRIMINATIVE else score}: {_worst(own)}"
        for score in scores
        if (own := [r for r in found if r["score"] == score])
    ]
    return "; ".join(said) or "not measured"


def _marked(family: str) -> str:
    """Embedded digits that are named rightly with a mark that agrees and one that misleads, and how sure it is of noise."""
    if family in (*_WITHOUT, "distance"):
        return ""
    name = _OF_DIGITS.get(family, family)
    found = {
        r["condition"]: r["value"]
        for r in rows("experiments/generative_classifiers")
        if (r["data"], r["model"]) == ("digits", name)
    }
    if "the mark agrees" not in found:
        return "not measured"
    agrees, never = (percent(found[f"the mark {it}"], 1) for it in ("agrees", "never agrees"))
    return f"{agrees}, {never}"


@table
def who_is_fooled() -> str:
    header = (
        "family", "is fooled by", "because", "what helps", "lowest AUROC in the tables below", "right with a mark, and with it turned round",
    )  # fmt: skip
    return markdown(
        header,
        (
            (
                each.family if each.family == "distance" else f"`{each.family}`", each.by, each.because, each.helps,
                _outliers(each.family), _marked(each.family),
            )
            for each in FOOLED
        ),
    )  # fmt: skip
