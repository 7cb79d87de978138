"""Measures of what was learned: they see samples, data and features, never a family of models."""
