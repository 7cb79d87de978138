"""Measures of what was learned: they see samples, data and features, never a family of models.

Importing this package registers every measure, in the order in which a table shows them.
"""

# ruff: noqa: I001, F401  # the order is that of the table
from plausible.evaluation import distances
from plausible.evaluation import neighbours
from plausible.evaluation import twosample
from plausible.evaluation import histogram
from plausible.evaluation import memorisation
from plausible.evaluation import diversity
from plausible.evaluation import sharpness
from plausible.evaluation import latent
from plausible.evaluation import likelihood
from plausible.evaluation import inference
from plausible.evaluation import mixing
