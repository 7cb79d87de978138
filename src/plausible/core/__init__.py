"""The vocabulary everything else is written in; read it first, in this order.

``errors``        what is refused (``UsageError``), and what is not defined here (``NotDefined``)
``registry``      names that choose functions and classes; ``rule``: registered functions that judge
``bounds``        the values that a field of a configuration may take
``space``         where the data live: ``Space``; what is drawn from it: ``Batch``
``examples``      the part of the data that a model learns from
``likelihood``    what a model says of probability: ``LogProb`` and its ``Kind``
``schedule``      numbers that change while a budget is spent
``game``          ``Player``, ``Loss``, ``Clock``: how every model learns
``model``         ``Model``, ``Generative``, ``Explicit``: what every family is
``capabilities``  what a model can do, as protocols; ``synthesis``: what a class makes of an x
``preset``        published recipes of a family; ``remedy``: what helps one that goes wrong
``finding``       what is wrong and how badly, and the registries of checks and probes
``snapshot``      a moment of a training, as probes see it; ``reading``: the numbers they give
``mcmc``          how well Markov chains mix
``device``        where to compute, and generators there; ``choices``: names that people choose by
``distances``     |a - b|^2 of all pairs; ``kmeans``: k-means++ and Lloyd
"""
