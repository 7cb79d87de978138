"""The variational autoencoder: log p(x) >= E_q log p(x | z) - KL(q(z | x) || p(z))."""
