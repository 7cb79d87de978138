"""What there is to see on a page, in its order: the file of each template and its heading, and all pictures."""

from itertools import chain

from plausible.tasks.comparison_report import ComparisonReport
from plausible.tasks.report import RunReport
from plausible.tasks.report_pictures import Shown

Sections = list[tuple[str, str]]
"""(file of the template, heading)."""


def sections_of_run(found: RunReport) -> Sections:
    """Those of a run that have anything to show."""
    kept, judged = found.pictures, found.judged
    there = {
        ("samples", "Samples beside real data"): found.samples.pictures or found.samples.missing,
        ("defects", "The verdict, defect by defect"): found.defects,
        ("critic", "What gives the samples away"): kept["critics"] or kept["detail"],
        ("copies", "Are samples copies?"): kept["neighbours"],
        ("walks", "From one sample to another"): kept["walks"],
        ("answers", "Does it know when it is right?"): kept["answers"],
        ("training", "The training"): found.curves or found.film or found.found,
        ("measures", "Measures beside real data" if found.beside_real else "Measures"): judged
        is not None
        and found.questions,
        ("made", "How it was made"): True,
    }
    return [section for section, shown in there.items() if shown]


def sections_of_comparison(found: ComparisonReport) -> Sections:
    """Those of a comparison that have anything to show."""
    paired = found.compared.paired
    there = {
        ("numbers", "The families side by side"): found.alive or found.not_compared,
        ("defects", "What is wrong with the samples of each"): found.drawing,
        ("pictures", "What they draw"): found.pictures,
        ("tradeoff", "Quality against time"): found.tradeoff,
        ("paired", "Is the difference between the two best real?"): paired,
        ("families", "Each family by itself"): found.families,
        ("made", "How it was made"): True,
    }
    return [section for section, shown in there.items() if shown]


def pictures_of_run(found: RunReport) -> list[Shown]:
    """Every picture of the page of a run but its film."""
    margins = [] if found.margins is None else [found.margins]
    return [*margins, *found.samples.pictures, *chain(*found.pictures.values()), *found.curves]


def pictures_of_comparison(found: ComparisonReport) -> list[Shown]:
    """Every picture of the page of a comparison."""
    of_families = chain(*((*each.samples, *each.curves) for each in found.families))
    tradeoff = [] if found.tradeoff is None else [found.tradeoff]
    return [*found.pictures, *tradeoff, *of_families]
