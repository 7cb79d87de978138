"""Does the discriminator know its examples by heart?"""

from plausible.core.finding import Finding, Severity, alarm
from plausible.diagnosis.alarm import IN_A_ROW, not_raised
from plausible.diagnosis.discriminator import (
    AUC_TRAIN,
    AUC_VALIDATION,
    D_SAMPLES,
    D_TRAIN,
    D_VALIDATION,
)
from plausible.diagnosis.history import History

_MEMORISED = 0.5  # of what D tells apart on data it learned, lost on data it did not


@alarm()
def discriminator_overfitting(history: History) -> Finding | None:
    """D tells data it learned from samples far better than data it did not.

    (E D(train) - E D(validation)) / (E D(train) - E D(samples)) over one half, while D orders examples it
    learned above samples and those it did not less often, three times in a row.
    Source: Karras et al. 2020, https://arxiv.org/abs/2006.06676, equation 1.
    """
    three = history.last(IN_A_ROW, D_TRAIN, D_VALIDATION, D_SAMPLES, AUC_TRAIN, AUC_VALIDATION)
    if three is None:
        return None
    train, validation, samples, auc, auc_validation = three
    lost = (train - validation) / (train - samples).clamp(min=1e-12)
    evidence = {
        "lost on the validation part": lost[-1].item(),
        "AUC on the training part": auc[-1].item(),
        "AUC on the validation part": auc_validation[-1].item(),
    }
    name = "discriminator overfitting"
    if (lost > _MEMORISED).all() and (auc > 0.9).all() and (auc - auc_validation > 0.1).all():
        return Finding(
            name,
            Severity.FAILURE,
            "the discriminator knows its examples by heart: new ones look like samples to it",
            evidence,
        )
    return not_raised(name, evidence)
