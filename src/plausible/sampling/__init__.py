"""Drawing along paths: through z, and along Markov chains.

``latent``  slerp between two z, and what the model makes of its points
``directions``  those of z along which x changes most
``chains``  the states of Markov chains from where they begin
"""
