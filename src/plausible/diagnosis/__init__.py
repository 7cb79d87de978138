"""What is wrong with a trained model, the evidence, and what to do: one check a function.

``finding``     Finding, Severity, Case, and the registry of checks
``inference``   does the decoder listen to z, is the bound tight
``mixing``      do the chains of a model forget where they began
``likelihood``  does log p(x) hold on data that were not learned
"""

from plausible.diagnosis import inference, likelihood, mixing  # noqa: F401  # registers their checks
from plausible.diagnosis.finding import Case, Finding, Severity, checks, diagnose

__all__ = ["Case", "Finding", "Severity", "checks", "diagnose"]
