"""What a class costs by Bayes' rule: what all classes share, in words, and how long an image took."""

from docs.quoted_sentences import quote
from docs.quoted_tables import table
from docs.results import fixed, markdown, rows, the

COSTS = (  # its name among the results, what is done once for all classes, and what for each
    ("naive-bayes", "", "a number looked up for every pixel"),
    ("mixture, per class", "the places within the levels, and their principal components", "its Gaussians"),
    ("mixture, hybrid", "the places within the levels, and their principal components", "its Gaussians"),
    ("flow", "the places within the levels", "the whole network, for each draw"),
    ("pixelcnn", "", "the whole network"),
    ("pixelrnn", "", "the whole network"),
    ("vae", "the noise of z", "the encoder, and the decoder for each draw"),
    ("vae, optimised posterior", "the noise of z", "the decoder, forwards and backwards, for each step and start, then for each draw"),
    ("vq-vae", "encoder, codes and decoder", "the PixelCNN over the codes"),
    ("rbm", "the product of x and the weights", "a softplus for every hidden unit"),
    ("rbm, per class", "", "the product of x and its weights"),
    ("diffusion", "noise and noise levels", "the whole network, for each draw until the class is ruled out"),
)  # fmt: skip


def _ms(model: str) -> str:
    found = [
        r
        for r in rows("experiments/classifiers")
        if (r["data"], r["model"]) == ("mnist", model) and "ms an image" in r
    ]
    return fixed(found[0]["ms an image"], 1) if found else "not measured"


@table
def cost_of_classes() -> str:
    header = ("model", "once for all classes", "for each class", "ms an image of MNIST")
    return markdown(
        header,
        ((f"`{name}`", once or "nothing", each, _ms(name)) for name, once, each in COSTS),
    )


def _best() -> None:
    kept = [r for r in rows("experiments/classifiers") if r["data"] == "mnist"]
    ours = the(kept, model="mixture, per class")
    quote(
        "classification",
        "the {} images of the test part take the mixture {} s",
        f"{ours['images']:,}", fixed(ours["ms an image"] * ours["images"] / 1000, 0),
    )  # fmt: skip


_best()
