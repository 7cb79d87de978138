"""What models say of nonsense."""

import torch

from plausible.claims.claim import Claimed, Figure, claims, mean
from plausible.data.load import load
from plausible.data.part import Part
from plausible.models import LogisticRegression, NaiveBayes
from plausible.recognition.recogniser import Recogniser
from plausible.training import Settings, train

_SHOWN, _LEVEL = 500, 0.05


@claims
def nonsense(seed: int) -> Claimed:
    """A discriminative model spreads its probability over the labels it knows, on nonsense too; a generative one rejects it.

    Softmax regression and naive Bayes learn the 8x8 digits and are shown uniform noise.  The first has nothing
    but p(y | x), which adds up to 1 over the ten digits whatever x is.  The second has p(x) too: its conformal
    p-value says how many good inputs are as odd.
    Sources: Nguyen et al. 2015, https://arxiv.org/abs/1412.1897; Vovk et al. 2005.
    """
    data = load("digits")
    recognisers = {}
    for kind in (LogisticRegression, NaiveBayes):
        torch.manual_seed(seed)
        training = train(kind(data.space), data, Settings(seed=seed))
        for _ in training:
            pass
        recognisers[kind] = Recogniser(training.averaged, data)
    generator = torch.Generator().manual_seed(seed)
    levels = data.space.levels or 256
    noise = torch.randint(
        levels, (_SHOWN, *data.space.shape), generator=generator, dtype=torch.uint8
    )
    part = Part(noise, None, data.space)
    posterior = recognisers[LogisticRegression].outputs(part).log_posterior
    assert posterior is not None
    bayes = recognisers[NaiveBayes]
    far, near = bayes.p_values(bayes.outputs(part)), bayes.p_values(bayes.outputs(data.heldout))
    sure = posterior.exp()
    steps = [k / 50 for k in range(51)]
    curves = {
        "softmax regression: largest p(y | x) of noise": (steps, [(sure.amax(1) <= t).double().mean().item() for t in steps]),
        "naive Bayes: p-value of noise": (steps, [(far <= t).double().mean().item() for t in steps]),
        "naive Bayes: p-value of digits": (steps, [(near <= t).double().mean().item() for t in steps]),
    }  # fmt: skip
    return Claimed(
        [
            mean(
                "sum of p(y | x) over the known labels on noise",
                sure.sum(1),
                least=0.999,
                most=1.001,
            ),
            mean("its largest p(y | x) on noise", sure.amax(1), least=0.4),
            mean(
                "share of noise that naive Bayes rejects at 5%",
                (far <= _LEVEL).double(),
                least=0.95,
            ),
            mean("share of digits that it rejects", (near <= _LEVEL).double(), most=0.12),
        ],
        Figure("t", "share at most t", curves),
    )
