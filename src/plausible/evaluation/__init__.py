"""Measures of what was learned: they see samples, data and features, never a family of models.

Importing a module of this package registers its measures; ``measure.metrics`` holds them all.
"""
