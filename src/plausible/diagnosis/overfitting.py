"""Does what is learned hold for data that are not learned?"""

import math
from collections.abc import Mapping

import torch

from plausible.core.finding import Finding, Severity, alarm, check, probe
from plausible.core.game import Clock
from plausible.core.model import Explicit
from plausible.core.reading import LOSS, Reading
from plausible.core.snapshot import Snapshot
from plausible.data.part import Data
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.history import History
from plausible.diagnosis.not_finite import LOG_P_NOT_FINITE

NAME = "overfitting"
VALIDATION_LOSS = Reading("validation loss")
VALIDATION_ERROR = Reading("validation loss, standard error")
_POINTS = 500
_SHARE = 0.05  # of -log p, that may be lost on new examples
_WORSE = 0.05  # of the best loss, that it may have risen


@check(needs=Explicit, name=NAME)
def likelihood_gap(model: Explicit, data: Data, seed: int) -> Finding:
    """E log p of training examples against held-out ones: what was learned by heart.

    Significant (3 standard errors), and more than 5% of the code length of a held-out example, or 0.05
    nats a coordinate where log p is a density.
    """
    train, heldout = (
        model.log_prob(
            part.every_kth(_POINTS).as_batch().x, generator=torch.Generator().manual_seed(seed)
        )
        for part in (data.train, data.heldout)
    )
    learned, new = train.mean(), heldout.mean()
    assert learned.stderr is not None
    assert new.stderr is not None
    gap = learned.nats.item() - new.nats.item()
    error = math.hypot(learned.stderr.item(), new.stderr.item())
    evidence = {
        f"log p of training examples in nats, {learned.kind.sign}": learned.nats.item(),
        f"log p of held-out examples in nats, {new.kind.sign}": new.nats.item(),
        "difference": gap,
        "its standard error": error,
        "examples of each": min(len(train.nats), len(heldout.nats)),
    }
    broken = sum(int((~log_p.nats.isfinite()).sum()) for log_p in (train, heldout))
    if broken:
        return Finding(
            LOG_P_NOT_FINITE,
            Severity.WARNING,
            f"log p is not finite for {broken:,} examples, so nothing can be said of the others",
            evidence,
        )
    scale = abs(new.nats.item()) if model.space.levels else model.space.dims
    if gap > max(3 * error, _SHARE * scale):
        return Finding(
            NAME,
            Severity.WARNING,
            "training examples are more probable than new ones: part of them was learned by heart",
            evidence,
        )
    return Finding(
        NAME, Severity.FINE, "new examples are about as probable as those it learned", evidence
    )


@probe()
def validation_loss(snapshot: Snapshot) -> Mapping[Reading, float]:
    """The loss of a game for one on the validation part and its standard error, by the weights that a run saves.

    Not where an example's loss depends on the others, which is then no measure of the model.
    """
    model = snapshot.model
    if len(snapshot.players) != 1:
        return {}
    (player,) = model.players()
    if player.whole_batch:
        return {}
    with torch.no_grad():
        loss = player.loss(snapshot.validation, Clock(0, 0, 1.0))
    each = torch.stack(list(loss.terms.values())).sum(0)  # (n,)
    return {
        VALIDATION_LOSS: loss.total.item(),
        VALIDATION_ERROR: each.std().item() / math.sqrt(len(each)),
    }


@alarm(name=NAME)
def rising_validation_loss(history: History) -> Finding | None:
    """The loss of the validation part has risen over its best by 5% and three standard errors, three times in a
    row, while that of training examples fell."""
    three = history.last(IN_A_ROW, VALIDATION_LOSS, VALIDATION_ERROR)
    if three is None or len(history.players) != 1:
        return None
    loss, error = three
    steps, every = history.series(VALIDATION_LOSS)
    best = int(every.argmin())
    (player,) = history.players
    at, losses = history.series_of(player, LOSS)
    before = losses[(at - steps[best]).abs() <= max(50.0, 0.05 * float(at[-1]))].mean().item()
    now = losses[-10:].mean().item()
    evidence = {
        "validation loss": loss[-1].item(),
        "its standard error": error[-1].item(),
        "the best it was": every[best].item(),
        "at step": steps[best].item(),
        "training loss": now,
        "when the other was best": before,
    }
    rise = (3 * error).clamp(min=_WORSE * abs(every[best].item()))
    if (loss > every[best] + rise).all() and now < before:
        return Finding(
            NAME,
            Severity.WARNING,
            "new examples have become less probable while training examples become more so",
            evidence,
            "the best weights are kept",
        )
    return not_raised(NAME, evidence)
