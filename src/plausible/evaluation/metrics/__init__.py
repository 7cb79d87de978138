"""The metrics, one question a file.

Importing this package registers them in the order in which a table shows them; a new file needs a line.
"""

# ruff: noqa: I001, F401  # the order is that of the table
from plausible.evaluation.metrics import distances
from plausible.evaluation.metrics import neighbours
from plausible.evaluation.metrics import two_sample
from plausible.evaluation.metrics import updates_to_accuracy
from plausible.evaluation.metrics import histogram
from plausible.evaluation.metrics import memorisation
from plausible.evaluation.metrics import diversity
from plausible.evaluation.metrics import sharpness
from plausible.evaluation.metrics import latent
from plausible.evaluation.metrics import likelihood
from plausible.evaluation.metrics import inference
from plausible.evaluation.metrics import mixing
