"""Questions about inputs: which class, how sure, how plausible, or none of these."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from plausible.core.capabilities import Invertible
from plausible.core.errors import UsageError
from plausible.core.likelihood import Kind
from plausible.core.model import Explicit, Model
from plausible.data.part import Data, Part
from plausible.evaluation.measure import Measure
from plausible.recognition.calibration import Tempered, temper
from plausible.recognition.calibration_set import CalibrationSet, calibrate, enough
from plausible.recognition.conformal import examples_needed, full_conformal, most_extreme, too_few
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.outputs import ModelOutputs, has_code_length, model_outputs, posterior_of
from plausible.recognition.rejection import REJECTED, chow_rule
from plausible.recognition.roc import auroc, fpr_at_tpr

LEVEL = 0.05  # at which an input is called implausible, when nobody says otherwise
_OF_IMAGES = ("complexity", "either")  # scores that need a lossless code


@dataclass(frozen=True)
class Answer:
    """What is said of one input; ``label`` is REJECTED where no class should be named."""

    name: str
    decision: str
    reason: str
    label: int
    posterior: tuple[float, ...]
    p: float | None


@dataclass(frozen=True)
class Plausibility:
    """How probable one input is.

    sign        how the truth relates to ``log_prob`` in nats: =, ≥, ≤ or ≈.
    percentile  the share of held-out data that are at most as probable.
    novelty     the score that tells implausible inputs, larger for what is less plausible.
    p           conformal: the chance that data of the right kind have as large a novelty.
    """

    name: str
    sign: str
    log_prob: float
    stderr: float | None
    percentile: float
    novelty: float
    p: float


class Recogniser:
    """A trained model that answers, calibrated on the validation part of its data.

    data        what it learned from, or what it says of them, from ``calibrate`` with the same choices.
    background  a model of mutated data (``--mutate``), for the score ``ratio``.
    novelty     the score, one of ``novelties``; by default ratio with a background model, otherwise
                either for images, and likelihood for vectors (experiments/outliers.py chose).
    draws       of z for each log p(x), where it is an estimate; by default the model's.
    """

    def __init__(
        self,
        model: Model,
        data: Data | CalibrationSet,
        *,
        background: Explicit | None = None,
        novelty: str | None = None,
        draws: int | None = None,
        seed: int = 0,
    ):
        self.model, self.draws, self.seed = model, draws, seed
        self.background = background
        self.novelty = choose_novelty(model, background, novelty)
        if isinstance(data, Data):
            data = calibrate(
                model, data, background=background, draws=draws, noise=self.noise, seed=seed
            )
        self.calibration = data
        self.in_distribution: NoveltyInput | None = None
        if data.validation.log_prob is not None:
            usual = data.validation.novelty_input()
            self.in_distribution = usual[usual.log_prob.isfinite()]
        self.classifier: Tempered | None = None
        posterior, classifier = data.validation.log_posterior, posterior_of(model, draws)
        if classifier is not None and posterior is not None:
            assert data.y is not None
            self.classifier = temper(classifier, posterior, data.y)

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
            self.model, part, background=self.background, draws=self.draws, noise=self.noise, seed=self.seed
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

    def p_values(self, outputs: ModelOutputs) -> Tensor:
        """The conformal p-value of the novelty score of each input, (n,): how many good data are as novel."""
        usual = self.calibration.validation.novelty_input()
        return full_conformal(novelties[self.novelty], usual, outputs.novelty_input())

    @property
    def compared(self) -> int:
        """With how many validation examples an input is compared; 0 for a model without p(x)."""
        log_prob = self.calibration.validation.log_prob
        return 0 if log_prob is None else len(log_prob.nats)

    def too_few(self, level: float = LEVEL) -> str | None:
        """Where so few examples cannot tell what is implausible at this level: what would do."""
        return too_few(self.compared, level, enough(self.model)) if self.compared else None

    def classify(
        self, part: Part, names: tuple[str, ...], reject_cost: float, level: float
    ) -> list[Answer]:
        """The class of each input, or why none: implausible at ``level``, or ambiguous at the cost.

        Raises ``UsageError`` for a model without classes, or a level or cost outside [0, 1].
        """
        if self.classifier is None:
            raise UsageError(_without_classes(self.model))
        if not 0 <= level <= 1:
            raise UsageError(f"the level of implausibility must lie between 0 and 1, not {level}")
        outputs = self.outputs(part)
        assert outputs.log_posterior is not None
        posterior = (outputs.log_posterior / self.classifier.temperature).log_softmax(1)
        p_values: list[float | None] = [None] * len(posterior)
        if self.compared:
            p_values = self.p_values(outputs).tolist()
        labels = chow_rule(posterior, reject_cost).tolist()
        return [
            self._answer(name, label, log_p, p, level)
            for name, label, log_p, p in zip(names, labels, posterior, p_values, strict=True)
        ]

    def _answer(
        self, name: str, label: int, log_p: Tensor, p: float | None, level: float
    ) -> Answer:
        """What is said of one input: its label by Chow's rule, log p(y | x) (classes,), and its p-value."""
        best = int(log_p.argmax())
        sure, class_name = float(log_p[best].exp()), self.class_names[best]
        decision, reason = class_name, f"{sure:.1%} sure"
        if log_p.isnan().any():  # log p(x | y) is -inf for every y
            label, decision, reason = (
                REJECTED,
                "rejected: implausible",
                "no class makes it possible",
            )
        elif p is not None and p <= level:
            label, decision = REJECTED, "rejected: implausible"
            reason = f"real data are as unlikely in {p:.2g} of all cases"
        elif label == REJECTED:
            decision = "rejected: ambiguous"
            reason = f"the most probable class, {class_name}, has only {sure:.1%}"
        if p is not None and (extreme := most_extreme(p, self.compared, level)):
            reason += f", but {extreme}"
        return Answer(name, decision, reason, label, tuple(log_p.exp().tolist()), p)

    def score(self, part: Part, names: tuple[str, ...]) -> list[Plausibility]:
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
        p = self.p_values(outputs)
        columns = nats.tolist(), stderr, rank.tolist(), novelty.tolist(), p.tolist()
        sign = Kind(outputs.log_prob.kind).sign
        return [Plausibility(name, sign, *row) for name, *row in zip(names, *columns, strict=True)]


def choose_novelty(
    model: Model, background: Explicit | None = None, novelty: str | None = None
) -> str:
    """The name of the novelty score of a model, by default what suits its space.

    Raises ``UsageError`` for a score that these data do not have, or a model that says nothing of x.
    """
    posterior_of(model)
    coded = has_code_length(model.space)
    name = novelty or ("ratio" if background else "either" if coded else "likelihood")
    _ = novelties[name]
    if name in _OF_IMAGES and not coded:
        raise UsageError(
            f"--novelty {name} needs images, which have a standard lossless code: choose likelihood, "
            f"typicality or ratio"
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
