"""What is wrong with a model, the evidence, and what to do; one file a phenomenon.

A phenomenon has one name, and up to three functions side by side: a *check* of a trained model, a *probe* that
takes numbers while one trains, and an *alarm* that reads them in the log.  They register by the decorators of
``core.finding``; what one family alone has is in its room, as in ``models/rbm``, and what helps it in its ``remedies.py``.

``posterior_collapse``         does the decoder listen to z
``bound_gap``                  is the bound of log p(x) tight
``overfitting``                does what is learned hold for data that are not learned
``chain_mixing``               do chains forget where they began
``dead_units``                 is every unit of use
``frozen_player``              does every player move
``divergence``                 does a player run away
``oscillation``                do the players chase each other in circles
``missing_modes``              do samples reach what data reach
``garbage``                    do samples lie where no real data are
``vanishing_gradient``         does the generator still hear anything
``discriminator_overfitting``  does the discriminator know its examples by heart
``starved_generator``          has the discriminator outrun the generator
``not_finite``                 is every number of a round finite

``check``, ``alarm``, ``probe``  run them;  ``remedies``  what to do
``history``                      what was logged, as series
``monitor``                      probes every so often, raises alarms, keeps the best weights
``discriminator``                the probe that three alarms read
"""

from plausible.diagnosis import (  # noqa: F401, I001  # registers them in this order
    discriminator,
    vanishing_gradient,
    discriminator_overfitting,
    posterior_collapse,
    bound_gap,
    overfitting,
    chain_mixing,
    frozen_player,
    missing_modes,
    garbage,
    starved_generator,
    divergence,
    oscillation,
    dead_units,
)
from plausible.core.finding import (
    Finding,
    Severity,
    alarms,
    by_severity,
    checks,
    probes,
    to_json,
)
from plausible.core.reading import Reading
from plausible.diagnosis.alarm import run_alarms
from plausible.diagnosis.check import merge_findings, run_checks
from plausible.diagnosis.history import History
from plausible.diagnosis.monitor import Monitor

__all__ = [
    "Finding",
    "History",
    "Monitor",
    "Reading",
    "Severity",
    "alarms",
    "by_severity",
    "checks",
    "merge_findings",
    "probes",
    "run_alarms",
    "run_checks",
    "to_json",
]
