"""Generative stochastic networks.

``gsn``   the model: corrupt, reconstruct, and again
``tied``  networks that use the same weights up and down
"""
