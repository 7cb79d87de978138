"""What a flow makes of an outlier."""

import torch

from plausible.claims.claim import Claimed, Figure, claims, mean
from plausible.data.load import load
from plausible.data.part import Part
from plausible.models import Flow
from plausible.recognition.calibration_set import calibrate
from plausible.recognition.recogniser import Recogniser
from plausible.training import Settings, train

_STEPS, _SHOWN, _LEVEL = 400, 200, 0.05
_FAINT = 8  # times less ink
_SCORES = ("noise", "likelihood", "typicality")


@claims
def inverted_noise(seed: int) -> Claimed:
    """A flow's noise of an outlier is no N(0, I), also where its density is the usual one.

    A flow of couplings learns the 8x8 digits for 400 updates, and maps an image to a z that would be N(0, I) if it were
    perfect.  Digits with an eighth of their ink, and digits whose quarters have changed places, are mapped to something else:
    the conformal p-value of the length of z, the distribution of its numbers and their correlation says so.  The density of
    the faint ones is that of digits, no smaller and no larger, so log p(x) and its distance from the mean find few of them.
    Sources: Nalisnick et al. 2019, https://arxiv.org/abs/1810.09136; Bomatter et al. 2026, https://arxiv.org/abs/2605.22496.
    """
    data = load("digits")
    torch.manual_seed(seed)
    training = train(Flow(data.space), data, Settings(steps=_STEPS, seed=seed))
    for _ in training:
        pass
    flow = training.averaged
    known = calibrate(flow, data, noise=True)
    asked = {score: Recogniser(flow, known, novelty=score) for score in _SCORES}
    x = data.heldout.values[:_SHOWN]
    shown = {
        "digits": data.heldout.values,
        "faint": (x.double() / _FAINT).round().to(x.dtype),
        "quarters swapped": x.roll((x.shape[2] // 2, x.shape[3] // 2), (2, 3)),
    }
    p = {}
    for name, values in shown.items():
        outputs = asked["noise"].outputs(Part(values, None, data.space))
        for score in _SCORES:
            p[name, score] = asked[score].p_values(outputs)

    def rejected(name: str, score: str) -> torch.Tensor:
        return (p[name, score] <= _LEVEL).double()

    steps = [k / 50 for k in range(51)]
    curves = {
        f"{name}, by {score}": (steps, [(found <= t).double().mean().item() for t in steps])
        for (name, score), found in p.items()
        if score == "noise" or name == "faint"
    }
    return Claimed(
        [
            mean("share of held-out digits that their noise rejects at 5%", rejected("digits", "noise"), most=0.12),
            mean("share of faint digits that their noise rejects", rejected("faint", "noise"), least=0.8),
            mean("share of digits with quarters swapped that their noise rejects", rejected("quarters swapped", "noise"), least=0.8),
            mean("share of faint digits that their density rejects", rejected("faint", "likelihood"), most=0.4),
            mean("share of faint digits that the distance of log p from its mean rejects", rejected("faint", "typicality"), most=0.4),
        ],
        Figure("t", "share of the p-values at most t", curves),
    )  # fmt: skip
