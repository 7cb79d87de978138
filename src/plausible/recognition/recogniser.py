"""Questions about inputs: which class, how sure, how plausible, or none of these."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from plausible.core.capabilities import Classifier
from plausible.core.errors import UsageError
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
from plausible.recognition.rejection import REJECTED, chosen
from plausible.recognition.roc import accepted, auroc

BACKGROUND = 0.2  # the share of mutated coordinates that suits most data
_OF_IMAGES = ("complexity", "either")  # scores that need a lossless code
_CHUNK = 512
_ENOUGH = 2000  # examples to calibrate on, and to compare with ...
_ESTIMATED = 500  # ... where each log p takes many draws


@dataclass(frozen=True)
class Seen:
    """What a model says of n inputs, on the CPU.

    log_posterior  log p(y | x) before calibration, (n, classes); None where it knows no classes.
    log_prob       log p(x); None for a discriminative model.
    code, background   as in ``NoveltyInput``.
    """

    log_posterior: Tensor | None = None
    log_prob: LogProb | None = None
    code: Tensor | None = None
    background: Tensor | None = None

    def __getitem__(self, rows: slice) -> "Seen":
        return Seen(*(None if part is None else part[rows] for part in vars(self).values()))


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
        few = self._few(data.validation)
        seen = self.look(few)
        # what is usual is taken from one half, and the p-values from the other, so that they hold
        half = slice(1, None, 2) if len(few) > 1 else slice(None)
        self.usual = seen[0::2]
        self.conformal: Conformal | None = None
        if seen.log_prob is not None:
            self.conformal = Conformal(self.novel(seen[half]))
        self.classifier: Tempered | None = None
        if self._base is not None and seen.log_posterior is not None:
            assert few.y is not None
            self.classifier = temper(self._base, seen.log_posterior, few.y)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        return self.data.class_names or tuple(map(str, range(self.data.space.classes)))

    def look(self, part: Part) -> Seen:
        """Everything the model says of these inputs."""
        rows = torch.arange(len(part)).split(_CHUNK)
        parts = [self._look(part.batch(some).x) for some in rows]
        said = [seen.log_prob for seen in parts if seen.log_prob is not None]
        return Seen(
            _joined([seen.log_posterior for seen in parts]),
            LogProb.cat(said) if said else None,
            _joined([seen.code for seen in parts]),
            _joined([seen.background for seen in parts]),
        )

    def _look(self, x: Tensor) -> Seen:
        if self._explicit is None:
            assert self._base is not None
            return Seen(self._base.log_posterior(x).cpu())
        generator = torch.Generator().manual_seed(self.seed)
        posterior = None
        if isinstance(self._base, BayesClassifier):
            joint = self._base.log_joint(x, generator)
            said = LogProb.logsumexp(joint)
            posterior = torch.stack([part.nats for part in joint], 1).log_softmax(1).cpu()
        else:
            said = self._explicit.log_prob(x, samples=self.draws, generator=generator)
        behind = None
        if self.background is not None:
            plain = self.background.log_prob(x, samples=self.draws, generator=generator)
            behind = plain.nats.cpu().double()
        code = code_length(x, self.data.space) if self._coded else None
        return Seen(posterior, said, code, behind)

    def novel(self, seen: Seen, novelty: str | None = None) -> Tensor:
        """A novelty score of each input, (n,), by default ours; UsageError for a model without p(x)."""
        if seen.log_prob is None or self.usual.log_prob is None:
            raise UsageError(
                f"a {self.model.name} says p(y | x) and nothing of p(x): train a model that does, such "
                f"as naive-bayes"
            )
        usual, these = (
            NoveltyInput(one.nats.double(), s.code, s.background)
            for one, s in ((self.usual.log_prob, self.usual), (seen.log_prob, seen))
        )
        return novelties[novelty or self.novelty](replace(these, usual=usual))

    def _few(self, part: Part) -> Part:
        """Enough of a part."""
        return part.every_kth(
            _ENOUGH if self.model.kinds.get("log_prob", "=") == "=" else _ESTIMATED
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
        kinds = self.kinds
        seen = self.look(part)
        assert seen.log_posterior is not None
        posterior = (seen.log_posterior / self.classifier.temperature).log_softmax(1)
        chances: list[float | None] = [None] * len(posterior)
        if self.conformal is not None:
            chances = self.conformal(self.novel(seen)).tolist()
        found = []
        labels = chosen(posterior, reject_cost).tolist()
        for name, label, log_p, p in zip(names, labels, posterior, chances, strict=True):
            best = int(log_p.argmax())
            sure, kind = float(log_p[best].exp()), kinds[best]
            decision, reason = kind, f"{sure:.1%} sure"
            if p is not None and p <= level:
                label, decision = REJECTED, "rejected: implausible"
                reason = f"data of the right kind are as novel with a chance of {p:.2g}"
            elif label == REJECTED:
                decision = "rejected: ambiguous"
                reason = f"the most probable class, {kind}, has only {sure:.1%}"
            found.append(Answer(name, decision, reason, label, tuple(log_p.exp().tolist()), p))
        return found

    def score(self, part: Part, names: tuple[str, ...]) -> list[Plausibility]:
        """How probable each input is, beside the held-out data."""
        seen = self.look(part)
        novel = self.novel(seen)
        beside = self.look(self._few(self.data.heldout)).log_prob
        assert seen.log_prob is not None
        assert beside is not None
        assert self.conformal is not None
        nats = seen.log_prob.nats.double()
        order = beside.nats.double().sort().values
        rank = torch.searchsorted(order, nats, right=True) / len(order)  # (n,)
        errors = seen.log_prob.error
        spread = [None] * len(nats) if errors is None else errors.tolist()
        columns = (
            nats.tolist(),
            spread,
            rank.tolist(),
            novel.tolist(),
            self.conformal(novel).tolist(),
        )
        sign = Kind(seen.log_prob.kind).sign
        return [Plausibility(name, sign, *row) for name, *row in zip(names, *columns, strict=True)]


def outlying(
    recogniser: Recogniser, inside: Part, outside: Part, name: str, n: int = 5000
) -> list[Measure]:
    """How well data of the right kind are told from outliers, at most n of each.

    By the novelty score where the model says p(x), otherwise by 1 - max_y p(y | x), all that a
    discriminative model has.
    """
    seen = [recogniser.look(part.rows(slice(0, n))) for part in (inside, outside)]
    if seen[0].log_prob is None:
        told = "1 - max p(y | x)"
        scores = [-one.log_posterior.amax(1) for one in seen if one.log_posterior is not None]
    else:
        told, scores = recogniser.novelty, [recogniser.novel(one) for one in seen]
    (ours, other), note = scores, f"by {told}"
    count = min(len(ours), len(other))
    return [
        Measure(f"AUROC, {name}", auroc(ours, other), n=count, direction="higher", note=note),
        Measure(f"accepted of {name} at 95%", accepted(ours, other), n=count, note=note),
    ]


def _joined(parts: list[Tensor | None]) -> Tensor | None:
    there = [part for part in parts if part is not None]
    return torch.cat(there) if there else None
