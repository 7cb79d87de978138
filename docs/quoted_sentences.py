"""Numbers that stand in sentences of the docs, and the results they are quoted from.

A sentence is given by its words, with {} where a number stands; the words must be found once in each of its
pages, however the lines are broken.
"""

import re
from collections.abc import Sequence
from statistics import mean
from typing import Any, NamedTuple

from benchmarks.gan_colour import DEFAULT
from docs.quoted_tables import gan_mnist_groups
from docs.results import fixed, notes, percent, rows, the


class Sentence(NamedTuple):
    """Words with {} for each number, the numbers as they are written, and the pages."""

    words: str
    numbers: Sequence[str]
    pages: Sequence[str]


SENTENCES: list[Sentence] = []


def quote(pages: str, words: str, *numbers: str) -> None:
    """List a sentence; pages is "README gan" for README.md and docs/gan.md."""
    files = [f"{p}.md" if p.startswith("README") else f"docs/{p}.md" for p in pages.split()]
    SENTENCES.append(Sentence(words, numbers, files))


def pattern(sentence: Sentence) -> re.Pattern[str]:
    """The words with any white space between them, a group for each number."""
    parts = [
        r"\s+".join(map(re.escape, re.split(r"\s+", part))) for part in sentence.words.split("{}")
    ]
    return re.compile(r"(-?[\d.,/]*\d%?|[a-z]+)".join(f"({part})" for part in parts))


def corrected(sentence: Sentence, text: str, page: str) -> str:
    """A page with the numbers of a sentence as the results have them; LookupError where its words are not found."""
    found = list(pattern(sentence).finditer(text))
    if len(found) != 1:
        raise LookupError(f"{page} says {len(found)} times: {sentence.words!r}")
    (match,) = found
    pieces = list(match.groups())
    pieces[1::2] = sentence.numbers
    return text[: match.start()] + "".join(pieces) + text[match.end() :]


COUNTS = (
    "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
)  # fmt: skip


def _gan_mnist() -> None:
    groups, said = gan_mnist_groups(), notes("benchmarks/gan_mnist")

    def distance(data: str, minutes: float, who: str, digits: int) -> str:
        return fixed(mean(r["x real"] for r in groups[data, minutes, who]), digits)

    quote("README", "of its samples to test images is {} times that of real images, after 8 minutes {} times",
          distance("mnist", 3, "ours", 1), distance("mnist", 8, "ours", 2))  # fmt: skip
    quote("README", "a textbook DCGAN is at {} times after 8. On Fashion-MNIST it is {} and {}.",
          distance("mnist", 8, "dcgan", 0), distance("fashion-mnist", 3, "ours", 1),
          distance("fashion-mnist", 8, "ours", 1))  # fmt: skip
    accuracy = groups["mnist", 3, "ours"][0]["judge"]
    real = {
        name: float(value)
        for name, value in re.findall(r"(\w[\w ]*) ([\d.]+)(?:,|$)", said.splitlines()[0])
    }
    quote("gan", "of a classifier (on MNIST {} right)", percent(accuracy, 1))
    quote("gan", "whose other columns are, on MNIST, {}, {}, {}, {}, {}.",
          fixed(real["precision"], 3), fixed(real["recall"], 3), fixed(real["density"], 2),
          fixed(real["coverage"], 3), fixed(real["reverse KL"], 4))  # fmt: skip
    (asked,) = groups["mnist", 8, "conditional"]
    quote("gan", "Of the conditional samples {} are the digit", percent(asked["as asked"], 1))
    classes = {r["classes"] for seeds in groups.values() for r in seeds}
    quote("gan", "All {} classes are there in every row", COUNTS[min(classes)])


def _other_gans() -> None:
    kept = rows("experiments/stacked_mnist")
    ours, real = the(kept, who="default"), the(kept, who="real test digits")
    kl = fixed(ours["reverse KL"], 3)
    quote("README", "it finds all {} modes (reverse KL {}) in {} minutes on one core",
          fixed(ours["modes"], 0), kl, fixed(ours["minutes"], 0))  # fmt: skip
    quote("gan", "after {} minutes on one core the default finds {} modes with a reverse KL of {} on {} samples",
          fixed(ours["minutes"], 0), str(ours["modes"]), kl, fixed(ours["samples"], 0))  # fmt: skip
    quote("gan", "the digits of the test part, stacked, get {} and {}.",
          str(real["modes"]), fixed(real["reverse KL"], 3))  # fmt: skip
    accuracies = {r["judge accuracy"] for r in rows("experiments/digits_gan")}
    quote("README gan", "of the real training part, is {} right on the 500 held-out digits",
          percent(min(accuracies), 1))  # fmt: skip
    loop = the(rows("benchmarks/loop"), side="loop / bare")["median ms a round"]
    quote("README gan", "The loop costs {} on top of the same updates", percent(loop - 1))


def _diffusion() -> None:
    kept = rows("experiments/diffusion_images"), rows("benchmarks/gan_colour")

    def told(data: str, **choices: Any) -> str:
        every = [row for rows_of in kept for row in rows_of if choices.items() <= row.items()]
        return percent(the(every, data=data, pixels=32, minutes=8.0, seed=0)["critic 400"])

    pairs = [
        (data, model)
        for data, networks in DEFAULT.items()
        for model in ({"model": "diffusion", "evaluations": 16}, {"model": networks})
    ]
    quote("README", "a fresh critic tells its sprites from real ones {} of the time and a GAN's {}, its photographs of hands {} and {}",
          *(told(data, **model) for data, model in pairs))  # fmt: skip
    quote("README.ko", "가려낸 비율이 스프라이트에서는 {}(GAN은 {}), 손 사진에서는 {}(GAN은 {})였습니다",
          *(told(data, **model) for data, model in pairs))  # fmt: skip


def _autoregressive() -> None:
    kept = rows("experiments/binary_mnist")
    short = min((r for r in kept if r["who"] == "pixelcnn"), key=lambda r: r["minutes"])
    quote("README", "{} nats after {} minutes on 2 cores without a GPU, a Row LSTM {} after {} minutes on one",
          fixed(short["nats"], 1), fixed(short["minutes"], 0),
          fixed(the(kept, who="pixelrnn-row")["nats"], 1),
          fixed(the(kept, who="pixelrnn-row")["minutes"], 0))  # fmt: skip
    kept = rows("benchmarks/autoregressive")
    faster = fixed(the(kept, what="draw", who="cached", batch=64)["x naive"], 0)
    quote("README", "64 images are drawn {} times as fast as by the naive loop", faster)
    quote("autoregressive", "For 64 images cached takes 1/{} of the time of the naive loop", faster)
    ours, textbook = the(kept, what="train", who="ours"), the(kept, what="train", who="textbook")
    quote("autoregressive", "the default network takes 1/{} of the time", fixed(ours["x naive"], 2))
    quote("autoregressive", "at batch 64 in float32: {} and {} images/s",
          fixed(ours["images/s"], 0), fixed(textbook["images/s"], 0))  # fmt: skip


def _variational() -> None:
    kept = rows("experiments/vae_mnist")
    conv, two = the(kept, who="conv"), the(kept, who="conv-two-layers")
    quote("README", "{} nats after {} minutes on 2 cores without a GPU, {} with two layers of z after {}",
          fixed(conv["nats"], 1), fixed(conv["minutes"], 0),
          fixed(two["nats"], 1), fixed(two["minutes"], 0))  # fmt: skip
    quote("README", "± {} for the choice of {} test images",
          fixed(conv["stderr"], 1), fixed(conv["test images"], 0))  # fmt: skip
    quote("variational", "on a seeded {} of the 10,000 test", fixed(conv["test images"], 0))
    kept = rows("benchmarks/vae")
    score = [r for r in kept if r["what"].startswith("score")]
    ratios = [r["x pythae"] for r in kept if r["what"].startswith("train") and r["who"] == "ours"]
    quote("README", "it is scored {} times as fast as by pythae and trained {} to {} times as fast",
          fixed(the(score, who="ours")["x pythae"], 1), fixed(min(ratios), 2), fixed(max(ratios), 1))  # fmt: skip
    quote("variational", "Both say {} nats", "/".join({fixed(r["nats"], 1) for r in score}))
    paths = {(r["data"], r["who"]): r["path length"] for r in rows("experiments/contrast")}
    evenness = mean(paths[data, "gan"] / paths[data, "vae"] for data in ("mnist", "fashion-mnist"))
    quote("README", "its latent space is {} times as even", COUNTS[round(evenness)])


def _markov() -> None:
    kept = rows("experiments/rbm_mnist")
    pcd, labels = the(kept, who="pcd-5"), the(kept, who="labels")
    apart = fixed(abs(pcd["conservative"] - pcd["same"]), 1)
    quote("README", "{} nats after {} minutes with five steps of its chains an update (log Z known to {}; the",
          fixed(pcd["nats"], 1), fixed(pcd["minutes"], 0), fixed(pcd["3 sigma of log Z"], 1))  # fmt: skip
    quote("README", "agrees to {}), and {} of the test images right with label units after {}.",
          apart, percent(labels["accuracy"], 1), fixed(labels["minutes"], 0))  # fmt: skip
    quote("markov", "With five steps both agree to {} nats on the same images", apart)
    quote("markov", "is right about {} of the test images", percent(labels["accuracy"], 1))
    (gsn,) = rows("experiments/gsn_mnist")
    quote("README", "Parzen number of {} (legacy; published 214) after {}",
          fixed(gsn["parzen"], 0), fixed(gsn["minutes"], 0))  # fmt: skip
    quote("markov", "real training images get {} here", fixed(gsn["train"], 1))
    speed = {r["who"]: r for r in rows("benchmarks/rbm") if r["what"] == "train"}
    images = {who: fixed(r["images/s"], 0) for who, r in speed.items()}
    plain, half = speed["ours, float32"], speed["ours, bf16"]
    quote("markov", "scikit-learn {} in float64 and {} in float32",
          images["scikit-learn, float64"], images["scikit-learn, float32"])  # fmt: skip
    quote("markov", "ours {} in float32 ({} and {} times as fast) and {} in bf16 ({} and {})",
          images["ours, float32"], fixed(plain["x float64"], 2), fixed(plain["x float32"], 2),
          images["ours, bf16"], fixed(half["x float64"], 2), fixed(half["x float32"], 2))  # fmt: skip
    (walk,) = (r for r in rows("benchmarks/rbm") if r["what"].startswith("ais"))
    quote("markov", "over 10,000 temperatures takes {} s", fixed(walk["seconds"], 0))


def _classification() -> None:
    kept = rows("benchmarks/logistic")
    ours, theirs = the(kept, who="ours"), the(kept, who="scikit-learn")
    share = fixed(ours["time / scikit-learn"], 2)
    quote("README", "reaches its optimum on MNIST in {} of the time scikit-learn takes", share)
    quote("classification", "(ours takes {} of the time): ours {} s to the optimum, test accuracy {}, log loss {};",
          share, fixed(ours["seconds"], 1), percent(ours["test accuracy"], 2),
          fixed(ours["test log loss"], 4))  # fmt: skip
    quote("classification", "scikit-learn {} s for 100 iterations, not converged, {}, log loss {}.",
          fixed(theirs["seconds"], 1), percent(theirs["test accuracy"], 2),
          fixed(theirs["test log loss"], 4))  # fmt: skip
    kept = [r for r in rows("experiments/outliers") if r.get("purpose") != "choice"]
    shoe = the(kept, learned="mnist", model="logistic", shown="fashion-mnist")
    quote("classification", "Softmax regression is {} sure on average", percent(shoe["max p"]))
    quote("classification", "its certainty hardly tells shoes from digits (AUROC {})",
          fixed(shoe["AUROC"], 2))  # fmt: skip
    vae = {
        r["score"]: r["AUROC"]
        for r in kept
        if (r["learned"], r["model"], r["shown"]) == ("fashion-mnist", "vae", "mnist")
    }
    quote("classification", "a VAE's fails the same way ({})", fixed(vae["likelihood"], 3))
    quote("classification", "nearly all of it for the VAE ({})", fixed(vae["complexity"], 3))
    flow = {
        (r["learned"], r["score"]): fixed(r["AUROC"], 3)
        for r in kept
        if r["model"] == "flow" and {r["learned"], r["shown"]} == {"mnist", "fashion-mnist"}
    }
    quote("flows", "clothes are told from digits with an AUROC of {}, and learned from Fashion-MNIST digits from clothes with {} (by log p with {}, by the default with {};",
          *(flow[key] for key in (("mnist", "noise"), *(("fashion-mnist", name) for name in ("noise", "likelihood", "combined")))))  # fmt: skip


def _evaluation() -> None:
    ratio = the(rows("benchmarks/prdc"), side="ratio")
    quote("evaluation", "take {} of the time and {} of the memory of the package `prdc`",
          fixed(ratio["seconds"], 2), fixed(ratio["peak MB"], 2))  # fmt: skip
    total = the(rows("benchmarks/evaluation"), stage="total")["seconds"]
    (memory,) = re.findall(r"and ([\d,]+) MB at the peak", notes("benchmarks/evaluation"))
    quote("evaluation", "5,000 MNIST images against 5,000 takes {} s and {} GB on two cores",
          fixed(total, 0), fixed(float(memory.replace(",", "")) / 1000, 1))  # fmt: skip


def _diagnosis() -> None:
    kept = rows("benchmarks/diagnosis")
    forced = [r for r in kept if r["accused"] == ""]
    gans = [r for r in kept if r["what"] == "healthy"]
    others = [r for r in kept if r["what"].startswith("healthy ")]
    accused = [round(sum(r["runs"] * r["accused"] for r in healthy)) for healthy in (gans, others)]
    named = "All" if all(r["named"] == 1 for r in forced) else "Not all"
    quote("README", named + " of {} forced failures of trainings are named, {} of {} healthy GANs and {} of {} other",
          str(sum(r["runs"] for r in forced)), str(accused[0]), str(sum(r["runs"] for r in gans)),
          str(accused[1] or "none"), str(sum(r["runs"] for r in others)))  # fmt: skip
    costs = rows("benchmarks/looking")
    most = max(r["cost of watching"] for r in costs)
    quote(
        "README",
        "watching costs less than {} (`python -m benchmarks.looking`)",
        f"{5 * (int(20 * most) + 1)}%",
    )
    cost = ", ".join(r["model"] + " on " + r["data"] + " {}" for r in costs)
    quote("diagnosis", f"median of paired turns of 100 rounds): {cost}.",
          *(percent(max(r["cost of watching"], 0), 1) for r in costs))  # fmt: skip
    claims = rows("benchmarks/claims")
    held = "All {} hold" if all(r["held"] == r["seeds"] for r in claims) else "Not all {} hold"
    quote("diagnosis", held + " for seeds 0 to {}, and none takes longer than {} s",
          COUNTS[len(claims)], str(claims[0]["seeds"] - 1),
          fixed(max(r["seconds, longest"] for r in claims), 0))  # fmt: skip


for _list in (
    _gan_mnist, _other_gans, _diffusion, _autoregressive, _variational, _markov, _classification, _evaluation, _diagnosis
):  # fmt: skip
    _list()
