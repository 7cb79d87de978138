"""Drawing along ways: through z, and along Markov chains.

``latent``  great circles between two z, and what the model makes of their points
``chains``  the states of Markov chains from where they begin
"""
