"""A critic learns to tell samples from training data, and is then asked about held-out data and fresh samples.

``critic``         who learns from what, who is asked, and what came of it for a whole evaluation set
``critique``       what a critic answered: a bound on the total variation, with an exact p-value
``lesson``         what a critic learns from, and when it has learned
``views``          what a critic is shown of an image: all of it, its shape, its texture, its colours
``networks``       what looks
``convolutional``  how it learns
``effort``, ``updates_to_accuracy``  how many updates critics need to be 75% right
``tabular``        boosted trees of coordinates, and a linear critic of features
"""
