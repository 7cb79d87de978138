"""Normalizing flows: an invertible network, and log p(x) by the change of variables."""
