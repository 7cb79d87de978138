"""What was learned, judged: samples, data and features are seen here, never a family of models.

``evaluation_set``  the training part T, the held-out part H and samples G, side by side
``embedding``       how points are seen: features, raw coordinates, modes
``features``        extractors that need no training here
``measure``         a number that says what it is, and the registry of metrics
``metrics``         the metrics, one question a file
``permutation``     who is a sample: shuffled for a p-value, redrawn for an interval
``verdict``         a test for each kind of defect: FAIL, PASS or INCONCLUSIVE
``report``          what an evaluation found

Importing this package registers every metric and every defect.
"""

from plausible.evaluation import metrics, verdict

__all__ = ["metrics", "verdict"]
