"""Has the discriminator outrun the generator?"""

from plausible.core.finding import Finding, Severity, alarm
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.discriminator import AUC_VALIDATION
from plausible.diagnosis.history import History
from plausible.diagnosis.missing_modes import FRECHET_RATIO


@alarm()
def starved_generator(history: History) -> Finding | None:
    """D is never wrong, on the validation part either, and samples do not come nearer to data meanwhile.

    A D that is never wrong alone is no failure: with the losses of today G learns from it all the same.
    """
    six = history.last(2 * IN_A_ROW, AUC_VALIDATION, FRECHET_RATIO)
    if six is None:
        return None
    auc, distance = six
    before, after = distance[:IN_A_ROW].mean().item(), distance[IN_A_ROW:].mean().item()
    evidence = {
        "AUC on the validation part": auc.min().item(),
        "distance of samples, times that of data": after,
        "a few probes before": before,
    }
    name = "starved generator"
    if (auc > 0.999).all() and after > 3 and after > 0.95 * before:
        return Finding(
            name,
            Severity.WARNING,
            "the discriminator is never wrong, and samples come no nearer: it has outrun the generator",
            evidence,
        )
    return not_raised(name, evidence)
