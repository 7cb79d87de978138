"""Monitors a training: probes the model every so often, raises alarms, and knows which weights were best."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from plausible.core.finding import Finding, Severity
from plausible.core.reading import D_FAKE, D_REAL, Reading
from plausible.diagnosis.alarm import run_alarms
from plausible.diagnosis.history import PROBES, TRACE, History
from plausible.diagnosis.missing_modes import FRECHET_RATIO
from plausible.diagnosis.overfitting import VALIDATION_LOSS
from plausible.diagnosis.probe import ProbeReference, probe_reference, run_probes
from plausible.training import Step, Training

_EARLY = (0.1, 0.2, 0.5)  # of the rounds between two probes: before the first of them
_TRACED = (D_REAL, D_FAKE)  # of every round: circles may be quick
# lower is better; the first that a model has, and how much of the lowest later weights may be worse by
_SCORES = {VALIDATION_LOSS: 0.005, FRECHET_RATIO: 0.1}


class Monitor:
    """What is known of one training while it goes on.

    history   what was logged and probed so far.
    findings  {phenomenon: its latest finding}.
    best      the weights to keep, {name: tensor}, and ``best_steps``, how many steps made them; None
              before the model was probed in this session.

    The best weights are those of the latest probe whose score is near the lowest: the loss on the validation
    part within 0.5%, or for a game the Frechet distance of samples in principal components within 10%.  Probes
    fall on rounds, not on seconds, so the same command keeps the same weights.
    """

    def __init__(self, training: Training[Any], history: History | None = None):
        self._training, self._seed = training, training.settings.seed
        self._reference: ProbeReference | None = None
        self.findings: dict[str, Finding] = {}
        self.best: dict[str, Tensor] | None = None
        self.best_steps = 0
        self._traced: dict[Reading, list[Tensor]] = {}
        self.reset(history or History())

    def observe(self, step: Step) -> None:
        """Keep the numbers of a round that are wanted of every round; they stay on the device."""
        for values in step.scalars.values():
            for reading in _TRACED:
                if reading in values:
                    self._traced.setdefault(reading, []).append(values[reading])

    def pop_trace(self) -> dict[str, dict[Reading, list[float]]]:
        """{TRACE: {reading: numbers since the last call}} for a line of the log, or nothing."""
        trace = {
            reading: [float(f"{value:.4g}") for value in torch.stack(values).tolist()]
            for reading, values in self._traced.items()
        }
        self._traced = {}
        return {TRACE: trace} if trace else {}

    def should_probe(self, step: Step) -> bool:
        """Whether this round is one of those after which the model is probed."""
        now, every = step.clock.step, self._training.raw.probe_every
        early = now in [round(share * every) for share in _EARLY]
        return (now > 0 and now % every == 0) or early or self._training.finished

    def probe(self) -> dict[Reading, float | None]:
        """{reading: number} of the model now; None where a number is not finite."""
        if self._reference is None:
            training = self._training
            self._reference = probe_reference(training.raw, training.data, self._seed)
        readings = run_probes(self._training, self._reference, self._seed)
        return {name: value if math.isfinite(value) else None for name, value in readings.items()}

    def update(self, line: dict[str, Any]) -> list[Finding]:
        """Take in a line of the log; where it has probes, the alarms that are new or worse than before."""
        self.history.append(line)
        if PROBES not in line:
            return []
        if self._is_best(line[PROBES]):
            self.best_steps = line["step"] + 1
            state = self._training.averaged.state_dict()
            self.best = {name: tensor.detach().clone() for name, tensor in state.items()}
        news = []
        for finding in run_alarms(self.history, self._training.raw, self._training.settings):
            before = self.findings.get(finding.phenomenon)
            known = Severity.NOTE if before is None else before.severity
            if finding.severity.rank > known.rank:
                news.append(finding)
            self.findings[finding.phenomenon] = finding
        return news

    @property
    def score(self) -> float | None:
        """What the last probe said of the number by which weights are the best, lower being better; None without one."""
        known = self.history.probed[-1] if self.history.probed and self._score else {}
        return None if self._score is None else known.get(self._score)

    def reset(self, history: History) -> None:
        """Go on from this history: what came after it is forgotten."""
        self.history, self._lowest = history, math.inf
        self._score: Reading | None = None
        self.findings = {}
        self._traced = {}
        if self.best_steps > history.steps:
            self.best, self.best_steps = None, 0
        for readings in history.probed:
            self._is_best(readings)

    def _is_best(self, readings: Mapping[str, float | None]) -> bool:
        """Whether the weights of this probe are the best so far."""
        if self._score is None:
            self._score = next((name for name in _SCORES if readings.get(name) is not None), None)
        value = None if self._score is None else readings.get(self._score)
        if self._score is None or value is None:
            return self._score is None  # a model without a score keeps its last weights
        self._lowest = min(self._lowest, value)
        return value <= self._lowest + _SCORES[self._score] * abs(self._lowest)
