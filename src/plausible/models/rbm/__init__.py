"""The restricted Boltzmann machine, and how much its probabilities add up to.

``rbm``         the model: energy, chains, learning
``config``      its choices
``state``       what it remembers between updates beside its weights: means of the units, chains
``energy``      p*(v) = sum_h exp(-E(v, h)) and both conditional distributions
``contrastive`` the loss, with its gradient by hand
``sparse_units`` products where few units are 1
``tempering``   chains at several temperatures, which change places
``partition``   log Z and how far off it may be: enumerated where one side is small, otherwise annealed
``enumeration`` log Z by summing over every state of the smaller side
``annealing``   log Z by a path from independent pixels, and the same path backwards
``normalising_constant``, ``constant_units``   what can go wrong with it alone
``remedies``    what helps
"""

from plausible.models.rbm import constant_units, normalising_constant

__all__ = ["constant_units", "normalising_constant"]  # registered by being imported
