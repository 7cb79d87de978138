"""Questions about inputs: which class, how sure, how plausible, or none of these."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError
from plausible.core.examples import batches
from plausible.core.likelihood import Kind, LogProb
from plausible.core.model import Explicit, Model
from plausible.data.images import MODES
from plausible.data.part import Data, Part
from plausible.evaluation.measure import Measure
from plausible.recognition.bayes import BayesClassifier
from plausible.recognition.calibration import Tempered, temper
from plausible.recognition.code_length import code_length
from plausible.recognition.conformal import Conformal
from plausible.recognition.novelty import NoveltyInput, novelties
from plausible.recognition.rejection import REJECTED, chow_rule
from plausible.recognition.roc import auroc, fpr_at_tpr

BACKGROUND = 0.2  # the share of mutated coordinates that suits most data
_OF_IMAGES = ("complexity", "either")  # scores that need a lossless code
_CHUNK = 512
_ENOUGH = 2000  # examples to calibrate on, and to compare with ...
_ESTIMATED = 500  # ... where each log p takes many draws


@dataclass(frozen=True)
class ModelOutputs:
    """What a model says of n inputs, on the CPU.

    log_posterior  log p(y | x) before calibration, (n, classes); None where it knows no classes.
    log_prob       log p(x); None for a discriminative model.
    code_length, background   as in ``NoveltyInput``.
    """

    log_posterior: Tensor | None = None
    log_prob: LogProb | None = None
    code_length: Tensor | None = None
    background: Tensor | None = None

    def __getitem__(self, rows: slice) -> "ModelOutputs":
        return ModelOutputs(*(None if part is None else part[rows] for part in vars(self).values()))

    def novelty_input(self) -> NoveltyInput:
        """What a novelty score reads, of a model that says p(x)."""
        assert self.log_prob is not None
        return NoveltyInput(self.log_prob.nats.double(), self.code_length, self.background)


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

    background  a model of mutated data (``--mutate``), for the score ``ratio``.
    novelty     the score, one of ``novelties``; by default ratio with a background model, otherwise
                either for images, and likelihood for vectors (experiments/outliers.py chose).
    draws       of z for each log p(x), where it is an estimate; by default the model's.
    """

    def __init__(
        self,
        model: Model,
        data: Data,
        *,
        background: Explicit | None = None,
        novelty: str | None = None,
        draws: int | None = None,
        seed: int = 0,
    ):
        self.model, self.data, self.draws, self.seed = model, data, draws, seed
        self.background = background
        self._explicit = model if isinstance(model, Explicit) else None
        self._base: Classifier | None = model if isinstance(model, Classifier) else None
        if self._explicit is not None and model.conditional:
            self._base = BayesClassifier(self._explicit, samples=draws)
        if self._explicit is None and self._base is None:
            raise UsageError(
                f"a {model.name} says neither p(y | x) nor p(x), so it cannot be asked"
            )
        self._coded = data.space.is_image and data.space.shape[0] in MODES
        default = "ratio" if background else "either" if self._coded else "likelihood"
        self.novelty = novelty or default
        _ = novelties[self.novelty]
        if self.novelty in _OF_IMAGES and not self._coded:
            raise UsageError(
                f"--novelty {self.novelty} needs images, which have a standard lossless code: choose "
                f"likelihood, typicality or ratio"
            )
        few = self._subset(data.validation)
        outputs = self.outputs(few)
        # what is usual is taken from one half, and the p-values from the other, so that they hold
        half = slice(1, None, 2) if len(few) > 1 else slice(None)
        self.in_distribution = outputs[0::2]
        self.conformal: Conformal | None = None
        if outputs.log_prob is not None:
            self.conformal = Conformal(self.novelty_score(outputs[half]))
        self.classifier: Tempered | None = None
        if self._base is not None and outputs.log_posterior is not None:
            assert few.y is not None
            self.classifier = temper(self._base, outputs.log_posterior, few.y)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        return self.data.class_names or tuple(map(str, range(self.data.space.classes)))

    def outputs(self, part: Part) -> ModelOutputs:
        """Everything the model says of these inputs."""
        parts = [self._outputs(batch.x) for batch in batches(part, _CHUNK)]
        log_probs = [outputs.log_prob for outputs in parts if outputs.log_prob is not None]
        return ModelOutputs(
            _joined([outputs.log_posterior for outputs in parts]),
            LogProb.cat(log_probs) if log_probs else None,
            _joined([outputs.code_length for outputs in parts]),
            _joined([outputs.background for outputs in parts]),
        )

    def _outputs(self, x: Tensor) -> ModelOutputs:
        if self._explicit is None:
            assert self._base is not None
            return ModelOutputs(self._base.log_posterior(x).cpu())
        generator = torch.Generator().manual_seed(self.seed)
        posterior = None
        if isinstance(self._base, BayesClassifier):
            joint = self._base.log_joint(x, generator)
            log_prob = LogProb.logsumexp(joint)
            posterior = torch.stack([part.nats for part in joint], 1).log_softmax(1).cpu()
        else:
            log_prob = self._explicit.log_prob(x, samples=self.draws, generator=generator)
        background = None
        if self.background is not None:
            of_mutated = self.background.log_prob(x, samples=self.draws, generator=generator)
            background = of_mutated.nats.cpu().double()
        length = code_length(x, self.data.space) if self._coded else None
        return ModelOutputs(posterior, log_prob, length, background)

    def novelty_score(self, outputs: ModelOutputs, novelty: str | None = None) -> Tensor:
        """A novelty score of each input, (n,), by default ours; UsageError for a model without p(x)."""
        if outputs.log_prob is None or self.in_distribution.log_prob is None:
            raise UsageError(
                f"a {self.model.name} says p(y | x) and nothing of p(x): train a model that does, such "
                f"as naive-bayes"
            )
        usual, inputs = self.in_distribution.novelty_input(), outputs.novelty_input()
        return novelties[novelty or self.novelty](replace(inputs, in_distribution=usual))

    def _subset(self, part: Part) -> Part:
        """Enough of a part."""
        return part.every_kth(
            _ENOUGH if self.model.kinds.get("log_prob", Kind.EXACT) is Kind.EXACT else _ESTIMATED
        )

    def classify(
        self, part: Part, names: tuple[str, ...], reject_cost: float, level: float
    ) -> list[Answer]:
        """The class of each input, or why none: implausible at ``level``, or ambiguous at the cost.

        Raises ``UsageError`` for a model without classes, or a level or cost outside [0, 1].
        """
        if self.classifier is None:
            raise UsageError(
                f"this {self.model.name} was learned without classes: train it with --conditional or "
                f"--per-class on labelled data"
            )
        if not 0 <= level <= 1:
            raise UsageError(f"the level of implausibility must lie between 0 and 1, not {level}")
        outputs = self.outputs(part)
        assert outputs.log_posterior is not None
        posterior = (outputs.log_posterior / self.classifier.temperature).log_softmax(1)
        chances: list[float | None] = [None] * len(posterior)
        if self.conformal is not None:
            chances = self.conformal(self.novelty_score(outputs)).tolist()
        answers = []
        labels = chow_rule(posterior, reject_cost).tolist()
        for name, label, log_p, p in zip(names, labels, posterior, chances, strict=True):
            best = int(log_p.argmax())
            sure, class_name = float(log_p[best].exp()), self.class_names[best]
            decision, reason = class_name, f"{sure:.1%} sure"
            if p is not None and p <= level:
                label, decision = REJECTED, "rejected: implausible"
                reason = f"data of the right kind are as novel with a chance of {p:.2g}"
            elif label == REJECTED:
                decision = "rejected: ambiguous"
                reason = f"the most probable class, {class_name}, has only {sure:.1%}"
            answers.append(Answer(name, decision, reason, label, tuple(log_p.exp().tolist()), p))
        return answers

    def score(self, part: Part, names: tuple[str, ...]) -> list[Plausibility]:
        """How probable each input is, beside the held-out data."""
        outputs = self.outputs(part)
        novelty = self.novelty_score(outputs)
        heldout = self.outputs(self._subset(self.data.heldout)).log_prob
        assert outputs.log_prob is not None
        assert heldout is not None
        assert self.conformal is not None
        nats = outputs.log_prob.nats.double()
        order = heldout.nats.double().sort().values
        rank = torch.searchsorted(order, nats, right=True) / len(order)  # (n,)
        errors = outputs.log_prob.error
        stderr = [None] * len(nats) if errors is None else errors.tolist()
        p = self.conformal(novelty)
        columns = nats.tolist(), stderr, rank.tolist(), novelty.tolist(), p.tolist()
        sign = Kind(outputs.log_prob.kind).sign
        return [Plausibility(name, sign, *row) for name, *row in zip(names, *columns, strict=True)]


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
    return [
        Measure(f"AUROC, {name}", auroc(ours, other), n=count, direction="higher", note=note),
        Measure(f"accepted of {name} at 95%", fpr_at_tpr(ours, other), n=count, note=note),
    ]


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    tensors = [part for part in parts if part is not None]
    return torch.cat(tensors) if tensors else None
