"""Questions about inputs: which class, how sure, how plausible, or none of these."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from plausible.core.capabilities import Invertible
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind
from plausible.core.model import Explicit, Model
from plausible.data.part import Data, Part
from plausible.evaluation.measure import Measure
from plausible.recognition.answer import Answer, Answers, Refusals, answers
from plausible.recognition.calibration import Calibration, Tempered
from plausible.recognition.calibration_set import (
    CalibrationSet,
    calibrate,
    enough,
    label_calibration,
)
from plausible.recognition.conformal import class_conditional as by_class
from plausible.recognition.conformal import (
    examples_needed,
    false_discoveries,
    fewest_discoveries,
    full_conformal,
    most_extreme,
    scope,
    too_few,
    without_density,
)
from plausible.recognition.familiarity import can_be_familiar
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.outputs import ModelOutputs, has_code_length, model_outputs, posterior_of
from plausible.recognition.prior_shift import (
    PriorEstimate,
    estimate_prior,
    log_prior_of,
    shifted,
)
from plausible.recognition.roc import auroc, fpr_at_tpr

LEVEL = 0.05  # at which an input is called implausible, when nobody says otherwise
_CODED = ("complexity", "either")  # scores that need a lossless code


@dataclass(frozen=True)
class Plausibility:
    """How probable one input is.

    sign        how the truth relates to ``log_prob`` in nats: =, ≥, ≤ or ≈.
    percentile  the share of held-out data that are at most as probable.
    novelty     the score that tells implausible inputs, larger for what is less plausible.
    p           conformal: the chance that data of the right kind have as large a novelty.
    implausible whether it is refused, at a level of 5% or at the rate of false discoveries that was asked for.
    """

    name: str
    sign: str
    log_prob: float
    stderr: float | None
    percentile: float
    novelty: float
    p: float
    implausible: bool


@dataclass(frozen=True)
class Threshold:
    """From which p-value on an input is implausible.

    level                 at which each is, by itself.
    false_discovery_rate  in its place: so many of all that are refused may be good data on average.
    class_conditional     each class is held to examples of its own (``class_conditional`` of ``conformal``).
    """

    level: float = LEVEL
    false_discovery_rate: float | None = None
    class_conditional: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.level <= 1:
            raise UsageError(
                f"the level of implausibility must lie between 0 and 1, not {self.level}"
            )
        rate = self.false_discovery_rate
        if rate is not None and not 0 < rate < 1:
            raise UsageError(f"the rate of false discoveries must lie between 0 and 1, not {rate}")


class Recogniser:
    """A trained model that answers, calibrated on the validation part of its data.

    data        what it learned from, or what it says of them, from ``calibrate`` with the same choices.
    background  a model of mutated data (``--mutate``), for the score ``ratio``.
    novelty     the score, one of ``novelties``; by default ratio with a background model, otherwise combined for images of
                at least 8 pixels a side, either for smaller ones (and where a calibration set of an older version has no
                distances), and likelihood for vectors (experiments/outliers.py chose).
    draws       of z for each log p(x), where it is an estimate; by default the model's.
    optimise_posterior  steps of gradient ascent by which a vae finds q(z | x), see ``BayesClassifier``.
    """

    def __init__(
        self,
        model: Model,
        data: Data | CalibrationSet,
        *,
        background: Explicit | None = None,
        novelty: str | None = None,
        draws: int | None = None,
        optimise_posterior: int = 0,
        seed: int = 0,
    ):
        self.model, self.draws, self.seed = model, draws, seed
        self.optimise_posterior = optimise_posterior
        self.background = background
        self.novelty = choose_novelty(model, background, novelty)
        if isinstance(data, Data):
            data = calibrate(
                model, data, background=background, draws=draws, noise=self.noise,
                optimise_posterior=optimise_posterior, seed=seed,
            )  # fmt: skip
        self.calibration = data
        if self.novelty == "combined" and data.validation.distances is None:
            self.novelty = choose_novelty(model, background, novelty, familiar=False)
        self.in_distribution: NoveltyInput | None = None
        if data.validation.log_prob is not None:
            usual = data.validation.novelty_input()
            self.in_distribution = usual[usual.log_prob.isfinite()]
        self.classifier: Tempered | None = None
        self.labels: Calibration | None = None
        posterior, classifier = (
            data.validation.log_posterior,
            posterior_of(model, draws, optimise_posterior),
        )
        if classifier is not None and posterior is not None:
            assert data.y is not None
            self.labels = data.labels or label_calibration(model, posterior, data.y)
            self.classifier = Tempered(classifier, self.labels.temperature)

    @property
    def noise(self) -> bool:
        """Whether the z of each input is tested, which takes a pass of its own."""
        return self.novelty == "noise"

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        return self.calibration.class_names or tuple(map(str, range(self.model.space.classes)))

    def outputs(self, part: Part) -> ModelOutputs:
        """Everything the model says of these inputs."""
        return model_outputs(
            self.model, part, background=self.background, draws=self.draws, noise=self.noise,
            optimise_posterior=self.optimise_posterior, familiarity=self.calibration.familiarity, seed=self.seed,
        )  # fmt: skip

    def novelty_score(self, outputs: ModelOutputs, novelty: str | None = None) -> Tensor:
        """A novelty score of each input, (n,), by default ours; UsageError for a model without p(x)."""
        if outputs.log_prob is None or self.in_distribution is None:
            raise UsageError(
                f"a {self.model.name} says p(y | x) and nothing of p(x): train a model that does, such "
                f"as naive-bayes"
            )
        inputs = replace(outputs.novelty_input(), in_distribution=self.in_distribution)
        return novelties[novelty or self.novelty](inputs)

    def p_values(self, outputs: ModelOutputs, class_conditional: bool = False) -> Tensor:
        """The conformal p-value of the novelty score of each input, (n,): how many good data are as novel.

        class_conditional  as one of the class that finds it least novel, among examples of that class.
        """
        known, score = self.calibration.validation, novelties[self.novelty]
        if not class_conditional:
            return full_conformal(score, known.novelty_input(), outputs.novelty_input())
        y = self._need_classes()
        usual, inputs = (
            (said.novelty_input(), said.log_likelihoods(self.model.log_prior))
            for said in (known, outputs)
        )
        return by_class(score, usual, y, inputs).amax(1)  # (n, classes) -> (n,)

    @property
    def compared(self) -> int:
        """With how many validation examples an input is compared; 0 for a model without p(x)."""
        log_prob = self.calibration.validation.log_prob
        return 0 if log_prob is None else len(log_prob.nats)

    def too_few(self, level: float = LEVEL) -> str | None:
        """Where so few examples cannot tell what is implausible at this level: what would do."""
        return too_few(self.compared, level, enough(self.model)) if self.compared else None

    def scope(self, threshold: Threshold, m: int) -> tuple[str, ...]:
        """What can be said of m inputs at all, before they are looked at: one or two sentences."""
        n, of, rate = self.compared, "", threshold.false_discovery_rate
        if self.calibration.validation.log_prob is None:
            return (without_density(self.model.name, rate, threshold.class_conditional),)
        if not n:
            return ()
        if threshold.class_conditional:
            counts = torch.bincount(self._need_classes(), minlength=len(self.class_names))
            rarest = int(counts.argmin())
            n, of = (
                int(counts[rarest]),
                f" of class {self.class_names[rarest]} (the fewest)",
            )
        if rate is None:
            few = too_few(n, threshold.level, enough(self.model), of)
            return (few or scope(n, of),)
        hard = fewest_discoveries(n, m, rate)
        return (scope(n, of),) if hard is None else (scope(n, of), hard)

    def classify(
        self, part: Part, names: tuple[str, ...], reject_cost: float, level: float
    ) -> list[Answer]:
        """The class of each input, or why none, see ``answers``."""
        return list(self.answers(part, names, reject_cost, Threshold(level)).rows)

    def answers(
        self,
        part: Part,
        names: tuple[str, ...],
        reject_cost: float = 0.2,
        threshold: Threshold | None = None,
        prior: Sequence[float] | Literal["estimated"] | None = None,
    ) -> Answers:
        """The class of each input, or why none: implausible, ambiguous at the cost, or too close to call by so few draws.

        prior  p(y) of the inputs, where it is another than the training part had: shares, counts, or "estimated" from
               those of them that are not implausible.
        Raises ``UsageError`` for a model without classes, or what ``Threshold`` or ``log_prior_of`` refuses.
        """
        if self.classifier is None or self.labels is None:
            raise UsageError(_without_classes(self.model))
        threshold = threshold or Threshold()
        given = None
        if prior is not None and prior != "estimated":
            given = log_prior_of(prior, self.class_names)
        notes = self.scope(threshold, len(names))
        outputs = self.outputs(part)
        assert outputs.log_posterior is not None
        log_p = (outputs.log_posterior / self.classifier.temperature).log_softmax(1)
        refusals, estimate = self._refusals(outputs, threshold), None
        if prior == "estimated":
            kept = log_p[~refusals.implausible]
            estimate = estimate_prior(kept, self.labels.log_prior, asked=len(names))
            given = torch.tensor(estimate.prior, dtype=torch.float64).log()
            notes = (*notes, self._said(estimate))
        if given is not None:
            log_p = shifted(log_p, self.labels.log_prior, given)
        paired = None if outputs.paired is None else outputs.paired / self.classifier.temperature
        rows = answers(names, self.class_names, log_p, paired, refusals, reject_cost)
        return Answers(rows, estimate, outputs.evaluations, notes)

    def _said(self, estimate: PriorEstimate) -> str:
        shares = [
            f"{name} {share:.1%} ± {error:.1%}"
            for name, share, error in zip(
                self.class_names, estimate.prior, estimate.stderr, strict=True
            )
        ]
        return f"the prior of these {estimate.n:,} inputs is estimated as {', '.join(shares)}"

    def _refusals(self, outputs: ModelOutputs, threshold: Threshold) -> Refusals:
        """Which inputs are implausible and why."""
        m = len(outputs)
        if not self.compared:
            return Refusals(torch.zeros(m, dtype=torch.bool), None, ("",) * m)
        p, rate = (
            self.p_values(outputs, threshold.class_conditional),
            threshold.false_discovery_rate,
        )
        refused = p <= threshold.level if rate is None else false_discoveries(p, rate)
        of = " of every class" * threshold.class_conditional
        among = "" if rate is None else f"; {int(refused.sum()):,} of {m:,} are refused"
        reasons = [
            f"real data{of} are as unlikely in {value:.2g} of all cases{among}"
            if gone
            else "" if rate or threshold.class_conditional
            else most_extreme(value, self.compared, threshold.level)
            for value, gone in zip(p.tolist(), refused.tolist(), strict=True)
        ]  # fmt: skip
        return Refusals(refused, p, tuple(reasons))

    def _need_classes(self) -> Tensor:
        """Labels of the examples that inputs are compared with; UsageError without p(x | y)."""
        if not isinstance(self.model, Explicit) or self.calibration.y is None or not self.compared:
            raise UsageError(
                "--class-conditional holds each class to its own examples, which needs p(x | y): this "
                f"{self.model.name} was not trained with --conditional or --per-class"
            )
        if not self.model.conditional:
            raise UsageError(_without_classes(self.model))
        return self.calibration.y.cpu()

    def score(
        self, part: Part, names: tuple[str, ...], threshold: Threshold | None = None
    ) -> list[Plausibility]:
        """How probable each input is, beside the held-out data."""
        outputs = self.outputs(part)
        novelty = self.novelty_score(outputs)
        assert outputs.log_prob is not None
        assert self.calibration.heldout is not None
        nats = outputs.log_prob.nats.double()
        order = self.calibration.heldout.sort().values
        rank = torch.searchsorted(order, nats, right=True) / len(order)  # (n,)
        errors = outputs.log_prob.error
        stderr = [None] * len(nats) if errors is None else errors.tolist()
        refusals = self._refusals(outputs, threshold or Threshold())
        assert refusals.p is not None
        columns = (
            nats.tolist(), stderr, rank.tolist(), novelty.tolist(), refusals.p.tolist(), refusals.implausible.tolist(),
        )  # fmt: skip
        sign = Kind(outputs.log_prob.kind).sign
        return [Plausibility(name, sign, *row) for name, *row in zip(names, *columns, strict=True)]


def choose_novelty(
    model: Model,
    background: Explicit | None = None,
    novelty: str | None = None,
    familiar: bool | None = None,
) -> str:
    """The name of the novelty score of a model, by default what suits its space.

    familiar  whether distances from the training part are there; by default whether they can be.
    Raises ``UsageError`` for a score that these data do not have, or a model that says nothing of x.
    """
    posterior_of(model)
    coded = has_code_length(model.space)
    near = can_be_familiar(model.space) if familiar is None else familiar
    of_images = "combined" if near else "either" if coded else "likelihood"
    name = novelty or ("ratio" if background else of_images)
    _ = novelties[name]
    if name in _CODED and not coded:
        raise UsageError(
            f"--novelty {name} needs images, which have a standard lossless code: choose likelihood, "
            f"typicality or ratio"
        )
    if name == "combined" and not near:
        raise UsageError(
            "--novelty combined needs distances from the training part, which images of at least 8 pixels a side have, and a "
            "run of an older version once it is told where its data are (--data PATH)"
        )
    if name == "noise" and not isinstance(model, Invertible):
        raise UsageError(
            "--novelty noise tests the z of one invertible map of all x, as a flow and a diffusion model are and this "
            "model is not (a model for each class is several): choose another score"
        )
    if name == "ratio" and background is None:
        raise UsageError("the score ratio needs a background model")
    return name


def _without_classes(model: Model) -> str:
    """Why a model cannot classify, and which of its flags would let it."""
    ways = ["--per-class"]
    if hasattr(model.config, "conditional"):
        ways.insert(0, "--conditional")
    return f"this {model.name} was learned without classes: train it with {' or '.join(ways)} on labelled data"


def ood_detection(
    recogniser: Recogniser, inside: Part, outside: Part, name: str, n: int = 5000
) -> list[Measure]:
    """How well data of the right kind are told from outliers, at most n of each.

    By the novelty score where the model says p(x), otherwise by 1 - max_y p(y | x), all that a
    discriminative model has.
    """
    outputs = [recogniser.outputs(part.rows(slice(0, n))) for part in (inside, outside)]
    if outputs[0].log_prob is None:
        score = "1 - max p(y | x)"
        scores = [-o.log_posterior.amax(1) for o in outputs if o.log_posterior is not None]
    else:
        score, scores = recogniser.novelty, [recogniser.novelty_score(o) for o in outputs]
    (ours, other), note = scores, f"by {score}"
    count = min(len(ours), len(other))
    few = examples_needed(0.05)  # without which the threshold that 95% pass is one that all pass
    all_pass = f"; of {len(ours)} held-out examples 95% are all" * (len(ours) <= few)
    return [
        Measure(f"AUROC, {name}", auroc(ours, other), n=count, direction="higher", note=note),
        Measure(
            f"accepted of {name} at 95%", fpr_at_tpr(ours, other), n=count, note=note + all_pass
        ),
    ]
