"""What a person does, as functions that return values and print nothing.

Each takes a run, its folder, a model in memory, or what ``fit`` returned.  The command line shows what they
return; notebooks, pages and wrappers call the same.

``fit``, ``resume``        learn a distribution, to the end
``refine``                 improve a trained model by a game; ``before_after`` what that won and cost
``watch``                  a training as it is now: how far, how long, its curves, what was found wrong
``evaluate``               did it learn the distribution; ``evaluate_samples`` of any other program
``evaluate_against``       which of two generators is better, in what, and is the difference real
``compare``                which family for these data; ``continue_comparison`` where it stopped, ``open_comparison`` a kept one
``sweep``                  which choices of a model suit these data, by validation data alone
``evaluate_twin``          did two models that learned from disjoint halves learn the same, or each its half by heart
``verify``                 does an evaluation come out again, number by number
``advise``                 what that means in plain words, what limits the model (``course_of`` its training), what to try
``diagnose``               what is wrong, the evidence, what to change
``sample``                 draw; ``sample_chain`` the way of Markov chains; ``weights_used`` says by which weights
``interpolate``            walks through z; ``interpolate_between`` two inputs
``directions``             those of z along which x changes most
``reconstruct``            what comes back of an input from its code
``complete``               the rest of an image; ``surprisal`` of each pixel
``classify``, ``score``    which class, how plausible, or none of these
``explain``, ``uncover``   what each class makes of an input; after which row the class is known
``latent_draws``           places in z to pick from; ``walk_between_draws`` two of them, ``latent_point`` along directions
``list_runs``              the runs in a folder, how far each came and its verdict
``report``                 all that there is to see of a run, in one value: what a page of it shows; ``report_comparison``
``check``                  is a run what was written, file by file
``export``                 a part of a model as a file of ONNX or torch; ``push`` and ``pull`` give a model away and take one
``describe``               what a data set holds, and what will be done with it; ``symmetries_of`` it, as tested
``families_for``           which families suit it, and why others do not; ``abilities_of`` what a trained model can do
``save_samples``, ``save_report``, ``save_comparison``, ``save_findings``, ``save_picture``  what they return, as files
"""

from plausible.tasks.abilities import Abilities, abilities_of
from plausible.tasks.advise import Advice, advise
from plausible.tasks.before_after import BeforeAfter, before_after
from plausible.tasks.calibrate import calibrated
from plausible.tasks.check import Checked, check
from plausible.tasks.classify import Classification, classify
from plausible.tasks.compare import compare, continue_comparison
from plausible.tasks.compared import Compared, FamilyResult, RunResult
from plausible.tasks.comparison_file import open_comparison
from plausible.tasks.comparison_report import ComparisonReport, report_comparison
from plausible.tasks.complete import Completion, complete, surprisal
from plausible.tasks.course import Course, course_of
from plausible.tasks.describe import Description, describe
from plausible.tasks.diagnose import diagnose, save_findings
from plausible.tasks.directions import Explored, directions
from plausible.tasks.evaluate import evaluate
from plausible.tasks.evaluate_against import evaluate_against
from plausible.tasks.evaluate_samples import evaluate_samples
from plausible.tasks.evaluate_twin import Twins, evaluate_twin
from plausible.tasks.explain import Explanations, Uncoverings, explain, uncover
from plausible.tasks.export import Exported, export
from plausible.tasks.families import Family, families_for
from plausible.tasks.fit import fit, resume
from plausible.tasks.fit_steps import Diverged, Failed, fit_steps
from plausible.tasks.interpolate import interpolate, interpolate_between
from plausible.tasks.latent_point import latent_draws, latent_point, walk_between_draws
from plausible.tasks.list_runs import RunRow, list_runs
from plausible.tasks.pull import pull
from plausible.tasks.push import Pushed, push
from plausible.tasks.reconstruct import Reconstruction, reconstruct
from plausible.tasks.reference_classifier import reference_classifier
from plausible.tasks.refine import Refinement, refine
from plausible.tasks.report import RunReport, report
from plausible.tasks.sample import sample, sample_chain, weights_used
from plausible.tasks.save import save_comparison, save_picture, save_report, save_samples
from plausible.tasks.score import Scores, score
from plausible.tasks.sweep import Swept, sweep
from plausible.tasks.symmetries import Symmetries, symmetries_of
from plausible.tasks.trained import Trained, TrainedLike, open_trained
from plausible.tasks.verify import Verification, verify
from plausible.tasks.watch import Watched, watch

__all__ = [
    "Abilities",
    "Advice",
    "BeforeAfter",
    "Checked",
    "Classification",
    "Compared",
    "ComparisonReport",
    "Completion",
    "Course",
    "Description",
    "Diverged",
    "Explanations",
    "Explored",
    "Exported",
    "Failed",
    "Family",
    "FamilyResult",
    "Pushed",
    "Reconstruction",
    "Refinement",
    "RunReport",
    "RunResult",
    "RunRow",
    "Scores",
    "Swept",
    "Symmetries",
    "Trained",
    "TrainedLike",
    "Twins",
    "Uncoverings",
    "Verification",
    "Watched",
    "abilities_of",
    "advise",
    "before_after",
    "calibrated",
    "check",
    "classify",
    "compare",
    "complete",
    "continue_comparison",
    "course_of",
    "describe",
    "diagnose",
    "directions",
    "evaluate",
    "evaluate_against",
    "evaluate_samples",
    "evaluate_twin",
    "explain",
    "export",
    "families_for",
    "fit",
    "fit_steps",
    "interpolate",
    "interpolate_between",
    "latent_draws",
    "latent_point",
    "list_runs",
    "open_comparison",
    "open_trained",
    "pull",
    "push",
    "reconstruct",
    "reference_classifier",
    "refine",
    "report",
    "report_comparison",
    "resume",
    "sample",
    "sample_chain",
    "save_comparison",
    "save_findings",
    "save_picture",
    "save_report",
    "save_samples",
    "score",
    "surprisal",
    "sweep",
    "symmetries_of",
    "uncover",
    "verify",
    "walk_between_draws",
    "watch",
    "weights_used",
]
