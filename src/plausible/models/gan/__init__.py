"""Generative adversarial networks: the game, its losses, its penalties and its networks."""
