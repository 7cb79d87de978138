"""The restricted Boltzmann machine, and how much its probabilities add up to.

``rbm``         the model: energy, chains, learning
``energy``      p*(v) = sum_h exp(-E(v, h)) and both conditional distributions
``annealing``   log Z by a path from independent pixels, and the same path backwards
``tempering``   chains at several temperatures, which change places
``enumeration`` log Z by summing over every state of the smaller side
"""
