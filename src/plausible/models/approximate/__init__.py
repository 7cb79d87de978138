"""Explicit models whose log p(x) is bounded or estimated: variational ones."""
