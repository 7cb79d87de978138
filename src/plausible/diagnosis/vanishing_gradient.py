"""Does the generator still hear anything from the discriminator?"""

from plausible.core.finding import Finding, Severity, alarm
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.discriminator import (
    AUC_TRAIN,
    LOGIT_GRADIENT,
    SAMPLE_GRADIENT,
    SIGNAL_TO_NOISE,
)
from plausible.diagnosis.history import History

_SURE = 0.9  # AUC from which D is seldom wrong
_STOPPED = 0.05  # of the gradient of its loss, that still reaches G
_FELL = 0.1  # of the largest gradient so far


@alarm()
def vanishing_gradient(history: History) -> Finding | None:
    """D is sure of every sample, hardly any of its slope passes the loss, and what G hears has faded.

    All three, three times in a row.
    Source: Arjovsky and Bottou 2017, https://arxiv.org/abs/1701.04862.
    """
    three = history.last(IN_A_ROW, LOGIT_GRADIENT, AUC_TRAIN)
    if three is None:
        return None
    multiplier, auc = three
    _, slopes = history.series(SAMPLE_GRADIENT)
    most, now = slopes.max().item(), slopes[-IN_A_ROW:]
    evidence = {
        "multiplier on the generator's gradient": multiplier[-1].item(),
        "AUC of D": auc[-1].item(),
        "gradient at the samples": now[-1].item(),
        "the largest it was": most,
        "signal to noise": history.series(SIGNAL_TO_NOISE)[1][-1].item(),
    }
    name = "vanishing gradient"
    if (multiplier < _STOPPED).all() and (auc > _SURE).all() and (now < _FELL * most).all():
        return Finding(
            name,
            Severity.FAILURE,
            "the generator's gradient has vanished: the discriminator is sure of every sample, and the loss "
            "passes hardly anything on",
            evidence,
        )
    return not_raised(name, evidence)
