"""What a flow makes of an outlier."""

import torch

from plausible.claims.claim import Claimed, Figure, claims, mean
from plausible.data.load import load
from plausible.data.part import Data, Part
from plausible.models import Flow
from plausible.recognition.recogniser import Recogniser
from plausible.training import Settings, train

_STEPS, _SHOWN, _LEVEL = 1000, 400, 0.05


@claims
def inverted_noise(seed: int) -> Claimed:
    """A flow's noise of an outlier is no N(0, I), and be it more probable than any datum.

    A flow of couplings learns the 8x8 digits for 1,000 updates, and maps an image to a z that would be N(0, I) if it were
    perfect.  Plain grey images of any brightness, and digits whose quarters have changed places, are mapped to something
    else: the conformal p-value of the length of z, the distribution of its numbers and their correlation says so.  By its
    density a plain image is more probable than most digits.
    Sources: Nalisnick et al. 2019, https://arxiv.org/abs/1810.09136; Bomatter et al. 2026, https://arxiv.org/abs/2605.22496.
    """
    data = load("digits")
    torch.manual_seed(seed)
    training = train(Flow(data.space), data, Settings(steps=_STEPS, seed=seed))
    for _ in training:
        pass
    asked = {
        novelty: Recogniser(training.averaged, data, novelty=novelty)
        for novelty in ("noise", "likelihood")
    }
    shown = {"digits": data.heldout, **_outliers(data, seed)}
    p = {
        (novelty, name): recogniser.p_values(recogniser.outputs(part))
        for novelty, recogniser in asked.items()
        for name, part in shown.items()
    }
    steps = [k / 50 for k in range(51)]
    curves = {
        f"{name}, by {novelty}": (steps, [(found <= t).double().mean().item() for t in steps])
        for (novelty, name), found in p.items()
        if novelty == "noise" or name == "plain grey"
    }

    def rejected(novelty: str, name: str) -> torch.Tensor:
        return (p[novelty, name] <= _LEVEL).double()

    return Claimed(
        [
            mean("share of held-out digits rejected at 5% by their noise", rejected("noise", "digits"), most=0.12),
            mean("share of plain grey images rejected by their noise", rejected("noise", "plain grey"), least=0.9),
            mean("the same by their density", rejected("likelihood", "plain grey"), most=0.5),
            mean("share of digits with quarters swapped rejected by their noise", rejected("noise", "quarters swapped"), least=0.5),
        ],
        Figure("t", "share of the p-values at most t", curves),
    )  # fmt: skip


def _outliers(data: Data, seed: int) -> dict[str, Part]:
    """Images of one grey level each, and held-out digits whose quarters have changed places."""
    generator, x = torch.Generator().manual_seed(seed), data.heldout.values[:_SHOWN]
    levels = data.space.levels or 256
    grey = torch.randint(levels, (_SHOWN, 1, 1, 1), generator=generator, dtype=x.dtype)
    swapped = x.roll((x.shape[2] // 2, x.shape[3] // 2), (2, 3))
    values = {
        "plain grey": grey.expand(_SHOWN, *x.shape[1:]).contiguous(),
        "quarters swapped": swapped,
    }
    return {name: Part(v, None, data.space) for name, v in values.items()}
