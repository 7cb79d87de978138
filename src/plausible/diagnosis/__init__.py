"""What is wrong with a model, the evidence, and what to do: one check or alarm a function.

Of a trained model:
``finding``     Finding, Severity, Case, and the registry of checks
``inference``   does the decoder listen to z, is the bound tight
``mixing``      do the chains of a model forget where they began
``likelihood``  does log p(x) hold on data that were not learned
``partition``   is the constant that makes probabilities of an energy known

While it trains, or from the log of a training:
``history``     what was logged, as series
``look``        what is measured besides, and the registry of looks
``alarm``       the registry of alarms, functions of a history
``monitors``    the looks and alarms themselves
``watch``       looks every so often, raises alarms, keeps the best weights
"""

from plausible.diagnosis import (  # noqa: F401  # they register
    inference,
    likelihood,
    mixing,
    monitors,
    partition,
)
from plausible.diagnosis.alarm import alarmed, alarms
from plausible.diagnosis.finding import Case, Finding, Severity, checks, diagnose, joined, to_json
from plausible.diagnosis.history import History
from plausible.diagnosis.monitor import Monitor
from plausible.diagnosis.probe import looks

__all__ = [
    "Case",
    "Finding",
    "History",
    "Monitor",
    "Severity",
    "alarmed",
    "alarms",
    "checks",
    "diagnose",
    "joined",
    "looks",
    "to_json",
]
