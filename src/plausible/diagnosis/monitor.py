"""Watches a training: looks at the model every so often, raises alarms, and knows which weights were best."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from plausible.diagnosis.alarm import alarmed
from plausible.diagnosis.finding import Finding, Severity
from plausible.diagnosis.history import LOOK, TRACE, History
from plausible.diagnosis.probe import ProbeReference, looked, reference
from plausible.training import Step, Training

EVERY = 100  # rounds between two looks
_EARLY = (10, 20, 50)
_TRACED = ("D(x)", "D(G(z))")  # of every round: circles may be quick
# lower is better; the first that a model has, and how much of the lowest later weights may be worse by
_SCORES = {"held-out loss": 0.005, "distance": 0.1}


class Monitor:
    """What is seen of one training while it goes on.

    history   what was logged and looked at so far.
    findings  {alarm: its latest finding}.
    best      the weights to keep, {name: tensor}, and ``best_steps``, how many steps made them; None
              before the first look of this session.

    The best weights are those of the latest look whose score is near the lowest: the loss on held-out examples
    within 0.5%, or for a game the Frechet distance of samples in principal components within 10%.  Looks fall
    on rounds, not on seconds, so the same command keeps the same weights.
    """

    def __init__(self, training: Training[Any], history: History | None = None):
        self._training, self._seed = training, training.settings.seed
        self._reference: ProbeReference | None = None
        self.findings: dict[str, Finding] = {}
        self.best: dict[str, Tensor] | None = None
        self.best_steps = 0
        self._traced: dict[str, list[Tensor]] = {}
        self.restart(history or History())

    def follow(self, step: Step) -> None:
        """Keep the numbers of a round that are wanted of every round; they stay on the device."""
        for seen in step.seen.values():
            for what in _TRACED:
                if what in seen:
                    self._traced.setdefault(what, []).append(seen[what])

    def trace(self) -> dict[str, dict[str, list[float]]]:
        """{TRACE: {what: numbers since the last call}} for a line of the log, or nothing."""
        found = {
            what: [float(f"{value:.4g}") for value in torch.stack(values).tolist()]
            for what, values in self._traced.items()
        }
        self._traced = {}
        return {TRACE: found} if found else {}

    def due(self, step: Step) -> bool:
        """Whether this round is one of those after which the model is looked at."""
        now = step.clock.step
        return (now > 0 and now % EVERY == 0) or now in _EARLY or self._training.finished

    def look(self) -> dict[str, float | None]:
        """{what: number} of the model now; None where a number is not finite."""
        if self._reference is None:
            training = self._training
            self._reference = reference(training.raw, training.data, self._seed)
        found = looked(self._training, self._reference, self._seed)
        return {what: value if math.isfinite(value) else None for what, value in found.items()}

    def add(self, line: dict[str, Any]) -> list[Finding]:
        """Take in a line of the log; after a look, the alarms that are new or worse than before."""
        self.history.add(line)
        if LOOK not in line:
            return []
        if self._scored(line[LOOK]):
            self.best_steps = line["step"] + 1
            state = self._training.averaged.state_dict()
            self.best = {name: tensor.detach().clone() for name, tensor in state.items()}
        news = []
        for finding in alarmed(self.history):
            before = self.findings.get(finding.check)
            known = Severity.NOTE if before is None else before.severity
            if finding.severity.rank > known.rank:
                news.append(finding)
            self.findings[finding.check] = finding
        return news

    def restart(self, history: History) -> None:
        """Go on from this history: what came after it is forgotten."""
        self.history, self._score, self._lowest = history, "", math.inf
        self.findings = {}
        self._traced = {}
        if self.best_steps > history.steps:
            self.best, self.best_steps = None, 0
        for seen in history.looks:
            self._scored(seen)

    def _scored(self, seen: Mapping[str, float | None]) -> bool:
        """Whether the weights of this look are the best so far."""
        if not self._score:
            self._score = next((what for what in _SCORES if seen.get(what) is not None), "")
        value = seen.get(self._score)
        if value is None:
            return not self._score  # a model without a score keeps its last weights
        self._lowest = min(self._lowest, value)
        return value <= self._lowest + _SCORES[self._score] * abs(self._lowest)
